//! The spool file of one recording while it is being made: a head, then sealed frames.
//!
//! Head: `BBSPOOL1`, the recording's id (16 bytes), then the file's own AES-256-GCM key sealed
//! under the spool key of the recording's row (nonce 12, key 32, tag 16). Frame: its length
//! (u32, little endian), then that many bytes of AES-256-GCM text and tag. The nonce and the
//! associated data hold the frame's number, counted from 0, so a frame that is changed, moved,
//! repeated or taken from another file does not open. A frame's plain text: its kind (0 audio,
//! 1 end), the silence before it in samples a side (u32, little endian), then interleaved
//! stereo µ-law.

use crate::domain::RecordingId;
use crate::store::key::RawKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of audio in a frame at most: 500 ms of stereo.
pub(super) const FRAME_AUDIO: usize = 8_000;

const MAGIC: &[u8; 8] = b"BBSPOOL1";
const TAG: usize = 16;
const SEALED_KEY: usize = NONCE_LEN + 32 + TAG;
/// Bytes of the head: what a file without any audio has.
pub(super) const HEAD: usize = MAGIC.len() + 16 + SEALED_KEY;
const PREFIX: usize = 5;
const LARGEST_FRAME: usize = PREFIX + FRAME_AUDIO + TAG;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    /// The bridge ended; nothing follows.
    End,
}

/// Why a spool can't be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    /// The head is not one of ours, or of another recording, or does not open with the key.
    #[error("the head of the spool does not open")]
    Head,
    /// A whole frame is there but is not what was written.
    #[error("frame {0} of the spool is not what was written")]
    Frame(u64),
    /// The file can't be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, SpoolError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SpoolError::Head)
}

/// A number as a nonce: a file's key is used for this file only, so a count never repeats.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (byte, of) in bytes.iter_mut().skip(NONCE_LEN - 8).zip(number.to_be_bytes()) {
        *byte = of;
    }
    Nonce::assume_unique_for_key(bytes)
}

fn frame_aad(recording: RecordingId, number: u64) -> Aad<[u8; 24]> {
    let mut aad = [0; 24];
    let bytes = recording.0.as_bytes().iter().copied().chain(number.to_be_bytes());
    aad.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Aad::from(aad)
}

fn head_aad(recording: RecordingId) -> Aad<[u8; 24]> {
    frame_aad(recording, u64::from_be_bytes(*MAGIC))
}

/// Seals frames and appends them.
pub(super) struct SpoolWriter {
    file: File,
    cipher: LessSafeKey,
    recording: RecordingId,
    next: u64,
    /// Bytes up to the end of the last whole frame.
    good: u64,
}

impl SpoolWriter {
    /// Makes the file (mode 0600; it must be new) with a fresh key sealed under `spool_key`.
    pub(super) fn create(
        path: &Path,
        recording: RecordingId,
        spool_key: &RawKey,
    ) -> Result<Self, SpoolError> {
        let random = |into: &mut [u8]| aws_lc_rs::rand::fill(into).map_err(|_| SpoolError::Head);
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut_slice())?;
        let mut key_nonce = [0; NONCE_LEN];
        random(&mut key_nonce)?;
        let mut sealed = key.to_vec();
        cipher(spool_key.as_slice())?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(key_nonce),
                head_aad(recording),
                &mut sealed,
            )
            .map_err(|_| SpoolError::Head)?;
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(recording.0.as_bytes());
        head.extend_from_slice(&key_nonce);
        head.append(&mut sealed);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        if let Err(error) = file.write_all(&head) {
            let _ = std::fs::remove_file(path);
            return Err(error.into());
        }
        Ok(Self { file, cipher: cipher(key.as_slice())?, recording, next: 0, good: HEAD as u64 })
    }

    /// Seals one frame into `out` (cleared first), ready for [`SpoolWriter::append`]. Each
    /// frame sealed is to be appended, in order: numbers don't repeat and don't skip.
    pub(super) fn seal(
        &mut self,
        kind: Kind,
        silence: u32,
        audio: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SpoolError> {
        let number = self.next;
        out.clear();
        out.push(u8::from(kind == Kind::End));
        out.extend_from_slice(&silence.to_le_bytes());
        out.extend_from_slice(audio);
        self.cipher
            .seal_in_place_append_tag(nonce(number), frame_aad(self.recording, number), out)
            .map_err(|_| SpoolError::Frame(number))?;
        let length = (out.len() as u32).to_le_bytes();
        out.splice(..0, length);
        self.next += 1;
        Ok(())
    }

    /// Appends a sealed frame. After an error the file ends where it did before, and the same
    /// frame may be tried again.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), SpoolError> {
        let written = self.file.write_all(frame);
        match written {
            Ok(()) => self.good += frame.len() as u64,
            Err(_) => {
                self.file.set_len(self.good)?;
                self.file.seek(SeekFrom::Start(self.good))?;
            }
        }
        Ok(written?)
    }
}

