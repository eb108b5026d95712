//! Who waits, who is idle, who is offered what: the pure core of a tenant's queues.
//!
//! After every step, for every call that is offered to nobody and every idle operator of its
//! queue, the operator is being skipped for that call: nobody waits beside a free operator.
//! Choices cost O(log n) in calls and operators.

use super::line::{Line, Place};
use super::roster::Member;
use super::{Operator, QueueError, Snapshot};
use crate::calls::{Endpoint, OfferOutcome};
use crate::domain::{AccountId, CallId, CampaignId, Presence, QueueId, UnixMillis};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// How long an operator is spared after refusing a call (that call), or after their leg
/// failed or their phone was not answered (all calls); milliseconds.
const SPARED: UnixMillis = 5_000;

/// What the floor wants done or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Offer the call; then say [`Floor::offered`] or [`Floor::offer_failed`].
    Offer(Proposal),
    /// Refuse the offer for them: they are gone.
    Withdraw { call: CallId, account: AccountId },
    /// It no longer rings there.
    OfferEnded { call: CallId, account: AccountId, outcome: OfferOutcome },
    /// A presence changed, and why; without a reason only what is reserved did.
    Presence {
        account: AccountId,
        presence: Presence,
        reserved: Option<Presence>,
        reason: Option<&'static str>,
    },
    /// A line changed.
    Waiting { queue: QueueId, waiting: usize, longest_since: Option<UnixMillis> },
}

/// An offer to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) call: CallId,
    pub(super) account: AccountId,
    pub(super) endpoint: Endpoint,
    pub(super) queue: QueueId,
    pub(super) queue_name: String,
    pub(super) campaign: CampaignId,
    pub(super) caller: String,
    pub(super) waited_ms: i64,
    pub(super) ring_seconds: u32,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wake {
    /// The operator may be offered that call again.
    Skip(CallId, AccountId),
    /// The operator may be offered calls again.
    Rest(AccountId),
    /// Wrap-up is over.
    WrapUp(AccountId),
}

/// A queue: its settings, its line, its idle operators.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) name: String,
    pub(super) ring_seconds: u32,
    pub(super) wrap_up_seconds: u32,
    pub(super) line: Line,
    pub(super) idle: BTreeSet<(UnixMillis, AccountId)>,
}

/// A waiting call.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) queue: QueueId,
    pub(super) campaign: CampaignId,
    pub(super) caller: String,
    pub(super) place: Place,
    pub(super) offered: Option<AccountId>,
    pub(super) skipped: Vec<AccountId>,
}

/// A tenant's queues.
#[derive(Debug, Default)]
pub(super) struct Floor {
    pub(super) desks: HashMap<QueueId, Desk>,
    pub(super) members: HashMap<AccountId, Member>,
    pub(super) calls: HashMap<CallId, Waiting>,
    /// Calls that are talked, and by whom.
    pub(super) talked: HashMap<CallId, AccountId>,
    pub(super) wakes: BTreeSet<(UnixMillis, Wake)>,
    pub(super) seen: u64,
    pub(super) outputs: VecDeque<Output>,
}

