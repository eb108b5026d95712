//! The handle by which the rest of the daemon speaks to the media thread.

use super::command::{Command, Link};
use super::engine;
use super::tap::{Companding, Recorded};
use crate::clock::Clock;
use crate::config;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How much the media thread takes on at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// SIP legs; more are refused as [`MediaError::NoPort`].
    pub sip_legs: usize,
    /// Browsers; more are refused as [`MediaError::Busy`].
    pub browsers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sip_legs: 8000, browsers: 2000 }
    }
}

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
    /// A browser is gone (closed by either side, or silent for the ICE time-out); the leg is closed.
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

/// Why the media thread did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The browsers' port is taken, or the address is not this machine's.
    #[error("cannot listen for browsers on {address}: {source}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// The kernel's reason.
        source: std::io::Error,
    },
    /// The RTP range holds no even port followed by an odd one.
    #[error("the RTP port range {0}-{1} holds no pair of ports")]
    Ports(u16, u16),
    /// A certificate for DTLS could not be made.
    #[error("cannot make the DTLS certificate")]
    Certificate,
    /// Polling or the thread itself.
    #[error("cannot start the media thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// A handle on the media thread. Cheap to clone; every call is bounded and non-blocking,
/// the async ones answer within a loop of the thread.
#[derive(Clone)]
pub struct Media {
    link: Arc<Link>,
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
    /// Binds the browsers' port and starts the media thread. Returns the handle, what the
    /// thread has to tell, and the browsers' address as bound. A receiver that is not read
    /// fills up; news beyond what it and a short backlog hold is dropped.
    pub fn start(
        config: &config::Media,
        limits: Limits,
        clock: Clock,
    ) -> Result<(Self, mpsc::Receiver<Event>, SocketAddr), StartError> {
        let (link, events, browser) = engine::start(config, limits, clock)?;
        Ok((Self { link: Arc::new(link) }, events, browser))
    }
    /// Ends the thread: taps end, sockets close, and its join is awaited (a few milliseconds).
    /// Later calls on any clone are refused as [`MediaError::Busy`].
    pub fn shut_down(&self) {
        self.link.shut_down();
    }
    /// Opens a SIP leg on `local` (the address the peer sees). Silent until [`Media::connect`].
    /// Where `local` is not an address of this machine (NAT), any of the same family will do.
    pub async fn open(&self, local: IpAddr) -> Result<Opened, MediaError> {
        self.link.ask(|reply| Command::Open { local, reply }).await?
    }
    /// Sets or changes where a SIP leg's packets go (answer, re-INVITE, UPDATE).
    pub fn connect(&self, leg: LegId, remote: Remote) -> Result<(), MediaError> {
        self.link.tell(Command::Connect { leg, remote })
    }
    /// Takes a browser's SDP offer: a new leg, or with `leg` an ICE restart on the same one.
    /// Returns the leg and the SDP answer.
    pub async fn accept_offer(
        &self,
        leg: Option<LegId>,
        offer: String,
    ) -> Result<(LegId, String), MediaError> {
        self.link.ask(|reply| Command::Offer { leg, offer, reply }).await?
    }
    /// Plays to a leg, replacing what played. A bridge replaces it too; played to a bridged
    /// leg it takes the place of the other party until it ends or is stopped.
    pub fn play(&self, leg: LegId, sound: Sound) -> Result<PlayId, MediaError> {
        let play = self.link.next_play();
        self.link.tell(Command::Play { leg, sound, play })?;
        Ok(play)
    }
    /// Stops what plays.
    pub fn stop(&self, leg: LegId) -> Result<(), MediaError> {
        self.link.tell(Command::Stop { leg })
    }
    /// Joins two legs: audio flows and the recording begins in the same step.
    pub fn bridge(&self, customer: LegId, operator: LegId, recorded: Recorded) -> Result<(), MediaError> {
        self.link.tell(Command::Bridge { customer, operator, recorded })
    }
    /// Puts the customer of a bridge on hold: neither hears the other, the customer hears `music`,
    /// the recording goes on in silence. `None` takes them back. Bridge and tap stay.
    pub fn hold(&self, customer: LegId, music: Option<Sound>) -> Result<(), MediaError> {
        self.link.tell(Command::Hold { customer, music })
    }
    /// Parts a leg from its bridge: both fall silent, the tap ends. The legs stay.
    pub fn part(&self, leg: LegId) -> Result<(), MediaError> {
        self.link.tell(Command::Part { leg })
    }
    /// Stops sending what `leg`'s person says into its bridge (mute), or resumes. Neither
    /// the other party nor the recording hears them meanwhile.
    pub fn mute(&self, leg: LegId, muted: bool) -> Result<(), MediaError> {
        self.link.tell(Command::Mute { leg, muted })
    }
    /// Sends RFC 4733 digits to a leg.
    pub fn send_digits(&self, leg: LegId, digits: String) -> Result<(), MediaError> {
        self.link.tell(Command::Digits { leg, digits })
    }
    /// Counters now.
    pub async fn stats(&self, leg: LegId) -> Result<LegStats, MediaError> {
        self.link.ask(|reply| Command::Stats { leg, reply }).await?
    }
    /// Closes a leg and frees its port; parts it first. Unknown legs are fine.
    pub fn close(&self, leg: LegId) {
        self.link.close(leg);
    }
}
