//! The only room with SQL.
//!
//! Owns: `system.db` and one `tenants/<id>/tenant.db` a tenant, all SQLCipher, their keys
//! wrapped by the master key; for each database one writer thread (group commit, WAL,
//! `synchronous=FULL`: a reply goes out after its commit) and a pool of readers.
//! Refuses: a query on a tenant's people, customers, calls or recordings without a
//! [`Scope`](crate::domain::Scope); rules of the business.
//! May use: domain, clock, task.

pub mod db;
pub mod error;
pub mod key;
pub mod system;
pub mod tenant;

pub use error::StoreError;
pub use system::System;
pub use tenant::TenantStore;

use crate::domain::TenantId;
use std::sync::Arc;

/// The open databases. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner;

impl Store {
    /// The appliance's own database.
    pub fn system(&self) -> &System { todo!("H1") }
    /// One tenant's database; `NotFound` for an id that is no tenant.
    pub fn tenant(&self, id: TenantId) -> Result<Arc<TenantStore>, StoreError> { let _ = id; todo!("H1") }
    /// Every tenant that is open.
    pub fn tenants(&self) -> Vec<Arc<TenantStore>> { todo!("H1") }
}
