//! What the store is told of one call: its row and its events, one write at a time.

use crate::domain::record::{CallEvent, CallRecord};
use crate::store::{StoreError, TenantStore};
use crate::task;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often a write that found the database busy is tried again.
const TRIES: u32 = 200;
/// The pause before it is.
const PAUSE: Duration = Duration::from_millis(50);

/// One call's row and the events not yet written.
pub(super) struct Journal {
    store: Arc<TenantStore>,
    /// The row as it should be.
    pub(super) record: CallRecord,
    events: Vec<CallEvent>,
    due: bool,
    writing: Option<JoinHandle<()>>,
}

impl Journal {
    /// Begins the row; it is written in the background, before anything else of this call.
    pub(super) fn begin(store: Arc<TenantStore>, record: CallRecord) -> Self {
        let writing = {
            let (store, record) = (Arc::clone(&store), record.clone());
            let write = async move { persist(|| store.call_begin(record.clone())).await };
            Some(task::spawn("call_begin", write))
        };
        Self { store, record, events: Vec::new(), due: false, writing }
    }

    /// One more line of the story; written with the next milestone.
    pub(super) fn note(&mut self, event: CallEvent) {
        self.events.push(event);
    }

    /// Something worth surviving a crash: row and events are written as soon as the write
    /// before is done.
    pub(super) fn milestone(&mut self) {
        self.due = true;
        self.write_if_due();
    }

    fn write_if_due(&mut self) {
        if self.due && self.writing.is_none() {
            self.due = false;
            let (store, record) = (Arc::clone(&self.store), self.record.clone());
            let events = std::mem::take(&mut self.events);
            let write = async move { persist(|| store.call_update(record.clone(), events.clone())).await };
            self.writing = Some(task::spawn("call_update", write));
        }
    }

    /// Returns once the write under way is done; never when none is.
    pub(super) async fn written(&mut self) {
        match &mut self.writing {
            Some(writing) => {
                // A write that panicked is as over as one that failed.
                let _ = writing.await;
                self.writing = None;
                self.write_if_due();
            }
            None => std::future::pending().await,
        }
    }

    /// Writes the end; returns after its commit.
    pub(super) async fn end(mut self) {
        self.due = false;
        if let Some(writing) = self.writing.take() {
            let _ = writing.await;
        }
        let (store, record, events) = (self.store, self.record, self.events);
        persist(|| store.call_end(record.clone(), events.clone())).await;
    }
}

/// Tries a write until the database takes it. A failure of another kind is logged: the call
/// itself goes on, and what the row says then is closed as interrupted at the next start.
async fn persist<F: Future<Output = Result<(), StoreError>>>(mut write: impl FnMut() -> F) {
    for _ in 0..TRIES {
        match write().await {
            Ok(()) => return,
            Err(StoreError::Busy) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::error!(%error, "a call could not be written");
                return;
            }
        }
    }
    tracing::error!("a call could not be written: the database stayed busy");
}
