//! How many may stand at the door, and how many may be inside.
//!
//! A handshake costs a stranger nothing to begin, so half-open ones are few a source, and when
//! a source begins one too many its *oldest* gives way: someone who really connects is through
//! in a few round trips, someone who stalls is the oldest. So stalled connections shut nobody
//! out, not even others behind the same NAT.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The numbers.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Half-open handshakes of one source.
    pub handshakes_per_source: usize,
    /// Half-open handshakes overall.
    pub handshakes: usize,
    /// Connections of one source: an office behind one address.
    pub connections_per_source: usize,
    /// Connections overall.
    pub connections: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { handshakes_per_source: 32, handshakes: 1024, connections_per_source: 1024, connections: 4096 }
    }
}

/// Shared by all listeners. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    caps: Caps,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Half-open handshakes of each source, oldest first; dropping the sender turns one away.
    waiting: HashMap<IpAddr, VecDeque<(u64, oneshot::Sender<()>)>>,
    half_open: usize,
    inside: HashMap<IpAddr, usize>,
    open: usize,
}

/// A half-open handshake's place.
pub struct Place {
    gate: Gate,
    source: IpAddr,
    number: u64,
    turned_away: oneshot::Receiver<()>,
}

/// A connection's seat.
pub struct Seat {
    gate: Gate,
    source: IpAddr,
}

impl Gate {
    /// An empty gate.
    pub fn new(caps: Caps) -> Self {
        Self { caps, state: Arc::default() }
    }

    /// A place for a new handshake from `ip`; an older one may give way to it.
    pub fn enter(&self, ip: IpAddr) -> Place {
        let source = source(ip);
        let mut state = self.lock();
        if state.waiting.get(&source).map_or(0, VecDeque::len) >= self.caps.handshakes_per_source {
            state.turn_away(source);
        }
        if state.half_open >= self.caps.handshakes {
            let crowded =
                state.waiting.iter().max_by_key(|(_, places)| places.len()).map(|(source, _)| *source);
            if let Some(crowded) = crowded {
                state.turn_away(crowded);
            }
        }
        let number = state.next;
        state.next += 1;
        let (sender, turned_away) = oneshot::channel();
        state.waiting.entry(source).or_default().push_back((number, sender));
        state.half_open += 1;
        Place { gate: self.clone(), source, number, turned_away }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops the oldest place of a source.
    fn turn_away(&mut self, source: IpAddr) {
        if let Some(number) = self.waiting.get(&source).and_then(|places| places.front()).map(|(n, _)| *n) {
            self.leave(source, number);
        }
    }

    fn leave(&mut self, source: IpAddr, number: u64) {
        let Some(places) = self.waiting.get_mut(&source) else { return };
        let before = places.len();
        places.retain(|(n, _)| *n != number);
        self.half_open -= before - places.len();
        if places.is_empty() {
            self.waiting.remove(&source);
        }
    }
}

impl Place {
    /// Returns when this handshake must give way.
    pub async fn turned_away(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.turned_away).await;
    }

    /// The handshake is done: a seat, unless all of the source's or all of the house's are taken.
    pub fn settle(self) -> Option<Seat> {
        let mut state = self.gate.lock();
        let own = state.inside.get(&self.source).copied().unwrap_or_default();
        if own >= self.gate.caps.connections_per_source || state.open >= self.gate.caps.connections {
            return None;
        }
        state.inside.insert(self.source, own + 1);
        state.open += 1;
        Some(Seat { gate: self.gate.clone(), source: self.source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.lock().leave(self.source, self.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.open = state.open.saturating_sub(1);
        if let Some(own) = state.inside.get_mut(&self.source) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                state.inside.remove(&self.source);
            }
        }
    }
}

/// Who counts as one: an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(Caps { handshakes_per_source: 2, handshakes: 3, connections_per_source: 2, connections: 3 })
    }

    fn is_turned_away(place: &mut Place) -> bool {
        matches!(place.turned_away.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    }

    #[test]
    fn the_oldest_of_a_source_gives_way() {
        let (gate, ip) = (gate(), "192.0.2.1".parse().unwrap());
        let (mut first, mut second) = (gate.enter(ip), gate.enter(ip));
        let mut third = gate.enter(ip);
        assert!(is_turned_away(&mut first));
        assert!(!is_turned_away(&mut second) && !is_turned_away(&mut third));
    }

    #[test]
    fn a_full_house_turns_the_most_crowded_source_away() {
        let gate = gate();
        let (a, b, c) =
            ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap(), "192.0.2.3".parse().unwrap());
        let (mut first, mut second, mut other) = (gate.enter(a), gate.enter(a), gate.enter(b));
        let mut late = gate.enter(c);
        assert!(is_turned_away(&mut first));
        for place in [&mut second, &mut other, &mut late] {
            assert!(!is_turned_away(place));
        }
    }

    #[test]
    fn one_subscriber_of_ipv6_is_one_source() {
        let gate = gate();
        let mut first = gate.enter("2001:db8::1".parse().unwrap());
        let _second = gate.enter("2001:db8::2".parse().unwrap());
        let _third = gate.enter("2001:db8::3".parse().unwrap());
        assert!(is_turned_away(&mut first));
        assert_eq!(source("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn seats_are_counted_and_given_back() {
        let (gate, a, b) = (gate(), "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let seats: Vec<_> = (0..2).map(|_| gate.enter(a).settle().unwrap()).collect();
        assert!(gate.enter(a).settle().is_none(), "the source has its share");
        let last = gate.enter(b).settle().unwrap();
        assert!(gate.enter("192.0.2.3".parse().unwrap()).settle().is_none(), "the house is full");
        drop((seats, last));
        let state = gate.lock();
        assert_eq!((state.half_open, state.open), (0, 0));
        assert!(state.waiting.is_empty() && state.inside.is_empty());
    }
}
