//! The head of a WAV that holds interleaved stereo µ-law at 8 kHz (RIFF; RFC 2361 format 7).

/// Samples a second on each side.
pub(super) const RATE: u32 = 8_000;
/// Bytes before the audio.
pub(super) const HEAD: usize = 58;
/// Samples a side that a WAV's 32-bit lengths can tell: some 74 hours.
pub(super) const MOST_SAMPLES: u64 = (u32::MAX as u64 - HEAD as u64) / 2;
/// µ-law for no sound at all.
pub(super) const SILENCE: u8 = 0xFF;

const MU_LAW: u16 = 7;
const SIDES: u16 = 2;

/// The head for `samples` a side (at most [`MOST_SAMPLES`]).
pub(super) fn head(samples: u64) -> Vec<u8> {
    let samples = samples.min(MOST_SAMPLES) as u32;
    let audio = samples * u32::from(SIDES);
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(b"RIFF");
    head.extend_from_slice(&(HEAD as u32 - 8 + audio).to_le_bytes());
    head.extend_from_slice(b"WAVEfmt ");
    head.extend_from_slice(&18u32.to_le_bytes());
    head.extend_from_slice(&MU_LAW.to_le_bytes());
    head.extend_from_slice(&SIDES.to_le_bytes());
    head.extend_from_slice(&RATE.to_le_bytes());
    head.extend_from_slice(&(RATE * u32::from(SIDES)).to_le_bytes());
    // Bytes of one moment on both sides, bits of one sample, bytes of extension.
    for field in [SIDES, 8, 0] {
        head.extend_from_slice(&field.to_le_bytes());
    }
    head.extend_from_slice(b"fact");
    head.extend_from_slice(&4u32.to_le_bytes());
    head.extend_from_slice(&samples.to_le_bytes());
    head.extend_from_slice(b"data");
    head.extend_from_slice(&audio.to_le_bytes());
    head
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Walks the chunks as any player does: (name, body).
    pub(in crate::recordings) fn chunks(wav: &[u8]) -> Vec<(String, &[u8])> {
        assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
        assert_eq!(u32::from_le_bytes(wav[4..8].try_into().unwrap()) as usize, wav.len() - 8);
        let (mut rest, mut chunks) = (&wav[12..], Vec::new());
        while !rest.is_empty() {
            let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
            chunks.push((String::from_utf8(rest[..4].to_vec()).unwrap(), &rest[8..8 + length]));
            rest = &rest[8 + length..];
        }
        chunks
    }

    #[test]
    fn lengths_agree_with_what_follows() {
        for samples in [0, 1, 4_000] {
            let mut wav = head(samples);
            assert_eq!(wav.len(), HEAD);
            wav.extend(vec![SILENCE; samples as usize * 2]);
            let chunks = chunks(&wav);
            let names: Vec<_> = chunks.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["fmt ", "fact", "data"]);
            assert_eq!(chunks[0].1, [7, 0, 2, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 8, 0, 0, 0]);
            assert_eq!(chunks[1].1, (samples as u32).to_le_bytes());
        }
    }

    #[test]
    fn the_longest_recording_still_has_true_lengths() {
        let head = head(u64::MAX);
        let riff = u32::from_le_bytes(head[4..8].try_into().unwrap());
        let audio = u32::from_le_bytes(head[54..58].try_into().unwrap());
        assert_eq!(riff, audio + 50);
    }
}
