//! Commands carried out.

use super::browser::Turn;
use super::command::Command;
use super::engine::{Engine, random};
use super::handle::{EventKind, LegId, MediaError, Opened, PlayId, Remote, Sound};
use super::latch::Latch;
use super::leg::{Leg, Sip, Transport};
use super::outbound::Outbound;
use super::play::Player;
use super::ports::Pair;
use super::rtcp;
use super::tap::Recorded;
use super::turn::REPORT;
use std::net::IpAddr;
use std::time::Instant;

impl Engine {
    /// Carries out one command.
    pub(super) fn perform(&mut self, command: Command, now: Instant) {
        match command {
            Command::Open { local, reply } => {
                let opened = self.open(local, now);
                // Whoever asked may have given up: then nobody would close it.
                if let (Ok(opened), Err(_)) = (opened.clone(), reply.send(opened)) {
                    self.close(opened.leg, now);
                }
            }
            Command::Offer { leg, offer, reply } => {
                let answered = self.offered(leg, &offer, now);
                if let (Ok((new, _)), Err(_)) = (answered.clone(), reply.send(answered))
                    && leg.is_none()
                {
                    self.close(new, now);
                }
            }
            Command::Connect { leg, remote } => self.connect(leg, remote, now),
            Command::Play { leg, sound, play } => self.play(leg, sound, play, now),
            Command::Stop { leg } => self.silence(leg),
            Command::Bridge { customer, operator, recorded } => {
                match (self.legs.slot(customer.0), self.legs.slot(operator.0)) {
                    (Some(customer), Some(operator)) => self.join(customer, operator, recorded, now),
                    // A leg that closed meanwhile: the tap must still hear its end.
                    _ => {
                        if let Recorded::Into(mut sink) = recorded {
                            sink.end();
                        }
                    }
                }
            }
            Command::Hold { customer, music } => self.hold(customer, music, now),
            Command::Part { leg } => {
                if let Some(slot) = self.legs.slot(leg.0) {
                    self.unjoin(slot, now);
                }
            }
            Command::Mute { leg, muted } => {
                if let Some(leg) = self.leg(leg) {
                    leg.muted = muted;
                }
            }
            Command::Digits { leg, digits } => {
                if let Some(slot) = self.legs.slot(leg.0) {
                    if let Some(leg) = self.legs.get_mut(slot) {
                        leg.digits.add(&digits, now);
                    }
                    self.rearm(slot, now);
                }
            }
            Command::Stats { leg, reply } => {
                let _ = reply.send(self.leg(leg).map(|leg| leg.stats()).ok_or(MediaError::NoLeg));
            }
            Command::Close { leg } => self.close(leg, now),
        }
    }

    fn leg(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(self.legs.slot(leg.0)?)
    }

    fn open(&mut self, local: IpAddr, now: Instant) -> Result<Opened, MediaError> {
        if self.legs.len() - self.browsers >= self.limits.sip_legs {
            return Err(MediaError::NoPort);
        }
        let Pair { rtp, rtcp, port } = self.ports.open(local)?;
        let sip = Sip { rtp, rtcp, port, remote: None, latch: Latch::default(), rtcp_source: None };
        let (slot, leg) = self.add(Transport::Sip(sip), now);
        if let Err(error) = self.register(slot) {
            tracing::warn!(%error, "cannot watch a pair of RTP ports");
            self.remove(slot, now);
            return Err(MediaError::NoPort);
        }
        Ok(Opened { leg, port })
    }

