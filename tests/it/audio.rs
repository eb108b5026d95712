//! Tones: making them, and finding them again.

use std::f64::consts::TAU;

/// One G.711 µ-law byte of a 16-bit sample (ITU-T G.711), written apart from the product's own
/// so that an error there can't hide here.
pub fn mu_law(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = (i32::from(sample).abs().min(32_635)) + 132;
    let exponent = 31 - (magnitude as u32 >> 7).leading_zeros() as i32;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    let byte = (exponent << 4) | mantissa | if negative { 0x80 } else { 0 };
    !(byte as u8)
}

/// The 16-bit sample of a µ-law byte.
pub fn from_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((i32::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7);
    (if byte & 0x80 == 0 { magnitude - 132 } else { 132 - magnitude }) as i16
}

/// A sine at `rate` samples a second.
pub fn sine(hz: f64, seconds: f64, rate: u32) -> Vec<i16> {
    let samples = (seconds * f64::from(rate)) as usize;
    (0..samples).map(|n| ((TAU * hz * n as f64 / f64::from(rate)).sin() * 10_000.0) as i16).collect()
}

/// A mono 16-bit WAV.
pub fn wav(samples: &[i16], rate: u32) -> Vec<u8> {
    let data = samples.len() as u32 * 2;
    let mut out = Vec::with_capacity(44 + data as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + data).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&data.to_le_bytes());
    samples.iter().for_each(|s| out.extend_from_slice(&s.to_le_bytes()));
    out
}

/// What share of the energy of `samples` (8 kHz) is at `hz`, by Goertzel over 100 ms windows
/// that are not silent; 0 when all are.
pub fn share(samples: &[i16], hz: f64) -> f64 {
    let (mut at, mut all) = (0.0, 0.0);
    for window in samples.chunks_exact(800) {
        let energy: f64 = window.iter().map(|&s| f64::from(s).powi(2)).sum();
        if energy < 800.0 * 100.0 * 100.0 {
            continue;
        }
        let coefficient = 2.0 * (TAU * hz / 8000.0).cos();
        let (mut s1, mut s2) = (0.0, 0.0);
        for &sample in window {
            let s0 = f64::from(sample) + coefficient * s1 - s2;
            (s2, s1) = (s1, s0);
        }
        at += 2.0 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / 800.0;
        all += energy;
    }
    if all == 0.0 { 0.0 } else { at / all }
}

/// Share of the 100 ms windows that carry sound.
pub fn loud(samples: &[i16]) -> f64 {
    let windows: Vec<_> = samples.chunks_exact(800).collect();
    let loud = windows.iter().filter(|w| w.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() > 8e6).count();
    if windows.is_empty() { 0.0 } else { loud as f64 / windows.len() as f64 }
}

/// Left and right of an exported recording: a RIFF/WAVE of two µ-law channels at 8 kHz, every
/// header field checked.
pub fn read_recording(wav: &[u8]) -> (Vec<i16>, Vec<i16>) {
    let u32_at = |at: usize| u32::from_le_bytes(wav[at..at + 4].try_into().unwrap()) as usize;
    let u16_at = |at: usize| u16::from_le_bytes(wav[at..at + 2].try_into().unwrap());
    assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(u32_at(4) + 8, wav.len(), "RIFF size");
    let (mut at, mut format, mut data) = (12, None, None);
    while at + 8 <= wav.len() {
        let (name, size) = (&wav[at..at + 4], u32_at(at + 4));
        let body = at + 8;
        match name {
            b"fmt " => {
                format = Some((
                    u16_at(body),
                    u16_at(body + 2),
                    u32_at(body + 4),
                    u32_at(body + 8),
                    u16_at(body + 12),
                    u16_at(body + 14),
                ));
            }
            b"data" => data = Some(&wav[body..body + size]),
            _ => {}
        }
        at = body + size + size % 2;
    }
    assert_eq!(format, Some((7, 2, 8000, 16_000, 2, 8)), "µ-law, stereo, 8 kHz");
    let data = data.expect("a data chunk");
    let channel = |first: usize| data.iter().skip(first).step_by(2).map(|&b| from_mu_law(b)).collect();
    (channel(0), channel(1))
}

#[test]
fn tones_are_found_where_they_are_and_nowhere_else() {
    let tone: Vec<i16> = sine(440.0, 2.0, 8000).into_iter().map(|s| from_mu_law(mu_law(s))).collect();
    assert!(share(&tone, 440.0) > 0.99, "{}", share(&tone, 440.0));
    assert!(share(&tone, 1000.0) < 0.01);
    assert_eq!(share(&vec![0; 8000], 440.0), 0.0);
}
