//! What always holds: random inputs in any order, and simulated calls over random delays.

use super::tables::{account, machine, offer, offer_id, recording};
use super::*;
use crate::domain::{OfferId, QueueId};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

/// Watches a machine and fails on a broken promise.
#[derive(Default)]
struct Witness {
    answered: bool,
    customer_gone: bool,
    dialled: HashSet<OfferId>,
    offers: HashSet<OfferId>,
    timers: HashSet<Timer>,
    /// Asked for and not yet answered.
    asked: HashSet<OfferId>,
    /// Begun and not yet in a bridge or discarded.
    held: HashSet<OfferId>,
    queued: Option<QueueId>,
    bridge: Option<OfferId>,
    bridges: u32,
    ended: bool,
}

impl Witness {
    fn input(&mut self, input: &Input) {
        match input {
            Input::CustomerLeft(_) => self.customer_gone = true,
            Input::Offered(offer) => assert!(self.offers.insert(offer.id), "the test made an offer twice"),
            Input::RecordingBegun(id, Some(_)) => assert!(self.held.insert(*id)),
            Input::TimerFired(timer) => {
                self.timers.remove(timer);
            }
            _ => {}
        }
    }

    fn output(&mut self, output: &Output) {
        let late = matches!(output, Output::OfferEnded { .. } | Output::DiscardRecording(_));
        assert!(!self.ended || late, "{output:?} after the end");
        match output {
            Output::Reject(_) => {
                assert!(!self.answered && !self.customer_gone);
                self.customer_gone = true;
            }
            Output::Answer => {
                assert!(!std::mem::replace(&mut self.answered, true), "answered twice");
                assert!(!self.customer_gone);
            }
            Output::Play(..) => assert!(self.answered && self.bridge.is_none()),
            Output::SetTimer(timer, _) => assert!(self.timers.insert(*timer), "{timer:?} set twice"),
            Output::ClearTimer(timer) => {
                self.timers.remove(timer);
            }
            Output::Dial(id) => assert!(self.offers.contains(id) && self.dialled.insert(*id)),
            Output::Drop(id) => assert!(self.dialled.remove(id), "dropped what was not dialled"),
            Output::OfferEnded { offer, .. } => assert!(self.offers.remove(offer), "an offer ended twice"),
            Output::BeginRecording(id) => assert!(self.asked.insert(*id), "recorded twice"),
            Output::DiscardRecording(id) => assert!(self.held.remove(&OfferId(id.0))),
            Output::Bridge(id, recorded) => {
                assert!(self.answered && !self.customer_gone, "bridged to nobody");
                assert!(self.bridge.replace(*id).is_none(), "bridged twice");
                assert!(self.offers.contains(id), "bridged over no offer");
                assert!(self.queued.take().is_some(), "bridged out of no queue");
                self.bridges += 1;
                match recorded {
                    Recording::Into(recording) => {
                        assert!(self.held.remove(&OfferId(recording.0)) && recording.0 == id.0)
                    }
                    Recording::ByPolicyNot => {
                        assert!(!self.asked.contains(id), "recording policy was forgotten")
                    }
                }
            }
            Output::Hold(_) | Output::Mute(_) => assert!(self.bridge.is_some()),
            Output::Part => assert!(self.bridge.take().is_some(), "parted twice"),
            Output::HangUp => {
                assert!(self.answered && !std::mem::replace(&mut self.customer_gone, true));
            }
            Output::Ended(fate) => {
                self.ended = true;
                assert!(self.customer_gone, "the customer's leg is left");
                assert!(self.dialled.is_empty(), "an operator's leg is left");
                assert!(self.offers.is_empty(), "an offer is left");
                assert!(self.bridge.is_none(), "a bridge is left");
                assert!(self.queued.is_none(), "still in a queue");
                assert!(self.timers.is_empty(), "a timer is left: {:?}", self.timers);
                assert!(self.held.is_empty(), "a recording is left");
                assert_eq!(self.bridges > 0, *fate == crate::domain::record::Fate::Answered);
            }
            Output::Queued { queue, .. } => assert!(self.queued.replace(*queue).is_none(), "queued twice"),
            Output::Dequeued(queue) => assert_eq!(self.queued.take(), Some(*queue)),
            Output::Offered(_) => assert!(self.queued.is_some()),
            Output::Note(_) => {}
        }
    }
}

/// A machine under a witness.
struct Bench {
    call: Machine,
    witness: Witness,
    outputs: Vec<Output>,
}

