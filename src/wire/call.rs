//! `call list|show|hangup`.

use super::{Change, List, asks};
use crate::domain::contact::ContactRecord;
use crate::domain::record::Fate;
use crate::domain::{CallId, CustomerId, RecordingId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A call as `bbctl` shows it. Personal data: the caller's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Key.
    pub id: CallId,
    /// Caller's number, or empty when withheld.
    pub caller: String,
    /// The number dialled.
    pub called: String,
    /// `prompt`, `queued`, `ringing`, `talking` or `ending` while it lives, else `ended`.
    pub state: String,
    /// How it ended.
    pub fate: Option<Fate>,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// The queue's name.
    pub queue: Option<String>,
    /// Login of the operator who answered.
    pub operator: Option<String>,
    /// The customer found.
    pub customer: Option<CustomerId>,
    /// Its recording.
    pub recording: Option<RecordingId>,
    /// INVITE seen.
    pub started_at: UnixMillis,
    /// Entered the queue.
    pub queued_at: Option<UnixMillis>,
    /// Bridged to an operator.
    pub answered_at: Option<UnixMillis>,
    /// Last leg gone.
    pub ended_at: Option<UnixMillis>,
}

/// One line of a call's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: UnixMillis,
    /// Past tense, stable.
    pub kind: String,
    /// Login of the operator concerned.
    pub operator: Option<String>,
    /// A machine word that refines `kind`.
    pub detail: String,
}

/// A call with its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// In order of time.
    pub events: Vec<Event>,
    /// What its operator wrote about it. Personal data.
    pub contact_records: Vec<ContactRecord>,
}

/// Calls, newest first. Audited: it shows personal data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// At most this many, up to 1000; 50 when absent.
    pub limit: Option<usize>,
    /// Only calls that started before.
    pub before: Option<UnixMillis>,
    /// Only calls that live.
    #[serde(default)]
    pub live: bool,
}

/// One call with its story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub id: CallId,
}

/// Ends a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hangup {
    /// Which.
    pub id: CallId,
}

asks! {
    Index => "call" "list" -> List<Call>;
    Show => "call" "show" -> Story;
    Hangup => "call" "hangup" -> Change<Call>;
}
