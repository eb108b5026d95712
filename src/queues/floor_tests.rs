//! The floor alone: named scenarios, and random ones under a watchful model.

use super::*;
use crate::calls::Live;
use crate::domain::account::Account;
use crate::domain::account::Role;
use crate::domain::campaign::Sensitivity;
use crate::domain::queue::Queue;
use crate::media::LegId;
use proptest::prelude::*;
use uuid::Uuid;

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}
fn call(n: u128) -> CallId {
    CallId(Uuid::from_u128(n))
}
fn queue_id(n: u128) -> QueueId {
    QueueId(Uuid::from_u128(n))
}
fn campaign() -> CampaignId {
    CampaignId(Uuid::nil())
}

fn queue(n: u128, wrap_up_seconds: u32, members: &[u128]) -> Queue {
    Queue {
        id: queue_id(n),
        name: format!("q{n}"),
        campaign: campaign(),
        sensitivity: Sensitivity::Low,
        ring_seconds: 20,
        wrap_up_seconds,
        recorded: true,
        members: members.iter().map(|m| account(*m)).collect(),
    }
}

fn person(n: u128, phone: bool) -> Account {
    Account {
        id: account(n),
        login: format!("op{n}"),
        name: String::new(),
        role: Role::Operator,
        sip_contact: phone.then(|| format!("sip:{n}@192.0.2.1")),
        disabled: false,
        created_at: 0,
    }
}

/// A floor whose offers are made at once.
struct Hall {
    floor: Floor,
    now: UnixMillis,
    /// Offers made, in order.
    offers: Vec<(CallId, AccountId)>,
    told: Vec<Output>,
}

impl Hall {
    fn new(queues: &[Queue], people: &[Account]) -> Self {
        let mut hall = Self { floor: Floor::default(), now: 1_000_000, offers: Vec::new(), told: Vec::new() };
        hall.floor.configure(hall.now, queues, people);
        hall.settle();
        hall
    }
    /// Browser operators of one queue, available in order of their number.
    fn browsers(count: u128, wrap_up_seconds: u32) -> Self {
        let members: Vec<u128> = (1..=count).collect();
        let people: Vec<_> = members.iter().map(|m| person(*m, false)).collect();
        let mut hall = Self::new(&[queue(1, wrap_up_seconds, &members)], &people);
        for member in members {
            hall.floor.attach(hall.now, account(member), Endpoint::Browser(LegId(member as u64)));
            hall.choose(member, Presence::Available);
            hall.now += 1;
        }
        hall
    }
    fn settle(&mut self) {
        while let Some(output) = self.floor.poll() {
            if let Output::Offer(proposal) = &output {
                self.offers.push((proposal.call, proposal.account));
                self.floor.offered(self.now, proposal.account);
            }
            self.told.push(output);
        }
    }
    fn choose(&mut self, member: u128, presence: Presence) {
        self.floor.choose(self.now, account(member), presence).unwrap();
        self.settle();
    }
    fn queued(&mut self, n: u128) {
        self.floor.queued(self.now, call(n), queue_id(1), campaign(), String::new(), self.now);
        self.settle();
    }
    fn offer_ended(&mut self, n: u128, member: u128, outcome: OfferOutcome) {
        self.floor.offer_ended(self.now, call(n), account(member), outcome);
        self.settle();
    }
    fn ended(&mut self, n: u128) {
        self.floor.ended(self.now, call(n));
        self.settle();
    }
    fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.floor.wake(self.now);
        self.settle();
    }
    fn presence(&self, member: u128) -> Presence {
        self.floor.operator(account(member)).unwrap().presence
    }
    fn offered(&mut self) -> Vec<(u128, u128)> {
        self.offers.drain(..).map(|(call, account)| (call.0.as_u128(), account.0.as_u128())).collect()
    }
}

