//! What a leg does when its time comes: digits, the next frame of a sound, reports.

use super::browser;
use super::engine::Engine;
use super::handle::EventKind;
use super::leg::{Content, Leg, Transport};
use super::play::{FRAME, Turn};
use super::rtcp::{self, Sent};
use super::timers::Owner;
use std::time::{Duration, Instant};

/// Between two RTCP reports (RFC 3550 §6.2's minimum).
pub(super) const REPORT: Duration = Duration::from_secs(5);
/// Silence of a peer that should be speaking before it is told as stalled.
const STALLED: Duration = Duration::from_secs(15);
/// How long a browser may take from its offer to its connection.
const CONNECTING: Duration = Duration::from_secs(30);

impl Engine {
    /// Does what is due and asks for the next turn.
    pub(super) fn leg_due(&mut self, slot: u32, now: Instant) {
        if let Some(Leg { transport: Transport::Browser(peer), .. }) = self.legs.get_mut(slot)
            && peer.deadline <= now
        {
            peer.tick(&mut browser::Turn { slot, doors: &mut self.doors, acts: &mut self.acts, now });
            self.act(now);
        }
        self.send_due_digits(slot, now);
        self.play_due_frames(slot, now);
        if self.legs.get(slot).is_some_and(|leg| leg.report_at <= now) {
            self.report(slot, now);
        }
        self.rearm(slot, now);
    }

    /// Asks for the leg's next turn; a browser that is gone is taken away instead.
    pub(super) fn rearm(&mut self, slot: u32, now: Instant) {
        let Some(leg) = self.legs.get_mut(slot) else { return };
        let Transport::Browser(peer) = &leg.transport else {
            let at = leg.deadline();
            self.timers.arm(Owner::Leg(slot), &mut leg.armed, at);
            return;
        };
        if peer.gone || (!peer.connected && now.duration_since(peer.made) > CONNECTING) {
            let id = leg.id;
            self.remove(slot, now);
            self.news.tell(id, EventKind::Gone);
            return;
        }
        let at = leg.deadline();
        self.timers.arm(Owner::Leg(slot), &mut leg.armed, at);
    }

    fn send_due_digits(&mut self, slot: u32, now: Instant) {
        while let Some(leg) = self.legs.get_mut(slot) {
            let Some(step) = leg.digits.step(now) else { return };
            if leg.sends(Content::Digit) {
                let numbers = leg.out.digit(step.first, now);
                self.send(slot, numbers, Content::Digit, &step.payload, now);
            }
        }
    }

    fn play_due_frames(&mut self, slot: u32, now: Instant) {
        let mut frame = [0; FRAME];
        while let Some(leg) = self.legs.get_mut(slot) {
            let law = leg.law();
            let Some(player) = &mut leg.player else { return };
            if player.late(now) {
                leg.out.interrupt();
            }
            match player.turn(law, &mut frame, now) {
                Turn::Wait => return,
                Turn::Finished => {
                    let (id, play) = (leg.id, player.play);
                    leg.player = None;
                    leg.out.interrupt();
                    self.news.tell(id, EventKind::PlayFinished(play));
                    return;
                }
                Turn::Frame => {
                    let content = Content::Audio(law);
                    if !leg.digits.active() && leg.sends(content) {
                        let numbers = leg.out.frame(now);
                        self.send(slot, numbers, content, &frame, now);
                    }
                }
            }
        }
    }

    /// Every five seconds: RTCP to a SIP peer, and a look whether the peer still speaks.
    fn report(&mut self, slot: u32, now: Instant) {
        let Some(leg) = self.legs.get_mut(slot) else { return };
        leg.report_at = now + REPORT;
        if !leg.stalled && leg.expects() && now.duration_since(leg.heard) >= STALLED {
            leg.stalled = true;
            self.news.tell(leg.id, EventKind::Stalled);
        }
        let Leg { transport: Transport::Sip(sip), out, reception, .. } = leg else { return };
        let Some(to) = sip.rtcp_destination() else { return };
        let sent = out.timestamp_at(now).map(|timestamp| Sent {
            at: self.clock.unix_millis(),
            timestamp,
            packets: out.packets() as u32,
            octets: out.octets() as u32,
        });
        rtcp::write(&mut self.report, out.ssrc, sent, reception.block(now), &self.name, false);
        let _ = sip.rtcp.send_to(&self.report, to);
    }
}
