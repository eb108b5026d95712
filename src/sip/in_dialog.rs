//! Requests within a dialog (RFC 3261 §12.2.2), BYE, and hanging up (§15).

use super::action::{EndReason, Event, LegId, Path, Transport};
use super::content::{self, Refusal};
use super::core::Core;
use super::dialog::State;
use super::message::{self, push};
use super::requests::{RETRY_AFTER, capabilities};
use super::transaction::is_known;
use sipx_sip::{HeaderName, Method, Request, TransactionKey};
use std::time::Instant;

impl Core {
    /// A request of the peer of `leg`.
    pub(super) fn within(
        &mut self,
        leg: LegId,
        key: TransactionKey,
        request: Request,
        reply: Path,
        now: Instant,
    ) {
        if self.transactions.len() >= 2 * self.most_transactions() {
            self.dropped += 1;
            return;
        }
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let ending = entry.state == State::Ending;
        // The peer came back on another connection.
        if [entry.path.transport, reply.transport] == [Transport::Tcp; 2]
            && entry.path.peer.ip() == reply.peer.ip()
        {
            entry.path = reply;
        }
        let sequence = message::sequence(&request.headers);
        let stale = matches!((entry.remote_cseq, sequence), (Some(last), Some(new)) if new <= last);
        if stale {
            self.refuse(&request, reply, &Refusal::new(500).with(HeaderName::RetryAfter, RETRY_AFTER));
            return;
        }
        entry.remote_cseq = sequence;
        if request.method != Method::Bye
            && let Err(refusal) = content::check_require(&request)
        {
            self.refuse(&request, reply, &refusal);
            return;
        }
        match request.method {
            Method::Bye => self.ended(leg, key, request, reply, now),
            Method::Options => self.refuse(&request, reply, &capabilities()),
            Method::Invite | Method::Update | Method::Prack if ending => {
                self.refuse(&request, reply, &Refusal::new(481))
            }
            Method::Prack => self.prack(leg, key, request, reply, now),
            Method::Invite | Method::Update => self.reoffered(leg, key, request, reply, now),
            ref method => {
                let status = if is_known(method) { 405 } else { 501 };
                self.refuse(&request, reply, &Refusal::new(status).with(HeaderName::Allow, message::ALLOW));
            }
        }
    }

    /// The peer's BYE.
    fn ended(&mut self, leg: LegId, key: TransactionKey, request: Request, reply: Path, now: Instant) {
        self.answer_plainly(key, request, reply, 200, now);
        match self.legs.get(&leg).map(|leg| leg.state) {
            Some(State::Invited) => {
                self.tell(leg, Event::Cancelled(leg));
                self.reject_invite(leg, 487, now);
            }
            Some(State::Confirmed) => {
                // RFC 3261 §15.1.2: what is pending is still answered.
                self.reject_reoffer(leg, 487, now);
                self.tell(leg, Event::Ended(leg, EndReason::Bye));
                self.remove(leg, now);
            }
            // A BYE that crosses our CANCEL or our BYE: that transaction ends the leg.
            _ => {}
        }
    }

    /// Answers a request in a transaction of its own, so that a repeated one gets the same.
    pub(super) fn answer_plainly(
        &mut self,
        key: TransactionKey,
        request: Request,
        reply: Path,
        status: u16,
        now: Instant,
    ) {
        let tag = self.random.next();
        let Some(mut response) = message::response(&request, status, tag) else { return };
        push(&mut response.headers, HeaderName::Server, message::AGENT);
        let (transactions, mut world) = self.split(now);
        let (transaction, _) = transactions.receive(key, request, reply, &mut world);
        self.answer(transaction, response, None, now);
    }

    /// Ends a leg whatever its state; no event follows.
    pub fn hang_up(&mut self, leg: LegId, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        entry.silent = true;
        match entry.state {
            State::Invited => self.reject_invite(leg, 480, now),
            State::Calling => self.give_up(leg, now),
            State::Confirmed => {
                if let Some(unacked) = entry.unacked.as_mut().filter(|unacked| unacked.initial) {
                    // RFC 3261 §15: not before the ACK, or the end of waiting for it.
                    unacked.then_bye = true;
                    return;
                }
                self.reject_reoffer(leg, 487, now);
                self.bye(leg, now);
            }
            State::Cancelling | State::Ending => {}
        }
    }
}
