//! Calls that come in: the UAS side of the INVITE that makes a dialog (RFC 3261 §13.3).

use super::action::{EndReason, Event, Invited, LegId, Path};
use super::content::{self, Refusal};
use super::core::{Core, LegTimer, PATIENCE, TIMERS};
use super::dialog::{self, Leg, Role, State, Unacked};
use super::message::{self, push};
use super::requests::RETRY_AFTER;
use super::sdp::{self, Audio, Description};
use super::sdp_build::Local;
use super::transaction::TxId;
use super::{identity, session_timer, uri};
use bytes::Bytes;
use sipx_sip::headers::{Address, MaxForwards};
use sipx_sip::{HeaderName, Message, Request, Response, TransactionKey};
use std::time::{Duration, Instant};

/// How long an INVITE may wait for our side to answer or refuse it.
const LONGEST_RING: Duration = Duration::from_secs(15 * 60);
/// How long a session without a session timer may last.
pub(super) const LONGEST_SESSION: Duration = Duration::from_secs(24 * 3600);
/// RFC 3261 §13.3.1.1: a provisional every minute.
const RING_AGAIN: Duration = Duration::from_secs(60);

/// What an INVITE told, before anything is kept of it.
struct Terms {
    offer: Option<(Bytes, Description)>,
    routes: Vec<Bytes>,
    target: sipx_sip::Uri,
}

impl Core {
    /// A new INVITE that was admitted.
    pub(super) fn invited(
        &mut self,
        key: TransactionKey,
        request: Request,
        path: Path,
        reply: Path,
        now: Instant,
    ) {
        let terms = match terms(&request) {
            Ok(terms) => terms,
            Err(refusal) => {
                self.refuse(&request, reply, &refusal);
                return;
            }
        };
        let merge = self.merge_key(&request);
        let (transactions, mut world) = self.split(now);
        let (transaction, Some(request)) = transactions.receive(key, request, reply, &mut world) else {
            return;
        };
        if let Some(trying) = message::response(&request, 100, 0) {
            self.answer(transaction, trying, None, now);
        }
        let (id, local_tag, session) = (self.next_leg(), self.random.next(), self.random.next());
        let Some(mut leg) = new_leg(id, local_tag, session, &request, path, transaction) else { return };
        leg.merge = merge;
        leg.target = terms.target;
        leg.routes = terms.routes;
        let audio = terms.offer.as_ref().map(|(_, offer)| offer.audio.clone());
        if let Some((body, offer)) = terms.offer {
            leg.last_remote = body;
            leg.offer = Some(offer);
        }
        self.insert(leg);
        self.transactions.assign(transaction, id);
        self.arm(id, LegTimer::Reap, now + LONGEST_RING);
        let (caller, called) = (identity::caller(&request.headers), uri::user(&request.uri));
        self.tell(id, Event::Invited(Box::new(Invited { leg: id, path, caller, called, offer: audio })));
    }

