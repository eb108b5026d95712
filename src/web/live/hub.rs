//! Finds the station of an account, and brings every room's news to the stations.

use super::socket::Line;
use super::station::{Input, Opening, Station};
use crate::clock::Clock;
use crate::domain::{AccountId, SessionId, TenantId};
use crate::media::{self, LegId};
use crate::task::{self, Phase, Stop};
use crate::web::server::Services;
use crate::{calls, queues};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

/// News that may wait for a station; one that falls further behind is told to start over.
const INBOX: usize = 256;

/// Whose station.
pub type Key = (TenantId, AccountId);

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A browser leg without its WebSocket.
    pub leg: Duration,
    /// A station without either, for a page that resumes.
    pub station: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { leg: Duration::from_secs(15), station: Duration::from_secs(300) }
    }
}

/// Every account's live state. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    services: Services,
    clock: Clock,
    stop: Stop,
    patience: Patience,
    connections: AtomicU64,
    stations: Mutex<HashMap<Key, Entry>>,
    legs: Mutex<HashMap<LegId, Key>>,
}

struct Entry {
    inbox: mpsc::Sender<Input>,
    /// News was lost: the station must ask every room anew.
    behind: Arc<AtomicBool>,
}

impl Hub {
    /// Starts listening to the rooms.
    pub fn start(services: Services, clock: Clock, stop: Stop) -> Self {
        Self::with_patience(services, clock, stop, Patience::default())
    }

    /// [`Hub::start`] with other times, for tests.
    pub fn with_patience(services: Services, clock: Clock, stop: Stop, patience: Patience) -> Self {
        let hub = Self(Arc::new(Inner {
            services,
            clock,
            stop,
            patience,
            connections: AtomicU64::new(0),
            stations: Mutex::default(),
            legs: Mutex::default(),
        }));
        task::spawn("live news", hub.clone().listen(News::of(&hub.0.services)));
        hub
    }

    /// When to end.
    pub fn stop(&self) -> Stop {
        self.0.stop.clone()
    }

