//! G.711 (ITU-T G.711): companding of 16-bit samples, and from one law to the other.

use super::tap::Companding;
use std::sync::LazyLock;

/// Silence in µ-law.
pub(super) const MU_SILENCE: u8 = 0xFF;
/// Silence in A-law.
pub(super) const A_SILENCE: u8 = 0xD5;

static MU_TO_A: LazyLock<[u8; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| encode_a(decode_mu(code as u8))));
static A_TO_MU: LazyLock<[u8; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| encode_mu(decode_a(code as u8))));

/// The code of silence.
pub(super) fn silence(law: Companding) -> u8 {
    match law {
        Companding::Mu => MU_SILENCE,
        Companding::A => A_SILENCE,
    }
}

/// One sample to its code.
pub(super) fn encode(law: Companding, sample: i16) -> u8 {
    match law {
        Companding::Mu => encode_mu(sample),
        Companding::A => encode_a(sample),
    }
}

/// The table from one law to another; `None` when they are the same.
pub(super) fn table(from: Companding, to: Companding) -> Option<&'static [u8; 256]> {
    match (from, to) {
        (Companding::Mu, Companding::A) => Some(&MU_TO_A),
        (Companding::A, Companding::Mu) => Some(&A_TO_MU),
        _ => None,
    }
}

/// `code` by `table`.
pub(super) fn translate(table: &[u8; 256], code: u8) -> u8 {
    table.get(usize::from(code)).copied().unwrap_or(code)
}

/// A µ-law code's sample.
pub(super) fn decode_mu(code: u8) -> i16 {
    let code = !code;
    let magnitude = ((i32::from(code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4);
    (if code & 0x80 != 0 { 0x84 - magnitude } else { magnitude - 0x84 }) as i16
}

/// An A-law code's sample.
pub(super) fn decode_a(code: u8) -> i16 {
    let code = code ^ 0x55;
    let step = i32::from(code & 0x0F) << 4;
    let magnitude = match (code & 0x70) >> 4 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    // The bias makes every magnitude at least 0x84, so the top bit names the segment.
    let magnitude = i32::from(sample).abs().min(32_635) + 0x84;
    let segment = 24_u32.saturating_sub(magnitude.leading_zeros());
    let mantissa = (magnitude >> (segment + 3)) & 0x0F;
    !(sign | ((segment as u8) << 4) | mantissa as u8)
}

fn encode_a(sample: i16) -> u8 {
    let thirteen = i32::from(sample) >> 3;
    let (mask, magnitude) = if thirteen >= 0 { (0xD5, thirteen) } else { (0x55, -thirteen - 1) };
    let segment = 27_u32.saturating_sub(magnitude.leading_zeros());
    let mantissa = (magnitude >> segment.max(1)) & 0x0F;
    (((segment as u8) << 4) | mantissa as u8) ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_its_own_law() {
        for code in 0..=255_u8 {
            // µ-law has two zeros; 0x7F is the negative one.
            let expected = if code == 0x7F { 0xFF } else { code };
            assert_eq!(encode_mu(decode_mu(code)), expected);
            assert_eq!(encode_a(decode_a(code)), code);
        }
    }

    #[test]
    fn known_values() {
        assert_eq!((encode_mu(0), encode_mu(i16::MAX), encode_mu(i16::MIN)), (0xFF, 0x80, 0x00));
        assert_eq!((encode_a(0), encode_a(i16::MAX), encode_a(i16::MIN)), (0xD5, 0xAA, 0x2A));
        assert_eq!((decode_mu(0x80), decode_a(0xAA)), (32_124, 32_256));
    }

    #[test]
    fn companding_is_monotonous_and_close() {
        for law in [Companding::Mu, Companding::A] {
            let decode = |code| if law == Companding::Mu { decode_mu(code) } else { decode_a(code) };
            let mut last = i32::MIN;
            for sample in i16::MIN..=i16::MAX {
                let heard = i32::from(decode(encode(law, sample)));
                assert!(heard >= last, "{law:?} {sample}");
                let wanted = i32::from(sample);
                assert!((heard - wanted).abs() <= wanted.abs() / 16 + 16 || wanted.abs() > 32_000);
                last = heard;
            }
        }
    }

    #[test]
    fn tables_translate_silence_to_near_silence() {
        let a = translate(table(Companding::Mu, Companding::A).unwrap(), MU_SILENCE);
        assert!(decode_a(a).abs() <= 8);
        assert!(table(Companding::A, Companding::A).is_none());
    }
}
