//! Logging in: the same work and the same answer, whatever is wrong.

use super::{Access, AccessError, Attempt, Session, scope_of, token};
use crate::audit::{Entry, Outcome};
use crate::domain::account::Account;
use crate::domain::{AccountId, SessionId, TenantId};
use crate::store::tenant::SessionRecord;
use crate::store::{StoreError, TenantStore};
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Longest slug, login and password that are looked at; longer ones fit nobody.
const SLUG_BYTES: usize = 32;
const LOGIN_CHARS: usize = 128;
const PASSWORD_CHARS: usize = 128;
const PASSWORD_BYTES: usize = 512;
/// A browser's name is cut to this many bytes.
const USER_AGENT_BYTES: usize = 256;
/// An account as a login found it, with its hash.
type Found = (Arc<TenantStore>, Option<(Account, Option<String>)>);

impl Access {
    /// Checks a login and makes a session; returns it with the cookie's token (256 random
    /// bits, base64url), which is kept nowhere but as its SHA-256. Done or refused, it is in
    /// the audit log first: in the tenant's chain, or the appliance's for an unknown tenant.
    pub async fn log_in(&self, attempt: Attempt) -> Result<(Session, Zeroizing<String>), AccessError> {
        let turn = self.inner.hasher.turn()?;
        let fits = attempt.password.len() <= PASSWORD_BYTES
            && attempt.password.chars().count() <= PASSWORD_CHARS
            && attempt.login.chars().take(LOGIN_CHARS + 1).count() <= LOGIN_CHARS
            && attempt.tenant.len() <= SLUG_BYTES;
        // What fits nobody is worked on like what nobody has.
        let (found, password) = if fits {
            (self.find(&attempt.tenant, &attempt.login).await?, attempt.password)
        } else {
            (None, Zeroizing::default())
        };
        let hash = found.as_ref().and_then(|(_, account)| account.as_ref()?.1.clone());
        let good = self.inner.hasher.verify(turn, password, hash.clone()).await?;
        let Some((tenant, found)) = found else {
            return self.refuse(None, None, "unknown_tenant", attempt.source).await;
        };
        match (found, hash) {
            (None, _) => self.refuse(Some(tenant.id()), None, "unknown_login", attempt.source).await,
            (Some((account, _)), _) if !good => {
                self.refuse(Some(tenant.id()), Some(account.id), "password", attempt.source).await
            }
            (Some((account, _)), _) if account.disabled => {
                self.refuse(Some(tenant.id()), Some(account.id), "disabled", attempt.source).await
            }
            (Some((account, _)), hash) => {
                let hash = hash.unwrap_or_default();
                self.admit(&tenant, account, hash, attempt.source, &attempt.user_agent).await
            }
        }
    }

    /// Reads as much for an unknown tenant as for a known one.
    async fn find(&self, slug: &str, login: &str) -> Result<Option<Found>, AccessError> {
        let system = self.inner.store.system();
        match system.tenant_by_slug(slug).await? {
            Some(tenant) => {
                let tenant = self.inner.store.tenant(tenant.id)?;
                let account = tenant.account_login(login).await?;
                Ok(Some((tenant, account)))
            }
            None => {
                system.tenant_by_slug(slug).await?;
                Ok(None)
            }
        }
    }

    async fn refuse<T>(
        &self,
        tenant: Option<TenantId>,
        account: Option<AccountId>,
        reason: &'static str,
        source: IpAddr,
    ) -> Result<T, AccessError> {
        let entry = Entry {
            actor: account.map_or_else(|| "unknown".to_owned(), actor),
            source: source.to_string(),
            action: "session.login",
            object: String::new(),
            outcome: Outcome::Refused,
            detail: serde_json::json!({ "reason": reason }),
        };
        self.inner.audit.append(tenant, entry).await?;
        Err(AccessError::Denied)
    }

    pub(super) async fn admit(
        &self,
        tenant: &TenantStore,
        account: Account,
        verified_hash: String,
        source: IpAddr,
        user_agent: &str,
    ) -> Result<(Session, Zeroizing<String>), AccessError> {
        let token = token::make(tenant.id())?;
        let now = self.inner.clock.unix_millis();
        let record = SessionRecord {
            id: SessionId(Uuid::now_v7()),
            account: account.id,
            created_at: now,
            last_seen_at: now,
            source: source.to_string(),
            user_agent: cut(user_agent, USER_AGENT_BYTES).to_owned(),
        };
        let id = record.id;
        match tenant.session_create(record, token::hash(&token), verified_hash).await {
            // The password changed, or the account went, while this login was worked on.
            Err(StoreError::NotFound) => {
                return self.refuse(Some(tenant.id()), Some(account.id), "changed", source).await;
            }
            created => created?,
        }
        let entry = Entry {
            actor: actor(account.id),
            source: source.to_string(),
            action: "session.login",
            object: id.to_string(),
            outcome: Outcome::Done,
            detail: serde_json::json!({}),
        };
        if let Err(error) = self.inner.audit.append(Some(tenant.id()), entry).await {
            // No login without its line in the log. The token goes nowhere, so a session that
            // can't be ended either is one that nobody holds.
            let _ = tenant.session_end(id, now).await;
            return Err(error.into());
        }
        let grants = tenant.grants(account.id).await?;
        let scope = scope_of(tenant.id(), &account, grants);
        Ok((Session { id, account, tenant: tenant.tenant().clone(), scope }, token))
    }
}

fn actor(account: AccountId) -> String {
    format!("account:{account}")
}

/// The longest beginning of `text` that has at most `bytes` bytes.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
