//! `bbd.toml`: read once, checked whole, every error one line with file, line and key.
//!
//! Owns: the configuration's shape and defaults. May use: nothing of this crate.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[web]`
    pub web: Web,
    /// `[sip]`
    pub sip: Sip,
    /// `[media]`
    pub media: Media,
    /// `[limits]`
    pub limits: Limits,
    /// `[log] level`: a tracing filter, default `info`.
    pub log_level: String,
}

/// HTTPS.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct Sip {
    /// UDP listeners; default `[::]:5060`.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners; default `[::]:5060`.
    pub tcp: Vec<SocketAddr>,
    /// Address to put into Contact and SDP instead of the local one (behind NAT).
    pub public_address: Option<IpAddr>,
}

/// Media.
#[derive(Clone, Debug)]
pub struct Media {
    /// First and last RTP port; default 20000–39999. Even is RTP, odd RTCP.
    pub rtp_ports: (u16, u16),
    /// The one UDP port for browsers; default `[::]:443`.
    pub browser: SocketAddr,
    /// Candidate addresses offered to browsers; empty: those of the machine's interfaces.
    pub browser_candidates: Vec<IpAddr>,
}

/// Limits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Calls at once; more are shed with 503. Default 2000.
    pub calls: usize,
    /// New INVITEs a second before shedding; default 400.
    pub invites_per_second: u32,
    /// Seconds that running calls may go on after SIGTERM; default 60.
    pub drain_seconds: u32,
}
