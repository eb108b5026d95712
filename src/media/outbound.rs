//! The one stream a leg sends for its whole life, whoever is heard in it.
//!
//! Prompts, music, digits and other parties come and go; the far end sees one SSRC, a contiguous
//! sequence, and timestamps that went on by the time that passed. A browser takes anything else
//! for loss, or falls silent for good.

use std::time::Instant;

/// A jump of the other party's sequence beyond this starts a new stretch.
const JUMP: i16 = 500;
/// Samples in 20 ms.
const FRAME: u32 = 160;

/// The state of a sent stream.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) ssrc: u32,
    /// Next new sequence number, never reset (extended: a browser's SRTP needs its cycles).
    next: u64,
    /// Newest timestamp sent, when, and how long its packet was.
    newest: u32,
    newest_at: Option<Instant>,
    length: u32,
    stretch: Option<Stretch>,
    packets: u64,
    octets: u64,
}

/// A run of packets from one source.
#[derive(Clone, Copy, Debug)]
enum Stretch {
    /// Made here, 20 ms each.
    Own,
    /// Another party's, with what to add to its numbers.
    Relayed { ssrc: u32, last_in: u16, last_out: u64, first_out: u64, shift: u32, newest_in: u32 },
}

/// The numbers of a packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) sequence: u64,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
}

/// The numbers of a packet received, to be relayed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    /// Samples it holds.
    pub(super) samples: u32,
}

impl Outbound {
    /// A stream that begins at `sequence` (its first must stay below 65536) and `timestamp`.
    pub(super) fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            // Room below, so that a packet overtaken at the very start keeps its place.
            next: u64::from(sequence >> 1) + 16,
            newest: timestamp,
            newest_at: None,
            length: FRAME,
            stretch: None,
            packets: 0,
            octets: 0,
        }
    }

    /// Numbers for 20 ms made here.
    pub(super) fn frame(&mut self, now: Instant) -> Numbers {
        let goes_on = matches!(self.stretch, Some(Stretch::Own));
        let timestamp = if goes_on { self.newest.wrapping_add(self.length) } else { self.resumed(now) };
        self.stretch = Some(Stretch::Own);
        let sequence = self.advance(timestamp, FRAME, now);
        Numbers { sequence, timestamp, marker: !goes_on }
    }

    /// Numbers for one packet of a digit (RFC 4733 §2.5.1.2): all of a digit's share their timestamp.
    pub(super) fn digit(&mut self, first: bool, now: Instant) -> Numbers {
        let timestamp = if first { self.resumed(now) } else { self.newest };
        self.stretch = None;
        let sequence =
            self.advance(timestamp, FRAME, if first { now } else { self.newest_at.unwrap_or(now) });
        Numbers { sequence, timestamp, marker: first }
    }

    /// Numbers for another party's packet; `None` for one that came too late to be placed.
    pub(super) fn relayed(&mut self, packet: &Incoming, now: Instant) -> Option<Numbers> {
        if let Some(Stretch::Relayed { ssrc, last_in, last_out, first_out, shift, newest_in }) =
            &mut self.stretch
            && *ssrc == packet.ssrc
        {
            let ahead = packet.sequence.wrapping_sub(*last_in) as i16;
            let moved = packet.timestamp.wrapping_sub(*newest_in) as i32;
            if (-JUMP..=JUMP).contains(&ahead) && moved.unsigned_abs() <= JUMP.unsigned_abs() as u32 * FRAME {
                let sequence = last_out.wrapping_add_signed(i64::from(ahead));
                if sequence < *first_out {
                    return None;
                }
                let timestamp = packet.timestamp.wrapping_add(*shift);
                if ahead > 0 {
                    (*last_in, *last_out) = (packet.sequence, sequence);
                    if moved > 0 {
                        *newest_in = packet.timestamp;
                        self.newest = timestamp;
                        self.newest_at = Some(now);
                        self.length = packet.samples;
                    }
                    self.next = sequence + 1;
                }
                return Some(Numbers { sequence, timestamp, marker: packet.marker });
            }
        }
        let timestamp = self.resumed(now);
        let sequence = self.advance(timestamp, packet.samples, now);
        self.stretch = Some(Stretch::Relayed {
            ssrc: packet.ssrc,
            last_in: packet.sequence,
            last_out: sequence,
            first_out: sequence,
            shift: timestamp.wrapping_sub(packet.timestamp),
            newest_in: packet.timestamp,
        });
        Some(Numbers { sequence, timestamp, marker: true })
    }

    /// Leaves a relayed packet out without a gap: the far end must not take it for lost.
    pub(super) fn swallowed(&mut self, packet: &Incoming) {
        if let Some(Stretch::Relayed { ssrc, last_in, .. }) = &mut self.stretch
            && *ssrc == packet.ssrc
            && packet.sequence.wrapping_sub(*last_in) == 1
        {
            *last_in = packet.sequence;
        }
    }

    /// Begins a new stretch with the next packet.
    pub(super) fn interrupt(&mut self) {
        self.stretch = None;
    }

    /// Counts what went out.
    pub(super) fn sent(&mut self, octets: usize) {
        self.packets += 1;
        self.octets += octets as u64;
    }

    /// Packets sent.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }
    /// Payload octets sent.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }
    /// The timestamp that belongs to `now`, for a sender report; `None` before the first packet.
    pub(super) fn timestamp_at(&self, now: Instant) -> Option<u32> {
        self.newest_at.map(|at| self.newest.wrapping_add(samples_between(at, now)))
    }

    /// The timestamp for audio that begins `now`: on by the time that passed, and past what was sent.
    fn resumed(&self, now: Instant) -> u32 {
        let elapsed = self.newest_at.map_or(0, |at| samples_between(at, now).max(self.length));
        self.newest.wrapping_add(elapsed)
    }

    fn advance(&mut self, timestamp: u32, samples: u32, now: Instant) -> u64 {
        let sequence = self.next;
        self.next += 1;
        self.newest = timestamp;
        self.newest_at = Some(now);
        self.length = samples;
        sequence
    }
}

