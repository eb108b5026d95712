//! The waveform of a recording: for each slot of time, how loud each side got.

/// Slots of a waveform, unless the recording has fewer samples.
const SLOTS: u64 = 400;
/// The largest magnitude of µ-law (ITU-T G.711, 16-bit scale).
const FULL: u32 = 32_124;

/// The waveform of a recording: one byte a slot and side, 0 silence to 255 full scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peaks {
    /// Outside party.
    pub left: Vec<u8>,
    /// Inside party.
    pub right: Vec<u8>,
}

impl Peaks {
    /// From the row's form: left, right, left, right …
    pub(super) fn read(bytes: &[u8]) -> Self {
        let pairs = bytes.chunks_exact(2);
        let side = |at: usize| pairs.clone().filter_map(|pair| pair.get(at).copied()).collect();
        Self { left: side(0), right: side(1) }
    }
}

/// Takes a recording of known length in order and keeps its peaks.
pub(super) struct Meter {
    samples: u64,
    seen: u64,
    /// Magnitudes, left, right, left, right …
    loudest: Vec<u32>,
}

impl Meter {
    pub(super) fn new(samples: u64) -> Self {
        Self { samples, seen: 0, loudest: vec![0; 2 * samples.min(SLOTS) as usize] }
    }

    /// Silence of so many samples a side.
    pub(super) fn skip(&mut self, samples: u64) {
        self.seen += samples;
    }

    /// Interleaved stereo µ-law.
    pub(super) fn hear(&mut self, audio: &[u8]) {
        let slots = (self.loudest.len() / 2) as u64;
        for pair in audio.chunks_exact(2) {
            let slot = (self.seen * slots).checked_div(self.samples).unwrap_or(0) as usize;
            self.seen += 1;
            for (side, sample) in pair.iter().enumerate() {
                if let Some(loudest) = self.loudest.get_mut(2 * slot + side) {
                    *loudest = (*loudest).max(magnitude(*sample));
                }
            }
        }
    }

    /// In the row's form.
    pub(super) fn finish(self) -> Vec<u8> {
        self.loudest.into_iter().map(|loudest| (loudest * 255).div_ceil(FULL).min(255) as u8).collect()
    }
}

/// How far a µ-law sample is from silence (ITU-T G.711 table 2a, 16-bit scale).
fn magnitude(sample: u8) -> u32 {
    let bits = u32::from(!sample & 0x7F);
    ((((bits & 0x0F) << 3) + 0x84) << (bits >> 4)) - 0x84
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_those_of_g711() {
        for (sample, expected) in
            [(0xFF, 0), (0x7F, 0), (0x80, FULL), (0x00, FULL), (0xFE, 8), (0xEF, 132), (0x8F, 16_764)]
        {
            assert_eq!(magnitude(sample), expected, "{sample:#x}");
        }
    }

    #[test]
    fn each_side_keeps_its_own_peaks() {
        let mut meter = Meter::new(800);
        meter.skip(200);
        meter.hear(&[0x00, 0xFF].repeat(200));
        meter.hear(&[0xFF, 0xEF].repeat(400));
        let peaks = Peaks::read(&meter.finish());
        assert_eq!((peaks.left.len(), peaks.right.len()), (400, 400));
        assert_eq!(peaks.left, [vec![0; 100], vec![255; 100], vec![0; 200]].concat());
        assert_eq!(peaks.right, [vec![0; 200], vec![2; 200]].concat());
    }

    #[test]
    fn short_and_overlong_audio_is_no_trouble() {
        assert!(Meter::new(0).finish().is_empty());
        let mut meter = Meter::new(3);
        meter.hear(&[0x80; 100]);
        assert_eq!(meter.finish(), [255; 6]);
    }
}
