//! The media thread's end of a recording: copies, never waits.

use super::spool::FRAME_AUDIO;
use super::writer::Job;
use crate::domain::RecordingId;
use crate::media::TapSink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers a sink begins with: one fills while the other is written.
const BUFFERS: usize = 2;
/// Buffers a sink may have while the disk stalls: 30 s of audio. What comes then is lost, and
/// marked as silence of its length.
pub(super) const MOST_BUFFERS: usize = 60;

/// A buffer on its way to the spool.
pub(super) struct Filled {
    /// Samples a side that were lost before it.
    pub lost: u32,
    /// Interleaved stereo µ-law, at most [`FRAME_AUDIO`] bytes.
    pub audio: Vec<u8>,
}

/// What a sink leaves behind when it ends, where the writer finds it even if the queue to it
/// was full at that moment.
#[derive(Default)]
pub(super) struct Tail {
    /// Set last.
    pub ended: AtomicBool,
    pub rest: Mutex<Option<Filled>>,
}

/// One recording's tap.
pub(super) struct Sink {
    recording: RecordingId,
    jobs: SyncSender<Job>,
    written: Receiver<Vec<u8>>,
    filling: Option<Vec<u8>>,
    buffers: usize,
    lost: u32,
    tail: Arc<Tail>,
}

impl Sink {
    /// A sink, the way by which the writer gives buffers back, and the sink's tail.
    pub(super) fn new(
        recording: RecordingId,
        jobs: SyncSender<Job>,
    ) -> (Self, SyncSender<Vec<u8>>, Arc<Tail>) {
        let (give_back, written) = sync_channel(MOST_BUFFERS);
        for _ in 1..BUFFERS {
            let _ = give_back.try_send(Vec::with_capacity(FRAME_AUDIO));
        }
        let tail = Arc::new(Tail::default());
        let filling = Some(Vec::with_capacity(FRAME_AUDIO));
        let sink =
            Self { recording, jobs, written, filling, buffers: BUFFERS, lost: 0, tail: Arc::clone(&tail) };
        (sink, give_back, tail)
    }

    fn buffer(&mut self) -> Option<Vec<u8>> {
        if let Some(filling) = self.filling.take() {
            return Some(filling);
        }
        if let Ok(written) = self.written.try_recv() {
            return Some(written);
        }
        // The disk stalls: memory holds what it can.
        (self.buffers < MOST_BUFFERS).then(|| {
            self.buffers += 1;
            Vec::with_capacity(FRAME_AUDIO)
        })
    }

    fn hand_on(&mut self, audio: Vec<u8>) {
        let job = Job::Audio { recording: self.recording, filled: Filled { lost: self.lost, audio } };
        self.lost = 0;
        let refused = match self.jobs.try_send(job) {
            Ok(()) => return,
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job,
        };
        if let Job::Audio { filled: Filled { lost, mut audio }, .. } = refused {
            self.lost = lost.saturating_add(samples(&audio));
            audio.clear();
            self.filling = Some(audio);
        }
    }
}

/// Samples a side in interleaved stereo.
pub(super) fn samples(audio: &[u8]) -> u32 {
    (audio.len() / 2) as u32
}

impl TapSink for Sink {
    fn write(&mut self, mut audio: &[u8]) {
        while audio.len() >= 2 {
            let Some(mut filling) = self.buffer() else {
                self.lost = self.lost.saturating_add(samples(audio));
                return;
            };
            let room = FRAME_AUDIO.saturating_sub(filling.len());
            let (now, later) = audio.split_at(room.min(audio.len() & !1));
            filling.extend_from_slice(now);
            audio = later;
            if filling.len() >= FRAME_AUDIO { self.hand_on(filling) } else { self.filling = Some(filling) }
        }
    }

    fn end(&mut self) {
        if self.tail.ended.load(Ordering::Acquire) {
            return;
        }
        let rest = Filled { lost: self.lost, audio: self.filling.take().unwrap_or_default() };
        // Nobody else takes this lock before `ended` is set.
        *self.tail.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        self.tail.ended.store(true, Ordering::Release);
        // Refused by a full queue, the writer's next round sees the mark.
        let _ = self.jobs.try_send(Job::End { recording: self.recording });
    }
}

impl Drop for Sink {
    /// A bridge that vanishes without a word has ended too.
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};
    use uuid::Uuid;

    fn taken(jobs: &Receiver<Job>) -> Vec<(u32, usize)> {
        jobs.try_iter()
            .filter_map(|job| match job {
                Job::Audio { filled, .. } => Some((filled.lost, filled.audio.len())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn audio_is_cut_into_frames_and_the_rest_is_left_in_the_tail() {
        let (sender, jobs) = sync_channel(8);
        let (mut sink, _give_back, tail) = Sink::new(RecordingId(Uuid::nil()), sender);
        sink.write(&[1; 7_998]);
        assert_eq!(taken(&jobs), []);
        sink.write(&[1; 9_002]);
        assert_eq!(taken(&jobs), [(0, 8_000), (0, 8_000)]);
        drop(sink);
        assert!(tail.ended.load(Ordering::Acquire));
        assert_eq!(tail.rest.lock().unwrap().as_ref().unwrap().audio.len(), 1_000);
        assert!(matches!(jobs.try_recv(), Ok(Job::End { .. })));
    }

    #[expect(clippy::disallowed_methods, reason = "measures that nothing waits")]
    #[test]
    fn a_full_queue_costs_audio_and_not_time() {
        let (sender, jobs) = sync_channel(1);
        let (mut sink, _give_back, tail) = Sink::new(RecordingId(Uuid::nil()), sender);
        let begun = Instant::now();
        sink.write(&[1; 8_000]);
        sink.write(&[2; 16_000]);
        assert_eq!(taken(&jobs), [(0, 8_000)]);
        sink.write(&[3; 8_000]);
        sink.end();
        assert_eq!(taken(&jobs), [(8_000, 8_000)], "what was refused comes back as silence");
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert!(tail.ended.load(Ordering::Acquire), "though the queue was full");
    }

    #[test]
    fn a_stalled_disk_costs_bounded_memory() {
        let (sender, jobs) = sync_channel(1_000);
        let (mut sink, give_back, _tail) = Sink::new(RecordingId(Uuid::nil()), sender);
        for _ in 0..200 {
            sink.write(&[1; 8_000]);
        }
        let held: Vec<_> = jobs.try_iter().collect();
        assert_eq!(held.len(), MOST_BUFFERS);
        give_back.try_send(Vec::with_capacity(FRAME_AUDIO)).unwrap();
        sink.write(&[1; 8_000]);
        assert_eq!(taken(&jobs), [(140 * 4_000, 8_000)]);
    }
}
