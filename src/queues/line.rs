//! The waiting calls of one queue, longest first.

use crate::domain::{CallId, UnixMillis};
use std::collections::BTreeSet;

/// Where a call stands in the order: by since when it waits, then by when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Waits since.
    pub(super) since: UnixMillis,
    /// Counts up with every call seen.
    pub(super) seen: u64,
    /// Which call.
    pub(super) call: CallId,
}

/// A line. Every call of it waits; those of `free` are offered to nobody.
#[derive(Debug, Default)]
pub(super) struct Line {
    all: BTreeSet<Place>,
    free: BTreeSet<Place>,
}

impl Line {
    /// At the end, or further on if it waited before.
    pub(super) fn join(&mut self, place: Place) {
        self.all.insert(place);
        self.free.insert(place);
    }
    /// Out of the line; `false` when it was not in.
    pub(super) fn leave(&mut self, place: Place) -> bool {
        self.free.remove(&place);
        self.all.remove(&place)
    }
    /// Rings at somebody; keeps its place.
    pub(super) fn ring(&mut self, place: Place) {
        self.free.remove(&place);
    }
    /// Rings no more.
    pub(super) fn release(&mut self, place: Place) {
        if self.all.contains(&place) {
            self.free.insert(place);
        }
    }
    /// Calls that are offered to nobody, longest waiting first.
    pub(super) fn free(&self) -> impl Iterator<Item = Place> + '_ {
        self.free.iter().copied()
    }
    /// How many wait, ringing ones included.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
    /// Since when the first of them waits.
    pub(super) fn longest_since(&self) -> Option<UnixMillis> {
        self.all.first().map(|place| place.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_ringing_call_keeps_its_place() {
        let place = |since, n| Place { since, seen: n, call: CallId(Uuid::from_u128(u128::from(n))) };
        let (first, second) = (place(10, 2), place(20, 1));
        let mut line = Line::default();
        line.join(second);
        line.join(first);
        line.ring(first);
        assert_eq!(line.free().collect::<Vec<_>>(), [second]);
        assert_eq!((line.len(), line.longest_since()), (2, Some(10)));
        line.release(first);
        assert_eq!(line.free().collect::<Vec<_>>(), [first, second]);
        assert!(line.leave(first) && !line.leave(first));
        line.release(first);
        assert_eq!(line.free().collect::<Vec<_>>(), [second], "who left does not come back");
    }
}
