//! Named tasks and the signal to stop.
//!
//! Owns: spawning, and [`Stop`]. Refuses: tasks without a name.
//! May use: nothing of this crate.

use std::future::Future;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Spawns `future` on the current runtime under `name`, which its log lines carry.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub fn spawn<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.instrument(tracing::info_span!("task", name)))
}

/// How far the daemon is in stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Working.
    Running,
    /// No new calls and no new connections; what runs may finish.
    Draining,
    /// Leave now.
    Stopped,
}

/// Hears of the stop. Clone freely.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Phase>);

/// Tells of the stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Phase>);

impl Stopper {
    /// A fresh pair.
    pub fn new() -> (Self, Stop) {
        let (tx, rx) = watch::channel(Phase::Running);
        (Self(tx), Stop(rx))
    }
    /// Moves on; never back.
    pub fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            if later {
                *phase = to;
            }
            later
        });
    }
}

impl Stop {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }
    /// Returns once `phase` or a later one is reached.
    pub async fn reached(&mut self, phase: Phase) {
        // A dropped Stopper is a daemon that is gone: the same as Stopped.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
