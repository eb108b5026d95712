//! The built-in hold music: a quiet two-part melody made from sines.

use std::f64::consts::TAU;
use std::sync::Arc;

/// Samples a second.
const RATE: f64 = 8000.0;
/// Seconds of one note.
const NOTE: f64 = 0.6;
/// The upper part, in Hz; a pentatonic line that comes back to its beginning.
const UPPER: [f64; 12] =
    [523.25, 587.33, 659.26, 783.99, 659.26, 587.33, 523.25, 440.0, 523.25, 587.33, 523.25, 392.0];
/// The lower part, one note to three of the upper.
const LOWER: [f64; 4] = [261.63, 329.63, 220.0, 196.0];
/// Loudness of each part, well below speech's peaks.
const LEVEL: f64 = 1500.0;

/// One turn of the melody, 7.2 s at 8 kHz, ending where it begins.
pub(super) fn melody() -> Arc<[i16]> {
    let per_note = (RATE * NOTE) as usize;
    let total = per_note * UPPER.len();
    (0..total)
        .map(|sample| {
            let note = sample / per_note;
            let upper = part(&UPPER, note, sample % per_note, per_note);
            let lower = part(&LOWER, note / 3, sample % (per_note * 3), per_note * 3);
            ((upper + lower) * LEVEL) as i16
        })
        .collect()
}

/// A note that swells in and dies away, so that it neither clicks nor drones.
fn part(notes: &[f64], note: usize, sample: usize, length: usize) -> f64 {
    let Some(pitch) = notes.get(note % notes.len().max(1)) else { return 0.0 };
    let at = sample as f64 / length as f64;
    let envelope = (at * 20.0).min(1.0) * (1.0 - at).powf(0.7);
    (TAU * pitch * sample as f64 / RATE).sin() * envelope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_melody_is_gentle_and_loops_without_a_click() {
        let melody = melody();
        assert_eq!(melody.len(), 57_600);
        let peak = melody.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!((1_000..4_000).contains(&peak), "{peak}");
        let jump = melody.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap();
        assert!(jump < 1_500, "{jump}");
        assert!(melody.first().unwrap().abs_diff(*melody.last().unwrap()) < 200);
    }
}
