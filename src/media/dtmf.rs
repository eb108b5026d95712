//! Telephone keys as RFC 4733 events: heard once each, and sent.

use super::handle::Digit;
use super::rtp::Packet;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Digits that may wait to be sent to one leg.
const WAITING: usize = 64;
/// 20 ms packets a digit lasts.
const PACKETS: u16 = 5;
/// The last one is sent three times (§2.5.1.4).
const ENDS: u16 = 3;
const INTERVAL: Duration = Duration::from_millis(20);
/// Between two digits.
const PAUSE: Duration = Duration::from_millis(60);
/// Samples in 20 ms.
const STEP: u16 = 160;
/// −10 dBm0.
const VOLUME: u8 = 10;
/// Packets of an earlier event that were overtaken: timestamps up to 5 s back.
const STALE: u32 = 40_000;

/// The key of an event code 0–15.
fn digit(event: u8) -> Option<Digit> {
    Some(match event {
        0..=9 => char::from(b'0' + event),
        10 => '*',
        11 => '#',
        12..=15 => char::from(b'A' + (event - 12)),
        _ => return None,
    })
}

/// The event code of a key.
fn event(digit: Digit) -> Option<u8> {
    Some(match digit {
        '0'..='9' => digit as u8 - b'0',
        '*' => 10,
        '#' => 11,
        'A'..='D' => digit as u8 - b'A' + 12,
        'a'..='d' => digit as u8 - b'a' + 12,
        _ => return None,
    })
}

/// Hears a leg's digits.
#[derive(Debug, Default)]
pub(super) struct Listener {
    last: Option<Heard>,
}

#[derive(Debug)]
struct Heard {
    ssrc: u32,
    timestamp: u32,
    event: u8,
    duration: u16,
}

impl Listener {
    /// Takes a telephone-event packet; a key the first time one of its packets comes, whichever
    /// of them that is (§2.5.1.4: any may be lost).
    pub(super) fn hear(&mut self, packet: &Packet<'_>) -> Option<Digit> {
        let [code, _, d0, d1] = packet.payload.first_chunk::<4>()?;
        let key = digit(*code)?;
        let duration = u16::from_be_bytes([*d0, *d1]);
        if let Some(last) = self.last.as_mut().filter(|last| last.ssrc == packet.ssrc) {
            let ahead = packet.timestamp.wrapping_sub(last.timestamp);
            if ahead == 0 {
                last.duration = last.duration.max(duration);
                return None;
            }
            if last.timestamp.wrapping_sub(packet.timestamp) < STALE {
                return None;
            }
            // A key held beyond what 16 bits of duration hold goes on in a new segment (§2.5.1.3).
            if last.event == *code
                && last.duration > 0xF000
                && ahead == u32::from(last.duration)
                && !packet.marker
            {
                last.timestamp = packet.timestamp;
                last.duration = duration;
                return None;
            }
        }
        self.last = Some(Heard { ssrc: packet.ssrc, timestamp: packet.timestamp, event: *code, duration });
        Some(key)
    }
}

/// Sends digits to a leg, one packet a step.
#[derive(Debug, Default)]
pub(super) struct Sender {
    waiting: VecDeque<u8>,
    step: u16,
    next: Option<Instant>,
}

/// What a step sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) payload: [u8; 4],
    /// The first of its digit.
    pub(super) first: bool,
}

