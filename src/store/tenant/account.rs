//! Accounts, their password hashes, and the campaigns they are assigned to.
//!
//! A new password, another role, disabling and deleting end the account's sessions in the
//! same transaction: no caller can forget to.

use super::{TenantStore, session};
use crate::domain::account::Account;
use crate::domain::{AccountId, CampaignId};
use crate::store::StoreError;
use crate::store::error::found;
use rusqlite::{Connection, OptionalExtension, Row, params};

impl TenantStore {
    /// Adds an account with its password hash (an argon2id PHC string), or without one: then
    /// it can't log in. [`StoreError::Conflict`] when the login is taken.
    pub async fn account_create(&self, account: Account, hash: Option<String>) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                let Account { id, login, name, role, sip_contact, disabled, created_at } = account;
                transaction
                    .prepare_cached(
                        "INSERT INTO account (id, login, name, role, sip_contact, disabled, created_at, password_hash)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![id, login, name, role, sip_contact, disabled, created_at, hash])
                    .map_err(|error| StoreError::conflict(error, "that login exists"))?;
                Ok(())
            })
            .await
    }

    /// Replaces everything of an account but its password and the time it was made. Being
    /// disabled or given another role ends its sessions.
    pub async fn account_update(&self, account: Account) -> Result<(), StoreError> {
        let at = self.clock.unix_millis();
        let ended = self
            .db()
            .write(move |transaction| {
                let before = one(transaction, account.id)?;
                transaction
                    .prepare_cached(
                        "UPDATE account SET login = ?2, name = ?3, role = ?4, sip_contact = ?5, disabled = ?6
                         WHERE id = ?1",
                    )?
                    .execute(params![
                        account.id,
                        account.login,
                        account.name,
                        account.role,
                        account.sip_contact,
                        account.disabled
                    ])
                    .map_err(|error| StoreError::conflict(error, "that login exists"))?;
                if account.disabled || account.role != before.role {
                    session::end_all(transaction, account.id, at)
                } else {
                    Ok(Vec::new())
                }
            })
            .await?;
        self.tell_ended(ended);
        Ok(())
    }

    /// Replaces the password hash and ends the account's sessions.
    pub async fn account_set_password(&self, id: AccountId, hash: String) -> Result<(), StoreError> {
        let at = self.clock.unix_millis();
        let ended = self
            .db()
            .write(move |transaction| {
                let changed = transaction
                    .prepare_cached("UPDATE account SET password_hash = ?2 WHERE id = ?1")?
                    .execute(params![id, hash])?;
                found(changed)?;
                session::end_all(transaction, id, at)
            })
            .await?;
        self.tell_ended(ended);
        Ok(())
    }

    /// The account of that login, compared exactly, with its password hash.
    pub async fn account_login(&self, login: &str) -> Result<Option<(Account, Option<String>)>, StoreError> {
        let login = login.to_owned();
        self.db()
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT {COLUMNS}, password_hash FROM account WHERE login = ?1"
                ))?;
                Ok(statement
                    .query_row([login], |row| Ok((account(row)?, row.get("password_hash")?)))
                    .optional()?)
            })
            .await
    }

    /// One account.
    pub async fn account(&self, id: AccountId) -> Result<Account, StoreError> {
        self.db().read(move |connection| one(connection, id)).await
    }

    /// Every account, by login.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.db()
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM account ORDER BY login"))?;
                let rows = statement.query_map((), account)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Removes an account with its sessions, grants and queue memberships.
    /// [`StoreError::Conflict`] once it wrote a contact record: disable it then.
    pub async fn account_delete(&self, id: AccountId) -> Result<(), StoreError> {
        let at = self.clock.unix_millis();
        let ended = self
            .db()
            .write(move |transaction| {
                let ended = session::end_all(transaction, id, at)?;
                let changed = transaction
                    .prepare_cached("DELETE FROM account WHERE id = ?1")?
                    .execute([id])
                    .map_err(|error| StoreError::conflict(error, "the account wrote contact records"))?;
                found(changed).map(|()| ended)
            })
            .await?;
        self.tell_ended(ended);
        Ok(())
    }

    /// Assigns an account to a campaign; assigned already is fine.
    pub async fn grant(&self, account: AccountId, campaign: CampaignId) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                transaction
                    .prepare_cached(
                        "INSERT INTO scope_grant (account_id, campaign_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![account, campaign])
                    .map_err(|error| match StoreError::conflict(error, "") {
                        StoreError::Conflict(_) => StoreError::NotFound,
                        other => other,
                    })?;
                Ok(())
            })
            .await
    }

    /// Takes an account off a campaign; not assigned is fine.
    pub async fn revoke(&self, account: AccountId, campaign: CampaignId) -> Result<(), StoreError> {
        self.db()
            .write(move |transaction| {
                transaction
                    .prepare_cached("DELETE FROM scope_grant WHERE account_id = ?1 AND campaign_id = ?2")?
                    .execute(params![account, campaign])?;
                Ok(())
            })
            .await
    }

    /// The campaigns an account is assigned to, oldest first.
    pub async fn grants(&self, account: AccountId) -> Result<Vec<CampaignId>, StoreError> {
        self.db().read(move |connection| grants(connection, account)).await
    }
}

pub(super) const COLUMNS: &str = "account.id AS account_id, login, account.name AS account_name, role, sip_contact, \
                                  disabled, account.created_at AS account_created_at";

pub(super) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get("account_id")?,
        login: row.get("login")?,
        name: row.get("account_name")?,
        role: row.get("role")?,
        sip_contact: row.get("sip_contact")?,
        disabled: row.get("disabled")?,
        created_at: row.get("account_created_at")?,
    })
}

pub(super) fn grants(connection: &Connection, account: AccountId) -> Result<Vec<CampaignId>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT campaign_id FROM scope_grant WHERE account_id = ?1 ORDER BY campaign_id")?;
    let rows = statement.query_map([account], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(connection: &Connection, id: AccountId) -> Result<Account, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM account WHERE account.id = ?1"))?;
    statement.query_row([id], account).optional()?.ok_or(StoreError::NotFound)
}
