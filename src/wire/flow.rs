//! `flow apply|check|list|show`.

use super::{Change, List, asks};
use crate::domain::{FlowId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A flow's current version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Key of the version.
    pub id: FlowId,
    /// What a number names.
    pub name: String,
    /// 1, 2, 3 …
    pub version: i64,
    /// When it was applied.
    pub applied_at: UnixMillis,
    /// The document, in `flow show` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// Checks a document and makes it the current version of its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Apply {
    /// The flow's name.
    pub name: String,
    /// The TOML document.
    pub document: String,
}

/// Checks a document against the tenant's queues and prompts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// The TOML document.
    pub document: String,
}

/// What a check found; no problem means it may be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// In the order of the document.
    pub problems: Vec<Problem>,
}

/// One thing wrong with a flow document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// 1-based line; 0 when it is of the whole document.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Every flow, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// One flow with its document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub name: String,
}

asks! {
    Apply => "flow" "apply" -> Change<Flow>;
    Check => "flow" "check" -> Checked;
    Index => "flow" "list" -> List<Flow>;
    Show => "flow" "show" -> Flow;
}
