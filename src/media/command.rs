//! The way into the media thread: a bounded queue of commands and a waker.

use super::handle::{LegId, LegStats, MediaError, Opened, PlayId, Remote, Sound};
use super::tap::Recorded;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Commands that may wait; more are refused as busy.
const WAITING: usize = 8192;

/// Where the answer to a question goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, MediaError>>;

/// What the thread can be told; each is a method of [`super::Media`].
pub(super) enum Command {
    Open { local: IpAddr, reply: Reply<Opened> },
    Connect { leg: LegId, remote: Remote },
    Offer { leg: Option<LegId>, offer: String, reply: Reply<(LegId, String)> },
    Play { leg: LegId, sound: Sound, play: PlayId },
    Stop { leg: LegId },
    Bridge { customer: LegId, operator: LegId, recorded: Recorded },
    Hold { customer: LegId, music: Option<Sound> },
    Part { leg: LegId },
    Mute { leg: LegId, muted: bool },
    Digits { leg: LegId, digits: String },
    Stats { leg: LegId, reply: Reply<LegStats> },
    Close { leg: LegId },
}

/// What both ends share beside the queue.
#[derive(Default)]
pub(super) struct Shared {
    /// Set once, by the handle: the thread ends.
    pub(super) stop: AtomicBool,
    /// Legs whose close found the queue full: a port must never leak. Bounded by the legs there are.
    overflow: Mutex<Vec<LegId>>,
    overflowed: AtomicBool,
}

impl Shared {
    /// Legs to close that did not fit into the queue.
    pub(super) fn take_overflow(&self) -> Vec<LegId> {
        if !self.overflowed.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.overflow.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The sending end, shared by all clones of the handle.
pub(super) struct Link {
    commands: SyncSender<Command>,
    waker: mio::Waker,
    shared: Arc<Shared>,
    plays: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Link {
    /// A queue whose receiving end goes to the thread.
    pub(super) fn new(waker: mio::Waker) -> (Self, Receiver<Command>, Arc<Shared>) {
        let (commands, queue) = sync_channel(WAITING);
        let shared = Arc::new(Shared::default());
        let link = Self {
            commands,
            waker,
            shared: shared.clone(),
            plays: AtomicU64::new(1),
            thread: Mutex::new(None),
        };
        (link, queue, shared)
    }

    /// Keeps the thread's handle, for the join.
    pub(super) fn attach(&mut self, thread: JoinHandle<()>) {
        self.thread = Mutex::new(Some(thread));
    }

    pub(super) fn next_play(&self) -> PlayId {
        PlayId(self.plays.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn tell(&self, command: Command) -> Result<(), MediaError> {
        self.commands.try_send(command).map_err(|_| MediaError::Busy)?;
        self.waker.wake().map_err(|_| MediaError::Busy)
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, MediaError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply))?;
        answer.await.map_err(|_| MediaError::Busy)
    }

    pub(super) fn close(&self, leg: LegId) {
        if let Err(TrySendError::Full(_)) = self.commands.try_send(Command::Close { leg }) {
            self.shared.overflow.lock().unwrap_or_else(PoisonError::into_inner).push(leg);
            self.shared.overflowed.store(true, Ordering::Release);
        }
        let _ = self.waker.wake();
    }

    pub(super) fn shut_down(&self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.waker.wake();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the media thread panicked");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shut_down();
    }
}
