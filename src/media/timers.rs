//! Deadlines of legs and bridges: a heap in which an owner's earliest one counts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Whose deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    Leg(u32),
    Bridge(u32),
}

/// All deadlines. Entries that lost their meaning are left in and skipped when their time comes.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Owner)>>,
}

impl Timers {
    /// Makes sure that `owner` is called by `at`. `armed` is the owner's note of its entry; an
    /// entry is added only when it is earlier, so the heap stays small.
    pub(super) fn arm(&mut self, owner: Owner, armed: &mut Option<Instant>, at: Instant) {
        if armed.is_none_or(|earlier| at < earlier) {
            *armed = Some(at);
            self.heap.push(Reverse((at, owner)));
        }
    }

    /// The next time anything is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the next entry that is due by `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Instant, Owner)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use std::time::Duration;

    #[test]
    fn only_an_earlier_deadline_is_added() {
        let now = Clock::system().now();
        let (mut timers, mut armed) = (Timers::default(), None);
        let later = |ms| now + Duration::from_millis(ms);
        timers.arm(Owner::Leg(1), &mut armed, later(20));
        timers.arm(Owner::Leg(1), &mut armed, later(30));
        timers.arm(Owner::Leg(1), &mut armed, later(10));
        assert_eq!((armed, timers.next()), (Some(later(10)), Some(later(10))));
        assert_eq!(timers.due(now), None);
        assert_eq!(timers.due(later(25)), Some((later(10), Owner::Leg(1))));
        assert_eq!(timers.due(later(25)), Some((later(20), Owner::Leg(1))));
        assert_eq!(timers.due(later(60)), None);
    }
}
