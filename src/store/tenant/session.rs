//! Web sessions. A token is kept as its SHA-256 alone.

use super::{TenantStore, account};
use crate::domain::account::Account;
use crate::domain::{AccountId, CampaignId, SessionId, UnixMillis};
use crate::store::StoreError;
use crate::store::error::found;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// A session as the store keeps it, without its token's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Key.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last used.
    pub last_seen_at: UnixMillis,
    /// Address it was made from.
    pub source: String,
    /// The browser's name.
    pub user_agent: String,
}

/// A session that has not ended, with all that decides what it may do.
#[derive(Clone, Debug)]
pub struct SessionHolder {
    /// The session.
    pub record: SessionRecord,
    /// Whose it is.
    pub account: Account,
    /// The campaigns that account is assigned to.
    pub grants: Vec<CampaignId>,
}

impl TenantStore {
    /// Adds a session under the SHA-256 of its token. [`StoreError::NotFound`] unless the
    /// account is still there, not disabled, and its password hash still `verified_hash`: a
    /// login under way does not outlive a change of password.
    pub async fn session_create(
        &self,
        record: SessionRecord,
        token_hash: [u8; 32],
        verified_hash: String,
    ) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let SessionRecord { id, account, created_at, last_seen_at, source, user_agent } = record;
                let made = transaction
                    .prepare_cached(
                        "INSERT INTO session (id, token_hash, account_id, created_at, last_seen_at, source, user_agent)
                         SELECT ?1, ?2, account.id, ?4, ?5, ?6, ?7 FROM account
                         WHERE account.id = ?3 AND disabled = 0 AND password_hash = ?8",
                    )?
                    .execute(params![
                        id,
                        token_hash,
                        account,
                        created_at,
                        last_seen_at,
                        source,
                        user_agent,
                        verified_hash
                    ])
                    .map_err(|error| StoreError::conflict(error, "that session exists"))?;
                found(made)
            })
            .await
    }

    /// The session of a token's SHA-256 that has not been ended, in one snapshot with its
    /// account and grants. Whether it is too old is the caller's to judge.
    pub async fn session_by_token(&self, token_hash: [u8; 32]) -> Result<Option<SessionHolder>, StoreError> {
        self.db()
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {COLUMNS}, {} FROM session JOIN account ON account.id = session.account_id
                     WHERE token_hash = ?1 AND ended_at IS NULL",
                    account::COLUMNS
                ))?;
                let holder = statement
                    .query_row([token_hash], |row| Ok((record(row)?, account::account(row)?)))
                    .optional()?;
                let Some((record, account)) = holder else { return Ok(None) };
                let grants = account::grants(connection, account.id)?;
                Ok(Some(SessionHolder { record, account, grants }))
            })
            .await
    }

    /// Notes that a session was used; never moves back, and an ended one stays ended.
    pub async fn session_touch(&self, id: SessionId, at: UnixMillis) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                transaction
                    .prepare_cached(
                        "UPDATE session SET last_seen_at = max(last_seen_at, ?2) WHERE id = ?1 AND ended_at IS NULL",
                    )?
                    .execute(params![id, at])?;
                Ok(())
            })
            .await
    }

    /// Ends a session; whether it was still open.
    pub async fn session_end(&self, id: SessionId, at: UnixMillis) -> Result<bool, StoreError> {
        let ended = self
            .db()
            .write(move |transaction| {
                let changed = transaction
                    .prepare_cached("UPDATE session SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")?
                    .execute(params![id, at])?;
                Ok(changed > 0)
            })
            .await?;
        if ended {
            self.tell_ended(vec![id]);
        }
        Ok(ended)
    }

    /// Sessions that have not been ended, with their account's login, oldest first.
    pub async fn sessions_open(&self) -> Result<Vec<(SessionRecord, String)>, StoreError> {
        self.db()
            .read(|connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {COLUMNS}, login FROM session JOIN account ON account.id = session.account_id
                     WHERE ended_at IS NULL ORDER BY session.id"
                ))?;
                let rows = statement.query_map((), |row| Ok((record(row)?, row.get("login")?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Ends every session of an account; which.
    pub async fn sessions_end_of(
        &self,
        account: AccountId,
        at: UnixMillis,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ended = self.db().write(move |transaction| end_all(transaction, account, at)).await?;
        self.tell_ended(ended.clone());
        Ok(ended)
    }

    /// Ends the sessions last used before `seen_before` or made before `made_before`; which.
    pub async fn sessions_end_stale(
        &self,
        seen_before: UnixMillis,
        made_before: UnixMillis,
        at: UnixMillis,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ended = self
            .db()
            .write(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    "UPDATE session SET ended_at = ?3
                     WHERE ended_at IS NULL AND (last_seen_at < ?1 OR created_at < ?2) RETURNING id",
                )?;
                let rows = statement.query_map(params![seen_before, made_before, at], |row| row.get(0))?;
                Ok(rows.collect::<Result<Vec<SessionId>, _>>()?)
            })
            .await?;
        self.tell_ended(ended.clone());
        Ok(ended)
    }
}

const COLUMNS: &str = "session.id AS session_id, session.account_id AS holder_id, \
                       session.created_at AS session_created_at, last_seen_at, source, user_agent";

fn record(row: &Row<'_>) -> rusqlite::Result<SessionRecord> {
    Ok(SessionRecord {
        id: row.get("session_id")?,
        account: row.get("holder_id")?,
        created_at: row.get("session_created_at")?,
        last_seen_at: row.get("last_seen_at")?,
        source: row.get("source")?,
        user_agent: row.get("user_agent")?,
    })
}

/// Ends every session of an account inside a transaction that has more to do.
pub(super) fn end_all(
    transaction: &Transaction<'_>,
    account: AccountId,
    at: UnixMillis,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "UPDATE session SET ended_at = ?2 WHERE account_id = ?1 AND ended_at IS NULL RETURNING id",
    )?;
    let rows = statement.query_map(params![account, at], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
