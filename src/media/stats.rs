//! What a leg received: counts, loss and jitter (RFC 3550 §6.4.1, A.1, A.3, A.8).

use super::rtp::Packet;
use std::time::{Duration, Instant};

/// A jump in sequence beyond this is a new start (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT: u16 = 3000;
/// How far back a late packet is still told apart from a repeated one.
const MEMORY: u16 = 64;

/// Reception of one leg, over all the sources it heard.
#[derive(Debug, Default)]
pub(super) struct Reception {
    current: Option<Source>,
    /// Of sources that came before.
    earlier_received: u64,
    earlier_lost: u64,
    jitter: u32,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    started: Instant,
    base: u32,
    /// Highest sequence number, extended by its cycles.
    highest: u32,
    /// Bit n: `highest - n` has come.
    seen: u64,
    received: u32,
    transit: Option<i64>,
    expected_before: u32,
    received_before: u32,
    report: Option<(u32, Instant)>,
}

/// What a packet is to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The newest so far.
    Newest,
    /// Overtaken on the way.
    Late,
    /// Came before, or too late to tell.
    Repeated,
}

/// A report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) ssrc: u32,
    pub(super) fraction_lost: u8,
    pub(super) lost: u32,
    pub(super) highest: u32,
    pub(super) jitter: u32,
    pub(super) last_report: u32,
    pub(super) delay: u32,
}

impl Source {
    fn new(packet: &Packet<'_>, now: Instant) -> Self {
        let base = u32::from(packet.sequence);
        Self {
            ssrc: packet.ssrc,
            started: now,
            base,
            highest: base,
            seen: 1,
            received: 1,
            transit: None,
            expected_before: 0,
            received_before: 0,
            report: None,
        }
    }
    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.base).wrapping_add(1)
    }
    fn lost(&self) -> u32 {
        self.expected().saturating_sub(self.received)
    }
}

impl Reception {
    /// Counts a packet.
    pub(super) fn count(&mut self, packet: &Packet<'_>, now: Instant) -> Place {
        let Some(source) = self.current.as_mut().filter(|source| source.ssrc == packet.ssrc) else {
            self.restart(packet, now);
            return Place::Newest;
        };
        let ahead = packet.sequence.wrapping_sub(source.highest as u16);
        let behind = (source.highest as u16).wrapping_sub(packet.sequence);
        let place = if ahead != 0 && ahead < DROPOUT {
            source.highest = source.highest.wrapping_add(u32::from(ahead));
            source.seen = source.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            Place::Newest
        } else if behind < MEMORY {
            let bit = 1_u64 << behind;
            if source.seen & bit != 0 {
                return Place::Repeated;
            }
            source.seen |= bit;
            // Reordering around the very first packet: the count starts earlier.
            source.base = source.base.min(source.highest.wrapping_sub(u32::from(behind)));
            Place::Late
        } else if behind < DROPOUT {
            return Place::Repeated;
        } else {
            self.restart(packet, now);
            return Place::Newest;
        };
        source.received = source.received.wrapping_add(1);
        let arrival = now.duration_since(source.started).as_micros() as i64 / 125;
        let transit = arrival - i64::from(packet.timestamp);
        if let Some(before) = source.transit.replace(transit) {
            // Modulo 2^32, so that a wrapped timestamp is no jump; a real jump says nothing about jitter.
            let difference = ((transit - before) as i32).unsigned_abs();
            if difference < 8000 {
                self.jitter = self.jitter.wrapping_add(difference).wrapping_sub((self.jitter + 8) >> 4);
            }
        }
        place
    }

    fn restart(&mut self, packet: &Packet<'_>, now: Instant) {
        if let Some(old) = self.current.replace(Source::new(packet, now)) {
            self.earlier_received += u64::from(old.received);
            self.earlier_lost += u64::from(old.lost());
        }
    }

    /// Accepted packets.
    pub(super) fn received(&self) -> u64 {
        self.earlier_received + self.current.as_ref().map_or(0, |source| u64::from(source.received))
    }

    /// Missing by sequence number.
    pub(super) fn lost(&self) -> u64 {
        self.earlier_lost + self.current.as_ref().map_or(0, |source| u64::from(source.lost()))
    }

    /// Interarrival jitter in microseconds.
    pub(super) fn jitter_us(&self) -> u32 {
        (self.jitter >> 4).saturating_mul(125)
    }

