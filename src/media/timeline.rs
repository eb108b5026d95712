//! The recorder behind a tap: two parties' packets laid on one line of time.
//!
//! A packet's place follows from its RTP timestamp, anchored to when its stream's first packet
//! came, so jitter and reordering leave no mark. A clock that drifts is followed by one sample a
//! packet, which nobody hears; a timestamp that jumps, or a new source, is anchored afresh. What
//! never came is silence.

use super::g711::{self, MU_SILENCE};
use super::rtp::Packet;
use super::tap::{Companding, TapSink};
use std::time::{Duration, Instant};

/// Samples a channel holds: 512 ms.
const RING: usize = 4096;
/// How long a packet may be under way beyond its stream's usual, in samples: 200 ms.
const LATENESS: i64 = 1600;
/// How far ahead of the clock a packet may lie: the ring minus lateness and one flush.
const AHEAD: i64 = 1200;
/// Drift that is left alone: 15 ms.
const SLACK: i64 = 120;
/// Packets over which the least delay is taken as the stream's own.
const WINDOW: u8 = 50;
/// Packets too late in a row after which the path has become longer for good.
const ALL_LATE: u8 = 5;
/// Between two flushes.
pub(super) const FLUSH: Duration = Duration::from_millis(100);
/// Samples handed on at a time: 100 ms.
const CHUNK: usize = 800;
/// A thread (or machine) that stood still for longer leaves this much silence, not all of it: 10 s.
const LONGEST_GAP: i64 = 80_000;

/// Which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Left.
    Customer,
    /// Right.
    Operator,
}

/// A running recording.
pub(super) struct Timeline {
    sink: Box<dyn TapSink>,
    epoch: Instant,
    /// Samples handed on since `epoch`.
    flushed: i64,
    customer: Channel,
    operator: Channel,
}

struct Channel {
    ring: Box<[u8; RING]>,
    anchor: Option<Anchor>,
    /// Behind the newest sample written.
    end: i64,
}

#[derive(Clone, Copy)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    /// Where that timestamp lies.
    position: i64,
    least_delay: i64,
    counted: u8,
    too_late: u8,
    /// Samples still to shift, one a packet: positive later, negative earlier.
    slew: i64,
}

impl Timeline {
    /// Begins at `now`.
    pub(super) fn new(sink: Box<dyn TapSink>, now: Instant) -> Self {
        Self { sink, epoch: now, flushed: 0, customer: Channel::new(), operator: Channel::new() }
    }

    /// Lays a packet down.
    pub(super) fn hear(&mut self, side: Side, packet: &Packet<'_>, law: Companding, now: Instant) {
        let (clock, flushed) = (self.position(now), self.flushed);
        let channel = match side {
            Side::Customer => &mut self.customer,
            Side::Operator => &mut self.operator,
        };
        if let Some(position) = channel.place(packet, clock, flushed) {
            channel.write(position, flushed, packet.payload, g711::table(law, Companding::Mu));
        }
    }

    /// Hands on what no packet can change any more.
    pub(super) fn flush(&mut self, now: Instant) {
        let until = self.position(now) - LATENESS;
        if until - self.flushed > LONGEST_GAP {
            // 125 µs a sample.
            self.epoch += Duration::from_micros((until - self.flushed - LONGEST_GAP) as u64 * 125);
        }
        self.hand_on((self.position(now) - LATENESS).max(self.flushed));
    }

    /// Hands on the rest and ends the tap.
    pub(super) fn end(mut self, now: Instant) {
        self.flush(now);
        let written = self.customer.end.max(self.operator.end);
        self.hand_on(self.position(now).max(written).min(self.flushed + RING as i64));
        self.sink.end();
    }

    fn position(&self, now: Instant) -> i64 {
        (now.saturating_duration_since(self.epoch).as_micros() / 125) as i64
    }

    fn hand_on(&mut self, until: i64) {
        let mut chunk = [MU_SILENCE; CHUNK * 2];
        while self.flushed < until {
            let samples = (until - self.flushed).min(CHUNK as i64) as usize;
            self.customer.take(self.flushed, chunk.iter_mut().step_by(2).take(samples));
            self.operator.take(self.flushed, chunk.iter_mut().skip(1).step_by(2).take(samples));
            self.flushed += samples as i64;
            self.sink.write(chunk.get(..samples * 2).unwrap_or_default());
        }
    }
}

