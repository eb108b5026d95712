//! One tenant's database, a file a table family.

mod account;
mod audit;
mod call;
mod campaign;
mod contact;
mod customer;
mod flow;
mod presence;
mod prompt;
mod queue;
mod reach;
mod recording;
mod session;

pub use customer::ImportCount;
pub use recording::{Seal, Sealed};
pub use session::{SessionHolder, SessionRecord};

use super::StoreError;
use super::db::Db;
use super::key::RawKey;
use crate::clock::Clock;
use crate::domain::tenant::Tenant;
use crate::domain::{SessionId, TenantId};
use prompt::Renderings;
use rusqlite_migration::{M, Migrations};
use std::path::Path;
use tokio::sync::broadcast;

/// One tenant's open database.
pub struct TenantStore {
    tenant: Tenant,
    db: Db,
    clock: Clock,
    renderings: Renderings,
    ended: broadcast::Sender<(TenantId, SessionId)>,
}

impl TenantStore {
    /// Opens or makes `tenant.db` in `folder`. Blocks.
    pub(in crate::store) fn open(
        folder: &Path,
        tenant: Tenant,
        key: RawKey,
        clock: Clock,
        ended: broadcast::Sender<(TenantId, SessionId)>,
    ) -> Result<Self, StoreError> {
        super::make_folder(folder)?;
        let schema = Migrations::new(vec![M::up(include_str!("../migrations/tenant/0001.sql"))]);
        let db = Db::open(&folder.join("tenant.db"), key, &schema)?;
        Ok(Self { tenant, db, clock, renderings: Renderings::default(), ended })
    }

    /// Whose database this is.
    pub fn id(&self) -> TenantId {
        self.tenant.id
    }

    /// The tenant, as it was when its database was opened.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    pub(in crate::store) fn db(&self) -> &Db {
        &self.db
    }

    /// What someone with the key and a database tool could do.
    #[cfg(test)]
    pub(crate) async fn execute_for_test(&self, sql: &'static str) -> Result<(), StoreError> {
        self.db.write(move |transaction| Ok(transaction.execute_batch(sql)?)).await
    }

    /// Tells of ended sessions, after their commit. Nobody listening is fine.
    fn tell_ended(&self, sessions: Vec<SessionId>) {
        for session in sessions {
            let _ = self.ended.send((self.tenant.id, session));
        }
    }
}
