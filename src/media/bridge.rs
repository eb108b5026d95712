//! Two legs joined: each packet goes on the moment it came, and into the recording.

use super::browser::Turn;
use super::engine::Engine;
use super::g711;
use super::leg::{Content, Joined, Leg, PAYLOAD, Transport};
use super::outbound::{Incoming, Numbers};
use super::rtp::Packet;
use super::tap::{Companding, Recorded};
use super::timeline::{FLUSH, Side, Timeline};
use super::timers::Owner;
use std::time::Instant;

/// A bridge. Its tap lives and dies with it: there is no way to have audio flow past it.
pub(super) struct Bridge {
    customer: u32,
    operator: u32,
    tap: Option<Timeline>,
    /// Neither hears the other.
    held: bool,
    pub(super) armed: Option<Instant>,
}

impl Engine {
    /// Joins two legs, parting whatever they were in.
    pub(super) fn join(&mut self, customer: u32, operator: u32, recorded: Recorded, now: Instant) {
        let tap = match recorded {
            Recorded::Into(mut sink) => {
                if customer == operator {
                    sink.end();
                    return;
                }
                Some(Timeline::new(sink, now))
            }
            Recorded::ByPolicyNot => None,
        };
        self.unjoin(customer, now);
        self.unjoin(operator, now);
        let records = tap.is_some();
        let (slot, _) = self.bridges.insert(Bridge { customer, operator, tap, held: false, armed: None });
        for (leg, side) in [(customer, Side::Customer), (operator, Side::Operator)] {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.joined = Some(Joined { bridge: slot, side });
                leg.player = None;
                leg.heard = now;
                leg.stalled = false;
            }
        }
        if records && let Some(bridge) = self.bridges.get_mut(slot) {
            self.timers.arm(Owner::Bridge(slot), &mut bridge.armed, now + FLUSH);
        }
    }

    /// Takes a leg's bridge apart, if it is in one: both fall silent, the tap ends.
    pub(super) fn unjoin(&mut self, leg: u32, now: Instant) {
        let Some(joined) = self.legs.get(leg).and_then(|leg| leg.joined) else { return };
        let Some(bridge) = self.bridges.remove(joined.bridge) else { return };
        for side in [bridge.customer, bridge.operator] {
            if let Some(leg) = self.legs.get_mut(side) {
                leg.joined = None;
                leg.out.interrupt();
                if bridge.held && side == bridge.customer {
                    leg.player = None;
                }
            }
        }
        if let Some(tap) = bridge.tap {
            tap.end(now);
        }
    }

    /// Holds or takes back the customer's bridge; whether the leg is the customer of one.
    pub(super) fn set_held(&mut self, customer: u32, held: bool) -> bool {
        let joined = self.legs.get(customer).and_then(|leg| leg.joined);
        let Some(Joined { bridge, side: Side::Customer }) = joined else { return false };
        self.bridges.get_mut(bridge).map(|bridge| bridge.held = held).is_some()
    }

    /// A bridge's tap hands on what is settled.
    pub(super) fn bridge_due(&mut self, slot: u32, now: Instant) {
        let Some(bridge) = self.bridges.get_mut(slot) else { return };
        if let Some(tap) = &mut bridge.tap {
            tap.flush(now);
            self.timers.arm(Owner::Bridge(slot), &mut bridge.armed, now + FLUSH);
        }
    }

    /// Takes an accepted packet of a leg to the other party and the tap.
    pub(super) fn pass(&mut self, from: u32, packet: &Packet<'_>, content: Content, now: Instant) {
        let Some(speaker) = self.legs.get(from) else { return };
        let Some(joined) = speaker.joined else { return };
        let Some(bridge) = self.bridges.get_mut(joined.bridge) else { return };
        let silent = speaker.muted || bridge.held;
        if let (Some(tap), Content::Audio(law), false) = (&mut bridge.tap, content, silent) {
            tap.hear(joined.side, packet, law, now);
        }
        let to = if joined.side == Side::Customer { bridge.operator } else { bridge.customer };
        self.relay(to, packet, content, silent, now);
    }

    fn relay(&mut self, to: u32, packet: &Packet<'_>, content: Content, silent: bool, now: Instant) {
        let Some(leg) = self.legs.get_mut(to) else { return };
        if leg.is_occupied() {
            return;
        }
        let incoming = Incoming {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            samples: if content == Content::Digit { 160 } else { packet.payload.len() as u32 },
        };
        if (content == Content::Digit && silent) || !leg.sends(content) {
            leg.out.swallowed(&incoming);
            return;
        }
        let Some(numbers) = leg.out.relayed(&incoming, now) else { return };
        let Content::Audio(law) = content else {
            self.send(to, numbers, content, packet.payload, now);
            return;
        };
        let wanted = leg.law();
        match (silent, g711::table(law, wanted)) {
            // The same law: the payload's octets go on untouched.
            (false, None) => self.send(to, numbers, content, packet.payload, now),
            (false, Some(table)) => {
                self.send_changed(
                    to,
                    numbers,
                    wanted,
                    packet.payload,
                    |code| g711::translate(table, code),
                    now,
                );
            }
            // Muted or held: the stream goes on, so that nobody takes the line for dead.
            (true, _) => {
                self.send_changed(to, numbers, wanted, packet.payload, |_| g711::silence(wanted), now);
            }
        }
    }

    fn send_changed(
        &mut self,
        to: u32,
        numbers: Numbers,
        law: Companding,
        payload: &[u8],
        change: impl Fn(u8) -> u8,
        now: Instant,
    ) {
        let mut changed = [0; PAYLOAD];
        for (new, old) in changed.iter_mut().zip(payload) {
            *new = change(*old);
        }
        let changed = changed.get(..payload.len()).unwrap_or_default();
        self.send(to, numbers, Content::Audio(law), changed, now);
    }

    /// Sends a packet to a leg's peer.
    pub(super) fn send(&mut self, to: u32, numbers: Numbers, content: Content, payload: &[u8], now: Instant) {
        let Some(leg) = self.legs.get_mut(to) else { return };
        let Leg { transport, out, .. } = leg;
        let left = match transport {
            Transport::Sip(sip) => sip.send(numbers, out.ssrc, content, payload),
            Transport::Browser(peer) => {
                let mut turn = Turn { slot: to, doors: &mut self.doors, acts: &mut self.acts, now };
                peer.send(numbers, content, payload, &mut turn)
            }
        };
        if left {
            out.sent(payload.len());
        }
    }
}
