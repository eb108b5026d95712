//! `trunk add|set|list|remove`.

use super::{Change, List, asks};
use crate::domain::route::Trunk;
use serde::{Deserialize, Serialize};

/// Makes a trunk known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Add {
    /// Unique on the appliance.
    pub name: String,
    /// Source ranges in CIDR, or single addresses.
    pub sources: Vec<String>,
}

/// Changes a trunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Set {
    /// Which.
    pub name: String,
    /// All its source ranges from now on.
    pub sources: Vec<String>,
}

/// Every trunk, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// Forgets a trunk that no number uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
    /// Which.
    pub name: String,
}

asks! {
    Add => "trunk" "add" -> Change<Trunk>;
    Set => "trunk" "set" -> Change<Trunk>;
    Index => "trunk" "list" -> List<Trunk>;
    Remove => "trunk" "remove" -> Change<Trunk>;
}
