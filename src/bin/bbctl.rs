//! Administers BlueBean over its local socket.

use bluebean::cli::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => ExitCode::from(runtime.block_on(cli.run())),
        Err(_) => ExitCode::FAILURE,
    }
}
