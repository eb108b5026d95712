//! The call centre's daemon.

use bluebean::app::{self, Options};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(app::run(&Options::parse()))
}
