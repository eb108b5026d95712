//! Who may come in, and how far.
//!
//! Owns: password hashing and its bounded concurrency, login, web sessions, the making of
//! scopes. Refuses: telling an unknown login from a wrong password, in words or in time.
//! May use: audit, store, domain, clock, task.

mod login;
mod password;
mod token;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::domain::account::{Account, Role};
use crate::domain::scope::Campaigns;
use crate::domain::tenant::Tenant;
use crate::domain::{AccountId, CampaignId, Scope, SessionId, TenantId, UnixMillis};
use crate::store::tenant::SessionRecord;
use crate::store::{Store, StoreError};
use crate::task::{Phase, Stop};
use password::Hasher;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use zeroize::Zeroizing;

/// How often stale sessions are looked for, and how exactly their last use is noted.
const MINUTE: Duration = Duration::from_secs(60);

/// Why access was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Wrong tenant, login or password, or disabled: one answer for all.
    #[error("wrong login or password")]
    Denied,
    /// No session of that token, or it ended.
    #[error("not logged in")]
    NoSession,
    /// The password breaks the rule; says which part.
    #[error("{0}")]
    Password(#[from] crate::domain::password::PasswordError),
    /// Too many logins at once.
    #[error("too many logins at once")]
    Busy,
    /// The store said no; access fails closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A login attempt.
pub struct Attempt {
    /// Tenant's slug as typed.
    pub tenant: String,
    /// Login as typed.
    pub login: String,
    /// Password as typed.
    pub password: Zeroizing<String>,
    /// Where it comes from.
    pub source: IpAddr,
    /// The browser's name, cut to 256 bytes.
    pub user_agent: String,
}

/// A session that holds, with what it may do.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account: Account,
    /// Where.
    pub tenant: Tenant,
    /// What it may see and do.
    pub scope: Scope,
}

/// A session as `bbctl session list` shows it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account: AccountId,
    /// Their login.
    pub login: String,
    /// From where it was made.
    pub source: String,
    /// The browser's name.
    pub user_agent: String,
    /// When it was made.
    pub created_at: i64,
    /// When it was last used.
    pub last_seen_at: i64,
}

/// How long a session holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unused for longer, it ends. Default 30 minutes.
    pub idle: Duration,
    /// Older than that, it ends. Default 12 hours.
    pub absolute: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), absolute: Duration::from_secs(12 * 60 * 60) }
    }
}

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    audit: Audit,
    clock: Clock,
    limits: Limits,
    hasher: Hasher,
}

