//! The presence log: every change is appended, reports are computed from it.

use super::TenantStore;
use crate::domain::{AccountId, Presence, UnixMillis};
use crate::store::StoreError;
use rusqlite::params;

impl TenantStore {
    /// Appends an operator's new presence. `reason` refines `Away`, else it is empty.
    pub async fn presence_append(
        &self,
        account: AccountId,
        presence: Presence,
        reason: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let reason = reason.to_owned();
        self.db()
            .write(move |transaction| {
                transaction
                    .prepare_cached(
                        "INSERT INTO presence_event (at, account_id, presence, reason) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![at, account, presence, reason])?;
                Ok(())
            })
            .await
    }
}
