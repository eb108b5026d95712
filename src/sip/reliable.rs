//! Provisional responses that must arrive, and PRACK (RFC 3262), both roles.

use super::action::{EndReason, Event, LegId, Path};
use super::content::Refusal;
use super::core::{Core, LegTimer, PATIENCE, TIMERS};
use super::dialog::{self, Leg};
use super::message::{self, push, tokens};
use super::transaction::Owner;
use bytes::Bytes;
use sipx_sip::rel::{RAck, RSeq};
use sipx_sip::{HeaderName, Message, Method, Request, Response, TransactionKey};
use std::time::{Duration, Instant};

const TAG: &str = "100rel";
/// Early dialogs of one INVITE of ours whose provisionals we acknowledge.
const MOST_FORKS: usize = 8;

/// A reliable provisional of ours.
#[derive(Debug)]
pub(super) struct Reliable {
    bytes: Bytes,
    path: Path,
    interval: Duration,
    rseq: u32,
    cseq: u32,
    acknowledged: bool,
}

impl Core {
    /// 180 to the INVITE of a leg, reliably if the caller requires it.
    pub(super) fn provisional(&mut self, leg: LegId, now: Instant) {
        let Some(entry) = self.legs.get(&leg) else { return };
        let Some(transaction) = entry.invite else { return };
        let Some(request) = self.transactions.server_request(transaction) else { return };
        let required = tokens(&request.headers, &HeaderName::Require).iter().any(|tag| tag == TAG);
        // RFC 3262 §5: without an offer the first reliable provisional would have to be one.
        // RFC 3262 §3: one at a time. 100 has to do in both cases.
        let waits = entry.reliable.as_ref().is_some_and(|reliable| !reliable.acknowledged);
        if required && (entry.offer.is_none() || waits) {
            return;
        }
        let Some(mut response) = message::response(request, 180, entry.local_tag) else { return };
        for route in request.headers.get_all(&HeaderName::RecordRoute) {
            response.headers.push(route.clone());
        }
        push(&mut response.headers, HeaderName::Contact, dialog::contact(&entry.path));
        push(&mut response.headers, HeaderName::Allow, message::ALLOW);
        let cseq = message::sequence(&request.headers).unwrap_or_default();
        if !required {
            self.answer(transaction, response, None, now);
            return;
        }
        let first = (self.random.next() & 0x3fff_ffff) as u32 + 1;
        let rseq = entry.reliable.as_ref().map_or(first, |last| last.rseq.wrapping_add(1));
        push(&mut response.headers, HeaderName::Require, TAG);
        push(&mut response.headers, HeaderName::RSeq, rseq.to_string());
        let mut whole = response.clone();
        message::finish(&mut whole.headers, None);
        let (bytes, path) = (Message::Response(whole).to_bytes(), self.transactions.path(transaction));
        self.answer(transaction, response, None, now);
        let (Some(entry), Some(path)) = (self.legs.get_mut(&leg), path) else { return };
        entry.reliable = Some(Reliable { bytes, path, interval: TIMERS.t1, rseq, cseq, acknowledged: false });
        self.arm(leg, LegTimer::Reliable, now + TIMERS.t1);
        self.arm(leg, LegTimer::ReliableLimit, now + PATIENCE);
    }

    pub(super) fn reliable_again(&mut self, leg: LegId, now: Instant) {
        let Some(reliable) = self.legs.get_mut(&leg).and_then(|leg| leg.reliable.as_mut()) else { return };
        reliable.interval = TIMERS.double(reliable.interval);
        let (path, bytes, next) = (reliable.path, reliable.bytes.clone(), now + reliable.interval);
        self.send(path, bytes);
        self.arm(leg, LegTimer::Reliable, next);
    }

    /// RFC 3262 §3: a provisional that is never acknowledged fails the call.
    pub(super) fn reliable_lost(&mut self, leg: LegId, now: Instant) {
        self.tell(leg, Event::Ended(leg, EndReason::AckLost));
        self.reject_invite(leg, 504, now);
    }

    /// PRACK within a leg's dialog.
    pub(super) fn prack(
        &mut self,
        leg: LegId,
        key: TransactionKey,
        request: Request,
        reply: Path,
        now: Instant,
    ) {
        let ack = request.headers.typed::<RAck>().and_then(Result::ok);
        let reliable = self.legs.get_mut(&leg).and_then(|leg| leg.reliable.as_mut());
        let found = reliable.filter(|reliable| {
            ack.as_ref().is_some_and(|ack| {
                (ack.rseq, ack.cseq) == (reliable.rseq, reliable.cseq)
                    && ack.method == b"INVITE"
                    && !reliable.acknowledged
            })
        });
        let Some(reliable) = found else {
            self.refuse(&request, reply, &Refusal::new(481));
            return;
        };
        reliable.acknowledged = true;
        self.disarm(leg, LegTimer::Reliable);
        self.disarm(leg, LegTimer::ReliableLimit);
        // An offer in PRACK is one too many: ours was never in a provisional.
        let status = if request.body().is_empty() { 200 } else { 488 };
        self.answer_plainly(key, request, reply, status, now);
    }

    /// Acknowledges a reliable provisional of the peer, once, in its order.
    pub(super) fn acknowledge_provisional(&mut self, leg: LegId, response: &Response, now: Instant) {
        let required = tokens(&response.headers, &HeaderName::Require).iter().any(|tag| tag == TAG);
        let rseq = response.headers.typed::<RSeq>().and_then(Result::ok);
        let (true, Some(RSeq(rseq)), Some(tag)) = (required, rseq, message::to_tag(&response.headers)) else {
            return;
        };
        let branch = dialog::branch(self.instance, self.random.next());
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let room = entry.forks.len() < MOST_FORKS;
        match entry.forks.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, last)) if rseq == last.wrapping_add(1) => *last = rseq,
            None if room => entry.forks.push((tag, rseq)),
            // Repeated or out of order (RFC 3262 §4), or too many.
            _ => return,
        }
        let Some(invite) = message::sequence(&response.headers) else { return };
        let cseq = entry.next_cseq();
        let mut early =
            Leg::new(leg, entry.role, entry.path, entry.target.clone(), super::sdp_build::Local::new(0));
        early.call_id = entry.call_id.clone();
        early.local = entry.local.clone();
        early.learn(&response.headers);
        let (mut prack, path) = early.request(Method::Prack, cseq, &branch);
        push(&mut prack.headers, HeaderName::RAck, format!("{rseq} {invite} INVITE"));
        self.send_request(prack, None, path, Owner::Nobody, now);
    }
}
