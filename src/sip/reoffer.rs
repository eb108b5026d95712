//! The peer changes or refreshes a session: re-INVITE (RFC 3261 §14.2) and UPDATE (RFC 3311).

use super::action::{Event, LegId, Path};
use super::content::{self, Refusal};
use super::core::{Core, LegTimer};
use super::dialog::{self, State};
use super::invite_server::{Waiting, accepted};
use super::message;
use super::requests::RETRY_AFTER;
use super::sdp::{self, Audio, Description};
use super::session_timer;
use super::transaction::TxId;
use bytes::Bytes;
use sipx_sip::{HeaderName, Method, Request, TransactionKey};
use std::time::{Duration, Instant};

/// How long our side may take to answer a re-offer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A re-offer that our side has not answered yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) transaction: TxId,
    invite: bool,
    offer: Option<(Bytes, Description)>,
}

impl Core {
    /// re-INVITE or UPDATE within a leg's dialog.
    pub(super) fn reoffered(
        &mut self,
        leg: LegId,
        key: TransactionKey,
        request: Request,
        reply: Path,
        now: Instant,
    ) {
        let (invite, offer) = match self.reoffer_terms(leg, &request) {
            Ok(terms) => terms,
            Err(refusal) => {
                self.refuse(&request, reply, &refusal);
                return;
            }
        };
        let (transactions, mut world) = self.split(now);
        let (transaction, Some(request)) = transactions.receive(key, request, reply, &mut world) else {
            return;
        };
        self.transactions.assign(transaction, leg);
        if invite && let Some(trying) = message::response(&request, 100, 0) {
            self.answer(transaction, trying, None, now);
        }
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        if let Some(target) = dialog::target(&request.headers) {
            entry.target = target;
        }
        self.hold_addresses(leg);
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let unchanged = offer.as_ref().is_some_and(|(body, _)| *body == entry.last_remote);
        let audio = offer.as_ref().map(|(_, offer)| offer.audio.clone());
        let refresh = !invite && offer.is_none();
        entry.pending = Some(Pending { transaction, invite, offer });
        if refresh {
            self.settle(leg, None, now);
        } else if unchanged && !entry.sdp.body().is_empty() {
            // A refresh in the shape of an offer: the same answer as before.
            let body = entry.sdp.body().clone();
            self.settle(leg, Some(body), now);
        } else {
            self.arm(leg, LegTimer::ReofferLimit, now + PATIENCE);
            self.tell(leg, Event::Reoffered(leg, audio));
        }
    }

    fn reoffer_terms(
        &self,
        leg: LegId,
        request: &Request,
    ) -> Result<(bool, Option<(Bytes, Description)>), Refusal> {
        let invite = request.method == Method::Invite;
        let later = || Refusal::new(500).with(HeaderName::RetryAfter, RETRY_AFTER);
        let entry = self.legs.get(&leg).ok_or_else(|| Refusal::new(481))?;
        session_timer::check(request)?;
        let body = content::description(&request.headers, request.body())?;
        if invite || body.is_some() {
            match entry.state {
                // Our offer is out (RFC 3311 §5.2), or an INVITE of ours is (RFC 3261 §14.2).
                State::Calling | State::Cancelling => return Err(Refusal::new(491)),
                // Their first offer has no answer yet.
                State::Invited => return Err(later()),
                State::Confirmed | State::Ending => {}
            }
            if entry.pending.is_some() {
                return Err(later());
            }
            // Their ACK, or the answer to our refresh, is still on its way.
            if entry.refreshing || entry.unacked.is_some() {
                return Err(Refusal::new(491));
            }
        } else if entry.pending.is_some() {
            return Err(later());
        }
        let Some(body) = body else { return Ok((invite, None)) };
        let description = sdp::read(&body).map_err(|error| Refusal::new(error.status()))?;
        Ok((invite, Some((Bytes::copy_from_slice(&body), description))))
    }

    /// Our side accepts the re-offer with `audio`.
    pub(super) fn accept_reoffer(&mut self, leg: LegId, audio: &Audio, now: Instant) {
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let Some(pending) = &entry.pending else { return };
        let body = match &pending.offer {
            Some((_, offer)) => entry.sdp.answer(offer, audio),
            None => Some(entry.sdp.offer(audio)),
        };
        match body {
            Some(body) => self.settle(leg, Some(body), now),
            None => self.reject_reoffer(leg, 488, now),
        }
    }

    /// 2xx to what is pending.
    fn settle(&mut self, leg: LegId, body: Option<Bytes>, now: Instant) {
        self.disarm(leg, LegTimer::ReofferLimit);
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let Some(pending) = entry.pending.take() else { return };
        let Some(request) = self.transactions.server_request(pending.transaction) else { return };
        let Some((mut response, cseq)) = accepted(request, entry) else { return };
        if let Some(session) = session_timer::answer(request, &mut response.headers) {
            entry.session = Some(session);
        }
        let owes_answer = pending.offer.is_none();
        if let Some((body, _)) = pending.offer {
            entry.last_remote = body;
        }
        self.arm_session(leg, now);
        match body {
            Some(body) if pending.invite => {
                let wait = Waiting { cseq, owes_answer, initial: false };
                self.send_2xx(leg, pending.transaction, response, body, wait, now);
            }
            body => self.answer(pending.transaction, response, body, now),
        }
    }

    /// A final refusal of what is pending, if anything is; the session goes on as it was.
    pub(super) fn reject_reoffer(&mut self, leg: LegId, status: u16, now: Instant) {
        self.disarm(leg, LegTimer::ReofferLimit);
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        let Some(pending) = entry.pending.take() else { return };
        let tag = entry.local_tag;
        let Some(request) = self.transactions.server_request(pending.transaction) else { return };
        let Some(response) = message::response(request, status, tag) else { return };
        self.answer(pending.transaction, response, None, now);
    }

    /// Our side has not answered in time.
    pub(super) fn reoffer_ignored(&mut self, leg: LegId, now: Instant) {
        self.reject_reoffer(leg, 500, now);
    }
}
