//! Where a SIP leg's packets go: to where its peer's really come from (symmetric RTP, RFC 4961).
//!
//! Signalling names an address; behind NAT it is wrong, so the first packet decides. After that
//! a stranger who sprays the port must not carry the audio off: a new source is believed only
//! when the old one is silent and the newcomer continues its stream.

use super::rtp::Packet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the old source must have been silent.
const SILENT: Duration = Duration::from_millis(500);
/// Packets in a row that a new source must bring.
const IN_A_ROW: u8 = 3;
/// How far a sequence number may have moved on during the silence (one minute of 20 ms packets).
const FURTHEST: u16 = 3000;

/// One leg's source.
#[derive(Debug, Default)]
pub(super) struct Latch {
    signalled: Option<SocketAddr>,
    source: Option<Source>,
    /// A new offer or answer came while the source was silent: the next packet decides again.
    open: bool,
    rival: Option<Rival>,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    address: SocketAddr,
    heard: Instant,
    ssrc: u32,
    sequence: u16,
}

#[derive(Clone, Copy, Debug)]
struct Rival {
    address: SocketAddr,
    sequence: u16,
    count: u8,
}

impl Latch {
    /// Takes the address that signalling names, and with a changed one forgets what it learned.
    pub(super) fn signal(&mut self, address: SocketAddr, now: Instant) {
        if address.ip().is_unspecified() || address.port() == 0 {
            return; // RFC 3264's old way to hold: it names no place to send to.
        }
        if self.signalled != Some(address) {
            self.signalled = Some(address);
            self.source = None;
        }
        self.open = self.source.is_some_and(|source| now.duration_since(source.heard) >= SILENT);
        self.rival = None;
    }

    /// Whether a packet from `from` is the peer's; learns from it.
    pub(super) fn accepts(&mut self, from: SocketAddr, packet: &Packet<'_>, now: Instant) -> bool {
        let Some(source) = &mut self.source else { return self.adopt(from, packet, now) };
        if source.address == from {
            source.heard = now;
            source.ssrc = packet.ssrc;
            source.sequence = packet.sequence;
            self.open = false;
            self.rival = None;
            return true;
        }
        // Exactly what signalling named outranks whoever was quicker.
        if self.open || self.signalled == Some(from) {
            return self.adopt(from, packet, now);
        }
        if now.duration_since(source.heard) < SILENT {
            self.rival = None;
            return false;
        }
        let ahead = packet.sequence.wrapping_sub(source.sequence);
        if packet.ssrc != source.ssrc || ahead == 0 || ahead > FURTHEST {
            return false;
        }
        let count = match self.rival {
            Some(rival) if rival.address == from && packet.sequence.wrapping_sub(rival.sequence) == 1 => {
                rival.count.saturating_add(1)
            }
            _ => 1,
        };
        if count >= IN_A_ROW {
            return self.adopt(from, packet, now);
        }
        self.rival = Some(Rival { address: from, sequence: packet.sequence, count });
        false
    }

    /// Where to send.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        self.source.map(|source| source.address).or(self.signalled)
    }

    /// Whether `from` may speak RTCP for this leg.
    pub(super) fn knows(&self, from: SocketAddr) -> bool {
        let same = |address: Option<SocketAddr>| address.is_some_and(|known| known.ip() == from.ip());
        same(self.source.map(|source| source.address)) || (self.source.is_none() && same(self.signalled))
    }

    /// The source once learned.
    pub(super) fn learned(&self) -> Option<SocketAddr> {
        self.source.map(|source| source.address)
    }

    fn adopt(&mut self, from: SocketAddr, packet: &Packet<'_>, now: Instant) -> bool {
        self.source =
            Some(Source { address: from, heard: now, ssrc: packet.ssrc, sequence: packet.sequence });
        self.open = false;
        self.rival = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn packet(ssrc: u32, sequence: u16) -> Packet<'static> {
        Packet { payload_type: 0, marker: false, sequence, timestamp: 0, ssrc, payload: &[0] }
    }
    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn signalling_first_then_the_first_packet() {
        let clock = Clock::test(0);
        let mut latch = Latch::default();
        assert_eq!(latch.destination(), None);
        latch.signal(at("10.0.0.5:4000"), clock.now());
        assert_eq!(latch.destination(), Some(at("10.0.0.5:4000")));
        assert!(latch.accepts(at("203.0.113.9:6000"), &packet(1, 1), clock.now()));
        assert_eq!(latch.destination(), Some(at("203.0.113.9:6000")));
        // The signalled address itself turns up after all.
        assert!(latch.accepts(at("10.0.0.5:4000"), &packet(1, 2), clock.now()));
        assert_eq!(latch.destination(), Some(at("10.0.0.5:4000")));
    }

    #[test]
    fn a_sprayer_is_refused_while_the_peer_speaks_and_after() {
        let clock = Clock::test(0);
        let mut latch = Latch::default();
        latch.signal(at("192.0.2.1:4000"), clock.now());
        for n in 0..100_u16 {
            assert!(latch.accepts(at("192.0.2.1:4000"), &packet(1, n), clock.now()));
            assert!(!latch.accepts(at("198.51.100.7:1"), &packet(1, n + 1), clock.now()));
            clock.advance(Duration::from_millis(20));
        }
        clock.advance(Duration::from_secs(5));
        for n in 0..100_u16 {
            assert!(!latch.accepts(at("198.51.100.7:1"), &packet(9, n + 101), clock.now()), "another SSRC");
            assert!(
                !latch.accepts(at("198.51.100.7:1"), &packet(1, 50_000 + n), clock.now()),
                "far sequence"
            );
        }
        assert_eq!(latch.destination(), Some(at("192.0.2.1:4000")));
    }

    #[test]
    fn a_moved_peer_is_followed_after_silence() {
        let clock = Clock::test(0);
        let mut latch = Latch::default();
        latch.signal(at("192.0.2.1:4000"), clock.now());
        assert!(latch.accepts(at("192.0.2.1:4000"), &packet(1, 65_530), clock.now()));
        assert!(!latch.accepts(at("192.0.2.1:5000"), &packet(1, 65_531), clock.now()));
        clock.advance(SILENT);
        assert!(!latch.accepts(at("192.0.2.1:5000"), &packet(1, 65_534), clock.now()));
        assert!(!latch.accepts(at("192.0.2.1:5000"), &packet(1, 65_535), clock.now()));
        assert!(latch.accepts(at("192.0.2.1:5000"), &packet(1, 0), clock.now()));
        assert_eq!(latch.learned(), Some(at("192.0.2.1:5000")));
    }

    #[test]
    fn a_new_answer_opens_the_latch_again() {
        let clock = Clock::test(0);
        let mut latch = Latch::default();
        latch.signal(at("192.0.2.1:4000"), clock.now());
        assert!(latch.accepts(at("203.0.113.9:6000"), &packet(1, 1), clock.now()));
        latch.signal(at("192.0.2.1:4000"), clock.now());
        assert!(!latch.accepts(at("203.0.113.10:1"), &packet(2, 1), clock.now()), "not while it speaks");
        clock.advance(SILENT);
        latch.signal(at("0.0.0.0:4000"), clock.now());
        latch.signal(at("192.0.2.1:4000"), clock.now());
        assert!(latch.accepts(at("203.0.113.10:1"), &packet(2, 1), clock.now()));
        latch.signal(at("192.0.2.2:4000"), clock.now());
        assert_eq!(latch.destination(), Some(at("192.0.2.2:4000")));
    }
}
