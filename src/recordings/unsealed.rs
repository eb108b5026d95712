//! Which recordings are between their begin and their seal in this process.

use crate::domain::RecordingId;
use std::collections::HashSet;
use tokio::sync::watch;

pub(super) struct Unsealed(watch::Sender<HashSet<RecordingId>>);

impl Default for Unsealed {
    fn default() -> Self {
        Self(watch::Sender::new(HashSet::new()))
    }
}

impl Unsealed {
    pub(super) fn insert(&self, id: RecordingId) {
        self.0.send_modify(|ids| {
            ids.insert(id);
        });
    }

    pub(super) fn remove(&self, id: RecordingId) {
        self.0.send_modify(|ids| {
            ids.remove(&id);
        });
    }

    pub(super) fn holds(&self, id: RecordingId) -> bool {
        self.0.borrow().contains(&id)
    }

    /// Returns once there is none.
    pub(super) async fn none(&self) {
        // The sender is held here, so the wait can't fail.
        let _ = self.0.subscribe().wait_for(HashSet::is_empty).await;
    }
}
