//! What the call machine is told.

use super::{PlayToken, Timer};
use crate::domain::{AccountId, OfferId, RecordingId};

/// One thing that happened. Anything may arrive at any time, late, twice or never; what
/// doesn't fit the machine's state is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The INVITE is admitted and its flow known: begin.
    Begin,
    /// The call can't be taken; only before [`Input::Begin`].
    Barred(Bar),
    /// The customer's side is over.
    CustomerLeft(Departure),
    /// A prompt was heard to its end, or could not be played.
    PlayFinished(PlayToken),
    /// A timer's time has come.
    TimerFired(Timer),
    /// `queues` offers the waiting call to an operator.
    Offered(Offer),
    /// An operator in the browser takes it.
    Accepted(AccountId),
    /// An operator in the browser refuses it.
    Refused(AccountId),
    /// An operator's phone answered: its leg can be bridged.
    OperatorAnswered(OfferId),
    /// An operator's leg came to nothing; `true` when a person declined it (busy, 6xx).
    OperatorFailed(OfferId, bool),
    /// An operator's leg is over: BYE, or the browser is gone.
    OperatorLeft(OfferId, Departure),
    /// The recording asked for by [`super::Output::BeginRecording`], or `None` when it can't be had.
    RecordingBegun(OfferId, Option<RecordingId>),
    /// The media thread refused a bridge.
    BridgeFailed(OfferId),
    /// The operator hangs up in the browser.
    HungUp(AccountId),
    /// The operator puts the customer on hold (`true`) or takes them back.
    Held(AccountId, bool),
    /// The operator mutes (`true`) or unmutes themselves.
    Muted(AccountId, bool),
    /// Somebody above the call ends it.
    Stopped(Stopped),
}

/// An offer of the call to one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Made by `queues`; never used twice.
    pub id: OfferId,
    /// To whom.
    pub account: AccountId,
    /// Where they hear it.
    pub party: Party,
    /// Seconds it rings.
    pub ring_seconds: u32,
}

/// What an operator's leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The browser's standing leg: nothing to dial, accepted by [`Input::Accepted`].
    Browser,
    /// A phone: dialled, accepted by [`Input::OperatorAnswered`].
    Sip,
}

/// How a leg went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// CANCEL before the answer.
    Cancelled,
    /// BYE, or a browser that closed.
    HungUp,
    /// Our 200 was never acknowledged (RFC 3261 §13.3.1.4).
    AckLost,
    /// The session timer ran out (RFC 4028 §10).
    Expired,
    /// The signalling transport failed.
    Transport,
    /// The audio failed: no packets, no port, no usable description.
    Media,
}

impl Departure {
    /// The stable word in a call's story.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::HungUp => "hung_up",
            Self::AckLost => "ack_lost",
            Self::Expired => "expired",
            Self::Transport => "transport",
            Self::Media => "media",
        }
    }
}

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The number's flow is missing or does not hold together.
    BrokenFlow,
    /// The flow leads to a recorded queue and no recording could be begun.
    NoSpool,
    /// No codec in common.
    NoCodec,
    /// No RTP port, or the media thread is busy.
    NoMedia,
}

impl Bar {
    /// The SIP status that says so (RFC 3261 §21).
    pub fn status(self) -> u16 {
        match self {
            Self::BrokenFlow => 500,
            Self::NoSpool | Self::NoMedia => 503,
            Self::NoCodec => 488,
        }
    }
    /// The stable word in a call's story.
    pub fn word(self) -> &'static str {
        match self {
            Self::BrokenFlow => "broken_flow",
            Self::NoSpool => "no_spool",
            Self::NoCodec => "no_codec",
            Self::NoMedia => "no_media",
        }
    }
}

/// Who above the call ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// `bbctl call hangup`.
    Administrator,
    /// The daemon leaves and the drain's time is up.
    Shutdown,
    /// News came faster than the call could take it.
    Overrun,
}

impl Stopped {
    /// The stable word in a call's story.
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Shutdown => "shutdown",
            Self::Overrun => "overrun",
        }
    }
}
