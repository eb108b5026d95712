//! Who may come in, and how far.
//!
//! Owns: password hashing and its bounded concurrency, login, web sessions, the making of
//! scopes. Refuses: telling an unknown login from a wrong password, in words or in time.
//! May use: audit, store, domain, clock.

use crate::audit::Audit;
use crate::clock::Clock;
use crate::domain::{AccountId, Scope, SessionId, TenantId, account::Account, tenant::Tenant};
use crate::store::Store;
use crate::task::Stop;
use std::net::IpAddr;
use std::time::Duration;
use zeroize::Zeroizing;

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
    Store(#[from] crate::store::StoreError),
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

/// A handle. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    _private: (),
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

impl Access {
    /// Starts the ending of stale sessions, and returns the handle. Blocks for one password
    /// hash; needs a tokio runtime.
    pub fn start(
        store: Store,
        audit: Audit,
        clock: Clock,
        limits: Limits,
        stop: Stop,
    ) -> Result<Self, AccessError> {
        let _ = (store, audit, clock, limits, stop);
        todo!("H1")
    }
    /// Checks a login and makes a session; returns it with the cookie's token (256 random
    /// bits, base64url), which is kept nowhere but as its SHA-256.
    pub async fn log_in(&self, attempt: Attempt) -> Result<(Session, Zeroizing<String>), AccessError> {
        let _ = attempt;
        todo!("H1")
    }
    /// The session of a cookie's token (tenant id is part of the token text), fresh from the store.
    pub async fn session(&self, token: &str) -> Result<Session, AccessError> {
        let _ = token;
        todo!("H1")
    }
    /// Ends one session.
    pub async fn log_out(&self, tenant: TenantId, session: SessionId) -> Result<(), AccessError> {
        let _ = (tenant, session);
        todo!("H1")
    }
    /// Sessions of a tenant that have not ended.
    pub async fn sessions(&self, tenant: TenantId) -> Result<Vec<SessionRow>, AccessError> {
        let _ = tenant;
        todo!("H1")
    }
    /// Tells when sessions end (logout, kill, password change, disabling), for open WebSockets.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<(TenantId, SessionId)> {
        todo!("H1")
    }
    /// Hashes a password that meets the rule (argon2id, m=19 MiB, t=2, p=1).
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, AccessError> {
        let _ = password;
        todo!("H1")
    }
    /// The scope of the daemon itself in a tenant (calls, recovery): everything of that tenant.
    pub fn daemon_scope(&self, tenant: TenantId) -> Scope {
        let _ = tenant;
        todo!("H1")
    }
    /// The scope of the control socket's caller in a tenant: everything of that tenant.
    pub fn control_scope(&self, tenant: TenantId) -> Scope {
        let _ = tenant;
        todo!("H1")
    }
}
