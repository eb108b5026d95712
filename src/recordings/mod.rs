//! Recordings: spool, seal, playback.
//!
//! Owns: the spool folder and its writer thread, sealing to age files, recovery of what a
//! dead daemon left, streaming decryption, peaks for the waveform.
//! Refuses: audio in clear on disk; a new recording when the spool can't be written; a
//! recording outside the asker's scope.
//! May use: audit, store, domain, media (the tap), clock, task.

use crate::audit::Audit;
use crate::clock::Clock;
use crate::domain::{
    AccountId, CallId, CampaignId, RecordingId, Scope, TenantId, UnixMillis, record::Recording,
};
use crate::media::TapSink;
use crate::store::Store;
use std::path::Path;

/// Why a recording could not be begun or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// None of that id within the scope.
    #[error("no such recording")]
    NotFound,
    /// Still being written or sealed.
    #[error("the recording is not sealed yet")]
    NotReady,
    /// The spool can't be written: new recorded calls are refused.
    #[error("the recording spool can't be written: {0}")]
    Spool(String),
    /// The file is damaged, missing, or does not open with its identity.
    #[error("the recording can't be opened: {0}")]
    Damaged(String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Who and what a recording is of.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Whose.
    pub tenant: TenantId,
    /// The call.
    pub call: CallId,
    /// Its campaign.
    pub campaign: Option<CampaignId>,
    /// The operator on the right channel.
    pub operator: Option<AccountId>,
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Recordings {
    _private: (),
}

/// An open recording: a WAV of known length, decrypted as it is read.
pub struct Playback {
    _private: (),
}

/// What [`Recordings::recover`] did with what a dead daemon left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Spools that became age files.
    pub recovered: usize,
    /// Recordings of which nothing could be saved.
    pub lost: usize,
}

/// The waveform of a recording: one byte a slot and side, 0 silence to 255 full scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    /// Outside party.
    pub left: Vec<u8>,
    /// Inside party.
    pub right: Vec<u8>,
}

impl Recordings {
    /// Starts the spool's writer thread and the sealing task. Within a tokio runtime. Tenants'
    /// folders are `data_dir/tenants/<id>/spool` and `…/recordings`.
    pub fn start(store: Store, audit: Audit, data_dir: &Path, clock: Clock) -> Result<Self, RecordingError> {
        let _ = (store, audit, data_dir, clock);
        todo!("H2")
    }
    /// Seals what a dead daemon left in the spools. At start, before the doors open.
    pub async fn recover(&self) -> Result<Recovery, RecordingError> {
        todo!("H2")
    }
    /// Returns once no recording is open or unsealed. At stop, after the last call.
    pub async fn drained(&self) {
        todo!("H2")
    }
    /// Recordings within the scope, newest first, at most `limit`, begun before `before`.
    pub async fn list(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<Recording>, RecordingError> {
        let _ = (scope, limit, before);
        todo!("H2")
    }
    /// The waveform of a sealed recording; empty while it is spooling.
    pub async fn peaks(&self, scope: &Scope, id: RecordingId) -> Result<Peaks, RecordingError> {
        let _ = (scope, id);
        todo!("H2")
    }
    /// Writes the WAV into a new file at `path` (mode 0600; an existing file is refused) and
    /// returns its bytes. The one way audio leaves in clear; the door that calls it audits it.
    pub async fn export(&self, scope: &Scope, id: RecordingId, path: &Path) -> Result<u64, RecordingError> {
        let _ = (scope, id, path);
        todo!("H2")
    }
    /// Whether a new recording could be begun now; a recorded queue's call is refused with 503 when not.
    pub fn admits(&self, tenant: TenantId) -> bool {
        let _ = tenant;
        todo!("H2")
    }
    /// Begins a recording: spool file made and its row committed (state `spooling`) before this returns.
    /// The sink seals by itself after its `end`.
    pub async fn begin(&self, subject: Subject) -> Result<(RecordingId, Box<dyn TapSink>), RecordingError> {
        let _ = subject;
        todo!("H2")
    }
    /// One recording's description.
    pub async fn show(&self, scope: &Scope, id: RecordingId) -> Result<Recording, RecordingError> {
        let _ = (scope, id);
        todo!("H2")
    }
    /// Opens one for streaming.
    pub async fn open(&self, scope: &Scope, id: RecordingId) -> Result<Playback, RecordingError> {
        let _ = (scope, id);
        todo!("H2")
    }
}

impl Playback {
    /// Bytes of the whole WAV.
    pub fn len(&self) -> u64 {
        todo!("H2")
    }
    /// Whether there is nothing in it; a WAV never is.
    pub fn is_empty(&self) -> bool {
        false
    }
    /// Decrypted bytes `start..end` (end exclusive, clamped) as chunks of at most 64 KiB, read
    /// on blocking threads, at most two chunks ahead of the reader.
    pub fn stream(
        self,
        start: u64,
        end: u64,
    ) -> tokio::sync::mpsc::Receiver<Result<bytes::Bytes, RecordingError>> {
        let _ = (start, end);
        todo!("H2")
    }
}
