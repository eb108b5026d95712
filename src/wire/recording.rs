//! `recording list|show|export`.

use super::{List, asks};
use crate::domain::record::RecordingState;
use crate::domain::{CallId, RecordingId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A recording as `bbctl` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Key.
    pub id: RecordingId,
    /// The call it is of.
    pub call: CallId,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// Login of the operator heard on the right.
    pub operator: Option<String>,
    /// Where it stands.
    pub state: RecordingState,
    /// First sample.
    pub started_at: UnixMillis,
    /// Length; 0 while spooling.
    pub duration_ms: i64,
    /// Bytes of its WAV; 0 while spooling.
    pub wav_bytes: i64,
}

/// Recordings, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// At most this many, up to 1000; 50 when absent.
    pub limit: Option<usize>,
    /// Only recordings that began before.
    pub before: Option<UnixMillis>,
}

/// One recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub id: RecordingId,
}

/// The audio in clear. The reply is the WAV itself (`audio/wav`), not JSON. Audited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// Which.
    pub id: RecordingId,
}

/// What `bbctl recording export` says after it wrote the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The recording.
    pub id: RecordingId,
    /// Where its WAV is now.
    pub file: String,
    /// Bytes written.
    pub bytes: u64,
    /// Whether nothing was written.
    pub dry_run: bool,
}

asks! {
    Index => "recording" "list" -> List<Recording>;
    Show => "recording" "show" -> Recording;
    Export => "recording" "export" -> Recording;
}
