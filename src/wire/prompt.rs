//! `prompt add|list|remove`.

use super::{Change, List, asks};
use crate::domain::route::Prompt;
use serde::{Deserialize, Serialize};

/// Adds or replaces a prompt. The WAV file follows the request's line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Add {
    /// What a flow names.
    pub name: String,
}

/// Every prompt, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// Removes a prompt that no current flow plays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
    /// Which.
    pub name: String,
}

asks! {
    Add => "prompt" "add" -> Change<Prompt>;
    Index => "prompt" "list" -> List<Prompt>;
    Remove => "prompt" "remove" -> Change<Prompt>;
}
