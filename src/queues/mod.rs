//! Queues: who waits, who is present, who is offered what.
//!
//! Owns: every operator's presence, the waiting lists, the choice of the longest-idle
//! operator. One task a tenant owns the state; others send it bounded commands.
//! Refuses: making or touching legs, audio, SQL. May use: calls, store, domain, media (a leg's
//! name), clock, task.

mod dispatch;
mod floor;
mod line;
mod resync;
mod roster;
mod settings;
mod tenant;

#[cfg(test)]
mod wire_tests;

use crate::calls::{Calls, Endpoint, OfferOutcome};
use crate::clock::Clock;
use crate::domain::{AccountId, CallId, CampaignId, OfferId, Presence, QueueId, TenantId, UnixMillis};
use crate::media::LegId;
use crate::store::Store;
use crate::task::{self, Stop};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tenant::Command;
use tokio::sync::{broadcast, mpsc, oneshot};

/// Events a listener may lag behind before it is told so.
const EVENTS: usize = 4096;
/// Commands and news a tenant's task may have waiting.
const INBOX: usize = 4096;

/// News for the screens. Broadcast; a laggard resynchronises by [`Queues::snapshot`].
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose.
    pub tenant: TenantId,
    /// When.
    pub at: UnixMillis,
    /// What.
    pub kind: EventKind,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// An operator's presence, with the reason for `Away`.
    Presence {
        /// Whose.
        account: AccountId,
        /// Now.
        presence: Presence,
        /// What follows the present call (「通話後に離席」), when reserved.
        reserved: Option<Presence>,
    },
    /// A call rings at an operator.
    Offered {
        /// The offer.
        offer: OfferId,
        /// At whom.
        account: AccountId,
        /// The call.
        call: CallId,
        /// Its queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: String,
        /// Its campaign.
        campaign: CampaignId,
        /// Caller's number, or empty. Personal data.
        caller: String,
        /// How long it had waited.
        waited_ms: i64,
        /// How long it rings.
        ring_seconds: u32,
    },
    /// It no longer rings there.
    OfferEnded {
        /// At whom.
        account: AccountId,
        /// The call.
        call: CallId,
        /// How.
        outcome: OfferOutcome,
    },
    /// A queue's line.
    Waiting {
        /// Which queue.
        queue: QueueId,
        /// How many wait.
        waiting: usize,
        /// Since when the first of them waits.
        longest_since: Option<UnixMillis>,
    },
}

/// Why a presence change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Only `available`, `away`, `wrap_up` and `offline` are chosen by hand.
    #[error("this presence can't be chosen")]
    NotChosen,
    /// No such operator here.
    #[error("no such operator")]
    NotFound,
    /// The task's queue is full.
    #[error("the queue is busy")]
    Busy,
}

/// An operator as lists show them.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Who.
    pub account: AccountId,
    /// Their state.
    pub presence: Presence,
    /// Since when.
    pub since: UnixMillis,
    /// What follows the present call.
    pub reserved: Option<Presence>,
    /// The call that holds them.
    pub call: Option<CallId>,
}

/// Operators, and (queue, waiting, longest since).
type Snapshot = (Vec<Operator>, Vec<(QueueId, usize, Option<UnixMillis>)>);

/// What the tenants' tasks share.
struct Room {
    store: Store,
    calls: Calls,
    clock: Clock,
    stop: Stop,
    events: broadcast::Sender<Event>,
    tenants: Mutex<HashMap<TenantId, Desk>>,
    /// Whose browser a leg is.
    legs: Mutex<HashMap<LegId, (TenantId, AccountId)>>,
}

