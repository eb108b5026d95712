//! The spool's one writer thread: every open recording's frames go through it.

use super::sink::{Filled, MOST_BUFFERS, Tail, samples};
use super::spool::{Kind, SpoolError, SpoolWriter};
use crate::clock::Clock;
use crate::domain::{RecordingId, TenantId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often what went wrong is tried again.
const ROUND: Duration = Duration::from_secs(1);

/// What the writer is asked to do.
pub(super) enum Job {
    /// Boxed: the queue's places are as large as its largest job.
    Open(Box<Opening>),
    Audio {
        recording: RecordingId,
        filled: Filled,
    },
    End {
        recording: RecordingId,
    },
}

/// A recording that begins.
pub(super) struct Opening {
    pub tenant: TenantId,
    pub recording: RecordingId,
    pub spool: SpoolWriter,
    pub give_back: SyncSender<Vec<u8>>,
    pub tail: Arc<Tail>,
}

/// A spool that has its end frame and waits to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    pub tenant: TenantId,
    pub recording: RecordingId,
}

/// A recording between its begin and its end frame.
struct Open {
    opening: Box<Opening>,
    /// Samples a side lost since the last frame.
    lost: u32,
    /// Sealed frames that the disk has refused so far, oldest first.
    held: VecDeque<Vec<u8>>,
    /// The end frame is sealed.
    ended: bool,
}

pub(super) struct Writer {
    jobs: Receiver<Job>,
    finished: mpsc::Sender<Finished>,
    /// Whether the disk refuses frames: no new recording then.
    refusing: Arc<AtomicBool>,
    clock: Clock,
    open: HashMap<RecordingId, Open>,
    /// Told to the sealer as soon as it has room.
    untold: VecDeque<Finished>,
    frame: Vec<u8>,
}

impl Writer {
    pub(super) fn new(
        jobs: Receiver<Job>,
        finished: mpsc::Sender<Finished>,
        refusing: Arc<AtomicBool>,
        clock: Clock,
    ) -> Self {
        let (open, untold, frame) = (HashMap::new(), VecDeque::new(), Vec::with_capacity(16 * 1024));
        Self { jobs, finished, refusing, clock, open, untold, frame }
    }

    /// Works until every sink and handle is gone.
    pub(super) fn run(mut self) {
        let mut round = self.clock.now();
        loop {
            let idle = match self.jobs.recv_timeout(ROUND) {
                Ok(job) => {
                    self.take(job);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let now: Instant = self.clock.now();
            if idle || now.saturating_duration_since(round) >= ROUND {
                round = now;
                self.look_around();
            }
        }
        self.look_around();
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Open(opening) => {
                let open = Open { opening, lost: 0, held: VecDeque::new(), ended: false };
                self.open.insert(open.opening.recording, open);
            }
            Job::Audio { recording, filled } => {
                let Some(open) = self.open.get_mut(&recording) else { return };
                open.keep(Kind::Audio, &filled, &mut self.frame);
                let mut audio = filled.audio;
                audio.clear();
                let _ = open.opening.give_back.try_send(audio);
                self.told(recording);
            }
            Job::End { recording } => self.end(recording),
        }
    }

    /// Writes what the sink left and the end frame.
    fn end(&mut self, recording: RecordingId) {
        let Some(open) = self.open.get_mut(&recording) else { return };
        if !open.ended {
            let rest = open.opening.tail.rest.lock().ok().and_then(|mut rest| rest.take());
            if let Some(rest) = rest {
                open.lost = open.lost.saturating_add(rest.lost);
                if !rest.audio.is_empty() {
                    open.keep(Kind::Audio, &Filled { lost: 0, audio: rest.audio }, &mut self.frame);
                }
            }
            open.ended = true;
            open.keep(Kind::End, &Filled { lost: 0, audio: Vec::new() }, &mut self.frame);
        }
        self.told(recording);
    }

    /// After a frame of `recording`: says whether the disk takes frames, and lets a spool that
    /// is complete go to the sealer.
    fn told(&mut self, recording: RecordingId) {
        let Some(open) = self.open.get(&recording) else { return };
        let refused = !open.held.is_empty();
        if self.refusing.swap(refused, Ordering::Relaxed) != refused {
            if refused {
                tracing::error!(%recording, "the recording spool can't be written; audio is held in memory");
            } else {
                tracing::info!("the recording spool can be written again");
            }
        }
        if open.ended && !refused {
            let finished = Finished { tenant: open.opening.tenant, recording };
            self.open.remove(&recording);
            self.untold.push_back(finished);
            self.tell();
        }
    }

    fn tell(&mut self) {
        while let Some(finished) = self.untold.front() {
            if self.finished.try_send(*finished).is_err() {
                return;
            }
            self.untold.pop_front();
        }
    }

    /// Tries again what the disk refused, and ends recordings whose end did not fit the queue.
    fn look_around(&mut self) {
        self.tell();
        let ended: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| open.opening.tail.ended.load(Ordering::Acquire))
            .map(|(recording, _)| *recording)
            .collect();
        // What a sink sent before it ended is ahead of its end.
        while let Ok(job) = self.jobs.try_recv() {
            self.take(job);
        }
        for recording in ended {
            self.end(recording);
        }
        let held: Vec<_> = self
            .open
            .iter()
            .filter(|(_, open)| !open.held.is_empty())
            .map(|(recording, _)| *recording)
            .collect();
        if held.is_empty() {
            self.refusing.store(false, Ordering::Relaxed);
        }
        for recording in held {
            if let Some(open) = self.open.get_mut(&recording) {
                open.try_held();
            }
            self.told(recording);
        }
    }
}

impl Open {
    /// Seals a frame and writes it, or holds it while the disk refuses. Audio beyond what may
    /// be held is lost; a sealed frame never is.
    fn keep(&mut self, kind: Kind, filled: &Filled, frame: &mut Vec<u8>) {
        self.lost = self.lost.saturating_add(filled.lost);
        if kind == Kind::Audio && self.held.len() >= MOST_BUFFERS {
            self.lost = self.lost.saturating_add(samples(&filled.audio));
            return;
        }
        let spool = &mut self.opening.spool;
        if let Err(error) = spool.seal(kind, self.lost, &filled.audio, frame) {
            // Cannot happen with a good key; the length is kept all the same.
            tracing::error!(%error, "a frame could not be sealed");
            self.lost = self.lost.saturating_add(samples(&filled.audio));
            return;
        }
        self.lost = 0;
        if !self.held.is_empty() || spool.append(frame).is_err() {
            self.held.push_back(frame.clone());
            self.try_held();
        }
    }

    fn try_held(&mut self) {
        while let Some(frame) = self.held.front() {
            match self.opening.spool.append(frame) {
                Ok(()) => self.held.pop_front(),
                Err(SpoolError::Io(error)) => {
                    tracing::debug!(recording = %self.opening.recording, %error, "the spool refused a frame");
                    return;
                }
                Err(_) => return,
            };
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
