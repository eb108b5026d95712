//! The composition root: start order, drain order, signals, reload.
//!
//! Owns: nothing but the wiring. May use: every room.

mod certificate;
pub mod log;
pub mod options;

pub use options::Options;

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
}