fn samples_between(from: Instant, to: Instant) -> u32 {
    (to.saturating_duration_since(from).as_micros() / 125).min(u128::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use std::time::Duration;

    fn incoming(ssrc: u32, n: u32) -> Incoming {
        let timestamp = n.wrapping_mul(160);
        Incoming { ssrc, sequence: n as u16, timestamp, marker: false, samples: 160 }
    }

    #[test]
    fn sources_change_without_a_seam() {
        let clock = Clock::test(0);
        let mut out = Outbound::new(1, 60_000, u32::MAX - 100);
        let a = out.frame(clock.now());
        assert!(a.marker && a.sequence < 65_536);
        clock.advance(Duration::from_millis(20));
        let b = out.frame(clock.now());
        assert_eq!(
            b,
            Numbers { sequence: a.sequence + 1, timestamp: a.timestamp.wrapping_add(160), marker: false }
        );
        clock.advance(Duration::from_millis(100));
        let c = out.relayed(&incoming(5, 65_535), clock.now()).unwrap();
        assert_eq!(
            c,
            Numbers { sequence: a.sequence + 2, timestamp: b.timestamp.wrapping_add(800), marker: true }
        );
        let d = out.relayed(&incoming(5, 65_536), clock.now()).unwrap();
        assert_eq!(
            (d.sequence, d.timestamp, d.marker),
            (c.sequence + 1, c.timestamp.wrapping_add(160), false)
        );
        // Another party at once: past what was sent, even though no time passed.
        let e = out.relayed(&incoming(6, 9), clock.now()).unwrap();
        assert_eq!(
            (e.sequence, e.timestamp, e.marker),
            (d.sequence + 1, d.timestamp.wrapping_add(160), true)
        );
    }

    #[test]
    fn loss_shows_and_reordering_keeps_its_place() {
        let clock = Clock::test(0);
        let mut out = Outbound::new(1, 0, 0);
        let first = out.relayed(&incoming(5, 10), clock.now()).unwrap().sequence;
        assert_eq!(out.relayed(&incoming(5, 13), clock.now()).unwrap().sequence, first + 3);
        assert_eq!(out.relayed(&incoming(5, 12), clock.now()).unwrap().sequence, first + 2);
        assert_eq!(out.relayed(&incoming(5, 14), clock.now()).unwrap().sequence, first + 4);
        assert_eq!(out.relayed(&incoming(5, 9), clock.now()), None, "before the stretch");
        assert_eq!(out.frame(clock.now()).sequence, first + 5);
    }

    #[test]
    fn a_jump_is_a_new_stretch_never_a_step_back() {
        let clock = Clock::test(0);
        let mut out = Outbound::new(1, 0, 0);
        let mut last = out.relayed(&incoming(5, 30_000), clock.now()).unwrap();
        for n in [100_u32, 60_000, 20_000, 19_000] {
            clock.advance(Duration::from_millis(20));
            let next = out.relayed(&incoming(5, n), clock.now()).unwrap();
            assert_eq!((next.sequence, next.timestamp), (last.sequence + 1, last.timestamp + 160));
            last = next;
        }
    }

    #[test]
    fn a_swallowed_packet_leaves_no_gap() {
        let clock = Clock::test(0);
        let mut out = Outbound::new(1, 0, 0);
        let first = out.relayed(&incoming(5, 10), clock.now()).unwrap().sequence;
        out.swallowed(&incoming(5, 11));
        assert_eq!(out.relayed(&incoming(5, 12), clock.now()).unwrap().sequence, first + 1);
    }

    #[test]
    fn a_digit_keeps_its_timestamp() {
        let clock = Clock::test(0);
        let mut out = Outbound::new(1, 0, 0);
        let before = out.frame(clock.now());
        clock.advance(Duration::from_millis(40));
        let first = out.digit(true, clock.now());
        clock.advance(Duration::from_millis(20));
        let second = out.digit(false, clock.now());
        assert_eq!((first.timestamp, second.timestamp), (before.timestamp + 320, before.timestamp + 320));
        assert_eq!((first.marker, second.marker, second.sequence), (true, false, first.sequence + 1));
        clock.advance(Duration::from_millis(60));
        assert_eq!(out.frame(clock.now()).timestamp, first.timestamp + 640);
    }
}
