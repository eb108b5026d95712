//! What comes in on a leg: checked, counted, its keys heard, its audio passed on.

use super::browser::Turn;
use super::demux::Via;
use super::engine::Engine;
use super::handle::EventKind;
use super::leg::{Content, Leg, PAYLOAD, Transport};
use super::rtcp::{self, Heard};
use super::rtp::{self, Packet};
use super::stats::Place;
use crate::net::canonical;
use std::net::SocketAddr;
use std::time::Instant;
use str0m::rtp::RtpPacket;

impl Engine {
    /// A datagram came on a SIP leg's RTP port.
    pub(super) fn rtp_came(&mut self, slot: u32, bytes: &[u8], from: SocketAddr, now: Instant) {
        if rtp::is_rtcp(bytes) {
            self.rtcp_came(slot, bytes, from, now);
            return;
        }
        let Some(packet) = Packet::parse(bytes).filter(|packet| packet.payload.len() <= PAYLOAD) else {
            return;
        };
        let Some(Leg { transport: Transport::Sip(sip), .. }) = self.legs.get_mut(slot) else { return };
        let Some(content) = sip.content(packet.payload_type) else { return };
        if sip.latch.accepts(canonical(from), &packet, now) {
            self.received(slot, &packet, content, now);
        }
    }

    /// A datagram came on a SIP leg's RTCP port.
    pub(super) fn rtcp_came(&mut self, slot: u32, bytes: &[u8], from: SocketAddr, now: Instant) {
        let Some(Leg { transport: Transport::Sip(sip), reception, .. }) = self.legs.get_mut(slot) else {
            return;
        };
        let from = canonical(from);
        if !rtp::is_rtcp(bytes) || !sip.latch.knows(from) {
            return;
        }
        sip.rtcp_source = Some(from);
        rtcp::read(bytes, |heard| match heard {
            Heard::Report { ssrc, middle } => reception.sender_report(ssrc, middle, now),
            Heard::Bye { ssrc } => reception.bye(ssrc),
        });
    }

    /// A datagram came on a browsers' port.
    pub(super) fn browser_sent(&mut self, bytes: &[u8], via: Via, local: SocketAddr, now: Instant) {
        let Some(slot) = self.doors.route(bytes, via.address) else { return };
        let Some(Leg { transport: Transport::Browser(peer), .. }) = self.legs.get_mut(slot) else { return };
        let mut turn = Turn { slot, doors: &mut self.doors, acts: &mut self.acts, now };
        peer.input(bytes, via, local, &mut turn);
        self.act(now);
        self.rearm(slot, now);
    }

    /// A packet came out of a browser's SRTP.
    pub(super) fn browser_spoke(&mut self, slot: u32, packet: &RtpPacket, now: Instant) {
        let Some(Leg { transport: Transport::Browser(peer), .. }) = self.legs.get_mut(slot) else { return };
        let head = &packet.header;
        let Some(content) = peer.content(*head.payload_type) else { return };
        if packet.payload.is_empty() || packet.payload.len() > PAYLOAD {
            return;
        }
        let packet = Packet {
            payload_type: *head.payload_type,
            marker: head.marker,
            sequence: head.sequence_number,
            timestamp: head.timestamp,
            ssrc: *head.ssrc,
            payload: &packet.payload,
        };
        self.received(slot, &packet, content, now);
    }

    /// A packet that is the peer's own.
    fn received(&mut self, slot: u32, packet: &Packet<'_>, content: Content, now: Instant) {
        let Some(leg) = self.legs.get_mut(slot) else { return };
        if leg.reception.count(packet, now) == Place::Repeated {
            return;
        }
        leg.heard = now;
        leg.stalled = false;
        if content == Content::Digit
            && let Some(key) = leg.listener.hear(packet)
        {
            self.news.tell(leg.id, EventKind::Digit(key));
        }
        self.pass(slot, packet, content, now);
    }
}