    fn add(&mut self, transport: Transport, now: Instant) -> (u32, LegId) {
        // Spread, so that a thousand legs don't report in the same millisecond.
        let report_at = now + REPORT.mul_f64(0.5 + f64::from(random() % 1024) / 2048.0);
        let out = Outbound::new(random(), random() as u16, random());
        let (slot, key) = self.legs.insert(Leg::new(LegId(0), transport, out, now, report_at));
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.id = LegId(key);
        }
        self.rearm(slot, now);
        (slot, LegId(key))
    }

    fn offered(
        &mut self,
        leg: Option<LegId>,
        offer: &str,
        now: Instant,
    ) -> Result<(LegId, String), MediaError> {
        let (slot, id, is_new) = match leg {
            Some(id) => (self.legs.slot(id.0).ok_or(MediaError::NoLeg)?, id, false),
            None if self.browsers >= self.limits.browsers => return Err(MediaError::Busy),
            None => {
                let peer = self.maker.peer(self.doors.candidates(), now);
                self.browsers += 1;
                let (slot, id) = self.add(Transport::Browser(Box::new(peer)), now);
                (slot, id, true)
            }
        };
        let Some(Leg { transport: Transport::Browser(peer), .. }) = self.legs.get_mut(slot) else {
            return Err(MediaError::NoLeg);
        };
        let answer = peer.answer(offer, slot, &mut self.doors);
        peer.tick(&mut Turn { slot, doors: &mut self.doors, acts: &mut self.acts, now });
        self.rearm(slot, now);
        match answer {
            Ok(answer) => Ok((id, answer)),
            Err(reason) => {
                if is_new {
                    self.remove(slot, now);
                }
                Err(MediaError::Offer(reason))
            }
        }
    }

    fn connect(&mut self, leg: LegId, remote: Remote, now: Instant) {
        let Some(Leg { transport: Transport::Sip(sip), heard, stalled, .. }) = self.leg(leg) else { return };
        sip.latch.signal(remote.address, now);
        if sip.remote.is_none_or(|before| before.address != remote.address || before.rtcp != remote.rtcp) {
            sip.rtcp_source = None;
        }
        sip.remote = Some(remote);
        (*heard, *stalled) = (now, false);
    }

    fn play(&mut self, leg: LegId, sound: Sound, play: PlayId, now: Instant) {
        let Some(slot) = self.legs.slot(leg.0) else { return };
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.player = Some(Player::new(sound, play, now));
            leg.out.interrupt();
        }
        self.leg_due(slot, now);
    }

    fn silence(&mut self, leg: LegId) {
        if let Some(leg) = self.leg(leg)
            && leg.player.take().is_some()
        {
            leg.out.interrupt();
        }
    }

    fn hold(&mut self, customer: LegId, music: Option<Sound>, now: Instant) {
        let Some(slot) = self.legs.slot(customer.0) else { return };
        if !self.set_held(slot, music.is_some()) {
            return;
        }
        match music {
            // No one waits for its end, so it needs no number of its own.
            Some(music) => self.play(customer, music, PlayId(0), now),
            None => self.silence(customer),
        }
    }

    /// Closes a leg by its key. A call on a browser's leg hears of it, whoever closed it.
    pub(super) fn close(&mut self, leg: LegId, now: Instant) {
        if let Some(slot) = self.legs.slot(leg.0) {
            let browsers = self.browsers;
            self.remove(slot, now);
            if self.browsers < browsers {
                self.news.tell(leg, EventKind::Gone);
            }
        }
    }

    /// Parts a leg and takes it away.
    pub(super) fn remove(&mut self, slot: u32, now: Instant) {
        self.unjoin(slot, now);
        let Some(mut leg) = self.legs.remove(slot) else { return };
        match &mut leg.transport {
            Transport::Sip(sip) => {
                let block = leg.reception.block(now);
                rtcp::write(&mut self.report, leg.out.ssrc, None, block, &self.name, true);
                if let Some(to) = sip.rtcp_destination().filter(|_| leg.out.packets() > 0) {
                    let _ = sip.rtcp.send_to(&self.report, to);
                }
                let _ = self.poll.registry().deregister(&mut sip.rtp);
                let _ = self.poll.registry().deregister(&mut sip.rtcp);
                self.ports.release(sip.port);
            }
            Transport::Browser(peer) => {
                peer.close(&mut Turn { slot, doors: &mut self.doors, acts: &mut self.acts, now });
                self.acts.retain(|(owner, _)| *owner != slot);
                self.doors.forget(slot);
                self.browsers -= 1;
            }
        }
    }
}
