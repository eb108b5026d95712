//! The handle by which the rest of the daemon speaks to the media thread.

use super::tap::{Companding, Recorded};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// One leg's audio, SIP or browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// One playing of a sound; comes back in [`EventKind::PlayFinished`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlayId(pub u64);

/// A telephone key (RFC 4733 events 0–15), as its character: `0`–`9 * # A`–`D`.
pub type Digit = char;

/// What a leg can be made to hear. Signed 16-bit samples, 8 kHz, mono.
#[derive(Clone)]
pub enum Sound {
    /// Once, then [`EventKind::PlayFinished`].
    Once(Arc<[i16]>),
    /// Again and again until stopped: hold music.
    Loop(Arc<[i16]>),
}

/// Where a SIP leg's packets go and how they look, from the negotiated SDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The peer's RTP address; the leg latches to where packets really come from.
    pub address: SocketAddr,
    /// The peer's RTCP address when it differs from RTP + 1.
    pub rtcp: Option<SocketAddr>,
    /// Codec both ways.
    pub companding: Companding,
    /// Payload type of that codec.
    pub payload_type: u8,
    /// Payload type of telephone-event, if agreed.
    pub digit_payload_type: Option<u8>,
    /// Whether we may send (false: the peer put us on hold, `sendonly`/`inactive`).
    pub send: bool,
    /// Whether we listen.
    pub receive: bool,
}

/// Counters of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LegStats {
    /// RTP packets received and accepted.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Missing by sequence number.
    pub lost: u64,
    /// Interarrival jitter in microseconds (RFC 3550 §6.4.1).
    pub jitter_us: u32,
}

/// News from the media thread.
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose.
    pub leg: LegId,
    /// What.
    pub kind: EventKind,
}

/// What happened to a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A key was pressed.
    Digit(Digit),
    /// A [`Sound::Once`] has been heard to its end.
    PlayFinished(PlayId),
    /// A browser's DTLS is up: it can be bridged.
    Connected,
    /// A browser is gone (closed, or silent for the ICE time-out); the leg is closed.
    Gone,
    /// No packet for the configured time while the peer should be sending.
    Stalled,
}

/// Why the media thread said no.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MediaError {
    /// Its command queue is full or it has stopped.
    #[error("the media thread is busy")]
    Busy,
    /// Every RTP port is taken.
    #[error("no RTP port is free")]
    NoPort,
    /// The browser's offer can't be used.
    #[error("the browser's offer can't be used: {0}")]
    Offer(String),
    /// No such leg.
    #[error("no such leg")]
    NoLeg,
}

/// A handle on the media thread. Cheap to clone; every call is bounded and non-blocking,
/// the async ones answer within a loop of the thread.
#[derive(Clone)]
pub struct Media {
    _private: (),
}

/// What opening a SIP leg yields.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// The leg.
    pub leg: LegId,
    /// The local RTP port, even; RTCP is the next (RFC 3550 §11).
    pub port: u16,
}

impl Media {
    /// Opens a SIP leg on `local` (the address the peer sees). Silent until [`Media::connect`].
    pub async fn open(&self, local: IpAddr) -> Result<Opened, MediaError> { let _ = local; todo!("H4") }
    /// Sets or changes where a SIP leg's packets go (answer, re-INVITE, UPDATE).
    pub fn connect(&self, leg: LegId, remote: Remote) -> Result<(), MediaError> { let _ = (leg, remote); todo!("H4") }
    /// Takes a browser's SDP offer: a new leg, or with `leg` an ICE restart on the same one.
    /// Returns the leg and the SDP answer.
    pub async fn accept_offer(&self, leg: Option<LegId>, offer: String) -> Result<(LegId, String), MediaError> { let _ = (leg, offer); todo!("H4") }
    /// Plays to a leg, replacing what played. A bridge replaces it too.
    pub fn play(&self, leg: LegId, sound: Sound) -> Result<PlayId, MediaError> { let _ = (leg, sound); todo!("H4") }
    /// Stops what plays.
    pub fn stop(&self, leg: LegId) -> Result<(), MediaError> { let _ = leg; todo!("H4") }
    /// Joins two legs: audio flows and the recording begins in the same step.
    pub fn bridge(&self, customer: LegId, operator: LegId, recorded: Recorded) -> Result<(), MediaError> { let _ = (customer, operator, recorded); todo!("H4") }
    /// Parts a leg from its bridge: both fall silent, the tap ends. The legs stay.
    pub fn part(&self, leg: LegId) -> Result<(), MediaError> { let _ = leg; todo!("H4") }
    /// Stops sending what `leg`'s person says into its bridge (mute), or resumes.
    pub fn mute(&self, leg: LegId, muted: bool) -> Result<(), MediaError> { let _ = (leg, muted); todo!("H4") }
    /// Sends RFC 4733 digits to a leg.
    pub fn send_digits(&self, leg: LegId, digits: String) -> Result<(), MediaError> { let _ = (leg, digits); todo!("H4") }
    /// Counters now.
    pub async fn stats(&self, leg: LegId) -> Result<LegStats, MediaError> { let _ = leg; todo!("H4") }
    /// Closes a leg and frees its port; parts it first. Unknown legs are fine.
    pub fn close(&self, leg: LegId) { let _ = leg; todo!("H4") }
}