#[cfg(test)]
impl SpoolWriter {
    /// Writes into another file from here on: a disk that fails, or works again.
    pub(super) fn move_to(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }
}

/// One opened frame.
pub(super) struct Frame<'a> {
    /// Samples a side of silence before the audio.
    pub silence: u32,
    /// Interleaved stereo µ-law.
    pub audio: &'a [u8],
}

/// Opens frames in the order they were written.
pub(super) struct SpoolReader {
    file: BufReader<File>,
    cipher: LessSafeKey,
    recording: RecordingId,
    next: u64,
    buffer: Vec<u8>,
    /// The end frame has been read.
    pub ended: bool,
}

impl SpoolReader {
    /// Opens the head. [`SpoolError::Head`] for a spool that is not `recording`'s.
    pub(super) fn open(path: &Path, recording: RecordingId, spool_key: &RawKey) -> Result<Self, SpoolError> {
        let mut file = BufReader::with_capacity(64 * 1024, File::open(path)?);
        let mut head = [0; HEAD];
        file.read_exact(&mut head).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => SpoolError::Head,
            _ => SpoolError::Io(error),
        })?;
        let rest = head.strip_prefix(MAGIC).ok_or(SpoolError::Head)?;
        let rest = rest.strip_prefix(recording.0.as_bytes()).ok_or(SpoolError::Head)?;
        let (key_nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(SpoolError::Head)?;
        let key_nonce = Nonce::try_assume_unique_for_key(key_nonce).map_err(|_| SpoolError::Head)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let key = cipher(spool_key.as_slice())?
            .open_in_place(key_nonce, head_aad(recording), &mut sealed)
            .map_err(|_| SpoolError::Head)?;
        let cipher = cipher(key)?;
        Ok(Self { file, cipher, recording, next: 0, buffer: Vec::with_capacity(LARGEST_FRAME), ended: false })
    }

    /// The next frame of audio, or `None` at the end: after an end frame, or where a dead
    /// daemon stopped, in the middle of a frame too.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, SpoolError> {
        let number = self.next;
        let mut length = [0; 4];
        if !read_whole(&mut self.file, &mut length)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes(length) as usize;
        if self.ended || !(PREFIX + TAG..=LARGEST_FRAME).contains(&length) {
            return Err(SpoolError::Frame(number));
        }
        self.buffer.resize(length, 0);
        if !read_whole(&mut self.file, &mut self.buffer)? {
            return Ok(None);
        }
        let plain = self
            .cipher
            .open_in_place(nonce(number), frame_aad(self.recording, number), &mut self.buffer)
            .map_err(|_| SpoolError::Frame(number))?;
        let (prefix, audio) = plain.split_first_chunk::<PREFIX>().ok_or(SpoolError::Frame(number))?;
        let [kind, silence @ ..] = *prefix;
        self.next += 1;
        self.ended = kind == 1;
        Ok(Some(Frame { silence: u32::from_le_bytes(silence), audio }))
    }
}

/// Fills `buffer`; false when the file ends first.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool, SpoolError> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
