//! Queues: who waits, who is present, who is offered what.
//!
//! Owns: every operator's presence, the waiting lists, the choice of the longest-idle
//! operator. One task a tenant owns the state; others send it bounded commands.
//! Refuses: legs, audio, SQL. May use: calls, store, domain, clock, task.

use crate::calls::{Calls, Endpoint, OfferOutcome};
use crate::clock::Clock;
use crate::domain::{AccountId, CallId, CampaignId, OfferId, Presence, QueueId, TenantId, UnixMillis};
use crate::store::Store;
use crate::task::Stop;

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

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Queues {
    _private: (),
}

impl Queues {
    /// Starts the room: one task a tenant, now for those there are, later by [`Queues::refresh`].
    pub fn start(store: Store, calls: Calls, clock: Clock, stop: Stop) -> Self {
        let _ = (store, calls, clock, stop);
        todo!("H5")
    }
    /// An operator's endpoint is there (browser connected). Presence is unchanged.
    pub fn attach(&self, tenant: TenantId, account: AccountId, endpoint: Endpoint) -> Result<(), QueueError> {
        let _ = (tenant, account, endpoint);
        todo!("H5")
    }
    /// It is gone: the operator goes `offline` unless a call holds them. Only that endpoint is detached.
    pub fn detach(&self, tenant: TenantId, account: AccountId, endpoint: Endpoint) -> Result<(), QueueError> {
        let _ = (tenant, account, endpoint);
        todo!("H5")
    }
    /// The operator chooses a presence; during a call it is reserved for afterwards.
    pub async fn choose(
        &self,
        tenant: TenantId,
        account: AccountId,
        presence: Presence,
    ) -> Result<Operator, QueueError> {
        let _ = (tenant, account, presence);
        todo!("H5")
    }
    /// One operator now.
    pub async fn operator(&self, tenant: TenantId, account: AccountId) -> Result<Operator, QueueError> {
        let _ = (tenant, account);
        todo!("H5")
    }
    /// All operators now, and (queue, waiting, longest since).
    pub async fn snapshot(
        &self,
        tenant: TenantId,
    ) -> Result<(Vec<Operator>, Vec<(QueueId, usize, Option<UnixMillis>)>), QueueError> {
        let _ = tenant;
        todo!("H5")
    }
    /// Queue settings, memberships or accounts changed: read them again.
    pub fn refresh(&self, tenant: TenantId) -> Result<(), QueueError> {
        let _ = tenant;
        todo!("H5")
    }
    /// Hears every event from now on.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Event> {
        todo!("H5")
    }
}