impl Access {
    /// Starts the ending of stale sessions, and returns the handle. Blocks for one password
    /// hash; needs a tokio runtime.
    pub fn start(
        store: Store,
        audit: Audit,
        clock: Clock,
        limits: Limits,
        mut stop: Stop,
    ) -> Result<Self, AccessError> {
        let hasher = Hasher::new()?;
        let access = Self { inner: Arc::new(Inner { store, audit, clock, limits, hasher }) };
        let ending = access.clone();
        crate::task::spawn("access-stale-sessions", async move {
            let mut tick = tokio::time::interval(MINUTE);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.reached(Phase::Stopped) => return,
                    _ = tick.tick() => ending.end_stale().await,
                }
            }
        });
        Ok(access)
    }

    /// The session of a cookie's token (tenant id is part of the token text), fresh from the
    /// store, and notes that it was used (to the minute). Who holds a connection open on a
    /// session asks again once a minute: that counts as use, and brings a changed scope.
    pub async fn session(&self, token: &str) -> Result<Session, AccessError> {
        let (tenant, hash) = token::read(token).ok_or(AccessError::NoSession)?;
        let tenant = self.inner.store.tenant(tenant).map_err(no_session)?;
        let holder = tenant.session_by_token(hash).await?.ok_or(AccessError::NoSession)?;
        let now = self.inner.clock.unix_millis();
        if self.is_stale(&holder.record, now) || holder.account.disabled {
            tenant.session_end(holder.record.id, now).await?;
            return Err(AccessError::NoSession);
        }
        if now - holder.record.last_seen_at >= millis(MINUTE.min(self.inner.limits.idle / 4)) {
            // Not noted, it only ends sooner.
            if let Err(error) = tenant.session_touch(holder.record.id, now).await {
                tracing::debug!(%error, session = %holder.record.id, "could not note the use of a session");
            }
        }
        let scope = scope_of(tenant.id(), &holder.account, holder.grants);
        Ok(Session { id: holder.record.id, account: holder.account, tenant: tenant.tenant().clone(), scope })
    }

    /// Ends one session; [`AccessError::NoSession`] when it is not open.
    pub async fn log_out(&self, tenant: TenantId, session: SessionId) -> Result<(), AccessError> {
        let tenant = self.inner.store.tenant(tenant).map_err(no_session)?;
        let ended = tenant.session_end(session, self.inner.clock.unix_millis()).await?;
        if ended { Ok(()) } else { Err(AccessError::NoSession) }
    }

    /// Sessions of a tenant that have not ended.
    pub async fn sessions(&self, tenant: TenantId) -> Result<Vec<SessionRow>, AccessError> {
        let now = self.inner.clock.unix_millis();
        let open = self.inner.store.tenant(tenant)?.sessions_open().await?;
        let rows = open.into_iter().filter(|(record, _)| !self.is_stale(record, now));
        Ok(rows
            .map(|(record, login)| SessionRow {
                id: record.id,
                account: record.account,
                login,
                source: record.source,
                user_agent: record.user_agent,
                created_at: record.created_at,
                last_seen_at: record.last_seen_at,
            })
            .collect())
    }

    /// Tells when sessions end (logout, kill, age, password change, new role, disabling), for
    /// open WebSockets.
    pub fn subscribe(&self) -> broadcast::Receiver<(TenantId, SessionId)> {
        self.inner.store.sessions_ended()
    }

    /// Hashes a password that meets the rule (argon2id, m=19 MiB, t=2, p=1).
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, AccessError> {
        crate::domain::password::check(&password)?;
        let turn = self.inner.hasher.turn()?;
        self.inner.hasher.hash(turn, password).await
    }

    /// The scope of the daemon itself in a tenant (calls, recovery): everything of that tenant.
    pub fn daemon_scope(&self, tenant: TenantId) -> Scope {
        grant(tenant, None, Role::Admin, Campaigns::All)
    }

    /// The scope of the control socket's caller in a tenant: everything of that tenant.
    pub fn control_scope(&self, tenant: TenantId) -> Scope {
        grant(tenant, None, Role::Admin, Campaigns::All)
    }

    fn is_stale(&self, record: &SessionRecord, now: UnixMillis) -> bool {
        now - record.last_seen_at > millis(self.inner.limits.idle)
            || now - record.created_at > millis(self.inner.limits.absolute)
    }

    async fn end_stale(&self) {
        let now = self.inner.clock.unix_millis();
        let (seen, made) = (now - millis(self.inner.limits.idle), now - millis(self.inner.limits.absolute));
        for tenant in self.inner.store.tenants() {
            if let Err(error) = tenant.sessions_end_stale(seen, made, now).await {
                tracing::warn!(%error, tenant = %tenant.id(), "could not end stale sessions");
            }
        }
    }
}

fn scope_of(tenant: TenantId, account: &Account, grants: Vec<CampaignId>) -> Scope {
    let campaigns = match account.role {
        Role::Admin => Campaigns::All,
        Role::Supervisor | Role::Operator => Campaigns::Only(grants),
    };
    grant(tenant, Some(account.id), account.role, campaigns)
}

#[expect(clippy::disallowed_methods, reason = "this room is where scopes are made")]
fn grant(tenant: TenantId, account: Option<AccountId>, role: Role, campaigns: Campaigns) -> Scope {
    Scope::granted(tenant, account, role, campaigns)
}

/// An unknown tenant in a token is no session; a failing store stays one.
fn no_session(error: StoreError) -> AccessError {
    match error {
        StoreError::NotFound => AccessError::NoSession,
        other => AccessError::Store(other),
    }
}

fn millis(duration: Duration) -> UnixMillis {
    UnixMillis::try_from(duration.as_millis()).unwrap_or(UnixMillis::MAX)
}

#[cfg(test)]
mod tests;