impl Channel {
    fn new() -> Self {
        Self { ring: Box::new([MU_SILENCE; RING]), anchor: None, end: 0 }
    }

    /// Where a packet begins; `None` when it came too late.
    fn place(&mut self, packet: &Packet<'_>, clock: i64, flushed: i64) -> Option<i64> {
        let known = self.anchor.as_mut().filter(|anchor| anchor.ssrc == packet.ssrc);
        let Some(anchor) = known else { return Some(self.anchor_at(packet, clock, flushed)) };
        let moved = packet.timestamp.wrapping_sub(anchor.timestamp) as i32;
        let position = anchor.position + i64::from(moved);
        let delay = clock - position;
        if position < flushed && delay < LATENESS * 4 {
            anchor.too_late = anchor.too_late.saturating_add(1);
            if anchor.too_late < ALL_LATE {
                return None;
            }
            return Some(self.anchor_at(packet, clock, flushed));
        }
        if !(-AHEAD..LATENESS * 4).contains(&delay) {
            return Some(self.anchor_at(packet, clock, flushed));
        }
        anchor.too_late = 0;
        if moved > 0 {
            (anchor.timestamp, anchor.position) = (packet.timestamp, position);
            anchor.follow(delay);
        }
        Some(position)
    }

    fn anchor_at(&mut self, packet: &Packet<'_>, clock: i64, flushed: i64) -> i64 {
        // Behind what is there already, unless that lies oddly far ahead.
        let position = clock.max(flushed).max(self.end.min(clock + LATENESS / 2));
        self.anchor = Some(Anchor {
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            position,
            least_delay: i64::MAX,
            counted: 0,
            too_late: 0,
            slew: 0,
        });
        position
    }

    fn write(&mut self, position: i64, flushed: i64, payload: &[u8], table: Option<&[u8; 256]>) {
        // A gap of one sample comes from following a drift: bridge it.
        if position == self.end + 1
            && position > flushed + 1
            && let Some(before) = self.cell(position - 2).map(|code| *code)
            && let Some(gap) = self.cell(position - 1)
        {
            *gap = before;
        }
        let skip = (flushed - position).max(0);
        let start = position + skip;
        let room = (flushed + RING as i64 - start).max(0) as usize;
        let rest = payload.get(skip as usize..).unwrap_or_default();
        let payload = rest.get(..room).unwrap_or(rest);
        for (cell, code) in self.cells(start).zip(payload) {
            *cell = table.map_or(*code, |table| g711::translate(table, *code));
        }
        self.end = self.end.max(start + payload.len() as i64);
    }

    /// Moves samples out, from `at` on; silence stays behind.
    fn take<'a>(&mut self, at: i64, places: impl Iterator<Item = &'a mut u8>) {
        for (place, cell) in places.zip(self.cells(at)) {
            *place = std::mem::replace(cell, MU_SILENCE);
        }
    }

    /// The ring's cells from `at` on, once round.
    fn cells(&mut self, at: i64) -> impl Iterator<Item = &mut u8> {
        let (before, after) = self.ring.split_at_mut(at as usize % RING);
        after.iter_mut().chain(before)
    }

    fn cell(&mut self, at: i64) -> Option<&mut u8> {
        self.ring.get_mut(at as usize % RING)
    }
}

impl Anchor {
    /// Follows a drift: over a window the least delay is the path's own, and should stay near zero.
    fn follow(&mut self, delay: i64) {
        self.least_delay = self.least_delay.min(delay);
        self.counted += 1;
        if self.counted >= WINDOW {
            self.slew = if self.least_delay.abs() > SLACK { self.least_delay } else { 0 };
            (self.counted, self.least_delay) = (0, i64::MAX);
        }
        let step = self.slew.signum();
        self.slew -= step;
        self.position += step;
        if self.counted != 0 && self.least_delay != i64::MAX {
            self.least_delay -= step;
        }
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
