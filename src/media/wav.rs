//! Any WAV a prompt comes as, rendered to what the telephone network carries.

/// Why a file can't be a prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF/WAVE head, or a chunk missing or cut short.
    #[error("this is not a complete WAV file: {0}")]
    Malformed(&'static str),
    /// A coding, width, rate or channel count that is not rendered.
    #[error("this kind of WAV can't be played: {0}")]
    Unsupported(String),
    /// Longer than [`LONGEST_SECONDS`].
    #[error("the sound is longer than {LONGEST_SECONDS} seconds")]
    TooLong,
    /// No sample in it.
    #[error("the WAV file holds no sound")]
    Empty,
}

/// The longest sound rendered, in seconds of audio.
pub const LONGEST_SECONDS: usize = 600;

/// Renders a WAV file (PCM of 8, 16, 24 or 32 bits, 32- or 64-bit float, A-law or µ-law; mono or
/// stereo; 4 to 192 kHz) to 8 kHz mono 16-bit samples.
pub fn render(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
    let _ = bytes;
    todo!("H4")
}
