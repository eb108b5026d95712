//! Recordings: spool, seal, playback.
//!
//! Owns: the spool folder and its writer thread, sealing to age files, recovery of what a
//! dead daemon left, streaming decryption, peaks for the waveform.
//! Refuses: audio in clear on disk; a new recording when the spool can't be written; a
//! recording outside the asker's scope.
//! May use: audit, store, domain, media (the tap), clock, task.
//!
//! A recording's way: [`Recordings::begin`] commits its row and makes its spool; the sink
//! copies audio on the media thread and hands full buffers to the writer thread, which seals
//! and appends them; the end frame sends the spool to the sealer, which makes the age file,
//! commits the row, and only then removes the spool. A daemon that dies at any point between
//! leaves what [`Recordings::recover`] brings to the same end. Frames are not synced one by
//! one: they outlive the daemon, and a power cut may take what the kernel had not written.

mod folder;
mod peaks;
mod playback;
mod recover;
mod seal;
mod sealer;
mod sink;
mod spool;
mod unsealed;
mod wav;
mod writer;

pub use peaks::Peaks;
pub use playback::Playback;
pub use recover::Recovery;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::domain::record::{Recording, RecordingState};
use crate::domain::{AccountId, CallId, CampaignId, RecordingId, Scope, TenantId, UnixMillis};
use crate::media::TapSink;
use crate::store::{Store, StoreError};
use folder::{Folder, Room, refused};
use sink::Sink;
use spool::SpoolWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use unsealed::Unsealed;
use uuid::Uuid;
use writer::{Job, Opening, Writer};

/// Jobs that may wait for the writer thread: 10 s of 200 calls.
const JOBS: usize = 4096;
/// Finished spools that may wait for the sealer; more wait with the writer.
const FINISHED: usize = 256;
/// Recordings that may be listed at once.
const MOST_LISTED: usize = 500;

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
    /// The file to export into can't be made or written.
    #[error("the export can't be written: {0}")]
    Export(String),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store's "not found" in this room's words.
fn known(error: StoreError) -> RecordingError {
    match error {
        StoreError::NotFound => RecordingError::NotFound,
        error => RecordingError::Store(error),
    }
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
    inner: Arc<Inner>,
    jobs: SyncSender<Job>,
}

struct Inner {
    store: Store,
    audit: Audit,
    data_dir: PathBuf,
    clock: Clock,
    room: Room,
    /// The disk refused the last frame.
    refusing: Arc<AtomicBool>,
    unsealed: Unsealed,
}

impl Recordings {
    /// Starts the spool's writer thread and the sealing task; both end with the last handle
    /// and sink. Within a tokio runtime. Tenants' folders are `data_dir/tenants/<id>/spool`
    /// and `…/recordings`.
    pub fn start(store: Store, audit: Audit, data_dir: &Path, clock: Clock) -> Result<Self, RecordingError> {
        let (jobs, waiting) = sync_channel(JOBS);
        let (finished, sealable) = tokio::sync::mpsc::channel(FINISHED);
        let refusing = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(waiting, finished, Arc::clone(&refusing), clock.clone());
        std::thread::Builder::new().name("spool-writer".into()).spawn(|| writer.run()).map_err(refused)?;
        let inner = Arc::new(Inner {
            store,
            audit,
            data_dir: data_dir.to_owned(),
            clock,
            room: Room::default(),
            refusing,
            unsealed: Unsealed::default(),
        });
        crate::task::spawn("sealer", sealer::seal_until_closed(Arc::clone(&inner), sealable));
        Ok(Self { inner, jobs })
    }

    /// Whether a new recording could be begun now; a recorded queue's call is refused with 503
    /// when not. Asks the file system at most once a second.
    pub fn admits(&self, tenant: TenantId) -> bool {
        let folder = Folder::of(&self.inner.data_dir, tenant);
        !self.inner.refusing.load(Ordering::Relaxed)
            && self.inner.room.is_there(&folder, tenant, &self.inner.clock)
    }

    /// Begins a recording: spool file made and its row committed (state `spooling`) before this
    /// returns. The sink seals by itself after its `end`, or when it is dropped.
    pub async fn begin(&self, subject: Subject) -> Result<(RecordingId, Box<dyn TapSink>), RecordingError> {
        if !self.admits(subject.tenant) {
            return Err(RecordingError::Spool("the disk is full or refuses to write".into()));
        }
        let store = self.inner.store.tenant(subject.tenant)?;
        let id = RecordingId(Uuid::now_v7());
        let folder = Folder::of(&self.inner.data_dir, subject.tenant);
        let key = crate::store::key::random_key()?;
        let (path, spool_key) = (folder.spool(id), key.clone());
        let spool = tokio::task::spawn_blocking(move || {
            folder.make().map_err(refused)?;
            SpoolWriter::create(&folder.spool(id), id, &spool_key).map_err(refused)
        });
        let spool = spool.await.unwrap_or_else(|_| Err(refused("the spool could not be made")))?;
        let row = Recording {
            id,
            call: subject.call,
            campaign: subject.campaign,
            operator: subject.operator,
            state: RecordingState::Spooling,
            started_at: self.inner.clock.unix_millis(),
            duration_ms: 0,
            wav_bytes: 0,
        };
        if let Err(error) = store.recording_begin(row, key).await {
            let _ = std::fs::remove_file(path);
            return Err(error.into());
        }
        let (sink, give_back, tail) = Sink::new(id, self.jobs.clone());
        self.inner.unsealed.insert(id);
        let opening = Opening { tenant: subject.tenant, recording: id, spool, give_back, tail };
        if self.jobs.try_send(Job::Open(Box::new(opening))).is_err() {
            self.inner.unsealed.remove(id);
            let _ = store.recording_lost(id, "the spool's writer was overloaded".into()).await;
            let _ = std::fs::remove_file(path);
            return Err(refused("its writer is overloaded"));
        }
        Ok((id, Box::new(sink)))
    }

    /// Returns once no recording is open or unsealed. At stop, after the last call; a failing
    /// disk can make it wait for ever, so the caller has a deadline.
    pub async fn drained(&self) {
        self.inner.unsealed.none().await;
    }

    /// One recording's description.
    pub async fn show(&self, scope: &Scope, id: RecordingId) -> Result<Recording, RecordingError> {
        self.inner.store.tenant(scope.tenant()).map_err(known)?.recording(scope, id).await.map_err(known)
    }

    /// Recordings within the scope, newest first, at most `limit` (≤ 500), begun before `before`.
    pub async fn list(
        &self,
        scope: &Scope,
        limit: usize,
        before: Option<UnixMillis>,
    ) -> Result<Vec<Recording>, RecordingError> {
        let tenant = self.inner.store.tenant(scope.tenant()).map_err(known)?;
        tenant.recordings(scope, limit.min(MOST_LISTED), before).await.map_err(known)
    }

    /// The waveform of a sealed recording; empty while it is spooling.
    pub async fn peaks(&self, scope: &Scope, id: RecordingId) -> Result<Peaks, RecordingError> {
        let tenant = self.inner.store.tenant(scope.tenant()).map_err(known)?;
        Ok(Peaks::read(&tenant.recording_peaks(scope, id).await.map_err(known)?))
    }
}

#[cfg(test)]
mod tests;
