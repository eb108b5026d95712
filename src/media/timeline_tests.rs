//! The timeline against networks that jitter, reorder, lose, drift, jump and fall silent.

use super::super::tests::{channel, tone};
use super::*;
use crate::clock::Clock;
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(Vec<u8>, usize)>>);

impl TapSink for Heard {
    fn write(&mut self, samples: &[u8]) {
        assert!(samples.len().is_multiple_of(2) && samples.len() <= 8000);
        self.0.lock().unwrap().0.extend(samples);
    }
    fn end(&mut self) {
        self.0.lock().unwrap().1 += 1;
    }
}

/// One packet: when it comes (µs), its number, its timestamp, its source.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: u64,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    /// First sample of the signal that it carries.
    from: usize,
}

/// Plays arrivals of `signal` into the customer's side and returns both channels, flushing as the engine does.
fn record(signal: &[i16], mut arrivals: Vec<Arrival>, until: u64) -> (Vec<i16>, Vec<i16>) {
    arrivals.sort_by_key(|arrival| arrival.at);
    let start = Clock::test(0).now();
    let time = |at: u64| start + Duration::from_micros(at);
    let heard = Heard::default();
    let mut timeline = Timeline::new(Box::new(heard.clone()), start);
    let mut next_flush = 100_000;
    for arrival in arrivals {
        while next_flush <= arrival.at {
            timeline.flush(time(next_flush));
            next_flush += 100_000;
        }
        let end = (arrival.from + 160).min(signal.len());
        let payload: Vec<u8> =
            signal[arrival.from..end].iter().map(|sample| g711::encode(Companding::Mu, *sample)).collect();
        let Arrival { sequence, timestamp, ssrc, .. } = arrival;
        let packet = Packet { payload_type: 0, marker: false, sequence, timestamp, ssrc, payload: &payload };
        timeline.hear(Side::Customer, &packet, Companding::Mu, time(arrival.at));
    }
    timeline.end(time(until));
    let (stereo, ends) = std::mem::take(&mut *heard.0.lock().unwrap());
    assert_eq!(ends, 1);
    (channel(&stereo, false), channel(&stereo, true))
}

/// Packets of a signal, 20 ms apart, delayed by `delay` µs each.
fn steady(packets: usize, base: u32, delay: impl Fn(usize) -> u64) -> Vec<Arrival> {
    let arrival = |n: usize| Arrival {
        at: n as u64 * 20_000 + delay(n),
        sequence: n as u16,
        timestamp: base.wrapping_add(n as u32 * 160),
        ssrc: 1,
        from: n * 160,
    };
    (0..packets).map(arrival).collect()
}

/// What the signal becomes by µ-law.
fn companded(signal: &[i16]) -> Vec<i16> {
    signal.iter().map(|sample| g711::decode_mu(g711::encode(Companding::Mu, *sample))).collect()
}

/// Samples of `heard` that differ from `signal` when laid at its best place within 100 ms.
fn differences(signal: &[i16], heard: &[i16]) -> usize {
    let wanted = companded(signal);
    let mut best = usize::MAX;
    for shift in 0..800 {
        let there = heard.get(shift..).unwrap_or_default();
        best = best.min(wanted.iter().zip(there).filter(|(a, b)| a != b).take(best).count());
    }
    best
}

#[test]
fn nothing_is_silence_of_the_right_length() {
    let (left, right) = record(&[], Vec::new(), 3_210_000);
    assert_eq!((left.len(), right.len()), (25_680, 25_680));
    assert!(left.iter().chain(&right).all(|sample| *sample == 0));
}

#[test]
fn a_loss_is_a_hole_of_its_size_and_place() {
    let signal = vec![8000; 160 * 50];
    let mut arrivals = steady(50, u32::MAX - 400, |_| 3_000);
    arrivals.drain(20..23);
    let (left, _) = record(&signal, arrivals, 1_003_000);
    let silent: Vec<usize> = (24..8000).filter(|n| left[*n] == 0).collect();
    assert_eq!((silent.len(), silent[0], silent[479]), (480, 24 + 3200, 24 + 3679));
    assert!(left[..24].iter().all(|sample| *sample == 0), "the 3 ms before the first packet");
}

#[test]
fn a_source_that_pauses_keeps_its_time() {
    // Silence suppression: 100 packets not sent, timestamps go on.
    let signal: Vec<i16> = vec![8000; 160 * 200];
    let mut arrivals = steady(200, 7, |_| 0);
    arrivals.drain(50..150);
    let (left, _) = record(&signal, arrivals, 4_000_000);
    assert!(left[..8000].iter().chain(&left[24_000..32_000]).all(|sample| *sample != 0));
    assert!(left[8000..24_000].iter().all(|sample| *sample == 0));
}

