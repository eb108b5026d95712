//! The core: every leg, transaction and timer, and the way in and out of it.

use super::action::{Action, EndReason, Event, LegId, Path, Standing};
use super::dialog::{Leg, Role, State};
use super::gate::Gate;
use super::message::LIMITS;
use super::peers::Peers;
use super::random::Random;
use super::salvage;
use super::timers::Timers;
use super::transaction::{News, Owner, Transactions, TxId, World};
use bytes::Bytes;
use sipx_sip::{Message, Method, Request, Response, Timer, parse_datagram};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// T1, T2, T4 (RFC 3261 §17.1.1.1).
pub(super) const TIMERS: sipx_sip::Timers = sipx_sip::Timers {
    t1: Duration::from_millis(500),
    t2: Duration::from_secs(4),
    t4: Duration::from_secs(5),
};
/// 64·T1: how long anything is retransmitted.
pub(super) const PATIENCE: Duration = Duration::from_secs(32);

/// Bounds of the core.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Calls from trunks at once; more are shed.
    pub calls: usize,
    /// New INVITEs a second before shedding.
    pub invites_per_second: u32,
}

/// Figures of the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Legs, ending ones included.
    pub legs: usize,
    /// Transactions, those that only absorb retransmissions included.
    pub transactions: usize,
    /// Timers set.
    pub timers: usize,
    /// Addresses let in though they are no trunk.
    pub peers: usize,
    /// Calls refused statelessly since the start.
    pub shed: u64,
    /// Messages dropped without an answer since the start.
    pub dropped: u64,
}

/// What is due some time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    Transaction(TxId, Timer),
    Leg(LegId, LegTimer),
}

/// The timers a leg may have, one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegTimer {
    /// Send the 2xx again.
    Retransmit,
    /// The ACK will not come any more.
    AckLimit,
    /// Send the reliable provisional again.
    Reliable,
    /// The PRACK will not come any more.
    ReliableLimit,
    /// The re-offer was not answered by our side.
    ReofferLimit,
    /// Nobody answers our INVITE (Timer C, RFC 3261 §16.6).
    NoAnswer,
    /// The CANCEL did not end our INVITE.
    CancelLimit,
    /// The session is to be refreshed by us.
    Refresh,
    /// The session was not refreshed by anybody.
    Expiry,
    /// Say 180 again, so that proxies keep waiting (RFC 3261 §13.3.1.1).
    RingAgain,
    /// The leg has been in its state for longer than anything sensible.
    Reap,
}

/// The SIP core.
#[derive(Debug)]
pub struct Core {
    pub(super) settings: Settings,
    pub(super) random: Random,
    /// Part of every branch of ours.
    pub(super) instance: u64,
    pub(super) transactions: Transactions,
    pub(super) timers: Timers<Due>,
    pub(super) peers: Peers,
    pub(super) actions: VecDeque<Action>,
    pub(super) legs: HashMap<LegId, Leg>,
    /// Legs by our tag.
    pub(super) tags: HashMap<u64, LegId>,
    /// Legs by (Call-ID, From tag, CSeq) of the INVITE that made them (RFC 3261 §8.2.2.2).
    pub(super) merges: HashMap<u64, LegId>,
    hasher: RandomState,
    gate: Gate,
    /// Legs of callers that are not ending.
    pub(super) calls: usize,
    next_leg: u64,
    pub(super) shed: u64,
    pub(super) dropped: u64,
}

impl Core {
    /// A core without legs. `seed` must be unpredictable: tags and branches come from it.
    pub fn new(settings: Settings, seed: [u8; 32]) -> Self {
        let mut random = Random::new(&seed);
        Self {
            settings,
            instance: random.next(),
            random,
            transactions: Transactions::default(),
            timers: Timers::new(),
            peers: Peers::default(),
            actions: VecDeque::new(),
            legs: HashMap::new(),
            tags: HashMap::new(),
            merges: HashMap::new(),
            hasher: RandomState::new(),
            gate: Gate::new(settings.invites_per_second),
            calls: 0,
            next_leg: 0,
            shed: 0,
            dropped: 0,
        }
    }

