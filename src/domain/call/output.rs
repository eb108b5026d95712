//! What the call machine wants done, in this order.

use super::{Offer, PlayToken};
use crate::domain::{AccountId, OfferId, QueueId, RecordingId, UnixMillis, record::Fate};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Refuse the INVITE with this SIP status; the customer's leg is gone.
    Reject(u16),
    /// Answer the customer (200 with our audio).
    Answer,
    /// Let the customer hear this instead of what played; a prompt's end comes back as
    /// [`super::Input::PlayFinished`] with the token.
    Play(PlayToken, Sound),
    /// Wake me after so many milliseconds by [`super::Input::TimerFired`].
    SetTimer(Timer, u64),
    /// Forget that timer.
    ClearTimer(Timer),
    /// The call waits in this queue since `since`; offers may come.
    Queued {
        /// Which.
        queue: QueueId,
        /// Since when; a call that comes back to the same queue keeps its place.
        since: UnixMillis,
    },
    /// The call left its queue without an operator.
    Dequeued(QueueId),
    /// The call is offered: show it. A phone is dialled by the [`Output::Dial`] that follows.
    Offered(Offer),
    /// Call the operator's phone.
    Dial(OfferId),
    /// Let the operator's phone go, whatever its state.
    Drop(OfferId),
    /// The offer is over.
    OfferEnded {
        /// Which.
        offer: OfferId,
        /// To whom it was made.
        account: AccountId,
        /// How.
        outcome: OfferOutcome,
    },
    /// Begin a recording; [`super::Input::RecordingBegun`] says what came of it.
    BeginRecording(OfferId),
    /// End that recording: nothing will be heard in it.
    DiscardRecording(RecordingId),
    /// Join customer and operator now.
    Bridge(OfferId, Recording),
    /// Part the bridge, which ends its recording. The legs stay.
    Part,
    /// Put the customer on hold with this music, `Some`, or take them back.
    Hold(Option<Sound>),
    /// Mute the operator or not.
    Mute(bool),
    /// End the customer's leg.
    HangUp,
    /// One line for the call's story.
    Note(Note),
    /// Over. Nothing follows.
    Ended(Fate),
}

/// Whether a bridge is recorded; there is no third possibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Into this one.
    Into(RecordingId),
    /// The queue's policy says not to record.
    ByPolicyNot,
}

/// What the customer hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A prompt of the tenant, once.
    Prompt(String),
    /// A prompt of the tenant again and again, or the built-in music.
    Music(Option<String>),
}

/// Names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// An offer has rung long enough.
    Ring(OfferId),
    /// The recording of an accepted offer takes too long to begin.
    Join(OfferId),
    /// The longest wait of the so-manieth queue step is over.
    Patience(u32),
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferOutcome {
    /// Accepted, and bridged in the same step.
    Accepted,
    /// The operator said no.
    Refused,
    /// Rang for its time.
    TimedOut,
    /// The call was over or elsewhere.
    CallerGone,
    /// The operator's leg could not be reached, or its recording not begun.
    Failed,
}

impl OfferOutcome {
    /// The stable word in a call's story and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::CallerGone => "caller_gone",
            Self::Failed => "failed",
        }
    }
}

/// One line of a call's story, as [`crate::domain::record::CallEvent`] keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: UnixMillis,
    /// `invited`, `answered`, `prompt_started`, `queued`, `offered`, `offer_ended`, `bridged`,
    /// `held`, `resumed`, `hung_up`, `ended`.
    pub kind: &'static str,
    /// The operator concerned.
    pub account: Option<AccountId>,
    /// A word that refines `kind`.
    pub detail: String,
}
