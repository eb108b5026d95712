//! Listening: a sealed recording, decrypted as it is read and no further.

use super::{RecordingError, Recordings, known};
use crate::domain::record::RecordingState;
use crate::domain::{RecordingId, Scope};
use crate::recordings::folder::Folder;
use age::stream::StreamReader;
use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Bytes of a chunk at most.
const CHUNK: u64 = 64 * 1024;
/// Chunks decrypted ahead of the reader.
const AHEAD: usize = 2;

type Reader = StreamReader<BufReader<File>>;

/// An open recording: a WAV of known length, decrypted as it is read.
pub struct Playback {
    reader: Reader,
    length: u64,
}

impl Recordings {
    /// Opens one for streaming.
    pub async fn open(&self, scope: &Scope, id: RecordingId) -> Result<Playback, RecordingError> {
        let tenant = self.inner.store.tenant(scope.tenant()).map_err(known)?;
        let sealed = tenant.recording_sealed(scope, id).await.map_err(known)?;
        let path = Folder::of(&self.inner.data_dir, scope.tenant()).age(id);
        match (sealed.recording.state, sealed.identity) {
            (RecordingState::Spooling, _) => Err(RecordingError::NotReady),
            (RecordingState::Lost, _) => Err(RecordingError::Damaged(sealed.reason)),
            (_, None) => Err(RecordingError::Damaged("its identity is missing".into())),
            (_, Some(identity)) => {
                let length = sealed.recording.wav_bytes;
                blocking(move || Playback::open(&path, &identity, length)).await
            }
        }
    }

    /// Writes the WAV into a new file at `path` (mode 0600; an existing file is refused) and
    /// returns its bytes. The one way audio leaves in clear; the door that calls it audits it.
    pub async fn export(&self, scope: &Scope, id: RecordingId, path: &Path) -> Result<u64, RecordingError> {
        let mut playback = self.open(scope, id).await?;
        let path = path.to_owned();
        blocking(move || {
            let failed = |error| RecordingError::Export(format!("{}: {error}", path.display()));
            let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            let mut file = new.map_err(failed)?;
            let written = playback.copy(&mut file).and_then(|bytes| {
                file.sync_all().map_err(failed)?;
                Ok(bytes)
            });
            // Half a recording must not be taken for one.
            written.inspect_err(|_| drop(std::fs::remove_file(&path)))
        })
        .await
    }

    /// Where the age file of a sealed recording lies, and the identity that opens it: for
    /// whoever is given the sealed form. The door that calls it audits it.
    pub async fn sealed_file(
        &self,
        scope: &Scope,
        id: RecordingId,
    ) -> Result<(PathBuf, Zeroizing<String>), RecordingError> {
        let tenant = self.inner.store.tenant(scope.tenant()).map_err(known)?;
        let sealed = tenant.recording_sealed(scope, id).await.map_err(known)?;
        let path = Folder::of(&self.inner.data_dir, scope.tenant()).age(id);
        sealed.identity.map(|identity| (path, identity)).ok_or(RecordingError::NotReady)
    }
}

impl Playback {
    /// Opens the file and proves its length, so that a cut file never plays as a short one.
    fn open(path: &Path, identity: &str, length: i64) -> Result<Self, RecordingError> {
        let identity = age::x25519::Identity::from_str(identity)
            .map_err(|_| RecordingError::Damaged("its identity can't be read".into()))?;
        let file = BufReader::with_capacity(CHUNK as usize, File::open(path).map_err(damaged)?);
        let decryptor = age::Decryptor::new_buffered(file).map_err(damaged)?;
        let mut reader =
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(damaged)?;
        let there = reader.seek(SeekFrom::End(0)).map_err(damaged)?;
        if i64::try_from(there) != Ok(length) {
            return Err(RecordingError::Damaged("it has another length than when it was sealed".into()));
        }
        Ok(Self { reader, length: there })
    }

    /// Bytes of the whole WAV.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is nothing in it; a WAV never is.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Decrypted bytes `start..end` (end exclusive, clamped) as chunks of at most 64 KiB, read
    /// on blocking threads, at most two chunks ahead of the reader. Ends when the receiver is
    /// dropped; a failure is the last chunk.
    pub fn stream(self, start: u64, end: u64) -> mpsc::Receiver<Result<Bytes, RecordingError>> {
        let (chunks, receiver) = mpsc::channel(AHEAD);
        let (start, end) = (start.min(self.length), end.min(self.length));
        crate::task::spawn("playback", async move {
            let Self { mut reader, .. } = self;
            let mut at = start;
            while at < end {
                // A place to put it first: a listener who stops listening stops the decryption.
                let Ok(place) = chunks.reserve().await else { return };
                let read = blocking(move || read_chunk(reader, at, (end - at).min(CHUNK))).await;
                match read {
                    Ok((back, chunk)) => {
                        reader = back;
                        at += chunk.len() as u64;
                        place.send(Ok(chunk));
                    }
                    Err(error) => return place.send(Err(error)),
                }
            }
        });
        receiver
    }

    fn copy(&mut self, into: &mut File) -> Result<u64, RecordingError> {
        self.reader.rewind().map_err(damaged)?;
        let copied = std::io::copy(&mut self.reader, into).map_err(damaged)?;
        if copied == self.length { Ok(copied) } else { Err(damaged("it ends early")) }
    }
}

/// Reads exactly `length` bytes at `at`.
fn read_chunk(mut reader: Reader, at: u64, length: u64) -> Result<(Reader, Bytes), RecordingError> {
    let mut chunk = vec![0; length as usize];
    if reader.stream_position().map_err(damaged)? != at {
        reader.seek(SeekFrom::Start(at)).map_err(damaged)?;
    }
    reader.read_exact(&mut chunk).map_err(damaged)?;
    Ok((reader, chunk.into()))
}

/// Runs file work on a blocking thread. A panic of the decryption is a damaged file.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
) -> Result<T, RecordingError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(damaged("the decryption failed")))
}

fn damaged(error: impl std::fmt::Display) -> RecordingError {
    RecordingError::Damaged(error.to_string())
}
