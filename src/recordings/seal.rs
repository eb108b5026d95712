//! From a spool to an age file (<https://age-encryption.org/v1>) that holds a WAV.

use super::folder::Folder;
use super::peaks::Meter;
use super::spool::{SpoolError, SpoolReader};
use super::wav;
use crate::domain::RecordingId;
use crate::domain::record::RecordingState;
use crate::store::key::RawKey;
use crate::store::tenant::Seal;
use age::secrecy::ExposeSecret;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use zeroize::Zeroizing;

/// Why a spool did not become an age file.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// Not one frame of it opens.
    #[error("{0}")]
    Unreadable(String),
    /// A daemon died before it wrote a frame.
    #[error("no audio had been written")]
    Empty,
    /// It ended without a single sample: the bridge never came about.
    #[error("nothing was to be recorded")]
    Unused,
    /// The disk failed; the spool is untouched and may be tried again.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What became of a spool.
pub(super) struct Outcome {
    /// For the row.
    pub seal: Seal,
    /// The spool holds more than could be read: it is to be set aside, not removed.
    pub damaged: bool,
}

/// What a first reading of a spool says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Survey {
    /// Samples a side, silence included.
    samples: u64,
    /// Samples a side of that silence.
    silent: u64,
    ended: bool,
    /// The first frame that is not what was written.
    bad_frame: Option<u64>,
}

/// Seals the spool of `id` into its age file and returns what the row needs; the row decides
/// whether the file counts. May be repeated: a file of an earlier try is replaced. Blocks.
pub(super) fn seal(folder: &Folder, id: RecordingId, spool_key: &RawKey) -> Result<Outcome, SealError> {
    folder.make()?;
    let survey = survey(folder, id, spool_key)?;
    let identity = age::x25519::Identity::generate();
    let (part, sealed) = (folder.part(id), folder.age(id));
    let written = write_age(folder, id, spool_key, &identity, survey.samples);
    let peaks = written.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    std::fs::rename(&part, &sealed)?;
    folder.sync_sealed()?;
    let seal = Seal {
        state: if survey.ended { RecordingState::Sealed } else { RecordingState::Recovered },
        duration_ms: millis(survey.samples),
        wav_bytes: (wav::HEAD as u64 + 2 * survey.samples) as i64,
        identity: Zeroizing::new(identity.to_string().expose_secret().to_owned()),
        peaks,
        reason: survey.reason(),
    };
    Ok(Outcome { seal, damaged: survey.bad_frame.is_some() })
}

fn survey(folder: &Folder, id: RecordingId, spool_key: &RawKey) -> Result<Survey, SealError> {
    let mut spool = SpoolReader::open(&folder.spool(id), id, spool_key).map_err(unreadable)?;
    let mut survey = Survey::default();
    loop {
        match spool.next() {
            Ok(Some(frame)) => {
                let silence = u64::from(frame.silence);
                survey.silent += silence;
                survey.samples += silence + frame.audio.len() as u64 / 2;
            }
            Ok(None) => break,
            Err(SpoolError::Frame(number)) => {
                survey.bad_frame = Some(number);
                break;
            }
            Err(error) => return Err(unreadable(error)),
        }
    }
    // An end that something follows is none.
    survey.ended = spool.ended && survey.bad_frame.is_none();
    survey.samples = survey.samples.min(wav::MOST_SAMPLES);
    match survey.bad_frame {
        Some(0) => Err(unreadable(SpoolError::Frame(0))),
        None if survey.samples == 0 && survey.ended => Err(SealError::Unused),
        None if survey.samples == 0 => Err(SealError::Empty),
        _ => Ok(survey),
    }
}

impl Survey {
    fn reason(&self) -> String {
        let mut said = Vec::new();
        if let Some(number) = self.bad_frame {
            said.push(format!(
                "frame {number} of the spool was not what was written; what followed is missing"
            ));
        }
        if self.silent > 0 {
            said.push(format!("{} ms could not be written and are silent", millis(self.silent)));
        }
        said.join("; ")
    }
}

/// Writes the WAV of `samples` a side into the part file, encrypted; returns the peaks.
fn write_age(
    folder: &Folder,
    id: RecordingId,
    spool_key: &RawKey,
    identity: &age::x25519::Identity,
    samples: u64,
) -> Result<Vec<u8>, SealError> {
    let part = folder.part(id);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(part)?;
    let recipient = identity.to_public();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(std::io::Error::other)?;
    let mut out = encryptor.wrap_output(BufWriter::with_capacity(128 * 1024, file))?;
    out.write_all(&wav::head(samples))?;
    let mut meter = Meter::new(samples);
    let mut left = samples;
    let mut spool = SpoolReader::open(&folder.spool(id), id, spool_key).map_err(unreadable)?;
    while left > 0 {
        let frame = spool.next().map_err(unreadable)?;
        // The survey counted them; a file that shrank meanwhile is a failing disk.
        let frame = frame.ok_or_else(|| std::io::Error::other("the spool changed while it was sealed"))?;
        let silence = u64::from(frame.silence).min(left);
        std::io::copy(&mut std::io::Read::take(std::io::repeat(wav::SILENCE), 2 * silence), &mut out)?;
        meter.skip(silence);
        left -= silence;
        let take = (frame.audio.len() as u64 / 2).min(left);
        let audio = frame.audio.get(..2 * take as usize).unwrap_or_default();
        out.write_all(audio)?;
        meter.hear(audio);
        left -= take;
    }
    let file = out.finish()?.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()?;
    Ok(meter.finish())
}

fn millis(samples: u64) -> i64 {
    (samples * 1000 / u64::from(wav::RATE)) as i64
}

fn unreadable(error: SpoolError) -> SealError {
    match error {
        SpoolError::Io(error) => SealError::Io(error),
        error => SealError::Unreadable(error.to_string()),
    }
}