    /// Sends 180 on a leg that was invited; in any other state nothing happens.
    pub fn ring(&mut self, leg: LegId, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg).filter(|leg| leg.state == State::Invited) else { return };
        if std::mem::replace(&mut entry.rung, true) {
            return;
        }
        self.arm(leg, LegTimer::RingAgain, now + RING_AGAIN);
        self.provisional(leg, now);
    }

    pub(super) fn ring_again(&mut self, leg: LegId, now: Instant) {
        if self.legs.get(&leg).is_some_and(|leg| leg.state == State::Invited) {
            self.arm(leg, LegTimer::RingAgain, now + RING_AGAIN);
            self.provisional(leg, now);
        }
    }

    /// 200 with our audio: the answer to what was offered, or our offer when nothing was. In a
    /// state where nothing is to be accepted nothing happens.
    pub fn accept(&mut self, leg: LegId, audio: &Audio, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        if entry.pending.is_some() {
            self.accept_reoffer(leg, audio, now);
            return;
        }
        let (State::Invited, Some(transaction)) = (entry.state, entry.invite) else { return };
        let offer = entry.offer.take();
        let body = match &offer {
            Some(offer) => entry.sdp.answer(offer, audio),
            None => Some(entry.sdp.offer(audio)),
        };
        let Some(body) = body else {
            self.tell(leg, Event::Ended(leg, EndReason::Transport));
            self.reject_invite(leg, 488, now);
            return;
        };
        entry.state = State::Confirmed;
        entry.timers.disarm_all(&mut self.timers);
        let Some(request) = self.transactions.server_request(transaction) else { return };
        let Some((mut response, cseq)) = accepted(request, entry) else { return };
        entry.session = session_timer::answer(request, &mut response.headers);
        self.arm(leg, LegTimer::Reap, now + LONGEST_SESSION);
        self.arm_session(leg, now);
        let wait = Waiting { cseq, owes_answer: offer.is_none(), initial: true };
        self.send_2xx(leg, transaction, response, body, wait, now);
    }

    /// Sends a 2xx to an INVITE and again until its ACK comes (RFC 3261 §13.3.1.4).
    pub(super) fn send_2xx(
        &mut self,
        leg: LegId,
        transaction: TxId,
        mut response: Response,
        body: Bytes,
        wait: Waiting,
        now: Instant,
    ) {
        message::finish(&mut response.headers, Some(&body));
        response.set_body(body);
        let bytes = Message::Response(response.clone()).to_bytes();
        let path = self.transactions.path(transaction);
        let (transactions, mut world) = self.split(now);
        transactions.respond(transaction, response, &mut world);
        let (Some(entry), Some(path)) = (self.legs.get_mut(&leg), path) else { return };
        let Waiting { cseq, owes_answer, initial } = wait;
        let interval = TIMERS.t1;
        entry.unacked = Some(Unacked { bytes, path, interval, cseq, owes_answer, initial, then_bye: false });
        self.arm(leg, LegTimer::Retransmit, now + interval);
        self.arm(leg, LegTimer::AckLimit, now + PATIENCE);
    }

    pub(super) fn retransmit(&mut self, leg: LegId, now: Instant) {
        let Some(unacked) = self.legs.get_mut(&leg).and_then(|leg| leg.unacked.as_mut()) else { return };
        unacked.interval = TIMERS.double_capped(unacked.interval);
        let (path, bytes, next) = (unacked.path, unacked.bytes.clone(), now + unacked.interval);
        self.send(path, bytes);
        self.arm(leg, LegTimer::Retransmit, next);
    }

    /// An ACK that no transaction kept: of a 2xx.
    pub(super) fn ack(&mut self, ack: &Request, now: Instant) {
        let tag = message::to_tag(&ack.headers).unwrap_or_default();
        let call_id = ack.headers.value(&HeaderName::CallId).unwrap_or_default();
        let Some(leg) = self.dialog(&tag, &call_id) else { return };
        let cseq = message::sequence(&ack.headers);
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let Some(unacked) = entry.unacked.take_if(|unacked| Some(unacked.cseq) == cseq) else { return };
        self.disarm(leg, LegTimer::Retransmit);
        self.disarm(leg, LegTimer::AckLimit);
        let answer = if unacked.owes_answer { Some(answer_of(ack)) } else { None };
        match answer {
            Some(None) => {
                self.finish(leg, EndReason::AckLost, now);
                return;
            }
            Some(Some(audio)) => self.tell(leg, Event::Confirmed(leg, Some(audio))),
            None if unacked.initial => self.tell(leg, Event::Confirmed(leg, None)),
            None => {}
        }
        if unacked.then_bye {
            self.bye(leg, now);
        }
    }

    /// A CANCEL; `found` is the transaction of the INVITE it names.
    pub(super) fn cancel(&mut self, cancel: &Request, found: Option<TxId>, reply: Path, now: Instant) {
        let Some(transaction) = found else {
            self.refuse(cancel, reply, &Refusal::new(481));
            return;
        };
        self.refuse(cancel, reply, &Refusal::new(200));
        let Some(leg) = self.transactions.leg(transaction) else { return };
        let Some(entry) = self.legs.get(&leg) else { return };
        if entry.state == State::Invited && entry.invite == Some(transaction) {
            self.tell(leg, Event::Cancelled(leg));
            self.reject_invite(leg, 487, now);
        } else if entry.pending.as_ref().is_some_and(|pending| pending.transaction == transaction) {
            self.reject_reoffer(leg, 487, now);
        }
        // Else it is answered already: no effect (RFC 3261 §9.2).
    }

    /// A final refusal of an INVITE or a re-offer; in any other state nothing happens.
    pub fn reject(&mut self, leg: LegId, status: u16, now: Instant) {
        let status = if (300..=699).contains(&status) { status } else { 500 };
        let Some(entry) = self.legs.get(&leg) else { return };
        if entry.pending.is_some() {
            self.reject_reoffer(leg, status, now);
        } else if entry.state == State::Invited {
            self.reject_invite(leg, status, now);
        }
    }

    /// Refuses the INVITE of a leg and forgets the leg.
    pub(super) fn reject_invite(&mut self, leg: LegId, status: u16, now: Instant) {
        let Some(entry) = self.legs.get(&leg) else { return };
        let (transaction, tag) = (entry.invite, entry.local_tag);
        self.remove(leg, now);
        let Some(transaction) = transaction else { return };
        let Some(request) = self.transactions.server_request(transaction) else { return };
        let Some(mut response) = message::response(request, status, tag) else { return };
        if status == 503 {
            push(&mut response.headers, HeaderName::RetryAfter, RETRY_AFTER);
        }
        self.answer(transaction, response, None, now);
    }

    /// Completes a response and gives it to its transaction.
    pub(super) fn answer(
        &mut self,
        transaction: TxId,
        mut response: Response,
        body: Option<Bytes>,
        now: Instant,
    ) {
        message::finish(&mut response.headers, body.as_ref());
        if let Some(body) = body {
            response.set_body(body);
        }
        let (transactions, mut world) = self.split(now);
        transactions.respond(transaction, response, &mut world);
    }

    /// Something has waited for longer than anything sensible.
    pub(super) fn reap(&mut self, leg: LegId, now: Instant) {
        match self.legs.get(&leg).map(|leg| leg.state) {
            Some(State::Invited) => {
                self.tell(leg, Event::Cancelled(leg));
                self.reject_invite(leg, 480, now);
            }
            Some(_) => self.finish(leg, EndReason::SessionExpired, now),
            None => {}
        }
    }
}

