use super::super::sink::Sink;
use super::super::spool::{FRAME_AUDIO, SpoolReader};
use super::*;
use crate::media::TapSink;
use crate::store::key::RawKey;
use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A writer that is driven by hand, with one open recording.
struct Bench {
    _dir: tempfile::TempDir,
    path: PathBuf,
    key: RawKey,
    id: RecordingId,
    writer: Writer,
    sink: Sink,
    sealable: mpsc::Receiver<Finished>,
}

impl Bench {
    fn new(jobs: usize, sealable: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, key, id) =
            (dir.path().join("a.spool"), Zeroizing::new([5; 32]), RecordingId(Uuid::now_v7()));
        let (sender, waiting) = sync_channel(jobs);
        let (finished, sealable) = mpsc::channel(sealable);
        let mut writer = Writer::new(waiting, finished, Arc::default(), Clock::test(0));
        let spool = SpoolWriter::create(&path, id, &key).unwrap();
        let (sink, give_back, tail) = Sink::new(id, sender);
        let opening = Opening { tenant: TenantId(Uuid::nil()), recording: id, spool, give_back, tail };
        writer.take(Job::Open(Box::new(opening)));
        Self { _dir: dir, path, key, id, writer, sink, sealable }
    }

    fn work(&mut self) {
        while let Ok(job) = self.writer.jobs.try_recv() {
            self.writer.take(job);
        }
    }

    fn refusing(&self) -> bool {
        self.writer.refusing.load(Ordering::Relaxed)
    }

    /// Puts a file in place of the spool's, and returns the one that was there.
    fn disk(&mut self, file: File) -> File {
        self.writer.open.get_mut(&self.id).unwrap().opening.spool.move_to(file)
    }

    /// (silence before, first byte, bytes) of each frame, and whether the end is there.
    fn spooled(&self) -> (Vec<(u32, u8, usize)>, bool) {
        let mut reader = SpoolReader::open(&self.path, self.id, &self.key).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = reader.next().unwrap() {
            frames.push((frame.silence, frame.audio.first().copied().unwrap_or(0), frame.audio.len()));
        }
        (frames, reader.ended)
    }
}

#[test]
fn frames_the_disk_refuses_are_held_and_written_in_order() {
    let mut bench = Bench::new(500, 1);
    bench.sink.write(&[1; FRAME_AUDIO]);
    bench.work();
    let read_only = File::open(&bench.path).unwrap();
    let good = bench.disk(read_only);
    for n in 2..5 {
        bench.sink.write(&[n; FRAME_AUDIO]);
    }
    bench.work();
    assert!(bench.refusing(), "no new recording meanwhile");
    bench.disk(good);
    bench.writer.look_around();
    assert!(!bench.refusing());
    bench.sink.write(&[5; 100]);
    bench.sink.end();
    bench.work();
    let frames = (1..5).map(|n| (0, n, FRAME_AUDIO)).chain([(0, 5, 100), (0, 0, 0)]).collect();
    assert_eq!(bench.spooled(), (frames, true));
    assert_eq!(bench.sealable.try_recv().unwrap().recording, bench.id);
}

#[test]
fn what_is_beyond_thirty_seconds_becomes_silence_of_its_length() {
    let mut bench = Bench::new(500, 1);
    let read_only = File::open(&bench.path).unwrap();
    let good = bench.disk(read_only);
    for _ in 0..MOST_BUFFERS + 10 {
        bench.sink.write(&[1; FRAME_AUDIO]);
        bench.work();
    }
    bench.sink.end();
    bench.work();
    assert!(bench.sealable.try_recv().is_err(), "not before the disk has all of it");
    bench.disk(good);
    bench.writer.look_around();
    let (frames, ended) = bench.spooled();
    assert_eq!(frames.len(), MOST_BUFFERS + 1);
    assert_eq!((frames[MOST_BUFFERS], ended), ((40_000, 0, 0), true));
    assert!(bench.sealable.try_recv().is_ok());
}

#[test]
fn an_end_that_found_the_queue_full_is_seen_in_the_next_round() {
    let mut bench = Bench::new(1, 1);
    bench.sink.write(&[1; FRAME_AUDIO + 10]);
    bench.sink.end();
    bench.writer.look_around();
    assert_eq!(bench.spooled(), (vec![(0, 1, FRAME_AUDIO), (0, 1, 10), (0, 0, 0)], true));
    assert!(bench.sealable.try_recv().is_ok());
    bench.sink.end();
    bench.work();
    assert!(bench.sealable.try_recv().is_err(), "ends once");
}

#[test]
fn a_sealer_without_room_is_told_later() {
    let mut bench = Bench::new(8, 1);
    let other = Finished { tenant: TenantId(Uuid::nil()), recording: RecordingId(Uuid::nil()) };
    bench.writer.finished.try_send(other).unwrap();
    bench.sink.end();
    bench.work();
    assert_eq!(bench.sealable.try_recv().unwrap(), other);
    bench.writer.look_around();
    assert_eq!(bench.sealable.try_recv().unwrap().recording, bench.id);
}