#[test]
fn jumping_timestamps_and_new_sources_go_on_where_the_clock_is() {
    let signal = tone(440.0, 160 * 300);
    let mut arrivals = steady(300, 1000, |_| 0);
    for arrival in &mut arrivals[100..200] {
        arrival.timestamp = arrival.timestamp.wrapping_sub(3_000_000_000);
    }
    for arrival in &mut arrivals[200..] {
        (arrival.ssrc, arrival.timestamp) = (2, arrival.timestamp.wrapping_mul(3));
        arrival.timestamp = 5 + (arrival.from as u32);
    }
    let (left, _) = record(&signal, arrivals, 6_000_000);
    assert_eq!(left.len(), 48_000);
    assert_eq!(differences(&signal, &left), 0);
}

#[test]
fn a_path_that_became_longer_is_followed() {
    let signal = vec![8000; 160 * 200];
    let (left, _) = record(&signal, steady(200, 0, |n| if n < 100 { 0 } else { 700_000 }), 4_700_000);
    let sound = left.iter().filter(|sample| **sample != 0).count();
    assert!(sound >= 160 * 190, "{sound}");
}

#[test]
fn a_machine_that_slept_leaves_a_bounded_gap() {
    let start = Clock::test(0).now();
    let heard = Heard::default();
    let mut timeline = Timeline::new(Box::new(heard.clone()), start);
    timeline.flush(start + Duration::from_secs(36_000));
    assert!(heard.0.lock().unwrap().0.len() <= 2 * LONGEST_GAP as usize + 16);
    timeline.end(start + Duration::from_secs(36_001));
    assert!(heard.0.lock().unwrap().0.len() <= 2 * (LONGEST_GAP + 8000 + LATENESS) as usize + 16);
}

/// A sender whose clock is off by `parts` per million for a hundred seconds: still in time at the end,
/// the tone without clicks.
fn drifts(parts: i64) {
    let packets = 5_000_usize;
    let mut arrivals = steady(packets, 99, |_| 0);
    for (n, arrival) in arrivals.iter_mut().enumerate() {
        arrival.at = (n as i64 * 20_000 - n as i64 * 20_000 * parts / 1_000_000) as u64;
    }
    // The last second carries a marker: where does it lie?
    let mut signal = tone(500.0, packets * 160);
    signal[(packets - 50) * 160..].fill(0);
    let stopped = arrivals[packets - 50].at as i64 / 125;
    let until = arrivals[packets - 1].at + 20_000;
    let (left, _) = record(&signal, arrivals, until);
    let last = left.iter().rposition(|sample| *sample != 0).unwrap() as i64;
    assert!((last - stopped).abs() < 400, "{parts} ppm: off by {} samples", last - stopped);
    // A hole or a jump would bend the curve by 10,000 and more.
    for bend in left[400..last as usize - 400].windows(3) {
        let bend = i32::from(bend[0]) - 2 * i32::from(bend[1]) + i32::from(bend[2]);
        assert!(bend.abs() < 6000, "{parts} ppm: a click of {bend}");
    }
}

#[test]
fn a_fast_and_a_slow_clock_are_followed() {
    for parts in [-400, -150, 150, 400] {
        drifts(parts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn jitter_and_reordering_within_the_window_leave_no_mark(
        delays in proptest::collection::vec(0_u64..80_000, 60), base: u32,
    ) {
        let signal = tone(440.0, 60 * 160);
        let (left, right) = record(&signal, steady(60, base, |n| delays[n]), 1_400_000);
        prop_assert_eq!(differences(&signal, &left), 0);
        prop_assert!(right.iter().all(|sample| *sample == 0));
    }

    #[test]
    fn any_packets_give_a_recording_of_the_right_length(
        raw in proptest::collection::vec((0_u64..3_000_000, any::<u32>(), any::<u16>(), 0_u32..3), 0..200),
    ) {
        let signal = vec![100; 160];
        let arrivals = raw.iter().map(|(at, timestamp, sequence, ssrc)| Arrival { at: *at, sequence: *sequence, timestamp: *timestamp, ssrc: *ssrc, from: 0 });
        let (left, _) = record(&signal, arrivals.collect(), 3_000_000);
        prop_assert!((24_000..24_000 + RING).contains(&left.len()), "{}", left.len());
    }
}
