//! `status`.

use super::asks;
use crate::domain::UnixMillis;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// How the appliance is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {}

/// How the appliance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of `bbd`.
    pub version: String,
    /// `running`, `draining` or `stopped`.
    pub phase: String,
    /// When it started.
    pub started_at: UnixMillis,
    /// The daemon's clock.
    pub now: UnixMillis,
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub bound: Bound,
    /// The certificate of the web pages.
    pub certificate: Certificate,
    /// By slug.
    pub tenants: Vec<Load>,
}

/// Where the daemon listens, with the ports it really has. Also `<data-dir>/bound.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Web pages.
    pub https: Vec<SocketAddr>,
    /// SIP over UDP.
    pub sip_udp: Vec<SocketAddr>,
    /// SIP over TCP.
    pub sip_tcp: Vec<SocketAddr>,
    /// Audio of all browsers, one UDP port.
    pub browser: Vec<SocketAddr>,
}

/// The certificate of the web pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of the leaf, hexadecimal with colons.
    pub fingerprint: String,
    /// When it stops being valid.
    pub not_after: UnixMillis,
    /// Whether the daemon made it itself.
    pub self_signed: bool,
}

/// A tenant's load now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Slug.
    pub tenant: String,
    /// Living calls.
    pub calls: usize,
    /// Operators who are not offline.
    pub operators: usize,
    /// Of these, those who are available.
    pub available: usize,
    /// By name.
    pub queues: Vec<Waiting>,
}

/// A queue's line now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The queue's name.
    pub queue: String,
    /// Callers waiting.
    pub waiting: usize,
    /// Since when the first of them waits.
    pub longest_since: Option<UnixMillis>,
}

asks! {
    Show => "status" "show" -> Status;
}