impl Sender {
    /// Adds digits; characters that are no key are left out, and what exceeds the queue.
    pub(super) fn add(&mut self, digits: &str, now: Instant) {
        let room = WAITING.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.chars().filter_map(event).take(room));
        if !self.waiting.is_empty() && self.next.is_none() {
            self.next = Some(now);
        }
    }

    /// When [`Sender::step`] is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Whether the leg hears digits now instead of audio.
    pub(super) fn active(&self) -> bool {
        self.next.is_some()
    }

    /// The packet that is due.
    pub(super) fn step(&mut self, now: Instant) -> Option<Step> {
        let due = self.next.filter(|due| *due <= now)?;
        let Some(code) = self.waiting.front().copied() else {
            self.next = None;
            return None;
        };
        self.step += 1;
        let ended = self.step >= PACKETS;
        let [d0, d1] = (self.step.min(PACKETS) * STEP).to_be_bytes();
        let step = Step {
            payload: [code, if ended { 0x80 | VOLUME } else { VOLUME }, d0, d1],
            first: self.step == 1,
        };
        let mut wait = INTERVAL;
        if self.step >= PACKETS + ENDS - 1 {
            self.step = 0;
            self.waiting.pop_front();
            wait = PAUSE;
        }
        // Keep the pace, but don't race after a stall.
        self.next = Some((due + wait).max(now));
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use proptest::prelude::*;

    fn packet(timestamp: u32, marker: bool, payload: &[u8]) -> Packet<'_> {
        Packet { payload_type: 101, marker, sequence: 0, timestamp, ssrc: 1, payload }
    }

    #[test]
    fn each_press_is_heard_once() {
        let mut listener = Listener::default();
        let mut keys = String::new();
        let press = |listener: &mut Listener, at, code, ended: u8, duration: u16| {
            let [d0, d1] = duration.to_be_bytes();
            listener.hear(&packet(at, duration == 160, &[code, ended, d0, d1]))
        };
        for (at, code) in [(u32::MAX - 10, 1), (2000, 1), (4000, 10), (6000, 11), (8000, 15)] {
            for duration in [160, 320, 480] {
                keys.extend(press(&mut listener, at, code, 0, duration));
            }
            for _ in 0..3 {
                keys.extend(press(&mut listener, at, code, 0x80, 640));
            }
            // The one before, overtaken.
            keys.extend(press(&mut listener, at.wrapping_sub(2000), 3, 0x80, 640));
        }
        assert_eq!(keys, "11*#D");
        assert_eq!(press(&mut listener, 12_000, 16, 0, 160), None, "flash is no key");
        assert_eq!(press(&mut listener, 12_000, 5, 0x80, 640), Some('5'), "only an end arrived");
    }

    #[test]
    fn a_key_held_for_long_is_one_key() {
        let mut listener = Listener::default();
        assert_eq!(listener.hear(&packet(0, true, &[7, 0, 0, 160])), Some('7'));
        assert_eq!(listener.hear(&packet(0, false, &[7, 0, 0xFF, 0xFF])), None);
        assert_eq!(listener.hear(&packet(0xFFFF, false, &[7, 0, 0, 160])), None);
    }

    #[test]
    fn what_is_sent_is_heard() {
        let clock = Clock::test(0);
        let (mut sender, mut listener) = (Sender::default(), Listener::default());
        sender.add("1x9#", clock.now());
        sender.add(&"5".repeat(1000), clock.now());
        let (mut heard, mut timestamp, mut packets) = (String::new(), 0, 0);
        for _ in 0..10_000 {
            while let Some(step) = sender.step(clock.now()) {
                timestamp += if step.first { 5000 } else { 0 };
                packets += 1;
                heard.extend(listener.hear(&packet(timestamp, step.first, &step.payload)));
            }
            clock.advance(Duration::from_millis(10));
        }
        assert_eq!(heard.len(), WAITING);
        assert!(heard.starts_with("19#5"));
        assert_eq!(packets, WAITING as u16 * (PACKETS + ENDS - 1));
        assert!(!sender.active());
    }

    proptest! {
        #[test]
        fn any_payload_is_heard_or_not(payload in proptest::collection::vec(any::<u8>(), 0..8), at: u32) {
            let mut listener = Listener::default();
            let key = listener.hear(&packet(at, false, &payload));
            prop_assert_eq!(key.is_some(), payload.len() >= 4 && payload[0] < 16);
        }
    }
}
