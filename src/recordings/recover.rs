//! What a dead daemon left: spools, rows that say `spooling`, half an age file.

use super::folder::{Folder, refused};
use super::sealer::{Fate, Found};
use super::{Inner, RecordingError, Recordings};
use crate::domain::TenantId;

/// What [`Recordings::recover`] did with what a dead daemon left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Spools that became age files.
    pub recovered: usize,
    /// Recordings of which nothing could be saved.
    pub lost: usize,
}

impl Recordings {
    /// Seals what a dead daemon left in the spools. At start, before the doors open. One
    /// recording's failure does not stop the others'; it is logged and tried at the next start.
    pub async fn recover(&self) -> Result<Recovery, RecordingError> {
        let mut recovery = Recovery::default();
        for tenant in self.inner.store.tenants() {
            self.inner.recover_tenant(tenant.id(), &mut recovery).await?;
        }
        Ok(recovery)
    }
}

impl Inner {
    async fn recover_tenant(&self, tenant: TenantId, recovery: &mut Recovery) -> Result<(), RecordingError> {
        let folder = Folder::of(&self.data_dir, tenant);
        let store = self.store.tenant(tenant)?;
        for id in folder.parts().map_err(refused)? {
            let _ = std::fs::remove_file(folder.part(id));
        }
        for id in folder.spools().map_err(refused)? {
            if self.unsealed.holds(id) {
                continue;
            }
            match self.settle(tenant, id, Found::LeftBehind).await {
                Ok(Fate::Sealed | Fate::Recovered) => recovery.recovered += 1,
                Ok(Fate::Lost) => recovery.lost += 1,
                Ok(Fate::Settled) => {}
                Err(error) => tracing::error!(recording = %id, %error, "could not recover a recording"),
            }
        }
        for recording in store.recordings_spooling().await? {
            if self.unsealed.holds(recording.id) || folder.spool(recording.id).exists() {
                continue;
            }
            self.lose(&store, &folder, tenant, recording.id, "its spool is missing").await?;
            recovery.lost += 1;
        }
        Ok(())
    }
}
