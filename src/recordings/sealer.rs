//! Takes finished spools and sees each one through to its row.

use super::folder::Folder;
use super::seal::{SealError, seal};
use super::writer::Finished;
use super::{Inner, RecordingError};
use crate::audit::{Entry, Outcome};
use crate::domain::record::RecordingState;
use crate::domain::{RecordingId, TenantId};
use crate::store::{StoreError, TenantStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs;
use tokio::sync::{Semaphore, mpsc};

/// Recordings sealed at once.
const AT_ONCE: usize = 2;
/// How long after a failure of disk or database a spool is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// How a spool came to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Its bridge ended in this process.
    Finished,
    /// A dead daemon left it.
    LeftBehind,
}

/// How a spool ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Sealed,
    Recovered,
    Lost,
    /// It was sealed before, or its row is gone: nothing was left to do.
    Settled,
}

/// Seals until every handle is gone.
pub(super) async fn seal_until_closed(inner: Arc<Inner>, mut finished: mpsc::Receiver<Finished>) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(Finished { tenant, recording }) = finished.recv().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let inner = Arc::clone(&inner);
        crate::task::spawn("seal", async move {
            let mut slot = Some(slot);
            while let Err(error) = inner.settle(tenant, recording, Found::Finished).await {
                tracing::error!(%recording, %error, "could not seal a recording; its spool is kept and tried again");
                // Others need not wait for this one.
                slot = None;
                tokio::time::sleep(AGAIN).await;
            }
            drop(slot);
            inner.unsealed.remove(recording);
        });
    }
}

impl Inner {
    /// Brings one spool to its end: an age file and a sealed row, or a lost row and the spool
    /// set aside. An error leaves everything for another try. May be repeated at any point.
    pub(super) async fn settle(
        &self,
        tenant: TenantId,
        id: RecordingId,
        found: Found,
    ) -> Result<Fate, RecordingError> {
        let store = self.store.tenant(tenant)?;
        let folder = Folder::of(&self.data_dir, tenant);
        let key = match store.recording_spool(id).await {
            Ok((RecordingState::Spooling, Some(key))) => key,
            Ok((RecordingState::Sealed | RecordingState::Recovered, _)) => {
                // Committed before the spool was removed.
                return self.already_sealed(&folder, tenant, id).await;
            }
            Ok((RecordingState::Spooling | RecordingState::Lost, _)) => {
                return self.lose(&store, &folder, tenant, id, "its spool key is missing").await;
            }
            Err(StoreError::NotFound) => return self.without_row(&folder, tenant, id).await,
            Err(error) => return Err(error.into()),
        };
        let sealed = {
            let folder = folder.clone();
            blocking(move || seal(&folder, id, &key)).await
        };
        let mut outcome = match sealed {
            Ok(outcome) => outcome,
            Err(SealError::Io(error)) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(RecordingError::Spool(error.to_string()));
            }
            Err(SealError::Unused) => return discard(&store, &folder, id).await,
            Err(error) => return self.lose(&store, &folder, tenant, id, &error.to_string()).await,
        };
        if found == Found::LeftBehind {
            outcome.seal.state = RecordingState::Recovered;
        }
        let state = outcome.seal.state;
        if outcome.damaged {
            self.note(tenant, id, "recording.damaged", &outcome.seal.reason).await;
        }
        match store.recording_seal(id, outcome.seal).await {
            Ok(()) => {}
            // Deleted while it was sealed: the file without its identity is noise.
            Err(StoreError::NotFound) => drop(fs::remove_file(folder.age(id)).await),
            Err(error) => return Err(error.into()),
        }
        let done = if outcome.damaged {
            fs::rename(folder.spool(id), folder.aside(id)).await
        } else {
            fs::remove_file(folder.spool(id)).await
        };
        if let Err(error) = done {
            tracing::warn!(recording = %id, %error, "could not remove the spool of a sealed recording");
        }
        Ok(if state == RecordingState::Sealed { Fate::Sealed } else { Fate::Recovered })
    }

    /// Marks a recording lost and sets its spool aside, saying so in log and audit.
    pub(super) async fn lose(
        &self,
        store: &TenantStore,
        folder: &Folder,
        tenant: TenantId,
        id: RecordingId,
        reason: &str,
    ) -> Result<Fate, RecordingError> {
        match store.recording_lost(id, reason.to_owned()).await {
            Ok(()) => self.note(tenant, id, "recording.lose", reason).await,
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        set_aside(folder, id).await;
        Ok(Fate::Lost)
    }

    async fn already_sealed(
        &self,
        folder: &Folder,
        tenant: TenantId,
        id: RecordingId,
    ) -> Result<Fate, RecordingError> {
        if folder.age(id).is_file() {
            fs::remove_file(folder.spool(id)).await.map_err(super::folder::refused)?;
            return Ok(Fate::Settled);
        }
        // The age file went away and the spool's key with the seal: nothing opens it any more.
        self.note(tenant, id, "recording.damaged", "the age file is missing").await;
        set_aside(folder, id).await;
        Ok(Fate::Settled)
    }

    async fn without_row(
        &self,
        folder: &Folder,
        tenant: TenantId,
        id: RecordingId,
    ) -> Result<Fate, RecordingError> {
        let bytes = std::fs::metadata(folder.spool(id)).map_or(0, |file| file.len());
        if bytes <= super::spool::HEAD as u64 {
            // Made an instant before its row was to be; there is no audio in it.
            let _ = fs::remove_file(folder.spool(id)).await;
            return Ok(Fate::Settled);
        }
        self.note(tenant, id, "recording.lose", "there is a spool but no row").await;
        set_aside(folder, id).await;
        Ok(Fate::Settled)
    }

    /// Says in log and audit what the daemon found or did.
    async fn note(&self, tenant: TenantId, id: RecordingId, action: &'static str, reason: &str) {
        tracing::error!(recording = %id, reason, "{action}");
        let entry = Entry {
            actor: "daemon".into(),
            source: String::new(),
            action,
            object: id.to_string(),
            outcome: Outcome::Failed,
            detail: serde_json::json!({ "reason": reason }),
        };
        if let Err(error) = self.audit.append(Some(tenant), entry).await {
            tracing::error!(recording = %id, %error, "could not audit a recording's fate");
        }
    }
}

/// Removes a recording whose bridge never came about: row first, so that a crash in between
/// leaves a spool that nothing names.
async fn discard(store: &TenantStore, folder: &Folder, id: RecordingId) -> Result<Fate, RecordingError> {
    match store.recording_discard(id).await {
        Ok(()) | Err(StoreError::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    fs::remove_file(folder.spool(id)).await.map_err(super::folder::refused)?;
    Ok(Fate::Settled)
}

/// Keeps a spool where no recovery looks for it again.
async fn set_aside(folder: &Folder, id: RecordingId) {
    match fs::rename(folder.spool(id), folder.aside(id)).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!(recording = %id, %error, "could not set a spool aside");
        }
        _ => {}
    }
}

/// Runs file work on a blocking thread; a panic there is a failed disk to its caller.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SealError> + Send + 'static,
) -> Result<T, SealError> {
    let gone = |_| Err(SealError::Io(std::io::Error::other("the work was given up")));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(gone)
}