#[test]
fn the_longest_idle_operator_is_offered_the_call() {
    let mut hall = Hall::browsers(3, 0);
    hall.queued(1);
    hall.queued(2);
    assert_eq!(hall.offered(), [(1, 1), (2, 2)]);
    assert_eq!(hall.presence(1), Presence::Ringing);
    hall.offer_ended(1, 1, OfferOutcome::Accepted);
    assert_eq!(hall.presence(1), Presence::Talking);
    hall.ended(1);
    assert_eq!(hall.presence(1), Presence::WrapUp, "0 seconds wait for the operator");
    hall.pass(600_000);
    assert_eq!(hall.presence(1), Presence::WrapUp);
    hall.choose(1, Presence::Available);
    hall.queued(3);
    hall.queued(4);
    assert_eq!(hall.offered(), [(3, 3), (4, 1)]);
}

#[test]
fn a_refused_call_goes_to_the_next_and_comes_back_after_a_while() {
    let mut hall = Hall::browsers(2, 0);
    hall.queued(1);
    hall.offer_ended(1, 1, OfferOutcome::Refused);
    assert_eq!(hall.offered(), [(1, 1), (1, 2)]);
    assert_eq!(hall.presence(1), Presence::Available, "refusing leaves them available");
    hall.queued(2);
    assert_eq!(hall.offered(), [(2, 1)], "for another call they are the longest idle still");
    hall.offer_ended(2, 1, OfferOutcome::CallerGone);
    hall.offer_ended(1, 2, OfferOutcome::Refused);
    assert_eq!(hall.offered(), [], "both refused, and the first less than five seconds ago");
    hall.pass(4_999);
    assert_eq!(hall.offered(), []);
    hall.pass(1);
    assert_eq!(hall.offered(), [(1, 1)]);
}

