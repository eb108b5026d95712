//! Drives the SIP core: sockets, timers, admission, overload.
//!
//! Owns: the UDP and TCP listeners and connections, the one [`crate::sip`] core, the table
//! of trunk sources, shedding. Refuses: audio, decisions about calls, TLS before *Access*.
//! May use: domain, sip, config, net, clock, task.

mod admission;
mod connection;
mod connections;
mod driver;
mod framing;
mod handle;
mod local;
mod start;
mod udp;

#[cfg(test)]
mod loopback_tests;
#[cfg(test)]
mod hostile_tests;

pub use crate::sip::{EndReason, LegId as SipLegId};
pub use handle::Signalling;

use crate::clock::Clock;
use crate::config;
use crate::domain::TrunkId;
use crate::domain::route::Trunk;
use crate::sip::sdp::Audio;
use crate::task::Stop;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A call from a trunk.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Its leg.
    pub leg: SipLegId,
    /// The trunk whose source range admitted it.
    pub trunk: TrunkId,
    /// Where it came from.
    pub source: SocketAddr,
    /// The local address its packets reached, for SDP.
    pub local: IpAddr,
    /// User part of From (or the tel: number), unescaped, unnormalised, at most 128 bytes; `None` when
    /// anonymous (RFC 3323 §4.1.1.3).
    pub caller: Option<String>,
    /// User part of the Request-URI (or the tel: number), unescaped, at most 128 bytes.
    pub called: String,
    /// The audio offered; `None` when the INVITE has no body and we must offer.
    pub offer: Option<Audio>,
}

/// What the signalling room tells `calls`. Bounded channel; one receiver.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new call. 100 has been sent; answer it by [`Signalling`].
    Invited(Box<Invited>),
    /// The caller gave up before an answer (CANCEL, or BYE on the early dialog); 487 has been sent.
    Cancelled(SipLegId),
    /// Our 200 was acknowledged; with the answer if we had to offer.
    Confirmed(SipLegId, Option<Audio>),
    /// 180 or 183 to our INVITE.
    Ringing(SipLegId),
    /// 2xx to our INVITE, acknowledged by us.
    Answered(SipLegId, Audio),
    /// Our INVITE failed: final status, or 408 when nobody answered in time.
    Failed(SipLegId, u16),
    /// The peer changes its audio (re-INVITE or UPDATE): answer by [`Signalling::accept`] or
    /// [`Signalling::reject`] within 5 s, else 500 goes out. `None` asks for our offer.
    Reoffered(SipLegId, Option<Audio>),
    /// The dialog is over: BYE, lost ACK (RFC 3261 §13.3.1.4), session expiry (RFC 4028 §10).
    Ended(SipLegId, EndReason),
}

/// An outbound leg to make.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Request-URI, `sip:user@host:port;transport=…`.
    pub target: String,
    /// User part of our From: the caller's number, or `anonymous`.
    pub caller: String,
    /// What we offer.
    pub offer: Audio,
}

/// Why a command was refused at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignallingError {
    /// The command queue is full or the room has stopped.
    #[error("signalling is busy")]
    Busy,
    /// The target is no SIP URI with an address we can reach.
    #[error("the SIP contact can't be used")]
    Target,
}

/// What the room is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `[sip]`: listeners and the public address.
    pub sip: config::Sip,
    /// `[limits]`: calls at once, new INVITEs a second.
    pub limits: config::Limits,
    /// The trunks whose sources are admitted; a change takes effect at once.
    pub trunks: watch::Receiver<Arc<Vec<Trunk>>>,
    /// Where time comes from.
    pub clock: Clock,
    /// Draining refuses new calls with 503; Stopped ends what is left and closes the sockets.
    pub stop: Stop,
}

/// The room, started.
#[derive(Debug)]
pub struct Started {
    /// Commands go in here.
    pub signalling: Signalling,
    /// Events come out here; one receiver.
    pub events: mpsc::Receiver<Event>,
    /// Addresses of the UDP listeners, in the order configured, with their real ports.
    pub udp: Vec<SocketAddr>,
    /// Addresses of the TCP listeners likewise.
    pub tcp: Vec<SocketAddr>,
    /// Ends once Stopped is reached and the last BYEs have gone out.
    pub task: tokio::task::JoinHandle<()>,
}

/// Why the room could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be bound.
    #[error("SIP can't listen on {protocol} {address}: {source}")]
    Bind {
        /// `udp` or `tcp`.
        protocol: &'static str,
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}