/// Where a tenant's task is reached.
#[derive(Clone)]
struct Desk {
    inbox: mpsc::Sender<Command>,
    /// News was lost: the task must ask what calls there are.
    behind: Arc<AtomicBool>,
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Queues {
    room: Arc<Room>,
}

impl Queues {
    /// Starts the room: one task a tenant, now for those there are, later by [`Queues::refresh`]
    /// or a tenant's first event. Must be called on a tokio runtime.
    pub fn start(store: Store, calls: Calls, clock: Clock, stop: Stop) -> Self {
        let room = Arc::new(Room {
            store,
            calls,
            clock,
            stop,
            events: broadcast::Sender::new(EVENTS),
            tenants: Mutex::default(),
            legs: Mutex::default(),
        });
        let (calls, browsers) = (room.calls.subscribe(), room.calls.browsers());
        for tenant in room.store.tenants() {
            // A tenant that is open has a task.
            let _ = room.desk(tenant.id());
        }
        task::spawn("queues", dispatch::run(Arc::clone(&room), calls, browsers));
        Self { room }
    }
    /// An operator's endpoint is there (browser connected). Presence is unchanged.
    pub fn attach(&self, tenant: TenantId, account: AccountId, endpoint: Endpoint) -> Result<(), QueueError> {
        let leg = browser(&endpoint);
        self.room.send(tenant, Command::Attach(account, endpoint))?;
        if let Some(leg) = leg {
            self.room.legs().insert(leg, (tenant, account));
        }
        Ok(())
    }
    /// It is gone: the operator goes `offline` unless a call holds them. Only that endpoint is detached.
    pub fn detach(&self, tenant: TenantId, account: AccountId, endpoint: Endpoint) -> Result<(), QueueError> {
        if let Some(leg) = browser(&endpoint) {
            self.room.legs().remove(&leg);
        }
        self.room.send(tenant, Command::Detach(account, endpoint))
    }
    /// The operator chooses a presence; during a call it is reserved for afterwards.
    pub async fn choose(
        &self,
        tenant: TenantId,
        account: AccountId,
        presence: Presence,
    ) -> Result<Operator, QueueError> {
        self.room.ask(tenant, |reply| Command::Choose(account, presence, reply)).await?
    }
    /// One operator now.
    pub async fn operator(&self, tenant: TenantId, account: AccountId) -> Result<Operator, QueueError> {
        self.room.ask(tenant, |reply| Command::Show(account, reply)).await?
    }
    /// All operators now, and (queue, waiting, longest since).
    pub async fn snapshot(&self, tenant: TenantId) -> Result<Snapshot, QueueError> {
        self.room.ask(tenant, Command::Snapshot).await
    }
    /// Queue settings, memberships or accounts changed: read them again. A new tenant gets
    /// its task.
    pub fn refresh(&self, tenant: TenantId) -> Result<(), QueueError> {
        self.room.send(tenant, Command::Refresh)
    }
    /// Hears every event from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.room.events.subscribe()
    }
}

fn browser(endpoint: &Endpoint) -> Option<LegId> {
    match endpoint {
        Endpoint::Browser(leg) => Some(*leg),
        Endpoint::Sip(_) => None,
    }
}

impl Room {
    fn legs(&self) -> MutexGuard<'_, HashMap<LegId, (TenantId, AccountId)>> {
        self.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tenant's task, started when there is none yet.
    fn desk(self: &Arc<Self>, tenant: TenantId) -> Result<Desk, QueueError> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = tenants.get(&tenant).filter(|desk| !desk.inbox.is_closed()) {
            return Ok(desk.clone());
        }
        let store = self.store.tenant(tenant).map_err(|_| QueueError::NotFound)?;
        let (inbox, commands) = mpsc::channel(INBOX);
        let desk = Desk { inbox, behind: Arc::new(AtomicBool::new(true)) };
        let served = tenant::run(Arc::clone(self), store, desk.clone(), commands);
        task::spawn("queue", served);
        tenants.insert(tenant, desk.clone());
        Ok(desk)
    }

    fn send(self: &Arc<Self>, tenant: TenantId, command: Command) -> Result<(), QueueError> {
        self.desk(tenant)?.inbox.try_send(command).map_err(|_| QueueError::Busy)
    }

    async fn ask<T>(
        self: &Arc<Self>,
        tenant: TenantId,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, QueueError> {
        let (reply, answer) = oneshot::channel();
        self.send(tenant, command(reply))?;
        answer.await.map_err(|_| QueueError::Busy)
    }
}