    /// A number for a new connection.
    pub fn number(&self) -> u64 {
        self.0.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Hands a new connection to its account's station, which is made if there is none. The
    /// line comes back when the station is too busy.
    pub fn open(&self, opening: Opening) -> Result<(), Line> {
        let key = (opening.session.tenant.id, opening.session.account.id);
        let mut stations = self.stations();
        let entry = stations.entry(key).or_insert_with(|| self.found(key, &opening));
        match entry.inbox.try_send(Input::Opened(Box::new(opening))) {
            Ok(()) => Ok(()),
            Err(error) => match error.into_inner() {
                Input::Opened(opening) => Err(opening.line),
                _ => Ok(()),
            },
        }
    }

    fn found(&self, key: Key, opening: &Opening) -> Entry {
        let (inbox, inputs) = mpsc::channel(INBOX);
        let behind = Arc::new(AtomicBool::new(false));
        let inner = &self.0;
        let station = Station::new(
            key,
            opening,
            inner.services.clone(),
            inner.clock.clone(),
            inner.patience,
            self.clone(),
            behind.clone(),
        );
        task::spawn("live station", station.run(inputs, inner.stop.clone()));
        Entry { inbox, behind }
    }

    /// Sends to one station; `false` when it has none or is too busy.
    pub fn send(&self, key: Key, input: Input) -> bool {
        self.stations().get(&key).is_some_and(|entry| entry.send(input))
    }

    /// Ends a station, unless something waits for it. Nothing is sent to it afterwards.
    pub fn close(&self, key: Key, inputs: &mpsc::Receiver<Input>) -> bool {
        let mut stations = self.stations();
        let idle = inputs.is_empty();
        if idle {
            stations.remove(&key);
        }
        idle
    }

    /// Notes whose a leg is, so that its news finds its station.
    pub fn adopt(&self, leg: LegId, key: Key) {
        self.legs().insert(leg, key);
    }

    /// Forgets a leg.
    pub fn disown(&self, leg: LegId) {
        self.legs().remove(&leg);
    }

    /// The legs of one account.
    #[cfg(test)]
    pub fn legs_of(&self, key: Key) -> Vec<LegId> {
        self.legs().iter().filter(|(_, whose)| **whose == key).map(|(leg, _)| *leg).collect()
    }

    fn stations(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.stations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn legs(&self) -> MutexGuard<'_, HashMap<LegId, Key>> {
        self.0.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn listen(self, mut news: News) {
        let mut stop = self.0.stop.clone();
        loop {
            let heard = tokio::select! {
                () = stop.reached(Phase::Stopped) => return,
                heard = news.next() => heard,
            };
            match heard {
                Heard::Queues(event) => self.queues(event),
                Heard::Calls(event) => self.calls(event),
                Heard::Leg(event) => self.leg(event),
                Heard::Ended(tenant, session) => self.ended(tenant, session),
                Heard::Lagged => {
                    tracing::warn!("live screens fell behind and start over");
                    self.stations().values().for_each(Entry::start_over);
                }
                Heard::Closed => return,
            }
        }
    }

    fn queues(&self, event: queues::Event) {
        use queues::EventKind::{OfferEnded, Offered, Presence, Waiting};
        let account = match &event.kind {
            Presence { account, .. } | Offered { account, .. } | OfferEnded { account, .. } => *account,
            Waiting { .. } => {
                let stations = self.stations();
                for (_, entry) in stations.iter().filter(|((tenant, _), _)| *tenant == event.tenant) {
                    entry.send(Input::Queues(event.clone()));
                }
                return;
            }
        };
        self.send((event.tenant, account), Input::Queues(event));
    }

    fn calls(&self, event: calls::Event) {
        let account = match &event.kind {
            calls::EventKind::Bridged { account, .. } => Some(*account),
            calls::EventKind::Ended { account, .. } => *account,
            // The queues room tells of offers, in order with presence.
            _ => None,
        };
        if let Some(account) = account {
            self.send((event.tenant, account), Input::Calls(event));
        }
    }

    fn leg(&self, event: media::Event) {
        let key = self.legs().get(&event.leg).copied();
        if let Some(key) = key {
            self.send(key, Input::Leg(event));
        }
    }

    fn ended(&self, tenant: TenantId, session: SessionId) {
        let stations = self.stations();
        for (_, entry) in stations.iter().filter(|((of, _), _)| *of == tenant) {
            entry.send(Input::SessionEnded(session));
        }
    }
}

impl Entry {
    fn send(&self, input: Input) -> bool {
        let sent = self.inbox.try_send(input).is_ok();
        if !sent {
            self.start_over();
        }
        sent
    }

    fn start_over(&self) {
        self.behind.store(true, Ordering::Release);
        // Wakes an idle station; a busy one looks when it is done.
        let _ = self.inbox.try_send(Input::StartOver);
    }
}

/// The rooms' news.
struct News {
    queues: broadcast::Receiver<queues::Event>,
    calls: broadcast::Receiver<calls::Event>,
    legs: broadcast::Receiver<media::Event>,
    sessions: broadcast::Receiver<(TenantId, SessionId)>,
}

enum Heard {
    Queues(queues::Event),
    Calls(calls::Event),
    Leg(media::Event),
    Ended(TenantId, SessionId),
    Lagged,
    Closed,
}

impl News {
    fn of(services: &Services) -> Self {
        Self {
            queues: services.queues.subscribe(),
            calls: services.calls.subscribe(),
            legs: services.calls.browsers(),
            sessions: services.access.subscribe(),
        }
    }

    async fn next(&mut self) -> Heard {
        let heard = tokio::select! {
            event = self.queues.recv() => event.map(Heard::Queues),
            event = self.calls.recv() => event.map(Heard::Calls),
            event = self.legs.recv() => event.map(Heard::Leg),
            event = self.sessions.recv() => event.map(|(tenant, session)| Heard::Ended(tenant, session)),
        };
        heard.unwrap_or_else(|error| match error {
            RecvError::Lagged(_) => Heard::Lagged,
            RecvError::Closed => Heard::Closed,
        })
    }
}
