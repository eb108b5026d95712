//! To 8 kHz by a windowed sinc, so that nothing above 4 kHz folds back into speech.

/// The rate of telephony, in hertz.
const RATE: f64 = 8000.0;
/// Zero crossings of the kernel each side.
const CROSSINGS: usize = 32;
/// Table entries between two zero crossings; between entries it is interpolated.
const STEPS: usize = 256;
/// Where the filter is half down, as a share of the lower rate's half: with this kernel speech up
/// to 3.4 kHz stays, and what is above 4 kHz is 80 dB down.
const CUTOFF: f64 = 0.925;
/// Kaiser's shape for 80 dB.
const BETA: f64 = 7.857;

/// `samples` at `rate` hertz as samples at 8 kHz.
pub(super) fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    let rate = f64::from(rate);
    if rate == RATE {
        return samples.to_vec();
    }
    let kernel = kernel();
    // Zero crossings per input sample: below one when the band shrinks.
    let density = CUTOFF * (RATE / rate).min(1.0);
    let reach = CROSSINGS as f64 / density;
    let length = (samples.len() as f64 * RATE / rate).round() as usize;
    let sample_at = |n: usize| {
        let centre = n as f64 * rate / RATE;
        let first = (centre - reach).ceil().max(0.0) as usize;
        let last = ((centre + reach).floor() as usize + 1).min(samples.len());
        let window = samples.get(first..last).unwrap_or_default();
        let mut sum = 0.0;
        for (offset, sample) in window.iter().enumerate() {
            let place = ((first + offset) as f64 - centre).abs() * density * STEPS as f64;
            sum += interpolate(&kernel, place) * sample;
        }
        sum * density as f32
    };
    (0..length).map(sample_at).collect()
}

fn interpolate(kernel: &[f32], place: f64) -> f32 {
    let step = place as usize;
    let (Some(before), Some(after)) = (kernel.get(step), kernel.get(step + 1)) else { return 0.0 };
    before + (after - before) * (place - step as f64) as f32
}

/// One side of the windowed sinc.
fn kernel() -> Vec<f32> {
    let entries = CROSSINGS * STEPS;
    let value = |n: usize| {
        let x = n as f64 / STEPS as f64 * std::f64::consts::PI;
        let sinc = if n == 0 { 1.0 } else { x.sin() / x };
        let edge = n as f64 / entries as f64;
        (sinc * bessel(BETA * (1.0 - edge * edge).max(0.0).sqrt()) / bessel(BETA)) as f32
    };
    (0..=entries).map(value).collect()
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..40 {
        term *= (x / (2.0 * f64::from(n))).powi(2);
        sum += term;
    }
    sum
}
