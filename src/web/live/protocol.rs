//! The live connection's frames: WebSocket text, one JSON object each.
//!
//! The page's first frame is `resume`; every later one is a request with an `id`, answered by
//! exactly one `done` or `refused` that carries it as `re`. Events are numbered from 1 for each
//! account under one `instance`; after a reconnect `resume` gets what was missed, or a fresh
//! `hello` where that is no longer kept. All of it stands in the OpenAPI document.

use crate::calls::OfferOutcome;
use crate::domain::record::Fate;
use crate::domain::{CallId, CampaignId, OfferId, Presence, QueueId, RecordingId, UnixMillis};
use crate::web::api::view::{Customer, HistoryRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest frame taken from a page, in bytes.
pub const FRAME_LIMIT: usize = 64 * 1024;

/// A newer connection of the same account took over.
pub const CLOSE_REPLACED: u16 = 4000;
/// The session ended.
pub const CLOSE_SESSION_ENDED: u16 = 4001;
/// A frame that is none of the protocol's, or too many frames (RFC 6455 §7.4.1).
pub const CLOSE_POLICY: u16 = 1008;
/// The page reads too slowly, or the daemon is stopping: come again (RFC 6455, IANA registry).
pub const CLOSE_TRY_AGAIN: u16 = 1013;

/// What a page sends.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = LiveRequest)]
pub enum Request {
    /// The first frame of every connection; has no answer of its own.
    Resume {
        /// Of the last `hello`, or `null` for a page that has just loaded.
        instance: Option<String>,
        /// Number of the last event seen, or 0.
        seq: u64,
    },
    /// The browser leg's SDP: the first, or an ICE restart on the same leg. Done: [`Answer::Accepted`].
    MediaOffer {
        /// Number of the request.
        id: u64,
        /// SDP offer, ICE gathering complete.
        sdp: String,
    },
    /// Chooses a presence; during a call it is reserved for afterwards. Done: [`Answer::Chosen`].
    Presence {
        /// Number of the request.
        id: u64,
        /// `available`, `away`, `wrap_up` or `offline`.
        presence: Presence,
    },
    /// Takes the offered call; `bridged` follows.
    Accept {
        /// Number of the request.
        id: u64,
        /// The call.
        call: CallId,
    },
    /// Refuses the offered call.
    Refuse {
        /// Number of the request.
        id: u64,
        /// The call.
        call: CallId,
    },
    /// Ends the call.
    HangUp {
        /// Number of the request.
        id: u64,
        /// The call.
        call: CallId,
    },
    /// Mutes or unmutes the operator.
    Mute {
        /// Number of the request.
        id: u64,
        /// The call.
        call: CallId,
        /// Whether to mute.
        muted: bool,
    },
    /// Puts the customer on hold, or resumes.
    Hold {
        /// Number of the request.
        id: u64,
        /// The call.
        call: CallId,
        /// Whether to hold.
        held: bool,
    },
    /// Asks whether the connection is alive.
    Ping {
        /// Number of the request.
        id: u64,
    },
}

impl Request {
    /// The request's number; `resume` has none.
    pub fn id(&self) -> Option<u64> {
        match self {
            Self::Resume { .. } => None,
            Self::MediaOffer { id, .. }
            | Self::Presence { id, .. }
            | Self::Accept { id, .. }
            | Self::Refuse { id, .. }
            | Self::HangUp { id, .. }
            | Self::Mute { id, .. }
            | Self::Hold { id, .. }
            | Self::Ping { id } => Some(*id),
        }
    }
}

/// The one answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = LiveAnswer)]
pub enum Answer {
    /// Done.
    #[serde(rename = "done")]
    Done {
        /// The request.
        re: u64,
    },
    /// Done: the browser leg's SDP answer.
    #[serde(rename = "done")]
    Accepted {
        /// The request.
        re: u64,
        /// SDP answer.
        sdp: String,
    },
    /// Done: the presence as it now is.
    #[serde(rename = "done")]
    Chosen {
        /// The request.
        re: u64,
        /// And the presence.
        #[serde(flatten)]
        presence: OperatorPresence,
    },
    /// Not done.
    #[serde(rename = "refused")]
    Refused {
        /// The request.
        re: u64,
        /// Stable word: `not_found state busy not_chosen offer no_session bad_request`.
        code: String,
        /// One plain English sentence.
        message: String,
    },
}

/// 受付状態 with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperatorPresence {
    /// Now.
    pub presence: Presence,
    /// Since when.
    #[schema(value_type = i64)]
    pub since: UnixMillis,
    /// What follows the present call (「通話後に離席」), if anything is reserved.
    #[schema(required)]
    pub reserved: Option<Presence>,
}

