//! When things are due. Every timer can be taken back, so that none outlives its owner.

use std::collections::BTreeMap;
use std::time::Instant;

/// A timer that was set. Unique in its [`Timers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey(Instant, u64);

/// The queue of everything that is due some time.
#[derive(Debug)]
pub(super) struct Timers<D> {
    queue: BTreeMap<TimerKey, D>,
    next: u64,
}

impl<D> Timers<D> {
    pub(super) fn new() -> Self {
        Self { queue: BTreeMap::new(), next: 0 }
    }

    /// Makes `due` come out of [`Timers::due`] from `at` on.
    pub(super) fn set(&mut self, at: Instant, due: D) -> TimerKey {
        self.next += 1;
        let key = TimerKey(at, self.next);
        self.queue.insert(key, due);
        key
    }

    /// Takes a timer back; one that has fired is no error.
    pub(super) fn clear(&mut self, key: TimerKey) {
        self.queue.remove(&key);
    }

    /// When the next one is due.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.queue.keys().next().map(|key| key.0)
    }

    /// The next one that is due by `now`.
    pub(super) fn due(&mut self, now: Instant) -> Option<D> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}

/// The timers of one owner: at most one of each kind.
#[derive(Debug)]
pub(super) struct Armed<K>(Vec<(K, TimerKey)>);

impl<K: Copy + PartialEq> Armed<K> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets or moves the timer of this kind.
    pub(super) fn arm<D>(&mut self, timers: &mut Timers<D>, kind: K, at: Instant, due: D) {
        self.disarm(timers, kind);
        self.0.push((kind, timers.set(at, due)));
    }

    /// Takes the timer of this kind back; also to be called when it fires.
    pub(super) fn disarm<D>(&mut self, timers: &mut Timers<D>, kind: K) {
        self.0.retain(|(k, key)| {
            let stays = *k != kind;
            if !stays {
                timers.clear(*key);
            }
            stays
        });
    }

    /// Takes them all back.
    pub(super) fn disarm_all<D>(&mut self, timers: &mut Timers<D>) {
        for (_, key) in self.0.drain(..) {
            timers.clear(key);
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need a starting point")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn timers_come_out_in_order_and_a_moved_one_only_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        let mut armed = Armed::new();
        armed.arm(&mut timers, 'a', at(10), "a early");
        armed.arm(&mut timers, 'b', at(20), "b");
        armed.arm(&mut timers, 'a', at(30), "a late");
        assert_eq!(timers.next_deadline(), Some(at(20)));
        assert_eq!(timers.due(at(19)), None);
        assert_eq!(timers.due(at(40)), Some("b"));
        assert_eq!(timers.due(at(40)), Some("a late"));
        assert_eq!(timers.due(at(40)), None);
        armed.arm(&mut timers, 'a', at(50), "again");
        armed.disarm_all(&mut timers);
        assert_eq!(timers.len(), 0);
    }
}
