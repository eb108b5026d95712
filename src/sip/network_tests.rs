//! Two cores that call each other over a network that loses, repeats and reorders.

use super::bench::{dice, ours};
use super::*;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

struct Side {
    core: Core,
    path: Path,
    /// Legs that were told of and not told to be over.
    living: Vec<LegId>,
}

/// Two sides and what is under way between them.
struct World {
    now: Instant,
    sides: [Side; 2],
    /// Datagrams by arrival, then number; to which side.
    flying: BTreeMap<(Instant, u64), (usize, Bytes)>,
    number: u64,
    loss: u64,
}

fn side(me: &str, peer: &str, seed: u8) -> Side {
    let settings = Settings { calls: 1000, invites_per_second: 1000 };
    let path = Path {
        transport: Transport::Udp,
        flow: 1,
        peer: peer.parse().unwrap(),
        advertised: me.parse().unwrap(),
    };
    Side { core: Core::new(settings, [seed; 32]), path, living: Vec::new() }
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "a starting point")]
    fn new(loss: u64) -> Self {
        let sides =
            [side("192.0.2.1:5060", "192.0.2.2:5060", 1), side("192.0.2.2:5060", "192.0.2.1:5060", 2)];
        Self { now: Instant::now(), sides, flying: BTreeMap::new(), number: 0, loss }
    }

    /// Lets whatever comes next happen; `false` when nothing is left before `end`.
    fn step(&mut self, end: Instant, random: &mut impl FnMut() -> u64) -> bool {
        let arrival = self.flying.keys().next().map(|(at, _)| *at);
        let timers = self.sides.iter().filter_map(|side| side.core.next_deadline());
        let Some(next) = timers.chain(arrival).min().filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        if arrival == Some(next)
            && let Some((_, (to, bytes))) = self.flying.pop_first()
        {
            let side = &mut self.sides[to];
            side.core.receive(&bytes, side.path, Standing::Trunk, false, self.now);
        } else {
            let now = self.now;
            self.sides.iter_mut().for_each(|side| side.core.tick(now));
        }
        self.settle(random);
        true
    }

    fn settle(&mut self, random: &mut impl FnMut() -> u64) {
        for at in 0..2 {
            while let Some(action) = self.sides[at].core.next_action() {
                match action {
                    Action::Send(_, bytes) => self.fly(1 - at, &bytes, random),
                    Action::Tell(event) => self.hear(at, event, random),
                }
            }
        }
    }

    fn fly(&mut self, to: usize, bytes: &Bytes, random: &mut impl FnMut() -> u64) {
        let copies = match random() % 100 {
            n if n < self.loss => 0,
            n if n < self.loss + 5 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            self.number += 1;
            let delay = Duration::from_millis(if random().is_multiple_of(4) {
                random() % 900
            } else {
                random() % 60
            });
            self.flying.insert((self.now + delay, self.number), (to, bytes.clone()));
        }
    }

    fn hear(&mut self, at: usize, event: Event, random: &mut impl FnMut() -> u64) {
        let now = self.now;
        let side = &mut self.sides[at];
        match event {
            Event::Invited(invited) => {
                side.living.push(invited.leg);
                match random() % 8 {
                    0 => {
                        side.core.reject(invited.leg, 486, now);
                        side.living.retain(|l| *l != invited.leg);
                    }
                    1 => side.core.ring(invited.leg, now),
                    _ => {
                        side.core.ring(invited.leg, now);
                        side.core.accept(invited.leg, &ours(), now);
                    }
                }
            }
            Event::Reoffered(leg, _) => side.core.accept(leg, &ours(), now),
            Event::Cancelled(leg) | Event::Failed(leg, _) | Event::Ended(leg, _) => {
                let before = side.living.len();
                side.living.retain(|l| *l != leg);
                assert_eq!(side.living.len() + 1, before, "{event:?} of a leg that was over");
            }
            Event::Confirmed(leg, _) | Event::Answered(leg, _) | Event::Ringing(leg) => {
                assert!(side.living.contains(&leg), "{event:?} of a leg that was over");
            }
        }
    }

    fn call(&mut self, leg: LegId, random: &mut impl FnMut() -> u64) {
        let side = &mut self.sides[0];
        let target = Target::parse("sip:100@192.0.2.2:5060").unwrap();
        let outbound = Outbound { leg, target, path: side.path, caller: "1".to_owned(), offer: ours() };
        side.core.invite(outbound, self.now);
        side.living.push(leg);
        self.settle(random);
    }

    fn hang_up_one(&mut self, random: &mut impl FnMut() -> u64) {
        let now = self.now;
        let side = &mut self.sides[(random() % 2) as usize];
        if side.living.is_empty() {
            return;
        }
        let leg = side.living.swap_remove(random() as usize % side.living.len());
        side.core.hang_up(leg, now);
        self.settle(random);
    }
}

fn run(loss: u64, calls: u64, random: &mut impl FnMut() -> u64) -> u64 {
    let mut world = World::new(loss);
    let mut answered = 0;
    for call in 0..calls {
        world.call(LegId(2 * call + 1), random);
        let end = world.now + Duration::from_millis(random() % 1500);
        while world.step(end, random) {}
        if random().is_multiple_of(2) {
            world.hang_up_one(random);
        }
        answered += u64::from(world.sides[0].living.len() > 1);
    }
    // Everybody goes home, one after the other.
    for _ in 0..calls * 4 {
        let end = world.now + Duration::from_millis(300);
        while world.step(end, random) {}
        world.hang_up_one(random);
    }
    let end = world.now + Duration::from_secs(1000);
    while world.step(end, random) {}
    for (at, side) in world.sides.iter().enumerate() {
        let status = side.core.status();
        assert_eq!(
            (status.legs, status.transactions, status.timers, status.peers),
            (0, 0, 0, 0),
            "side {at}"
        );
        assert_eq!(side.living, [], "side {at} was not told");
    }
    answered
}

#[test]
fn calls_end_on_both_sides_whatever_the_network_does() {
    let mut random = dice("SIP_NETWORK_SEED");
    for loss in [0, 10, 30] {
        let answered = run(loss, 100, &mut random);
        assert!(answered > 10, "hardly a call came about at {loss}% loss: {answered}");
    }
}