/// A queue's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LiveQueueName)]
pub struct QueueName {
    /// Which.
    pub id: QueueId,
    /// As shown.
    pub name: String,
}

/// A queue's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LiveQueueLine)]
pub struct QueueLine {
    /// Which.
    pub id: QueueId,
    /// As shown.
    pub name: String,
    /// How many wait.
    pub waiting: usize,
    /// Since when the first of them waits.
    #[schema(required, value_type = Option<i64>)]
    pub longest_since: Option<UnixMillis>,
}

/// A call that rings at the operator, with what to show about the caller.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = LiveOffered)]
pub struct Offered {
    /// The offer.
    pub offer: OfferId,
    /// The call.
    pub call: CallId,
    /// Where the caller waits.
    pub queue: QueueName,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Caller's number, or empty when withheld.
    pub caller: String,
    /// How long the caller had waited.
    pub waited_ms: i64,
    /// How long it rings.
    pub ring_seconds: u32,
    /// Customers with that number, best first, at most 5.
    pub customers: Vec<Customer>,
    /// History of the first of them, newest first.
    pub history: Vec<HistoryRow>,
}

/// Whether the operator's call is talked on or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LiveCallState)]
pub enum CallState {
    /// 通話中
    Talking,
    /// 保留中
    Hold,
}

/// The call the operator is on.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = LiveCurrent)]
pub struct Current {
    /// The call.
    pub call: CallId,
    /// Where it came from.
    pub queue: QueueName,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Caller's number, or empty when withheld.
    pub caller: String,
    /// Talking or held.
    pub state: CallState,
    /// When it was answered.
    #[schema(value_type = i64)]
    pub since: UnixMillis,
    /// Whether the operator is muted.
    pub muted: bool,
    /// Its recording, if recorded.
    #[schema(required)]
    pub recording: Option<RecordingId>,
    /// Customers with that number, best first, at most 5.
    pub customers: Vec<Customer>,
    /// History of the first of them, newest first.
    pub history: Vec<HistoryRow>,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LiveOfferOutcome)]
pub enum Outcome {
    /// The operator took it.
    Accepted,
    /// The operator said no.
    Refused,
    /// It rang its time.
    TimedOut,
    /// The caller hung up.
    CallerGone,
    /// The operator's leg could not be reached.
    Failed,
}

impl From<OfferOutcome> for Outcome {
    fn from(it: OfferOutcome) -> Self {
        match it {
            OfferOutcome::Accepted => Self::Accepted,
            OfferOutcome::Refused => Self::Refused,
            OfferOutcome::TimedOut => Self::TimedOut,
            OfferOutcome::CallerGone => Self::CallerGone,
            OfferOutcome::Failed => Self::Failed,
        }
    }
}

/// What the server tells by itself.
#[derive(Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = LiveEvent)]
pub enum Event {
    /// The whole state; its `seq` is that of the last event before it, and it has none itself.
    Hello {
        /// Names this run of numbers; send it with `resume`.
        instance: String,
        /// The operator's own presence; `null` for an account that takes no calls.
        #[schema(required)]
        operator: Option<OperatorPresence>,
        /// What rings.
        #[schema(required)]
        offer: Option<Box<Offered>>,
        /// What is talked on.
        #[schema(required)]
        call: Option<Box<Current>>,
        /// The account's queues.
        queues: Vec<QueueLine>,
    },
    /// The operator's own presence changed.
    Presence(OperatorPresence),
    /// A call rings.
    Offered(Box<Offered>),
    /// It no longer rings.
    OfferEnded {
        /// The call.
        call: CallId,
        /// How.
        outcome: Outcome,
    },
    /// Operator and caller hear each other.
    Bridged(Box<Current>),
    /// Over and committed.
    CallEnded {
        /// The call.
        call: CallId,
        /// How it ended.
        fate: Fate,
    },
    /// A queue's line changed.
    Waiting {
        /// Which queue.
        queue: QueueId,
        /// How many wait.
        waiting: usize,
        /// Since when the first of them waits.
        #[schema(required, value_type = Option<i64>)]
        longest_since: Option<UnixMillis>,
    },
    /// The session is over; the server closes with 4001.
    SessionEnded {},
}

/// An event with its number.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = LiveNumbered)]
pub struct Numbered {
    /// 1, 2, 3 … within an instance.
    pub seq: u64,
    /// When.
    #[schema(value_type = i64)]
    pub at: UnixMillis,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Everything the server sends.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = LiveFrame)]
pub enum Frame {
    /// An event.
    Event(Numbered),
    /// An answer.
    Answer(Answer),
}
