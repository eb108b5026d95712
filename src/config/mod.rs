//! `bbd.toml`: read once, checked whole, every error one line with file, line and key.
//!
//! Owns: the configuration's shape and defaults. May use: nothing of this crate.

mod check;
mod document;
mod pem;
mod place;

pub use pem::{Keypair, PemError};

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where the packaged daemon looks when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/bluebean/bbd.toml";

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[web]`
    pub web: Web,
    /// `[sip]`
    pub sip: Sip,
    /// `[media]`
    pub media: Media,
    /// `[limits]`
    pub limits: Limits,
    /// `[log] level`: a filter that `tracing` understands (`info`, `warn,bluebean::sip=debug`), default `info`.
    pub log_level: String,
}

/// HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where HTTPS listens; default `[::]:443`. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Where plain HTTP only redirects; default none.
    pub redirect: Vec<SocketAddr>,
    /// PEM chain and key; both or neither. Without: self-signed, in the data directory.
    pub certificate: Option<PathBuf>,
    /// PEM key of `certificate`.
    pub key: Option<PathBuf>,
    /// Host names and addresses users type; the first is the self-signed certificate's subject and what
    /// the Origin check accepts. Empty: whatever Host says, as long as Origin agrees.
    pub hosts: Vec<String>,
}

/// SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// UDP listeners; default `[::]:5060`.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners; default `[::]:5060`.
    pub tcp: Vec<SocketAddr>,
    /// Address to put into Contact and SDP instead of the local one (behind NAT).
    pub public_address: Option<IpAddr>,
}

/// Media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// First and last RTP port; default 20000–39999. Even is RTP, odd RTCP.
    pub rtp_ports: (u16, u16),
    /// The one UDP port for browsers; default `[::]:443`.
    pub browser: SocketAddr,
    /// Candidate addresses offered to browsers; empty: those of the machine's interfaces.
    pub browser_candidates: Vec<IpAddr>,
}

/// Limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once; more are shed with 503. Default 2000.
    pub calls: usize,
    /// New INVITEs a second before shedding; default 400.
    pub invites_per_second: u32,
    /// Seconds that running calls may go on after SIGTERM; default 60.
    pub drain_seconds: u32,
}

const fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)
}

impl Default for Config {
    fn default() -> Self {
        let (web, sip, media, limits) = Default::default();
        Self { web, sip, media, limits, log_level: "info".into() }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: vec![everywhere(443)], redirect: vec![], certificate: None, key: None, hosts: vec![] }
    }
}

impl Default for Sip {
    fn default() -> Self {
        Self { udp: vec![everywhere(5060)], tcp: vec![everywhere(5060)], public_address: None }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self { rtp_ports: (20000, 39999), browser: everywhere(443), browser_candidates: vec![] }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: 2000, invites_per_second: 400, drain_seconds: 60 }
    }
}

/// What is wrong with the configuration: `FILE:LINE: KEY: what is wrong and what to do`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: {reason}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A place in the file is wrong.
    #[error("{}:{line}: {key}: {reason}", file.display())]
    Place {
        /// Which file.
        file: PathBuf,
        /// 1-based.
        line: usize,
        /// `table.key`, or `-` where there is none.
        key: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl Config {
    /// Reads and checks `path`. `None`: [`DEFAULT_PATH`] if it is there, else the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_PATH));
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text, file),
            Err(e) if path.is_none() && e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(ConfigError::File {
                file: file.into(),
                reason: format!("can't be read ({e}); name a readable file with --config"),
            }),
        }
    }

    /// Checks a document; `file` stands in the errors, and relative paths are looked up beside it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let raw: document::Document = toml::from_str(text).map_err(|e| place::syntax(text, file, &e))?;
        check::check(raw, &place::Places { text, file })
    }
}

#[cfg(test)]
mod tests;
