//! Any WAV a prompt comes as, rendered to what the telephone network carries.

use super::g711;
use super::resample::resample;

/// Why a file can't be a prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF/WAVE head, or a chunk missing or cut short.
    #[error("this is not a complete WAV file: {0}")]
    Malformed(&'static str),
    /// A coding, width, rate or channel count that is not rendered.
    #[error("this kind of WAV can't be played: {0}")]
    Unsupported(String),
    /// Longer than [`LONGEST_SECONDS`], or larger than [`LARGEST_OCTETS`].
    #[error("the sound is longer than {LONGEST_SECONDS} seconds, or its file larger than 128 MiB")]
    TooLong,
    /// No sample in it.
    #[error("the WAV file holds no sound")]
    Empty,
}

/// The longest sound rendered, in seconds of audio.
pub const LONGEST_SECONDS: usize = 600;
/// The largest file rendered.
pub const LARGEST_OCTETS: usize = 128 << 20;
/// Sample rates rendered, in hertz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Renders a WAV file (PCM of 8, 16, 24 or 32 bits, 32- or 64-bit float, A-law or µ-law; mono or
/// stereo; 4 to 192 kHz) to 8 kHz mono 16-bit samples. Takes up to a second for the longest
/// sounds: not for a thread that others wait for.
pub fn render(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
    if bytes.len() > LARGEST_OCTETS {
        return Err(WavError::TooLong);
    }
    let (format, data) = chunks(bytes)?;
    let frame = format.coding.octets() * usize::from(format.channels);
    let frames = data.len() / frame;
    if frames == 0 {
        return Err(WavError::Empty);
    }
    if frames / format.rate as usize >= LONGEST_SECONDS {
        return Err(WavError::TooLong);
    }
    let mono: Vec<f32> = data.chunks_exact(frame).map(|frame| format.mix(frame)).collect();
    let samples = resample(&mono, format.rate);
    Ok(samples
        .into_iter()
        .map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect())
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

#[derive(Clone, Copy, Debug)]
struct Format {
    coding: Coding,
    channels: u16,
    rate: u32,
}

impl Coding {
    fn octets(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// One sample, −1 to 1.
    fn sample(self, octets: &[u8]) -> f32 {
        let value = match (self, octets) {
            (Self::Unsigned8, [a]) => (f32::from(*a) - 128.0) / 128.0,
            (Self::ALaw, [a]) => f32::from(g711::decode_a(*a)) / 32_768.0,
            (Self::MuLaw, [a]) => f32::from(g711::decode_mu(*a)) / 32_768.0,
            (Self::Signed16, [a, b]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
            (Self::Signed24, [a, b, c]) => i32::from_le_bytes([0, *a, *b, *c]) as f32 / 2_147_483_648.0,
            (Self::Signed32, [a, b, c, d]) => i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 2_147_483_648.0,
            (Self::Float32, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
            (Self::Float64, _) => octets.first_chunk().map_or(0.0, |eight| f64::from_le_bytes(*eight) as f32),
            _ => 0.0,
        };
        if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
    }
}

impl Format {
    /// Reads a `fmt ` chunk.
    fn parse(chunk: &[u8]) -> Result<Self, WavError> {
        let Some([t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1]) = chunk.first_chunk::<16>()
        else {
            return Err(WavError::Malformed("its format is cut short"));
        };
        let channels = u16::from_le_bytes([*c0, *c1]);
        let rate = u32::from_le_bytes([*r0, *r1, *r2, *r3]);
        let bits = u16::from_le_bytes([*b0, *b1]);
        let mut tag = u16::from_le_bytes([*t0, *t1]);
        if tag == 0xFFFE {
            // WAVE_FORMAT_EXTENSIBLE: the coding is the first two octets of its GUID.
            let Some([s0, s1]) = chunk.get(24..).and_then(|guid| guid.first_chunk::<2>()) else {
                return Err(WavError::Malformed("its format is cut short"));
            };
            tag = u16::from_le_bytes([*s0, *s1]);
        }
        let coding = match (tag, bits) {
            (1, 8) => Coding::Unsigned8,
            (1, 16) => Coding::Signed16,
            (1, 24) => Coding::Signed24,
            (1, 32) => Coding::Signed32,
            (3, 32) => Coding::Float32,
            (3, 64) => Coding::Float64,
            (6, 8) => Coding::ALaw,
            (7, 8) => Coding::MuLaw,
            _ => return Err(WavError::Unsupported(format!("coding {tag} with {bits} bits"))),
        };
        if !matches!(channels, 1 | 2) {
            return Err(WavError::Unsupported(format!("{channels} channels")));
        }
        if !RATES.contains(&rate) {
            return Err(WavError::Unsupported(format!("{rate} samples a second")));
        }
        Ok(Self { coding, channels, rate })
    }

    fn mix(&self, frame: &[u8]) -> f32 {
        let samples = frame.chunks_exact(self.coding.octets()).map(|octets| self.coding.sample(octets));
        samples.sum::<f32>() / f32::from(self.channels)
    }
}

/// Finds the format and the samples among a RIFF file's chunks.
fn chunks(bytes: &[u8]) -> Result<(Format, &[u8]), WavError> {
    let Some((head, mut rest)) = bytes.split_first_chunk::<12>() else {
        return Err(WavError::Malformed("it is too short"));
    };
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
        return Err(WavError::Malformed("it does not begin with RIFF and WAVE"));
    }
    let mut format = None;
    while let Some(([i0, i1, i2, i3, l0, l1, l2, l3], body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]);
        let id = [*i0, *i1, *i2, *i3];
        // A program that wrote to a pipe did not know the length: the sound goes on to the end.
        let length = if id == *b"data" && length == u32::MAX { body.len() } else { length as usize };
        let Some(chunk) = body.get(..length) else {
            return Err(WavError::Malformed("a part of it is cut short"));
        };
        match &id {
            b"fmt " => format = Some(Format::parse(chunk)?),
            b"data" => {
                let format = format.ok_or(WavError::Malformed("its sound comes before its format"))?;
                return Ok((format, chunk));
            }
            _ => {}
        }
        // Chunks begin at even places.
        rest = body.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    Err(WavError::Malformed("it holds no sound"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::share;
    use super::*;
    use proptest::prelude::*;

    fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let align = channels * bits / 8;
        let mut out =
            [&b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0"[..], &tag.to_le_bytes()].concat();
        out.extend(channels.to_le_bytes());
        out.extend(rate.to_le_bytes());
        out.extend((rate * u32::from(align)).to_le_bytes());
        out.extend(align.to_le_bytes());
        out.extend(bits.to_le_bytes());
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out
    }

    /// A second of a tone at any rate.
    fn wave(hertz: f64, rate: u32) -> impl Iterator<Item = f64> {
        (0..rate).map(move |n| (std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate)).sin() * 0.5)
    }

    fn sixteen(hertz: f64, rate: u32) -> Vec<u8> {
        wave(hertz, rate).flat_map(|value| ((value * 32_767.0) as i16).to_le_bytes()).collect()
    }

    fn loudness(samples: &[i16]) -> f64 {
        let middle = &samples[samples.len() / 8..samples.len() * 7 / 8];
        (middle.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / middle.len() as f64).sqrt()
    }

    #[test]
    fn every_rate_keeps_the_tone_its_length_and_loudness() {
        for rate in [4000, 8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
            let heard = render(&file(1, 1, rate, 16, &sixteen(1000.0, rate))).unwrap();
            assert!((7999..=8001).contains(&heard.len()), "{rate}: {}", heard.len());
            assert!(share(&heard[1000..7000], 1000.0) > 0.999, "{rate}");
            let wanted = 32_767.0 * 0.5 / std::f64::consts::SQRT_2;
            assert!((loudness(&heard) / wanted - 1.0).abs() < 0.02, "{rate}: {}", loudness(&heard));
        }
    }

    #[test]
    fn what_the_network_cannot_carry_does_not_fold_back() {
        for (rate, hertz) in [(16_000, 4_600.0), (44_100, 5_000.0), (48_000, 7_000.0), (48_000, 15_000.0)] {
            let heard = render(&file(1, 1, rate, 16, &sixteen(hertz, rate))).unwrap();
            assert!(loudness(&heard) < 8.0, "{hertz} Hz at {rate}: {}", loudness(&heard));
        }
        let heard = render(&file(1, 1, 48_000, 16, &sixteen(3300.0, 48_000))).unwrap();
        assert!(loudness(&heard) > 11_000.0, "speech's upper edge stays");
    }

    #[test]
    fn every_coding_sounds_alike() {
        let plain: Vec<f64> = wave(440.0, 8000).collect();
        let code =
            |encode: fn(f64) -> Vec<u8>| plain.iter().flat_map(|value| encode(*value)).collect::<Vec<u8>>();
        let sixteen = |value: f64| (value * 32_767.0) as i16;
        let laws = |law| plain.iter().map(|value| g711::encode(law, sixteen(*value))).collect::<Vec<u8>>();
        let files = [
            file(1, 1, 8000, 8, &code(|value| vec![(value * 127.0 + 128.0) as u8])),
            file(1, 1, 8000, 24, &code(|value| ((value * 8_388_607.0) as i32).to_le_bytes()[..3].to_vec())),
            file(1, 1, 8000, 32, &code(|value| ((value * 2_147_483_647.0) as i32).to_le_bytes().to_vec())),
            file(3, 1, 8000, 32, &code(|value| (value as f32).to_le_bytes().to_vec())),
            file(3, 1, 8000, 64, &code(|value| value.to_le_bytes().to_vec())),
            file(6, 1, 8000, 8, &laws(super::super::tap::Companding::A)),
            file(7, 1, 8000, 8, &laws(super::super::tap::Companding::Mu)),
            file(
                1,
                2,
                8000,
                16,
                &code(|value| {
                    let left = ((value * 2.0 * 32_767.0) as i16).to_le_bytes();
                    [left, [0, 0]].concat()
                }),
            ),
        ];
        for (n, file) in files.iter().enumerate() {
            let heard = render(file).unwrap();
            assert!(share(&heard, 440.0) > 0.998, "{n}: {}", share(&heard, 440.0));
            assert!(
                (loudness(&heard) / (32_767.0 * 0.5 / std::f64::consts::SQRT_2) - 1.0).abs() < 0.02,
                "{n}"
            );
        }
    }

    #[test]
    fn extensible_and_streamed_files_are_read() {
        let mut data = sixteen(440.0, 8000);
        data.truncate(16_000);
        let mut extensible =
            b"RIFF\0\0\0\0WAVEfmt \x28\0\0\0\xFE\xFF\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0".to_vec();
        extensible.extend([
            22, 0, 16, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71,
        ]);
        extensible.extend(b"data\xFF\xFF\xFF\xFF");
        extensible.extend(&data);
        assert_eq!(render(&extensible).unwrap().len(), 8000);
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        use WavError::{Empty, Malformed, TooLong, Unsupported};
        assert!(matches!(render(b""), Err(Malformed(_))));
        assert!(matches!(render(b"ID3\x04 this is an MP3 file"), Err(Malformed(_))));
        assert!(matches!(render(&file(1, 1, 8000, 16, &[])), Err(Empty)));
        assert!(matches!(render(&file(1, 6, 8000, 16, &[0; 12])), Err(Unsupported(_))));
        assert!(matches!(render(&file(1, 1, 100, 16, &[0; 12])), Err(Unsupported(_))));
        assert!(matches!(render(&file(0x55, 1, 8000, 16, &[0; 12])), Err(Unsupported(_))));
        assert!(matches!(render(&file(7, 1, 8000, 8, &vec![0; LONGEST_SECONDS * 8000])), Err(TooLong)));
        let whole = file(1, 1, 8000, 16, &[0; 100]);
        assert!(matches!(render(&whole[..whole.len() - 1]), Err(Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_rendered_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), tag in 0..9_u16, bits in 0..9_u16, rate in 3000..200_000_u32) {
            let _ = render(&bytes);
            let head = file(tag, 1, rate, bits * 8, &[]);
            bytes.splice(..0, head);
            let _ = render(&bytes);
            if let Some(at) = bytes.windows(4).position(|id| id == b"data") {
                bytes[at + 4..at + 8].fill(0xFF);
            }
            let _ = render(&bytes);
        }
    }
}