/// What a 2xx of ours waits for.
pub(super) struct Waiting {
    pub(super) cseq: u32,
    pub(super) owes_answer: bool,
    pub(super) initial: bool,
}

/// A 2xx or 18x to an INVITE of theirs, with what makes or confirms the dialog.
pub(super) fn accepted(request: &Request, leg: &Leg) -> Option<(Response, u32)> {
    let mut response = message::response(request, 200, leg.local_tag)?;
    for route in request.headers.get_all(&HeaderName::RecordRoute) {
        response.headers.push(route.clone());
    }
    push(&mut response.headers, HeaderName::Contact, dialog::contact(&leg.path));
    push(&mut response.headers, HeaderName::Allow, message::ALLOW);
    push(&mut response.headers, HeaderName::Supported, message::SUPPORTED);
    push(&mut response.headers, HeaderName::Server, message::AGENT);
    Some((response, message::sequence(&request.headers)?))
}

/// The answer in an ACK or a 2xx.
pub(super) fn answer_of(ack: &Request) -> Option<Audio> {
    let body = content::description(&ack.headers, ack.body()).ok()??;
    sdp::read(&body).ok().map(|description| description.audio)
}

fn terms(request: &Request) -> Result<Terms, Refusal> {
    if matches!(request.headers.typed::<MaxForwards>(), Some(Ok(MaxForwards(0)))) {
        return Err(Refusal::new(483));
    }
    content::check_accept(&request.headers)?;
    session_timer::check(request)?;
    let body =
        content::description(&request.headers, request.body())?.map(|body| Bytes::copy_from_slice(&body));
    let offer = match body {
        Some(body) => {
            let description = sdp::read(&body).map_err(|error| Refusal::new(error.status()))?;
            Some((body, description))
        }
        None => None,
    };
    let routes = message::record_route(&request.headers).ok_or_else(|| Refusal::new(400))?;
    // RFC 2543 callers wrote no Contact; their From has to do (RFC 4475 §3.4.1).
    let from = request.headers.typed::<sipx_sip::headers::From>().and_then(Result::ok);
    let target = dialog::target(&request.headers).or_else(|| from.map(|from| from.0.uri));
    Ok(Terms { offer, routes, target: target.ok_or_else(|| Refusal::new(400))? })
}

fn new_leg(
    id: LegId,
    tag: u64,
    session: u64,
    request: &Request,
    path: Path,
    transaction: TxId,
) -> Option<Leg> {
    let headers = &request.headers;
    let to = message::value(headers, &HeaderName::To)?;
    let remote = message::value(headers, &HeaderName::From)?;
    let mut leg = Leg::new(id, Role::Callee, path, request.uri.clone(), Local::new(session));
    leg.remote_tag = Address::parse(&remote, "From").ok()?.tag().map(Bytes::copy_from_slice);
    leg.call_id = message::value(headers, &HeaderName::CallId)?;
    leg.local_tag = tag;
    leg.local = Bytes::from([to.as_ref(), format!(";tag={tag:016x}").as_bytes()].concat());
    leg.remote = remote;
    leg.remote_cseq = Some(message::sequence(headers)?);
    leg.invite = Some(transaction);
    leg.updates = dialog::allows_update(headers);
    Some(leg)
}
