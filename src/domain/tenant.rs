//! One call centre on the appliance.

use super::{TenantId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A tenant as the system database keeps it, without its wrapped key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Key, and the name of its folder.
    pub id: TenantId,
    /// Short name in the login form and in `bbctl --tenant`: `[a-z0-9-]{1,32}`.
    pub slug: String,
    /// The firm's name, as shown.
    pub name: String,
    /// Default region of national numbers, ISO 3166 alpha-2 (`JP`).
    pub region: String,
    /// IANA time zone (`Asia/Tokyo`).
    pub time_zone: String,
    /// When it was made.
    pub created_at: UnixMillis,
}
