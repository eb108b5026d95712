//! `tenant create|list|show`.

use super::{Change, List, asks};
use crate::domain::tenant::Tenant;
use serde::{Deserialize, Serialize};

/// Makes a call centre.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Create {
    /// Short name: `[a-z0-9-]{1,32}`.
    pub slug: String,
    /// The firm's name; the slug when absent.
    pub name: Option<String>,
    /// ISO 3166 alpha-2 region of national numbers; `JP` when absent.
    pub region: Option<String>,
    /// IANA time zone; `Asia/Tokyo` when absent.
    pub time_zone: Option<String>,
}

/// Every tenant, by slug.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// One tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub slug: String,
}

asks! {
    Create => "tenant" "create" -> Change<Tenant>;
    Index => "tenant" "list" -> List<Tenant>;
    Show => "tenant" "show" -> Tenant;
}