#[test]
fn who_does_not_answer_in_the_browser_is_away_and_a_phone_rests() {
    let mut hall = Hall::browsers(1, 0);
    hall.queued(1);
    hall.offer_ended(1, 1, OfferOutcome::TimedOut);
    assert_eq!(hall.presence(1), Presence::Away);
    let reason = hall.told.iter().rev().find_map(|output| match output {
        Output::Presence { presence: Presence::Away, reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(reason, Some(Some("no_answer")));

    let mut hall = Hall::new(&[queue(1, 0, &[1])], &[person(1, true)]);
    assert_eq!(hall.presence(1), Presence::Available, "a phone of a queue is available from the start");
    hall.queued(1);
    hall.offer_ended(1, 1, OfferOutcome::TimedOut);
    assert_eq!((hall.presence(1), hall.offered().len()), (Presence::Available, 1));
    hall.queued(2);
    hall.pass(4_999);
    assert_eq!(hall.offered(), []);
    hall.pass(1);
    assert_eq!(hall.offered(), [(1, 1)]);
}

#[test]
fn after_a_call() {
    let talk = |hall: &mut Hall| {
        hall.queued(1);
        hall.offer_ended(1, 1, OfferOutcome::Accepted);
    };
    let mut hall = Hall::browsers(1, 10);
    talk(&mut hall);
    hall.ended(1);
    assert_eq!(hall.presence(1), Presence::WrapUp);
    hall.queued(2);
    hall.pass(9_999);
    assert_eq!(hall.presence(1), Presence::WrapUp);
    hall.pass(1);
    assert_eq!(hall.presence(1), Presence::Ringing, "available again, and call 2 waits");

    let mut hall = Hall::browsers(1, 10);
    talk(&mut hall);
    hall.ended(1);
    hall.choose(1, Presence::WrapUp);
    hall.pass(60_000);
    assert_eq!(hall.presence(1), Presence::WrapUp, "pressed: it stays");

    let mut hall = Hall::browsers(1, 10);
    talk(&mut hall);
    hall.choose(1, Presence::Away);
    assert_eq!(hall.presence(1), Presence::Talking);
    assert_eq!(hall.floor.operator(account(1)).unwrap().reserved, Some(Presence::Away));
    hall.ended(1);
    assert_eq!(hall.presence(1), Presence::Away);
    assert_eq!(hall.floor.operator(account(1)).unwrap().reserved, None);

    let mut phone = Hall::new(&[queue(1, 0, &[1])], &[person(1, true)]);
    talk(&mut phone);
    phone.ended(1);
    assert_eq!(phone.presence(1), Presence::Available, "no browser, no button");
    let mut phone = Hall::new(&[queue(1, 10, &[1])], &[person(1, true)]);
    talk(&mut phone);
    phone.ended(1);
    assert_eq!(phone.presence(1), Presence::WrapUp);
    phone.pass(10_000);
    assert_eq!(phone.presence(1), Presence::Available);
}

#[test]
fn coming_and_going() {
    let leg = |n| Endpoint::Browser(LegId(n));
    let mut hall = Hall::browsers(1, 0);
    hall.floor.detach(hall.now, account(1), &leg(99));
    assert_eq!(hall.presence(1), Presence::Available, "another browser's going changes nothing");
    hall.floor.detach(hall.now, account(1), &leg(1));
    assert_eq!(hall.presence(1), Presence::Offline);
    hall.choose(1, Presence::Available);
    hall.queued(1);
    assert_eq!(hall.offered(), [], "available without a browser is offered nothing");
    hall.floor.attach(hall.now, account(1), leg(2));
    hall.settle();
    assert_eq!(hall.offered(), [(1, 1)]);
    hall.floor.detach(hall.now, account(1), &leg(2));
    hall.settle();
    assert!(hall.told.contains(&Output::Withdraw { call: call(1), account: account(1) }));
    hall.offer_ended(1, 1, OfferOutcome::Refused);
    assert_eq!(hall.presence(1), Presence::Offline);

    let mut hall = Hall::browsers(1, 0);
    hall.queued(1);
    hall.offer_ended(1, 1, OfferOutcome::Accepted);
    hall.floor.detach(hall.now, account(1), &leg(1));
    assert_eq!(hall.presence(1), Presence::Talking, "a call holds them");
    hall.ended(1);
    assert_eq!(hall.presence(1), Presence::Offline);
}

#[test]
fn only_chosen_presences_are_chosen() {
    let mut hall = Hall::browsers(1, 0);
    for presence in [Presence::Ringing, Presence::Talking, Presence::Hold, Presence::Dialing] {
        assert_eq!(hall.floor.choose(0, account(1), presence).unwrap_err(), QueueError::NotChosen);
    }
    assert_eq!(hall.floor.choose(0, account(9), Presence::Away).unwrap_err(), QueueError::NotFound);
}

#[test]
fn settings_change_while_people_work() {
    let mut hall = Hall::browsers(2, 0);
    hall.queued(1);
    hall.offer_ended(1, 1, OfferOutcome::Accepted);
    let mut gone = person(1, false);
    gone.disabled = true;
    let second = queue(2, 0, &[2]);
    hall.floor.configure(hall.now, &[second, queue(1, 0, &[])], &[gone, person(2, false)]);
    hall.settle();
    assert_eq!(hall.presence(1), Presence::Talking, "a call is not cut by disabling its operator");
    hall.ended(1);
    assert_eq!(hall.presence(1), Presence::Offline);
    hall.queued(2);
    assert_eq!(hall.offered(), [(1, 1)], "operator 2 left queue 1");
    hall.floor.configure(hall.now, &[queue(1, 0, &[2])], &[person(2, false)]);
    hall.settle();
    assert_eq!(hall.offered(), [(2, 2)], "and is back");
    assert!(hall.floor.operator(account(1)).is_err());
}

#[test]
fn lost_news_is_made_good() {
    let live = |n, state, operator: Option<u128>| Live {
        call: call(n),
        tenant: crate::domain::TenantId(Uuid::nil()),
        caller: String::new(),
        called: String::new(),
        campaign: Some(campaign()),
        queue: Some(queue_id(1)),
        operator: operator.map(account),
        state,
        started_at: n as i64,
        queued_at: Some(n as i64),
        answered_at: None,
        customer: None,
        recording: None,
        held: false,
        muted: false,
    };
    let mut hall = Hall::browsers(3, 0);
    for n in 1..=4 {
        hall.queued(n);
    }
    hall.offer_ended(1, 1, OfferOutcome::Accepted);
    // Lost: call 1 ended, 2 was accepted, 3's caller went, 4 went, 5 came.
    hall.floor.resynchronise(hall.now, &[live(2, "talking", Some(2)), live(5, "queued", None)]);
    hall.settle();
    assert_eq!((hall.presence(1), hall.presence(2)), (Presence::WrapUp, Presence::Talking));
    assert_eq!(hall.presence(3), Presence::Available, "resting: whether they failed is not known");
    assert_eq!(hall.floor.snapshot().1, [(queue_id(1), 1, Some(5))]);
    hall.pass(SPARED);
    assert_eq!(hall.offered().last(), Some(&(5, 3)));
}

#[test]
fn ten_thousand_callers_and_a_thousand_operators() {
    let mut hall = Hall::browsers(1_000, 0);
    for n in 1..=10_000 {
        hall.queued(n);
    }
    assert_eq!(hall.offered().len(), 1_000);
    for n in 1..=10_000u128 {
        let member = (n - 1) % 1_000 + 1;
        hall.now += 1;
        hall.offer_ended(n, member, OfferOutcome::Accepted);
        hall.ended(n);
        hall.choose(member, Presence::Available);
        let expected = if n + 1_000 <= 10_000 { vec![(n + 1_000, member)] } else { vec![] };
        assert_eq!(hall.offered(), expected, "who waits longest is next");
    }
}

/// Random events; numbers pick calls and operators.
#[derive(Clone, Debug)]
enum Act {
    Queued(u128),
    Ended(u128, u8),
    Choose(u128, Presence),
    Attach(u128),
    Detach(u128),
    CallEnds(u128),
    Pass(i64),
    Configure(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let presence = prop_oneof![
        4 => Just(Presence::Available), 1 => Just(Presence::Away),
        1 => Just(Presence::WrapUp), 1 => Just(Presence::Offline)
    ];
    let act = prop_oneof![
        6 => (1u128..3).prop_map(Act::Queued),
        8 => (0u128..20, any::<u8>()).prop_map(|(n, how)| Act::Ended(n, how)),
        4 => (1u128..6, presence).prop_map(|(who, presence)| Act::Choose(who, presence)),
        2 => (1u128..6).prop_map(Act::Attach),
        1 => (1u128..6).prop_map(Act::Detach),
        4 => (0u128..20).prop_map(Act::CallEnds),
        3 => (0i64..8_000).prop_map(Act::Pass),
        1 => any::<u8>().prop_map(Act::Configure),
    ];
    prop::collection::vec(act, 0..120)
}

/// Two queues that share operator 3; 5 is a phone.
fn settings(variant: u8) -> (Vec<Queue>, Vec<Account>) {
    let first: &[u128] = if variant.is_multiple_of(3) { &[1, 2, 3] } else { &[1, 3, 5] };
    let queues = vec![queue(1, 2, first), queue(2, 0, &[3, 4, 5])];
    let people =
        (1..=5).map(|n| Account { disabled: variant % 5 == 1 && n == 4, ..person(n, n == 5) }).collect();
    (queues, people)
}

/// The calls' side, and what must hold on the floor's.
#[derive(Default)]
struct World {
    ringing: HashMap<CallId, AccountId>,
    talking: HashMap<CallId, AccountId>,
    made: u128,
}

impl World {
    /// Makes the floor's offers, checking each.
    fn settle(&mut self, floor: &mut Floor, now: UnixMillis) {
        while let Some(output) = floor.poll() {
            let Output::Offer(proposal) = output else { continue };
            let (call, account) = (proposal.call, proposal.account);
            assert!(!self.ringing.contains_key(&call), "a call is offered twice");
            assert!(!self.ringing.values().any(|a| *a == account), "an operator is offered two calls");
            assert!(!self.talking.contains_key(&call) && !self.talking.values().any(|a| *a == account));
            let waiting = &floor.calls[&call];
            let member = &floor.members[&account];
            assert!(member.queues.contains(&waiting.queue), "offered outside the queue");
            for other in floor.members.values().filter(|m| m.is_idle() && m.queues.contains(&waiting.queue)) {
                // Of those who became idle in the same millisecond, either may be first.
                let fair = waiting.skipped.contains(&other.account) || member.idle_since <= other.idle_since;
                assert!(fair, "{other:?} is idle longer than {member:?}");
            }
            self.ringing.insert(call, account);
            floor.offered(now, account);
        }
        self.check(floor);
    }

    /// Nobody waits beside a free operator; books agree.
    fn check(&self, floor: &Floor) {
        for waiting in floor.calls.values().filter(|waiting| waiting.offered.is_none()) {
            for member in floor.members.values().filter(|member| member.is_idle()) {
                let apart =
                    !member.queues.contains(&waiting.queue) || waiting.skipped.contains(&member.account);
                assert!(apart, "{waiting:?} waits beside {member:?}");
            }
        }
        for member in floor.members.values() {
            let busy = self.ringing.iter().chain(&self.talking).find(|(_, a)| **a == member.account);
            assert_eq!(member.call, busy.map(|(call, _)| *call), "{member:?}");
            for (queue, desk) in &floor.desks {
                let idle = desk.idle.contains(&(member.idle_since, member.account));
                assert_eq!(idle, member.is_idle() && member.queues.contains(queue), "{member:?} in {queue}");
            }
        }
        let free: usize = floor.desks.values().map(|desk| desk.line.free().count()).sum();
        assert_eq!(free + self.ringing.len(), floor.calls.len());
        for desk in floor.desks.values() {
            assert!(desk.idle.iter().all(|(_, account)| floor.members.contains_key(account)));
        }
    }
}

fn pick<K: Copy + Ord, V>(map: &HashMap<K, V>, n: u128) -> Option<K> {
    let mut keys: Vec<K> = map.keys().copied().collect();
    keys.sort();
    keys.get(n as usize % keys.len().max(1)).copied()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nobody_waits_beside_a_free_operator(acts in acts()) {
        let (mut floor, mut world, mut now) = (Floor::default(), World::default(), 0);
        let (queues, people) = settings(0);
        floor.configure(now, &queues, &people);
        world.settle(&mut floor, now);
        for act in acts {
            now += 1;
            match act {
                Act::Queued(queue) => {
                    world.made += 1;
                    floor.queued(now, call(world.made), queue_id(queue), campaign(), String::new(), now);
                }
                Act::Ended(n, how) => {
                    let Some(call) = pick(&world.ringing, n) else { continue };
                    let account = world.ringing.remove(&call).unwrap();
                    let outcome = match how % 6 {
                        0 | 1 => OfferOutcome::Accepted,
                        2 => OfferOutcome::Refused,
                        3 => OfferOutcome::TimedOut,
                        4 => OfferOutcome::Failed,
                        _ => OfferOutcome::CallerGone,
                    };
                    if outcome == OfferOutcome::Accepted {
                        world.talking.insert(call, account);
                    }
                    floor.offer_ended(now, call, account, outcome);
                }
                Act::Choose(who, presence) => {
                    let _ = floor.choose(now, account(who), presence);
                }
                Act::Attach(who) => floor.attach(now, account(who), Endpoint::Browser(LegId(who as u64))),
                Act::Detach(who) => floor.detach(now, account(who), &Endpoint::Browser(LegId(who as u64))),
                Act::CallEnds(n) => {
                    let waiting: HashMap<CallId, ()> = floor.calls.iter().filter(|(_, w)| w.offered.is_none()).map(|(c, _)| (*c, ())).collect();
                    match (n % 3, pick(&world.talking, n), pick(&waiting, n)) {
                        (0, _, Some(call)) => floor.dequeued(call),
                        (_, Some(call), _) => {
                            world.talking.remove(&call);
                            floor.ended(now, call);
                        }
                        _ => {}
                    }
                }
                Act::Pass(ms) => {
                    now += ms;
                    floor.wake(now);
                }
                Act::Configure(variant) => {
                    let (queues, people) = settings(variant);
                    floor.configure(now, &queues, &people);
                }
            }
            world.settle(&mut floor, now);
        }
        // Everyone hangs up: nobody is left in a call.
        for (call, _) in std::mem::take(&mut world.talking) {
            floor.ended(now, call);
        }
        world.settle(&mut floor, now);
        while let Some(call) = pick(&world.ringing, 0) {
            let account = world.ringing.remove(&call).unwrap();
            floor.offer_ended(now, call, account, OfferOutcome::CallerGone);
            world.settle(&mut floor, now);
        }
        prop_assert!(floor.talked.is_empty());
    }
}