    /// Takes one message. `busy` sheds new calls whatever the limits say.
    pub fn receive(&mut self, bytes: &Bytes, path: Path, standing: Standing, busy: bool, now: Instant) {
        // Keep-alives (RFC 5626 §3.5.1) and what is too short for any message.
        if bytes.len() < 16 || bytes.iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return;
        }
        match parse_datagram(bytes.clone(), &LIMITS) {
            Ok(Message::Request(request)) => self.request(request, path, standing, busy, now),
            Ok(Message::Response(response)) => self.response(response, now),
            Err(_) => self.refuse_broken(bytes, path, standing),
        }
    }

    /// Takes what is no message, though it may have been meant as one: 400, if it can be answered.
    pub fn refuse_broken(&mut self, bytes: &[u8], path: Path, standing: Standing) {
        let reply = match standing {
            Standing::Trunk => salvage::bad_request(bytes, self.random.of(bytes)),
            Standing::Peer => None,
        };
        match reply {
            Some(reply) => self.send(path, Bytes::from(reply)),
            None => self.dropped += 1,
        }
    }

    /// Does everything that is due by `now`.
    pub fn tick(&mut self, now: Instant) {
        while let Some(due) = self.timers.due(now) {
            match due {
                Due::Transaction(id, timer) => {
                    let (transactions, mut world) = self.split(now);
                    let news = transactions.fire(id, timer, &mut world);
                    self.hear(Some(id), news, now);
                }
                Due::Leg(leg, timer) => self.leg_timer(leg, timer, now),
            }
        }
    }

    /// When [`Core::tick`] is to be called next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next_deadline()
    }

    /// The next thing to do, until there is none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The TCP connection to `peer` is gone or could not be made: what waits on it fails.
    pub fn peer_lost(&mut self, peer: SocketAddr, now: Instant) {
        let (transactions, mut world) = self.split(now);
        for (id, news) in transactions.peer_lost(peer, &mut world) {
            self.hear(Some(id), news, now);
        }
    }

    /// Whether this address is the other side of a leg of ours.
    pub fn expects(&self, ip: IpAddr) -> bool {
        self.peers.contains(ip)
    }

    /// The way to a leg's peer.
    pub fn path(&self, leg: LegId) -> Option<Path> {
        self.legs.get(&leg).map(|leg| leg.path)
    }

    /// Figures of the moment.
    pub fn status(&self) -> Status {
        Status {
            legs: self.legs.len(),
            transactions: self.transactions.len(),
            timers: self.timers.len(),
            peers: self.peers.len(),
            shed: self.shed,
            dropped: self.dropped,
        }
    }

    /// Every leg that is not ending, for a stop.
    pub fn living(&self) -> Vec<LegId> {
        self.legs.values().filter(|leg| leg.state != State::Ending).map(|leg| leg.id).collect()
    }

    fn response(&mut self, response: Response, now: Instant) {
        let found =
            sipx_sip::TransactionKey::from_response(&response).and_then(|key| self.transactions.client(&key));
        let valid = sipx_sip::validate_response(&response).is_empty();
        let Some(id) = found.filter(|_| valid) else {
            self.dropped += 1;
            return;
        };
        let (transactions, mut world) = self.split(now);
        let news = transactions.answer(id, response, &mut world);
        self.hear(Some(id), news, now);
    }

    /// Passes on what transactions have to say.
    pub(super) fn hear(&mut self, id: Option<TxId>, news: Vec<News>, now: Instant) {
        for piece in news {
            match piece {
                News::Response(Owner::Invite(leg), response) => {
                    if let Some(id) = id {
                        self.invite_answered(leg, id, &response, now);
                    }
                }
                News::Response(Owner::Refresh(leg), response) => {
                    if let Some(id) = id {
                        self.refresh_answered(leg, id, &response, now);
                    }
                }
                News::Response(Owner::Bye(leg), response) if response.status.is_final() => {
                    self.remove(leg, now)
                }
                News::Ack(ack) => self.ack(&ack, now),
                News::Timeout(Owner::Invite(leg)) => self.invite_failed(leg, 408, now),
                News::Failed(Owner::Invite(leg)) => self.invite_failed(leg, 503, now),
                News::Timeout(Owner::Refresh(leg)) | News::Failed(Owner::Refresh(leg)) => {
                    // RFC 4028 §10: no answer to a refresh ends the session.
                    self.finish(leg, EndReason::SessionExpired, now);
                }
                News::Timeout(Owner::Bye(leg)) | News::Failed(Owner::Bye(leg)) => self.remove(leg, now),
                News::Response(..) | News::Timeout(Owner::Nobody) | News::Failed(Owner::Nobody) => {}
            }
        }
    }

    fn leg_timer(&mut self, leg: LegId, timer: LegTimer, now: Instant) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.timers.disarm(&mut self.timers, timer);
        }
        match timer {
            LegTimer::Retransmit => self.retransmit(leg, now),
            LegTimer::AckLimit => self.finish(leg, EndReason::AckLost, now),
            LegTimer::Reliable => self.reliable_again(leg, now),
            LegTimer::ReliableLimit => self.reliable_lost(leg, now),
            LegTimer::ReofferLimit => self.reoffer_ignored(leg, now),
            LegTimer::NoAnswer => self.nobody_answers(leg, now),
            LegTimer::CancelLimit => self.cancel_ignored(leg, now),
            LegTimer::Refresh => self.refresh(leg, now),
            LegTimer::Expiry => self.finish(leg, EndReason::SessionExpired, now),
            LegTimer::RingAgain => self.ring_again(leg, now),
            LegTimer::Reap => self.reap(leg, now),
        }
    }

    // -- what the other files of this room share

    /// The transactions, and the world they work on.
    pub(super) fn split(&mut self, now: Instant) -> (&mut Transactions, World<'_>) {
        let world =
            World { timers: &mut self.timers, actions: &mut self.actions, peers: &mut self.peers, now };
        (&mut self.transactions, world)
    }

    /// Sets a timer of a leg.
    pub(super) fn arm(&mut self, leg: LegId, timer: LegTimer, at: Instant) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.timers.arm(&mut self.timers, timer, at, Due::Leg(leg.id, timer));
        }
    }

    /// Takes a timer of a leg back.
    pub(super) fn disarm(&mut self, leg: LegId, timer: LegTimer) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.timers.disarm(&mut self.timers, timer);
        }
    }

    /// Tells the owner, unless it has hung up on that leg.
    pub(super) fn tell(&mut self, leg: LegId, event: Event) {
        if self.legs.get(&leg).is_some_and(|leg| !leg.silent) {
            self.actions.push_back(Action::Tell(event));
        }
    }

    pub(super) fn send(&mut self, path: Path, bytes: Bytes) {
        self.actions.push_back(Action::Send(path, bytes));
    }

    /// Whether there is room for one more new call, and takes it.
    pub(super) fn admit(&mut self, busy: bool, now: Instant) -> bool {
        !busy
            && self.calls < self.settings.calls
            && self.transactions.len() < self.most_transactions()
            && self.gate.admit(now)
    }

    /// Transactions beyond which nothing new is taken in.
    pub(super) fn most_transactions(&self) -> usize {
        1024 + 64 * self.settings.calls
    }

    pub(super) fn next_leg(&mut self) -> LegId {
        // Even; the legs that our owner starts are odd.
        self.next_leg += 2;
        LegId(self.next_leg)
    }

    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        self.hasher.hash_one(parts)
    }

    /// The leg that a request with this To tag and Call-ID belongs to.
    pub(super) fn dialog(&self, to_tag: &[u8], call_id: &[u8]) -> Option<LegId> {
        let tag = std::str::from_utf8(to_tag).ok().filter(|tag| tag.len() == 16)?;
        let leg = self.tags.get(&u64::from_str_radix(tag, 16).ok()?)?;
        self.legs.get(leg).filter(|leg| leg.call_id == call_id).map(|leg| leg.id)
    }

    /// Puts a new leg into the table.
    pub(super) fn insert(&mut self, leg: Leg) {
        self.tags.insert(leg.local_tag, leg.id);
        if let Some(merge) = leg.merge {
            self.merges.insert(merge, leg.id);
        }
        self.calls += usize::from(leg.role == Role::Callee);
        let id = leg.id;
        self.legs.insert(id, leg);
        self.hold_addresses(id);
    }

    /// Lets the addresses in that may now speak within the leg's dialog.
    pub(super) fn hold_addresses(&mut self, leg: LegId) {
        let Some(leg) = self.legs.get_mut(&leg) else { return };
        let addresses = leg.addresses();
        addresses.iter().for_each(|ip| self.peers.hold(*ip));
        leg.held.drain(..).for_each(|ip| self.peers.release(ip));
        leg.held.extend(addresses);
    }

    /// A leg that no longer counts as a call, though it may still be ending.
    pub(super) fn uncount(&mut self, leg: LegId) {
        let counted = |leg: &&Leg| leg.role == Role::Callee && leg.state != State::Ending;
        if self.legs.get(&leg).filter(counted).is_some() {
            self.calls = self.calls.saturating_sub(1);
        }
    }

    /// Takes a leg out of the table, with its timers and its addresses.
    pub(super) fn remove(&mut self, leg: LegId, _now: Instant) {
        self.uncount(leg);
        let Some(mut leg) = self.legs.remove(&leg) else { return };
        leg.timers.disarm_all(&mut self.timers);
        self.tags.remove(&leg.local_tag);
        if let Some(merge) = leg.merge {
            self.merges.remove(&merge);
        }
        leg.held.drain(..).for_each(|ip| self.peers.release(ip));
    }

    /// Ends a leg by BYE and tells its owner why.
    pub(super) fn finish(&mut self, leg: LegId, reason: EndReason, now: Instant) {
        if self.legs.get(&leg).is_none_or(|leg| leg.state == State::Ending) {
            return;
        }
        self.tell(leg, Event::Ended(leg, reason));
        self.bye(leg, now);
    }

    /// Sends BYE; the leg stays until it is answered.
    pub(super) fn bye(&mut self, leg: LegId, now: Instant) {
        self.uncount(leg);
        let branch = super::dialog::branch(self.instance, self.random.next());
        let Some(entry) = self.legs.get_mut(&leg) else { return };
        entry.state = State::Ending;
        entry.silent = true;
        entry.unacked = None;
        entry.timers.disarm_all(&mut self.timers);
        let cseq = entry.next_cseq();
        let (request, path) = entry.request(Method::Bye, cseq, &branch);
        if self.send_request(request, None, path, Owner::Bye(leg), now).is_none() {
            self.remove(leg, now);
        }
    }

    /// Completes a request of ours and sends it in a transaction.
    pub(super) fn send_request(
        &mut self,
        mut request: Request,
        body: Option<Bytes>,
        path: Path,
        owner: Owner,
        now: Instant,
    ) -> Option<TxId> {
        super::message::finish(&mut request.headers, body.as_ref());
        if let Some(body) = body {
            request.set_body(body);
        }
        let (transactions, mut world) = self.split(now);
        transactions.send(request, path, owner, &mut world)
    }
}
