//! Calls that go out: the UAC side of the INVITE that makes a dialog (RFC 3261 §13.2, §9.1).

use super::action::{Event, LegId, Outbound, Path};
use super::content;
use super::core::{Core, LegTimer, PATIENCE};
use super::dialog::{self, Leg, Role, State};
use super::invite_server::LONGEST_SESSION;
use super::message::{self, push};
use super::sdp::{self, Audio};
use super::sdp_build::Local;
use super::session_timer;
use super::transaction::{Owner, TxId};
use super::uri;
use bytes::Bytes;
use sipx_sip::{HeaderName, Message, Method, Request, Response};
use std::time::{Duration, Instant};

/// Timer C (RFC 3261 §16.6): how long somebody may ring.
const LONGEST_RING: Duration = Duration::from_secs(181);

impl Core {
    /// Starts an outbound leg; its fate comes as events.
    pub fn invite(&mut self, outbound: Outbound, now: Instant) {
        let Outbound { leg: id, target, path, caller, offer } = outbound;
        let full = self.legs.len() >= 64 + 8 * self.settings.calls || self.legs.contains_key(&id);
        let Some(target) = target.uri().filter(|_| !full) else {
            self.actions.push_back(super::action::Action::Tell(Event::Failed(id, 503)));
            return;
        };
        let mut leg = Leg::new(id, Role::Caller, path, target, Local::new(self.random.next()));
        leg.local_tag = self.random.next();
        leg.call_id = Bytes::from(format!("{:016x}{:016x}", self.random.next(), self.random.next()));
        leg.remote = Bytes::from([b"<", leg.target.to_bytes().as_ref(), b">"].concat());
        let from = if caller.is_empty() || caller.eq_ignore_ascii_case("anonymous") {
            "\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned()
        } else {
            format!("<sip:{}@{}>", uri::escaped(&caller), path.advertised)
        };
        leg.local = Bytes::from(format!("{from};tag={:016x}", leg.local_tag));
        leg.sdp.offer(&offer);
        self.insert(leg);
        self.send_invite(id, None, now);
    }

    fn send_invite(&mut self, leg: LegId, interval: Option<Duration>, now: Instant) {
        let branch = dialog::branch(self.instance, self.random.next());
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let cseq = entry.next_cseq();
        let (mut request, _) = entry.request(Method::Invite, cseq, &branch);
        session_timer::ask(&mut request.headers, interval);
        let (path, body) = (entry.path, entry.sdp.body().clone());
        let sent = self.send_request(request, Some(body), path, Owner::Invite(leg), now);
        match self.legs.get_mut(&leg) {
            Some(entry) if sent.is_some() => entry.invite = sent,
            _ => self.invite_failed(leg, 503, now),
        }
    }

    /// An answer to the INVITE of a leg, which may be gone.
    pub(super) fn invite_answered(
        &mut self,
        leg: LegId,
        transaction: TxId,
        response: &Response,
        now: Instant,
    ) {
        if response.status.is_provisional() {
            self.progressed(leg, response, now);
        } else if response.status.is_success() {
            self.accepted_by_peer(leg, transaction, response, now);
        } else {
            let status = response.status.code();
            let least = session_timer::least(&response.headers).filter(|_| status == 422);
            let Some(entry) = self.legs.get(&leg).filter(|leg| leg.invite == Some(transaction)) else {
                return;
            };
            match least {
                // RFC 4028 §7.3, once.
                Some(least) if entry.state == State::Calling && entry.local_cseq == 1 => {
                    self.send_invite(leg, Some(least), now);
                }
                _ => self.invite_failed(leg, status, now),
            }
        }
    }

    fn progressed(&mut self, leg: LegId, response: &Response, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let first = !std::mem::replace(&mut entry.proceeding, true);
        if entry.state == State::Cancelling && first {
            // RFC 3261 §9.1: only now may the CANCEL go out.
            self.send_cancel(leg, now);
            return;
        }
        if entry.state != State::Calling {
            return;
        }
        self.arm(leg, LegTimer::NoAnswer, now + LONGEST_RING);
        if response.status.code() == 100 {
            return;
        }
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        entry.early_answer = answer(response).or(entry.early_answer.take());
        if !std::mem::replace(&mut entry.rung, true) {
            self.tell(leg, Event::Ringing(leg));
        }
        self.acknowledge_provisional(leg, response, now);
    }

    /// A 2xx: the first makes the dialog, a repeated one wants its ACK again, one of another
    /// fork is acknowledged and ended (RFC 3261 §13.2.2.4).
    fn accepted_by_peer(&mut self, leg: LegId, transaction: TxId, response: &Response, now: Instant) {
        let tag = message::to_tag(&response.headers).unwrap_or_default();
        if let Some((path, ack)) = self.transactions.kept_ack(transaction, &tag) {
            self.send(path, ack);
            return;
        }
        let first = !self.transactions.has_acks(transaction);
        let entry = self.legs.get_mut(&leg).filter(|leg| first && leg.state == State::Calling);
        let Some(entry) = entry else {
            self.end_fork(transaction, response, now);
            let cancelled = self.legs.get(&leg).is_some_and(|leg| leg.state == State::Cancelling);
            if cancelled {
                self.remove(leg, now);
            }
            return;
        };
        entry.learn(&response.headers);
        entry.state = State::Confirmed;
        entry.timers.disarm_all(&mut self.timers);
        let found = answer(response).or(entry.early_answer.take());
        let asked = session_timer::asked();
        entry.session = session_timer::adopt(&response.headers, asked);
        self.acknowledge(leg, transaction, tag, response);
        self.hold_addresses(leg);
        match found {
            Some(audio) => {
                self.arm(leg, LegTimer::Reap, now + LONGEST_SESSION);
                self.arm_session(leg, now);
                self.tell(leg, Event::Answered(leg, audio));
            }
            None => {
                self.tell(leg, Event::Failed(leg, 488));
                self.bye(leg, now);
            }
        }
    }

