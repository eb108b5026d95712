//! The tenant's audit chain.

use super::TenantStore;
use crate::domain::audit::{AuditEntry, AuditRow};
use crate::store::{StoreError, chain};

impl TenantStore {
    /// Appends to the tenant's audit chain; the row as it stands in it.
    pub async fn audit_append(&self, entry: AuditEntry) -> Result<AuditRow, StoreError> {
        self.db().write(move |transaction| chain::append(transaction, entry)).await
    }

    /// At most `limit` rows with a sequence above `after`, in order.
    pub async fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.db().read(move |connection| chain::rows(connection, after, limit)).await
    }
}
