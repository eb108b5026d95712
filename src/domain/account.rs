//! A person who logs in, or a phone that answers for one.

use super::{AccountId, UnixMillis};
use serde::{Deserialize, Serialize};

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 管理者: the whole tenant.
    Admin,
    /// SV: the campaigns assigned to them, all operators' work in them.
    Supervisor,
    /// オペレーター: the campaigns assigned to them.
    Operator,
}

impl Role {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
        }
    }
    /// Reads [`Role::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Admin, Self::Supervisor, Self::Operator].into_iter().find(|r| r.word() == word)
    }
}

/// One account as the store keeps it, without its password hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Key.
    pub id: AccountId,
    /// What is typed to log in; unique in the tenant, compared exactly.
    pub login: String,
    /// The person's name, as shown.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// A static SIP URI that rings instead of a browser (`sip:1001@192.0.2.5:5060`).
    pub sip_contact: Option<String>,
    /// A disabled account can't log in and is offered nothing.
    pub disabled: bool,
    /// When it was made.
    pub created_at: UnixMillis,
}