    fn acknowledge(&mut self, leg: LegId, transaction: TxId, tag: Vec<u8>, response: &Response) {
        let branch = dialog::branch(self.instance, self.random.next());
        let (Some(entry), Some(cseq)) = (self.legs.get(&leg), message::sequence(&response.headers)) else {
            return;
        };
        let (path, ack) = ack_bytes(entry, cseq, &branch);
        self.transactions.keep_ack(transaction, tag.into(), path, ack.clone());
        self.send(path, ack);
    }

    fn end_fork(&mut self, transaction: TxId, response: &Response, now: Instant) {
        let Some((request, path)) = self.transactions.client_request(transaction) else { return };
        let Some((fork, cseq)) = fork(request, path, response) else { return };
        let tag = message::to_tag(&response.headers).unwrap_or_default();
        let (ack_branch, bye_branch) = (self.random.next(), self.random.next());
        let (path, ack) = ack_bytes(&fork, cseq, &dialog::branch(self.instance, ack_branch));
        if !self.transactions.keep_ack(transaction, tag.into(), path, ack.clone()) {
            return;
        }
        self.send(path, ack);
        let (bye, path) =
            fork.request(Method::Bye, cseq.wrapping_add(1), &dialog::branch(self.instance, bye_branch));
        self.send_request(bye, None, path, Owner::Nobody, now);
    }

    /// Our side no longer wants the leg that is being made.
    pub(super) fn give_up(&mut self, leg: LegId, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        entry.state = State::Cancelling;
        entry.timers.disarm_all(&mut self.timers);
        if entry.proceeding {
            self.send_cancel(leg, now);
        }
    }

    fn send_cancel(&mut self, leg: LegId, now: Instant) {
        let invite = self.legs.get(&leg).and_then(|leg| leg.invite);
        let Some((request, path)) = invite.and_then(|id| self.transactions.client_request(id)) else {
            self.remove(leg, now);
            return;
        };
        let cancel = cancel_of(request);
        self.arm(leg, LegTimer::CancelLimit, now + PATIENCE);
        self.send_request(cancel, None, path, Owner::Nobody, now);
    }

    /// Timer C.
    pub(super) fn nobody_answers(&mut self, leg: LegId, now: Instant) {
        if self.legs.get(&leg).is_some_and(|leg| leg.state == State::Calling) {
            self.tell(leg, Event::Failed(leg, 408));
            self.hang_up(leg, now);
        }
    }

    /// RFC 3261 §9.1: 64·T1 after the CANCEL the INVITE counts as cancelled.
    pub(super) fn cancel_ignored(&mut self, leg: LegId, now: Instant) {
        let invite = self.legs.get(&leg).and_then(|leg| leg.invite);
        self.remove(leg, now);
        if let Some(invite) = invite {
            let (transactions, mut world) = self.split(now);
            transactions.abandon(invite, &mut world);
        }
    }

    /// The INVITE of a leg came to nothing.
    pub(super) fn invite_failed(&mut self, leg: LegId, status: u16, now: Instant) {
        let making = |leg: &&Leg| matches!(leg.state, State::Calling | State::Cancelling);
        if self.legs.get(&leg).filter(making).is_some() {
            self.tell(leg, Event::Failed(leg, status));
            self.remove(leg, now);
        }
    }
}

fn answer(response: &Response) -> Option<Audio> {
    let body = content::description(&response.headers, response.body()).ok()??;
    sdp::read(&body).ok().map(|description| description.audio)
}

fn ack_bytes(leg: &Leg, cseq: u32, branch: &str) -> (Path, Bytes) {
    let (mut ack, path) = leg.request(Method::Ack, cseq, branch);
    message::finish(&mut ack.headers, None);
    (path, Message::Request(ack).to_bytes())
}

/// The dialog of a fork, good for an ACK and a BYE.
fn fork(invite: &Request, path: Path, response: &Response) -> Option<(Leg, u32)> {
    let mut leg = Leg::new(LegId(0), Role::Caller, path, invite.uri.clone(), Local::new(0));
    leg.call_id = message::value(&invite.headers, &HeaderName::CallId)?;
    leg.local = message::value(&invite.headers, &HeaderName::From)?;
    leg.learn(&response.headers);
    Some((leg, message::sequence(&invite.headers)?))
}

/// The CANCEL of an INVITE (RFC 3261 §9.1): the same branch, the same route.
fn cancel_of(invite: &Request) -> Request {
    let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
    for name in [HeaderName::Via, HeaderName::Route, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        for header in invite.headers.get_all(&name) {
            cancel.headers.push(header.clone());
        }
    }
    push(&mut cancel.headers, HeaderName::MaxForwards, "70");
    let cseq = message::sequence(&invite.headers).unwrap_or(1);
    push(&mut cancel.headers, HeaderName::CSeq, format!("{cseq} CANCEL"));
    cancel
}