impl Bench {
    fn new() -> Self {
        Self { call: machine(), witness: Witness::default(), outputs: Vec::new() }
    }
    fn feed(&mut self, now: i64, input: Input) {
        self.witness.input(&input);
        self.call.step(now, input);
        self.outputs.clear();
        while let Some(output) = self.call.poll() {
            self.witness.output(&output);
            self.outputs.push(output);
        }
    }
}

/// An input in the abstract; `u8`s pick an operator or one of the offers made so far.
#[derive(Clone, Debug)]
enum Act {
    Plain(Input),
    Offer(u8, bool),
    Record(u8, bool),
    OfOffer(u8, u8),
    OfAccount(u8, u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let departures = prop_oneof![
        Just(Departure::Cancelled),
        Just(Departure::HungUp),
        Just(Departure::AckLost),
        Just(Departure::Media)
    ];
    let act = prop_oneof![
        1 => departures.prop_map(|how| Act::Plain(Input::CustomerLeft(how))),
        3 => Just(Act::Plain(Input::Begin)),
        1 => Just(Act::Plain(Input::Barred(Bar::NoSpool))),
        1 => Just(Act::Plain(Input::Stopped(Stopped::Administrator))),
        4 => (0u32..8).prop_map(|n| Act::Plain(Input::PlayFinished(PlayToken(n)))),
        2 => (0u32..8).prop_map(|n| Act::Plain(Input::TimerFired(Timer::Patience(n)))),
        8 => (any::<u8>(), any::<bool>()).prop_map(|(to, sip)| Act::Offer(to, sip)),
        8 => (any::<u8>(), prop::bool::weighted(0.8)).prop_map(|(which, good)| Act::Record(which, good)),
        10 => (any::<u8>(), any::<u8>()).prop_map(|(which, what)| Act::OfOffer(which, what)),
        10 => (any::<u8>(), any::<u8>()).prop_map(|(whose, what)| Act::OfAccount(whose, what)),
    ];
    prop::collection::vec(act, 0..60)
}

fn concrete(
    act: &Act,
    made: &mut u128,
    answered: &mut BTreeSet<u128>,
    asked: &HashSet<OfferId>,
) -> Option<Input> {
    let pick = |which: u8| if *made == 0 { 0 } else { 1 + u128::from(which) % *made };
    Some(match act {
        Act::Plain(input) => input.clone(),
        Act::Offer(to, sip) => {
            *made += 1;
            offer(*made, u128::from(to % 3), if *sip { Party::Sip } else { Party::Browser })
        }
        Act::Record(which, good) => {
            let id = pick(*which);
            // Only what was asked for is answered, and once.
            if !asked.contains(&offer_id(id)) || !answered.insert(id) {
                return None;
            }
            Input::RecordingBegun(offer_id(id), good.then(|| recording(id)))
        }
        Act::OfOffer(which, what) => {
            let id = offer_id(pick(*which));
            match what % 7 {
                0 | 1 => Input::OperatorAnswered(id),
                2 => Input::OperatorFailed(id, what % 2 == 0),
                3 => Input::OperatorLeft(id, Departure::HungUp),
                4 => Input::BridgeFailed(id),
                5 => Input::TimerFired(Timer::Join(id)),
                _ => Input::TimerFired(Timer::Ring(id)),
            }
        }
        Act::OfAccount(whose, what) => {
            let whose = account(u128::from(whose % 3));
            match what % 6 {
                0 | 1 => Input::Accepted(whose),
                2 => Input::Refused(whose),
                3 => Input::HungUp(whose),
                4 => Input::Held(whose, what % 4 < 2),
                _ => Input::Muted(whose, what % 4 < 2),
            }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_call_ends_and_nothing_is_left(acts in acts(), by_caller in any::<bool>()) {
        let mut bench = Bench::new();
        let (mut made, mut answered) = (0, BTreeSet::new());
        // Most runs begin as calls do; some meet the machine fresh.
        if acts.len() % 4 != 0 {
            bench.feed(0, Input::Begin);
        }
        for (now, act) in acts.iter().enumerate() {
            let gone = bench.witness.customer_gone;
            match concrete(act, &mut made, &mut answered, &bench.witness.asked) {
                // A customer leaves once.
                Some(Input::CustomerLeft(_)) if gone => {}
                Some(input) => bench.feed(now as i64, input),
                None => {}
            }
        }
        if !bench.witness.ended {
            let last = if by_caller && !bench.witness.customer_gone { Input::CustomerLeft(Departure::HungUp) } else { Input::Stopped(Stopped::Shutdown) };
            bench.feed(1_000, last);
        }
        prop_assert!(bench.witness.ended);
        // Recordings still being begun come back and are discarded.
        let pending: Vec<_> = bench.witness.asked.iter().copied().filter(|id| !answered.contains(&id.0.as_u128())).collect();
        for id in pending {
            bench.feed(2_000, Input::RecordingBegun(id, Some(recording(id.0.as_u128()))));
        }
        prop_assert!(bench.witness.held.is_empty());
        prop_assert!(bench.witness.offers.is_empty());
    }
}

/// A small generator (splitmix64): the seed is the whole story of a simulated call.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

/// One call on a virtual clock: phones, browsers, recordings, timers and the caller all
/// answer after random delays, so that they cross on the way.
fn simulate(seed: u64) {
    let mut dice = Dice(seed);
    let mut bench = Bench::new();
    // When, and which line of the story.
    let mut agenda: BTreeSet<(i64, u64)> = BTreeSet::new();
    let leaves = dice.roll(900_000) as i64;
    let mut story = vec![Input::Begin, Input::CustomerLeft(Departure::HungUp)];
    agenda.extend([(0, 0), (leaves, 1)]);
    let (mut made, mut now) = (0, 0);
    while let Some((at, index)) = agenda.pop_first() {
        now = at;
        let Some(input) = story.get(index as usize).cloned() else { continue };
        if let Input::TimerFired(timer) = &input
            && !bench.witness.timers.contains(timer)
            && dice.roll(4) > 0
        {
            continue; // Cleared; a quarter fire all the same, as crossed ones do.
        }
        if matches!(input, Input::CustomerLeft(_)) && bench.witness.customer_gone {
            continue;
        }
        bench.feed(now, input);
        let outputs = std::mem::take(&mut bench.outputs);
        for output in &outputs {
            let mut news = Vec::new();
            match output {
                Output::Play(token, Sound::Prompt(_)) => {
                    news.push((dice.roll(9_000), Input::PlayFinished(*token)))
                }
                Output::SetTimer(timer, ms) => news.push((*ms, Input::TimerFired(*timer))),
                Output::Queued { .. } => {
                    made += 1;
                    let party = if dice.roll(2) == 0 { Party::Sip } else { Party::Browser };
                    news.push((dice.roll(60_000), offer(made, u128::from(dice.roll(3)), party)));
                }
                Output::OfferEnded { outcome, .. } if *outcome != OfferOutcome::Accepted => {
                    made += 1;
                    let party = if dice.roll(2) == 0 { Party::Sip } else { Party::Browser };
                    if !bench.witness.ended {
                        news.push((dice.roll(9_000), offer(made, u128::from(dice.roll(3)), party)));
                    }
                }
                Output::Dial(id) => {
                    let wait = dice.roll(30_000);
                    match dice.roll(4) {
                        0 => news.push((wait, Input::OperatorFailed(*id, dice.roll(2) == 0))),
                        1 => {}
                        _ => news.push((wait, Input::OperatorAnswered(*id))),
                    }
                    news.push((wait + dice.roll(90_000), Input::OperatorLeft(*id, Departure::HungUp)));
                }
                Output::Offered(offer) if offer.party == Party::Browser => {
                    let choice = match dice.roll(4) {
                        0 => Input::Refused(offer.account),
                        _ => Input::Accepted(offer.account),
                    };
                    news.push((dice.roll(25_000), choice));
                    news.push((dice.roll(200_000), Input::HungUp(offer.account)));
                }
                Output::BeginRecording(id) => {
                    let good = dice.roll(5) > 0;
                    news.push((
                        dice.roll(50),
                        Input::RecordingBegun(*id, good.then(|| recording(id.0.as_u128()))),
                    ));
                }
                _ => {}
            }
            for (wait, input) in news {
                story.push(input);
                agenda.insert((now + wait as i64, story.len() as u64 - 1));
            }
        }
    }
    assert!(bench.witness.ended, "seed {seed}: the call never ended");
    assert!(bench.witness.held.is_empty() && bench.witness.offers.is_empty(), "seed {seed}");
    assert!(now < 3_600_000, "seed {seed}: it took {now} ms");
}

#[test]
fn simulated_calls_end_whatever_crosses_on_the_way() {
    for seed in 0..3_000 {
        if let Err(panic) = std::panic::catch_unwind(|| simulate(seed)) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
