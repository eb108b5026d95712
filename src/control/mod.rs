//! The Unix socket: peer check, dispatch, audit; one file a noun, twin of `cli/`.
//!
//! Owns: the socket file, the accept loop and its caps, the audit of every mutation with the
//! caller's uid and pid, and of every look at personal data.
//! Refuses: a mutation it can't audit; bodies past their limit; anything of a tenant but
//! through a scope of `access/`.
//! May use: queues, calls, recordings, crm, access, audit, store, domain, media (WAV
//! rendering), wire, clock, task.

mod account;
mod act;
mod call;
mod campaign;
mod customer;
mod dispatch;
mod flow;
mod number;
mod prompt;
mod queue;
mod recording;
mod refusal;
mod session;
mod socket;
mod status;
mod tenant;
mod trunk;

pub use socket::{Control, ControlError, serve};

use crate::access::Access;
use crate::audit::Audit;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::crm::Crm;
use crate::domain::route::Trunk;
use crate::queues::Queues;
use crate::recordings::Recordings;
use crate::store::Store;
use crate::task::Stop;
use crate::wire::status::{Bound, Certificate};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What the verbs work with.
pub struct Desk {
    /// Tenants and all they hold.
    pub store: Store,
    /// Passwords, sessions, scopes.
    pub access: Access,
    /// Where every mutation is written down.
    pub audit: Audit,
    /// Import and search.
    pub crm: Crm,
    /// Recordings.
    pub recordings: Recordings,
    /// Living calls.
    pub calls: Calls,
    /// Told when queues, members or accounts change.
    pub queues: Queues,
    /// The table of trunks that signalling admits by.
    pub trunks: watch::Sender<Arc<Vec<Trunk>>>,
    /// Where the daemon listens.
    pub bound: Bound,
    /// The web pages' certificate now.
    pub certificate: watch::Receiver<Certificate>,
    /// Time.
    pub clock: Clock,
    /// When the daemon started.
    pub started_at: crate::domain::UnixMillis,
    /// How far it is in stopping.
    pub stop: Stop,
    /// Serialises changes that look before they write (trunks, idempotent creates): one at a time.
    pub changes: Semaphore,
}
