use super::*;
use std::path::PathBuf;
use uuid::Uuid;
use zeroize::Zeroizing;

const ID: RecordingId = RecordingId(Uuid::from_u128(7));
const OTHER: RecordingId = RecordingId(Uuid::from_u128(8));

struct Spool {
    _dir: tempfile::TempDir,
    path: PathBuf,
    key: RawKey,
    /// Where each frame begins.
    frames: Vec<usize>,
}

/// Three frames of audio (the second after 5 lost samples) and an end.
fn spool() -> Spool {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.spool");
    let key: RawKey = Zeroizing::new([3; 32]);
    let mut writer = SpoolWriter::create(&path, ID, &key).unwrap();
    let (mut frame, mut at, mut frames) = (Vec::new(), HEAD, Vec::new());
    for (kind, silence, audio) in [
        (Kind::Audio, 0, &[0x11; 8_000][..]),
        (Kind::Audio, 5, &[0x22; 64]),
        (Kind::Audio, 0, &[0x33; 2]),
        (Kind::End, 0, &[]),
    ] {
        writer.seal(kind, silence, audio, &mut frame).unwrap();
        writer.append(&frame).unwrap();
        frames.push(at);
        at += frame.len();
    }
    Spool { _dir: dir, path, key, frames }
}

impl Spool {
    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    /// Whole frames read, whether an end was seen, and what stopped it.
    fn read(&self, bytes: &[u8], id: RecordingId, key: &RawKey) -> (usize, bool, Option<SpoolError>) {
        let path = self.path.with_extension("copy");
        std::fs::write(&path, bytes).unwrap();
        let mut reader = match SpoolReader::open(&path, id, key) {
            Ok(reader) => reader,
            Err(error) => return (0, false, Some(error)),
        };
        for count in 0.. {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => return (count, reader.ended, None),
                Err(error) => return (count, reader.ended, Some(error)),
            }
        }
        unreachable!()
    }
}

#[test]
fn frames_come_back_as_they_were() {
    let spool = spool();
    let mut reader = SpoolReader::open(&spool.path, ID, &spool.key).unwrap();
    for (silence, byte, length) in [(0, 0x11, 8_000), (5, 0x22, 64), (0, 0x33, 2), (0, 0, 0)] {
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.silence, frame.audio), (silence, &vec![byte; length][..]));
    }
    assert!(reader.next().unwrap().is_none() && reader.ended);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&spool.path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_audio_and_no_key_is_in_clear() {
    let spool = spool();
    let bytes = spool.bytes();
    for clear in [[0x11; 8], [0x22; 8], [3; 8]] {
        assert!(!bytes.windows(8).any(|window| window == clear));
    }
}

#[test]
fn a_file_cut_anywhere_keeps_its_whole_frames() {
    let spool = spool();
    let bytes = spool.bytes();
    for cut in (0..bytes.len()).step_by(7).chain(spool.frames.clone()) {
        let (count, ended, error) = spool.read(&bytes[..cut], ID, &spool.key);
        let whole = spool.frames.iter().skip(1).filter(|begin| **begin <= cut).count();
        assert_eq!((count, ended), (whole, false), "cut at {cut}");
        assert_eq!(error.is_some(), cut < HEAD);
    }
}

#[test]
fn a_changed_byte_is_found_and_what_is_before_it_is_kept() {
    let spool = spool();
    let bytes = spool.bytes();
    for at in (0..HEAD).chain((HEAD..bytes.len()).step_by(13)).chain(spool.frames.clone()) {
        let mut bent = bytes.clone();
        bent[at] ^= 0x40;
        let (count, ended, error) = spool.read(&bent, ID, &spool.key);
        let before = spool.frames.iter().skip(1).filter(|begin| **begin <= at).count();
        assert!(count <= before && !ended, "byte {at}");
        // A length that points behind the end reads like a daemon that died there.
        assert!(
            error.is_some() || spool.frames.iter().any(|begin| (*begin..begin + 4).contains(&at)),
            "byte {at}"
        );
    }
}

#[test]
fn moved_repeated_and_foreign_frames_do_not_open() {
    let spool = spool();
    let bytes = spool.bytes();
    let frame = |n: usize| &bytes[spool.frames[n]..spool.frames.get(n + 1).copied().unwrap_or(bytes.len())];
    let head = &bytes[..HEAD];
    let stopped = |parts: &[&[u8]]| match spool.read(&parts.concat(), ID, &spool.key) {
        (count, _, Some(SpoolError::Frame(number))) => (count as u64, number),
        (_, _, error) => panic!("{error:?}"),
    };
    assert_eq!(stopped(&[head, frame(1), frame(0)]), (0, 0), "swapped");
    assert_eq!(stopped(&[head, frame(0), frame(0)]), (1, 1), "repeated");
    assert_eq!(stopped(&[head, frame(0), frame(2)]), (1, 1), "left out");
    assert_eq!(stopped(&[&bytes, frame(0)]), (4, 4), "something after the end");
    let foreign = self::spool();
    let other = foreign.bytes();
    assert_eq!(stopped(&[head, frame(0), &other[foreign.frames[1]..]]), (1, 1), "of another file");
}

#[test]
fn another_recordings_spool_and_another_key_are_refused() {
    let spool = spool();
    let mut bytes = spool.bytes();
    let is_head =
        |read: (usize, bool, Option<SpoolError>)| matches!(read, (0, false, Some(SpoolError::Head)));
    assert!(is_head(spool.read(&bytes, OTHER, &spool.key)));
    assert!(is_head(spool.read(&bytes, ID, &Zeroizing::new([4; 32]))));
    bytes[8..24].copy_from_slice(OTHER.0.as_bytes());
    assert!(is_head(spool.read(&bytes, OTHER, &spool.key)), "with its id written over");
    assert!(is_head(spool.read(b"", ID, &spool.key)));
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let spool = spool();
    let mut bytes = spool.bytes();
    for length in [0, 20, LARGEST_FRAME as u32 + 1, u32::MAX] {
        bytes[HEAD..HEAD + 4].copy_from_slice(&length.to_le_bytes());
        assert!(matches!(spool.read(&bytes, ID, &spool.key), (0, false, Some(SpoolError::Frame(0)))));
    }
}

#[test]
fn a_refused_frame_can_be_tried_again() {
    let spool = spool();
    let path = spool.path.with_extension("second");
    let mut writer = SpoolWriter::create(&path, ID, &spool.key).unwrap();
    let mut frame = Vec::new();
    writer.seal(Kind::Audio, 0, &[9; 10], &mut frame).unwrap();
    let good = writer.move_to(File::open(&path).unwrap());
    assert!(writer.append(&frame).is_err(), "the file is open for reading only");
    writer.move_to(good);
    writer.append(&frame).unwrap();
    assert_eq!(spool.read(&std::fs::read(&path).unwrap(), ID, &spool.key).0, 1);
}
