//! The composition root: start order, drain order, signals, reload.
//!
//! Owns: the wiring, the log, `bound.json`. Refuses: any
//! work of its own. May use: every room.

mod certificate;
mod folder;
pub mod log;
pub mod options;
mod running;
mod signals;
mod start;

pub use options::Options;

use crate::config::Config;
use std::io::Write;
use std::path::PathBuf;

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configured certificate.
    #[error(transparent)]
    Pem(crate::config::PemError),
    /// Our own certificate.
    #[error("{0}")]
    Certificate(String),
    /// A file or folder.
    #[error("{} can't be {doing}: {error}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// `written`, `made`.
        doing: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The signals of the system can't be heard.
    #[error("signals can't be heard: {0}")]
    Signals(std::io::Error),
    /// The databases.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// Logins.
    #[error(transparent)]
    Access(#[from] crate::access::AccessError),
    /// The spool.
    #[error(transparent)]
    Recordings(#[from] crate::recordings::RecordingError),
    /// Audio.
    #[error(transparent)]
    Media(#[from] crate::media::StartError),
    /// SIP.
    #[error(transparent)]
    Signalling(#[from] crate::signalling::StartError),
    /// The web pages.
    #[error(transparent)]
    Web(#[from] crate::web::WebError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
}

/// Does what the command line of `bbd` says; returns the exit code: 0 done, 1 failed, 2 the
/// configuration is wrong.
pub fn run(options: &Options) -> u8 {
    let config = match Config::load(options.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            complain(&error.to_string());
            return 2;
        }
    };
    if options.check {
        return 0;
    }
    let level = log::start(&config.log_level);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("bbd").build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("no threads can be had: {error}"));
            return 1;
        }
    };
    let code = runtime.block_on(async {
        match start::start(options, config, level).await {
            Ok(running) => {
                running.live().await;
                0
            }
            Err(error) => {
                complain(&error.to_string());
                1
            }
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

/// One line on standard error, whatever the log level.
fn complain(message: &str) {
    let line: String = message
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    // With standard error gone nobody is left to tell; the exit code still speaks.
    let _ = writeln!(std::io::stderr(), "bbd: {line}");
}

#[cfg(test)]
mod tests;