impl Floor {
    /// The next thing to do.
    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Floor::wake`] wants to be called.
    pub(super) fn next_wake(&self) -> Option<UnixMillis> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Whether this queue's settings are known.
    pub(super) fn knows(&self, queue: QueueId) -> bool {
        self.desks.contains_key(&queue)
    }

    /// One operator.
    pub(super) fn operator(&self, account: AccountId) -> Result<Operator, QueueError> {
        self.members.get(&account).map(Member::show).ok_or(QueueError::NotFound)
    }

    /// All operators by account, and all lines by queue.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut operators: Vec<_> = self.members.values().map(Member::show).collect();
        operators.sort_by_key(|operator| operator.account);
        let mut lines: Vec<_> = self
            .desks
            .iter()
            .map(|(queue, desk)| (*queue, desk.line.len(), desk.line.longest_since()))
            .collect();
        lines.sort_by_key(|(queue, ..)| *queue);
        (operators, lines)
    }

    /// A call waits.
    pub(super) fn queued(
        &mut self,
        now: UnixMillis,
        call: CallId,
        queue: QueueId,
        campaign: CampaignId,
        caller: String,
        since: UnixMillis,
    ) {
        self.leave(call);
        self.seen += 1;
        let place = Place { since, seen: self.seen, call };
        self.desks.entry(queue).or_insert_with(Desk::unknown).line.join(place);
        let waiting = Waiting { queue, campaign, caller, place, offered: None, skipped: Vec::new() };
        self.calls.insert(call, waiting);
        self.tell_waiting(queue);
        self.place_call(now, call);
    }

    /// A call left its queue without an operator.
    pub(super) fn dequeued(&mut self, call: CallId) {
        self.leave(call);
    }

    /// The offer is made: it rings.
    pub(super) fn offered(&mut self, now: UnixMillis, account: AccountId) {
        if self.members.get(&account).is_some_and(|member| member.call.is_some()) {
            self.set(now, account, Presence::Ringing, "");
        }
    }

    /// The offer could not be made. The call is gone, unless it was only `busy`.
    pub(super) fn offer_failed(&mut self, now: UnixMillis, call: CallId, account: AccountId, busy: bool) {
        if !busy {
            self.leave(call);
        }
        self.give_back(
            now,
            call,
            account,
            if busy { OfferOutcome::Failed } else { OfferOutcome::CallerGone },
        );
    }

    /// An offer ended.
    pub(super) fn offer_ended(
        &mut self,
        now: UnixMillis,
        call: CallId,
        account: AccountId,
        outcome: OfferOutcome,
    ) {
        let theirs = self.members.get(&account).is_some_and(|member| member.call == Some(call));
        if !theirs {
            return;
        }
        self.outputs.push_back(Output::OfferEnded { call, account, outcome });
        match outcome {
            OfferOutcome::Accepted => self.bridged(now, call, account),
            OfferOutcome::CallerGone => {
                self.leave(call);
                self.give_back(now, call, account, outcome);
            }
            _ => self.give_back(now, call, account, outcome),
        }
    }

    /// Operator and caller talk.
    pub(super) fn bridged(&mut self, now: UnixMillis, call: CallId, account: AccountId) {
        let wrap_up = self.calls.get(&call).and_then(|waiting| self.desks.get(&waiting.queue));
        let wrap_up = wrap_up.map(|desk| desk.wrap_up_seconds);
        self.leave(call);
        self.unindex(account);
        let Some(member) = self.members.get_mut(&account) else { return };
        member.call = Some(call);
        member.wrap_up_seconds = wrap_up.unwrap_or(member.wrap_up_seconds);
        self.talked.insert(call, account);
        self.set(now, account, Presence::Talking, "");
    }

    /// The customer is put on hold, or taken back.
    pub(super) fn held(&mut self, now: UnixMillis, call: CallId, held: bool) {
        if let Some(account) = self.talked.get(&call).copied() {
            self.set(now, account, if held { Presence::Hold } else { Presence::Talking }, "");
        }
    }

    /// A call is over.
    pub(super) fn ended(&mut self, now: UnixMillis, call: CallId) {
        self.leave(call);
        let Some(account) = self.talked.remove(&call) else { return };
        let Some(member) = self.members.get_mut(&account).filter(|member| member.call == Some(call)) else {
            return;
        };
        member.call = None;
        let reserved = member.reserved.take().filter(|_| member.endpoint().is_some());
        let next = reserved.unwrap_or_else(|| member.after_call());
        if next == Presence::WrapUp && member.wrap_up_seconds > 0 {
            let until = now + i64::from(member.wrap_up_seconds) * 1000;
            member.wrap_up_until = Some(until);
            self.wakes.insert((until, Wake::WrapUp(account)));
        }
        self.turn(now, account, next, "call_ended");
    }

    /// An endpoint of an operator is there.
    pub(super) fn attach(&mut self, now: UnixMillis, account: AccountId, endpoint: Endpoint) {
        self.unindex(account);
        let Some(member) = self.members.get_mut(&account) else { return };
        match endpoint {
            Endpoint::Browser(leg) => member.browser = Some(leg),
            Endpoint::Sip(phone) => member.phone = Some(phone),
        }
        self.index(account);
        self.serve(now, account);
    }

    /// That endpoint is gone.
    pub(super) fn detach(&mut self, now: UnixMillis, account: AccountId, endpoint: &Endpoint) {
        let Some(member) = self.members.get_mut(&account).filter(|member| match endpoint {
            Endpoint::Browser(leg) => member.browser == Some(*leg),
            Endpoint::Sip(phone) => member.phone.as_ref() == Some(phone),
        }) else {
            return;
        };
        match endpoint {
            Endpoint::Browser(_) => member.browser = None,
            Endpoint::Sip(_) => member.phone = None,
        }
        if member.phone.is_some() || member.browser.is_some() {
            return;
        }
        match (member.call, member.presence) {
            (None, _) => self.turn(now, account, Presence::Offline, "disconnected"),
            (Some(call), Presence::Ringing) => self.outputs.push_back(Output::Withdraw { call, account }),
            (Some(_), _) => {}
        }
    }

    /// The operator chooses.
    pub(super) fn choose(
        &mut self,
        now: UnixMillis,
        account: AccountId,
        presence: Presence,
    ) -> Result<Operator, QueueError> {
        if !presence.is_chosen() {
            return Err(QueueError::NotChosen);
        }
        let member = self.members.get_mut(&account).ok_or(QueueError::NotFound)?;
        member.chosen = true;
        if member.call.is_some() {
            member.reserved = Some(presence);
            let (presence, reserved) = (member.presence, member.reserved);
            self.outputs.push_back(Output::Presence { account, presence, reserved, reason: None });
        } else if member.presence != presence {
            member.rests_until = None;
            self.turn(now, account, presence, "chosen");
        } else {
            // Wrap-up pressed during wrap-up: it no longer ends by itself.
            member.wrap_up_until = None;
        }
        self.operator(account)
    }

    /// Does what is due. First everybody becomes what they become, then calls are offered, so
    /// that what falls due together is weighed together.
    pub(super) fn wake(&mut self, now: UnixMillis) {
        let mut idle = Vec::new();
        while let Some((at, wake)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, wake));
            match wake {
                Wake::Skip(call, account) => {
                    if let Some(waiting) = self.calls.get_mut(&call) {
                        waiting.skipped.retain(|skipped| *skipped != account);
                        idle.push(account);
                    }
                }
                Wake::Rest(account) => {
                    if let Some(member) = self.members.get_mut(&account)
                        && member.rests_until.take_if(|until| *until <= now).is_some()
                    {
                        self.index(account);
                        idle.push(account);
                    }
                }
                Wake::WrapUp(account) => {
                    if let Some(member) = self.members.get_mut(&account)
                        && member.presence == Presence::WrapUp
                        && member.wrap_up_until == Some(at)
                    {
                        self.pass_into(now, account, Presence::Available, "wrap_up_over");
                        idle.push(account);
                    }
                }
            }
        }
        self.serve_all(now, idle);
    }

    /// Takes an offer back: the operator is free again, the call waits on if it is still there.
    fn give_back(&mut self, now: UnixMillis, call: CallId, account: AccountId, outcome: OfferOutcome) {
        if let Some(waiting) = self.calls.get_mut(&call)
            && waiting.offered.take_if(|offered| *offered == account).is_some()
        {
            if matches!(outcome, OfferOutcome::Refused | OfferOutcome::TimedOut | OfferOutcome::Failed) {
                waiting.skipped.push(account);
                self.wakes.insert((now + SPARED, Wake::Skip(call, account)));
            }
            if let Some(desk) = self.desks.get_mut(&waiting.queue) {
                desk.line.release(waiting.place);
            }
            self.place_call(now, call);
        }
        let Some(member) = self.members.get_mut(&account).filter(|member| member.call == Some(call)) else {
            return;
        };
        member.call = None;
        let unanswered = outcome == OfferOutcome::TimedOut;
        if outcome == OfferOutcome::Failed || (unanswered && member.phone.is_some()) {
            member.rests_until = Some(now + SPARED);
            self.wakes.insert((now + SPARED, Wake::Rest(account)));
        }
        let (next, reason) = match member.reserved.take() {
            _ if member.endpoint().is_none() => (Presence::Offline, "disconnected"),
            Some(reserved) => (reserved, "reserved"),
            None if unanswered && member.phone.is_none() => (Presence::Away, "no_answer"),
            None => (Presence::Available, ""),
        };
        self.turn(now, account, next, reason);
    }

    /// Changes a presence outside a call, and offers what waits when it makes them idle.
    fn turn(&mut self, now: UnixMillis, account: AccountId, presence: Presence, reason: &'static str) {
        self.pass_into(now, account, presence, reason);
        self.serve(now, account);
    }

    /// Changes a presence outside a call.
    fn pass_into(&mut self, now: UnixMillis, account: AccountId, presence: Presence, reason: &'static str) {
        self.unindex(account);
        if let Some(member) = self.members.get_mut(&account) {
            // An offer that came to nothing leaves the place among the idle as it was.
            if !matches!(member.presence, Presence::Available | Presence::Ringing) {
                member.idle_since = now;
            }
            if presence != Presence::WrapUp {
                member.wrap_up_until = None;
            }
        }
        self.set(now, account, presence, reason);
        self.index(account);
    }

    pub(super) fn set(
        &mut self,
        now: UnixMillis,
        account: AccountId,
        presence: Presence,
        reason: &'static str,
    ) {
        if let Some(member) = self.members.get_mut(&account)
            && member.presence != presence
        {
            (member.presence, member.since) = (presence, now);
            let reserved = member.reserved;
            self.outputs.push_back(Output::Presence { account, presence, reserved, reason: Some(reason) });
        }
    }

    /// [`Floor::serve`] for each, the longest idle first.
    pub(super) fn serve_all(&mut self, now: UnixMillis, mut idle: Vec<AccountId>) {
        idle.sort_by_key(|account| self.members.get(account).map(|member| (member.idle_since, *account)));
        for account in idle {
            self.serve(now, account);
        }
    }

    /// Offers the longest waiting call of their queues to an idle operator.
    fn serve(&mut self, now: UnixMillis, account: AccountId) {
        let Some(member) = self.members.get(&account).filter(|member| member.is_idle()) else { return };
        let first = |queue: &QueueId| {
            let free = self.desks.get(queue)?.line.free();
            free.into_iter().find(|place| {
                self.calls.get(&place.call).is_some_and(|waiting| !waiting.skipped.contains(&account))
            })
        };
        if let Some(place) = member.queues.iter().filter_map(first).min() {
            self.propose(now, place.call, account);
        }
    }

    /// Offers a free call to the longest idle operator of its queue.
    fn place_call(&mut self, now: UnixMillis, call: CallId) {
        let Some(waiting) = self.calls.get(&call).filter(|waiting| waiting.offered.is_none()) else { return };
        let Some(desk) = self.desks.get(&waiting.queue) else { return };
        let chosen = desk.idle.iter().map(|(_, account)| *account).find(|a| !waiting.skipped.contains(a));
        if let Some(account) = chosen {
            self.propose(now, call, account);
        }
    }

    fn propose(&mut self, now: UnixMillis, call: CallId, account: AccountId) {
        self.unindex(account);
        let (Some(waiting), Some(member)) = (self.calls.get_mut(&call), self.members.get_mut(&account))
        else {
            return;
        };
        let (Some(desk), Some(endpoint)) = (self.desks.get_mut(&waiting.queue), member.endpoint()) else {
            return;
        };
        desk.line.ring(waiting.place);
        waiting.offered = Some(account);
        member.call = Some(call);
        self.outputs.push_back(Output::Offer(Proposal {
            call,
            account,
            endpoint,
            queue: waiting.queue,
            queue_name: desk.name.clone(),
            campaign: waiting.campaign,
            caller: waiting.caller.clone(),
            waited_ms: (now - waiting.place.since).max(0),
            ring_seconds: desk.ring_seconds,
        }));
    }

    /// Takes a call out of its line, if it is in one.
    pub(super) fn leave(&mut self, call: CallId) {
        if let Some(waiting) = self.calls.remove(&call)
            && let Some(desk) = self.desks.get_mut(&waiting.queue)
        {
            desk.line.leave(waiting.place);
            self.tell_waiting(waiting.queue);
        }
    }

    fn tell_waiting(&mut self, queue: QueueId) {
        if let Some(desk) = self.desks.get(&queue) {
            let (waiting, longest_since) = (desk.line.len(), desk.line.longest_since());
            self.outputs.push_back(Output::Waiting { queue, waiting, longest_since });
        }
    }

    /// Puts an operator among the idle of their queues, if they are.
    pub(super) fn index(&mut self, account: AccountId) {
        if let Some(member) = self.members.get_mut(&account).filter(|member| member.is_idle()) {
            member.indexed = Some(member.idle_since);
            for queue in &member.queues {
                if let Some(desk) = self.desks.get_mut(queue) {
                    desk.idle.insert((member.idle_since, account));
                }
            }
        }
    }

    pub(super) fn unindex(&mut self, account: AccountId) {
        if let Some(member) = self.members.get_mut(&account)
            && let Some(key) = member.indexed.take()
        {
            for queue in &member.queues {
                if let Some(desk) = self.desks.get_mut(queue) {
                    desk.idle.remove(&(key, account));
                }
            }
        }
    }
}

impl Desk {
    /// A queue whose settings are not read yet.
    pub(super) fn unknown() -> Self {
        let (line, idle) = (Line::default(), BTreeSet::new());
        Self { name: String::new(), ring_seconds: 20, wrap_up_seconds: 0, line, idle }
    }
}

#[cfg(test)]
#[path = "floor_tests.rs"]
mod tests;
