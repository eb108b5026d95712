//! `session list|kill`.

use super::{Change, List, asks};
use crate::domain::{AccountId, SessionId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A web session as `bbctl` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Key.
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
    pub created_at: UnixMillis,
    /// When it was last used.
    pub last_seen_at: UnixMillis,
}

/// Sessions that have not ended, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// Ends a session: its pages are logged out at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kill {
    /// Which.
    pub id: SessionId,
}

asks! {
    Index => "session" "list" -> List<Session>;
    Kill => "session" "kill" -> Change<Session>;
}