    /// Takes the middle 32 bits of a sender report's NTP time.
    pub(super) fn sender_report(&mut self, ssrc: u32, middle: u32, now: Instant) {
        if let Some(source) = self.current.as_mut().filter(|source| source.ssrc == ssrc) {
            source.report = Some((middle, now));
        }
    }

    /// The peer said that this source ends (RFC 3550 §6.6): no more reports about it.
    pub(super) fn bye(&mut self, ssrc: u32) {
        if let Some(old) = self.current.take_if(|source| source.ssrc == ssrc) {
            self.earlier_received += u64::from(old.received);
            self.earlier_lost += u64::from(old.lost());
        }
    }

    /// The report block to send now; `None` before anything came.
    pub(super) fn block(&mut self, now: Instant) -> Option<Block> {
        let jitter = self.jitter >> 4;
        let source = self.current.as_mut()?;
        let expected = source.expected().wrapping_sub(source.expected_before);
        let received = source.received.wrapping_sub(source.received_before);
        source.expected_before = source.expected();
        source.received_before = source.received;
        let lost = expected.saturating_sub(received);
        let (last_report, delay) =
            source.report.map_or((0, 0), |(middle, at)| (middle, units_of_65536th(now.duration_since(at))));
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost: (u64::from(lost) * 256).checked_div(u64::from(expected)).unwrap_or(0).min(255)
                as u8,
            lost: source.lost().min(0x7F_FFFF),
            highest: source.highest,
            jitter,
            last_report,
            delay,
        })
    }
}

fn units_of_65536th(time: Duration) -> u32 {
    (time.as_micros() * 65_536 / 1_000_000).min(u128::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn packet(ssrc: u32, n: u32) -> Packet<'static> {
        let timestamp = n.wrapping_mul(160);
        Packet { payload_type: 0, marker: false, sequence: n as u16, timestamp, ssrc, payload: &[0] }
    }

    #[test]
    fn loss_reordering_and_repeats_across_the_wrap() {
        let clock = Clock::test(0);
        let mut reception = Reception::default();
        let mut places = Vec::new();
        for n in [65_533_u32, 65_534, 65_536, 65_535, 65_535, 65_540] {
            places.push(reception.count(&packet(1, n), clock.now()));
            clock.advance(Duration::from_millis(20));
        }
        use Place::{Late, Newest, Repeated};
        assert_eq!(places, [Newest, Newest, Newest, Late, Repeated, Newest]);
        assert_eq!((reception.received(), reception.lost()), (5, 3));
        let block = reception.block(clock.now()).unwrap();
        assert_eq!((block.lost, block.highest, block.fraction_lost), (3, 65_540, (3 * 256 / 8) as u8));
        assert_eq!(reception.block(clock.now()).unwrap().fraction_lost, 0);
    }

    #[test]
    fn a_new_source_keeps_the_totals() {
        let clock = Clock::test(0);
        let mut reception = Reception::default();
        for n in [1, 2, 4] {
            reception.count(&packet(1, n), clock.now());
        }
        for n in [30_000, 30_001] {
            reception.count(&packet(2, n), clock.now());
        }
        reception.count(&packet(2, 5), clock.now());
        assert_eq!((reception.received(), reception.lost()), (6, 1));
    }

    #[test]
    fn steady_packets_have_no_jitter_and_uneven_ones_have() {
        let (clock, mut steady, mut uneven) = (Clock::test(0), Reception::default(), Reception::default());
        for n in 0..500_u32 {
            steady.count(&packet(1, n), clock.now());
            let late = clock.now() + Duration::from_millis(u64::from(n % 2) * 10);
            uneven.count(&packet(1, n), late);
            clock.advance(Duration::from_millis(20));
        }
        assert_eq!(steady.jitter_us(), 0);
        assert!((9_000..=10_500).contains(&uneven.jitter_us()), "{}", uneven.jitter_us());
    }

    #[test]
    fn the_sender_report_comes_back_with_its_age() {
        let (clock, mut reception) = (Clock::test(0), Reception::default());
        assert_eq!(reception.block(clock.now()), None);
        reception.count(&packet(7, 1), clock.now());
        reception.sender_report(8, 1, clock.now());
        reception.sender_report(7, 0xABCD, clock.now());
        clock.advance(Duration::from_millis(1500));
        let block = reception.block(clock.now()).unwrap();
        assert_eq!((block.ssrc, block.last_report, block.delay), (7, 0xABCD, 98_304));
    }
}
