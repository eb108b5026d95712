//! `account create|set|list|show|passwd|delete`.

use super::{Change, List, Secret, asks};
use crate::domain::account::Role;
use crate::domain::{AccountId, UnixMillis};
use serde::{Deserialize, Serialize};

/// An account as `bbctl` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Key.
    pub id: AccountId,
    /// What is typed to log in.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// `admin`, `supervisor` or `operator`.
    pub role: Role,
    /// Names of the campaigns it is assigned to; an admin reaches all without.
    pub campaigns: Vec<String>,
    /// A static SIP URI that rings instead of a browser.
    pub sip_contact: Option<String>,
    /// Whether it can log in at all.
    pub has_password: bool,
    /// Whether it is shut out.
    pub disabled: bool,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// Makes an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Create {
    /// Unique in the tenant.
    pub login: String,
    /// The person's name; the login when absent.
    pub name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// `sip:user@host`.
    pub sip_contact: Option<String>,
    /// Names of campaigns it is assigned to.
    #[serde(default)]
    pub campaigns: Vec<String>,
    /// Without one it can't log in.
    pub password: Option<Secret>,
}

/// Changes an account; what is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Set {
    /// Which.
    pub login: String,
    /// The person's name.
    pub name: Option<String>,
    /// What it may do.
    pub role: Option<Role>,
    /// `sip:user@host`; empty removes it.
    pub sip_contact: Option<String>,
    /// All campaigns it is assigned to from now on.
    pub campaigns: Option<Vec<String>>,
    /// Shut out, or let in again.
    pub disabled: Option<bool>,
}

/// Every account, by login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub login: String,
}

/// Sets a password; ends the account's sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passwd {
    /// Which.
    pub login: String,
    /// 8 or more characters with upper case, lower case, digit and symbol.
    pub password: Secret,
}

/// Deletes an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delete {
    /// Which.
    pub login: String,
}

asks! {
    Create => "account" "create" -> Change<Account>;
    Set => "account" "set" -> Change<Account>;
    Index => "account" "list" -> List<Account>;
    Show => "account" "show" -> Account;
    Passwd => "account" "passwd" -> Change<Account>;
    Delete => "account" "delete" -> Change<Account>;
}
