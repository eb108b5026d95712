//! What the store remembers of calls and recordings.

use super::{AccountId, CallId, CampaignId, CustomerId, QueueId, RecordingId, UnixMillis};
use serde::{Deserialize, Serialize};

/// How a call ended; `None` in a [`CallRecord`] while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// 応答: an operator spoke with the caller.
    Answered,
    /// 放棄呼: the caller hung up while waiting.
    Abandoned,
    /// The flow ended it (hang-up step, or the caller left before any queue).
    Completed,
    /// Refused before it was answered: unknown number, broken flow, overload, no spool.
    Refused,
    /// The daemon died under it.
    Interrupted,
}

impl Fate {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }
    /// Reads [`Fate::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Answered, Self::Abandoned, Self::Completed, Self::Refused, Self::Interrupted]
            .into_iter()
            .find(|f| f.word() == word)
    }
}

/// One call as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Key.
    pub id: CallId,
    /// Caller's number in E.164, or as given, or empty when withheld. Personal data.
    pub caller: String,
    /// The number dialled, as the number table has it.
    pub called: String,
    /// The campaign, once a queue is known.
    pub campaign: Option<CampaignId>,
    /// The queue it waited in last.
    pub queue: Option<QueueId>,
    /// The customer found by caller number, when exactly the first match was shown.
    pub customer: Option<CustomerId>,
    /// The operator who answered.
    pub operator: Option<AccountId>,
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
    /// How it ended.
    pub fate: Option<Fate>,
}

/// One line of a call's story; the truth for reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Whose.
    pub call: CallId,
    /// When.
    pub at: UnixMillis,
    /// Past tense, stable: `invited answered prompt_started queued offered offer_ended
    /// bridged hung_up ended` …
    pub kind: String,
    /// The operator concerned, if any.
    pub account: Option<AccountId>,
    /// A short machine word that refines `kind` (`timed_out`, `caller`, a prompt's name), never personal data.
    pub detail: String,
}

/// Where a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Being written: sealed frames in the spool.
    Spooling,
    /// An age file.
    Sealed,
    /// An age file made from a spool that a dead daemon left behind.
    Recovered,
    /// Nothing could be saved; `bbctl recording show` says why.
    Lost,
}

impl RecordingState {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Spooling => "spooling",
            Self::Sealed => "sealed",
            Self::Recovered => "recovered",
            Self::Lost => "lost",
        }
    }
    /// Reads [`RecordingState::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Spooling, Self::Sealed, Self::Recovered, Self::Lost].into_iter().find(|s| s.word() == word)
    }
}

/// One recording as the store keeps it, without its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Key, and the name of its file.
    pub id: RecordingId,
    /// The call it is of.
    pub call: CallId,
    /// The campaign that decides who may hear it.
    pub campaign: Option<CampaignId>,
    /// The operator heard on the right.
    pub operator: Option<AccountId>,
    /// Where it stands.
    pub state: RecordingState,
    /// First sample.
    pub started_at: UnixMillis,
    /// Length; 0 while spooling.
    pub duration_ms: i64,
    /// Bytes of the WAV inside the age file; 0 while spooling.
    pub wav_bytes: i64,
}
