//! How a call from outside finds its tenant: trunk, number, flow.

use super::{FlowId, NumberId, PromptId, TenantId, TrunkId, UnixMillis};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A SIP connection to a carrier, known by where its packets come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Key.
    pub id: TrunkId,
    /// Unique on the appliance.
    pub name: String,
    /// Source ranges that admit a request as this trunk's. Ranges of two trunks never overlap.
    pub sources: Vec<IpNet>,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// A public number. (trunk, E.164) is unique on the appliance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    /// Key.
    pub id: NumberId,
    /// E.164 with `+`, or the dialled digits as they are where they are no E.164 number.
    pub number: String,
    /// The trunk it is dialled over.
    pub trunk: TrunkId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Name of the tenant's flow that answers it.
    pub flow: String,
}

/// One applied version of a tenant's flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowVersion {
    /// Key.
    pub id: FlowId,
    /// What a number names.
    pub name: String,
    /// 1, 2, 3 …
    pub version: i64,
    /// The TOML document as applied.
    pub document: String,
    /// When it was applied.
    pub applied_at: UnixMillis,
}

/// A prompt's description; its audio is a separate read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Key.
    pub id: PromptId,
    /// What a flow names; unique in the tenant.
    pub name: String,
    /// Length of the 8 kHz rendering.
    pub duration_ms: i64,
    /// When it was added or replaced.
    pub updated_at: UnixMillis,
}
