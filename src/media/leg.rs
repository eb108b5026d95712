//! One party's audio: what it sends, what it is sent, and the sound or digits made for it.

use super::browser::Peer;
use super::dtmf;
use super::handle::{LegId, LegStats, Remote};
use super::latch::Latch;
use super::outbound::{Numbers, Outbound};
use super::play::Player;
use super::rtp::{HEAD, Head};
use super::stats::Reception;
use super::tap::Companding;
use super::timeline::Side;
use std::net::SocketAddr;
use std::time::Instant;

/// The longest payload carried on: 100 ms and more than any Ethernet packet of G.711 holds.
pub(super) const PAYLOAD: usize = 1440;

/// A leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) transport: Transport,
    pub(super) out: Outbound,
    pub(super) reception: Reception,
    pub(super) listener: dtmf::Listener,
    pub(super) digits: dtmf::Sender,
    pub(super) player: Option<Player>,
    pub(super) joined: Option<Joined>,
    pub(super) muted: bool,
    /// When its peer was last heard, or last had a reason to begin speaking.
    pub(super) heard: Instant,
    pub(super) stalled: bool,
    pub(super) report_at: Instant,
    pub(super) armed: Option<Instant>,
}

/// A place in a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) bridge: u32,
    pub(super) side: Side,
}

/// How a leg's packets travel.
#[expect(clippy::large_enum_variant, reason = "SIP legs are the many, and need no detour on each packet")]
pub(super) enum Transport {
    Sip(Sip),
    Browser(Box<Peer>),
}

/// A SIP leg's two sockets and where they lead.
pub(super) struct Sip {
    pub(super) rtp: mio::net::UdpSocket,
    pub(super) rtcp: mio::net::UdpSocket,
    pub(super) port: u16,
    pub(super) remote: Option<Remote>,
    pub(super) latch: Latch,
    /// Where RTCP came from, once it did.
    pub(super) rtcp_source: Option<SocketAddr>,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Audio(Companding),
    Digit,
}

impl Leg {
    pub(super) fn new(
        id: LegId,
        transport: Transport,
        out: Outbound,
        now: Instant,
        report_at: Instant,
    ) -> Self {
        Self {
            id,
            transport,
            out,
            reception: Reception::default(),
            listener: dtmf::Listener::default(),
            digits: dtmf::Sender::default(),
            player: None,
            joined: None,
            muted: false,
            heard: now,
            stalled: false,
            report_at,
            armed: None,
        }
    }

    /// The law this leg's audio is in.
    pub(super) fn law(&self) -> Companding {
        match &self.transport {
            Transport::Sip(sip) => sip.remote.map_or(Companding::Mu, |remote| remote.companding),
            Transport::Browser(_) => Companding::Mu,
        }
    }

    /// Whether something made here takes the place of the other party.
    pub(super) fn is_occupied(&self) -> bool {
        self.player.is_some() || self.digits.active()
    }

    /// Whether packets of this content can go out now.
    pub(super) fn sends(&self, content: Content) -> bool {
        match &self.transport {
            Transport::Sip(sip) => sip.payload_type(content).is_some() && sip.latch.destination().is_some(),
            Transport::Browser(peer) => peer.sends(content),
        }
    }

    /// Whether the peer should be speaking.
    pub(super) fn expects(&self) -> bool {
        match &self.transport {
            Transport::Sip(sip) => sip.remote.is_some_and(|remote| remote.receive),
            // Between calls a browser sends nothing.
            Transport::Browser(peer) => peer.connected && self.joined.is_some(),
        }
    }

    /// The next time this leg needs a turn.
    pub(super) fn deadline(&self) -> Instant {
        let mut at = self.report_at;
        if let Some(player) = &self.player {
            at = at.min(player.next());
        }
        if let Some(next) = self.digits.next() {
            at = at.min(next);
        }
        if let Transport::Browser(peer) = &self.transport {
            at = at.min(peer.deadline);
        }
        at
    }

    pub(super) fn stats(&self) -> LegStats {
        LegStats {
            received: self.reception.received(),
            sent: self.out.packets(),
            lost: self.reception.lost(),
            jitter_us: self.reception.jitter_us(),
        }
    }
}

impl Sip {
    /// What a received payload type means.
    pub(super) fn content(&self, payload_type: u8) -> Option<Content> {
        let remote = self.remote.as_ref().filter(|remote| remote.receive)?;
        if payload_type == remote.payload_type {
            return Some(Content::Audio(remote.companding));
        }
        (remote.digit_payload_type == Some(payload_type)).then_some(Content::Digit)
    }

    /// The payload type to send content as; `None` when the peer does not take it.
    pub(super) fn payload_type(&self, content: Content) -> Option<u8> {
        let remote = self.remote.as_ref().filter(|remote| remote.send)?;
        match content {
            Content::Audio(_) => Some(remote.payload_type),
            Content::Digit => remote.digit_payload_type,
        }
    }

    /// Sends one packet; whether the kernel took it.
    pub(super) fn send(&self, numbers: Numbers, ssrc: u32, content: Content, payload: &[u8]) -> bool {
        let (Some(payload_type), Some(to)) = (self.payload_type(content), self.latch.destination()) else {
            return false;
        };
        let head = Head {
            payload_type,
            marker: numbers.marker,
            sequence: numbers.sequence as u16,
            timestamp: numbers.timestamp,
            ssrc,
        };
        let mut packet = [0; HEAD + PAYLOAD];
        let Some((start, room)) = packet.split_first_chunk_mut::<HEAD>() else { return false };
        *start = head.bytes();
        let Some(place) = room.get_mut(..payload.len()) else { return false };
        place.copy_from_slice(payload);
        let Some(packet) = packet.get(..HEAD + payload.len()) else { return false };
        // A full socket buffer drops the packet, as the network would.
        self.rtp.send_to(packet, to).is_ok()
    }

    /// Where RTCP goes.
    pub(super) fn rtcp_destination(&self) -> Option<SocketAddr> {
        let remote = self.remote.as_ref()?;
        if self.rtcp_source.is_some() {
            return self.rtcp_source;
        }
        match self.latch.learned() {
            Some(source) if source != remote.address => next_port(source),
            _ => remote.rtcp.or_else(|| next_port(remote.address)),
        }
    }
}

fn next_port(address: SocketAddr) -> Option<SocketAddr> {
    Some(SocketAddr::new(address.ip(), address.port().checked_add(1)?))
}
