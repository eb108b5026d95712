//! `queue create|set|list|show`.

use super::{Change, List, asks};
use crate::domain::campaign::Sensitivity;
use crate::domain::{QueueId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A queue as `bbctl` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Key.
    pub id: QueueId,
    /// Unique in the tenant.
    pub name: String,
    /// Its campaign's name.
    pub campaign: String,
    /// How much personal data its calls show.
    pub sensitivity: Sensitivity,
    /// Seconds an operator's phone rings.
    pub ring_seconds: u32,
    /// Seconds of wrap-up; 0 waits for the operator.
    pub wrap_up_seconds: u32,
    /// Whether its calls are recorded.
    pub recorded: bool,
    /// Logins of its operators.
    pub members: Vec<String>,
    /// Callers waiting now.
    pub waiting: usize,
    /// Since when the first of them waits.
    pub longest_since: Option<UnixMillis>,
}

/// Makes a queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Create {
    /// Unique in the tenant.
    pub name: String,
    /// Its campaign's name.
    pub campaign: String,
    /// The campaign's when absent.
    pub sensitivity: Option<Sensitivity>,
    /// 5–300; 20 when absent.
    pub ring_seconds: Option<u32>,
    /// 0–3600; 0 when absent.
    pub wrap_up_seconds: Option<u32>,
    /// On when absent.
    pub recorded: Option<bool>,
    /// Logins of its operators.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Changes a queue; what is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Set {
    /// Which.
    pub name: String,
    /// Its campaign's name.
    pub campaign: Option<String>,
    /// How much personal data its calls show.
    pub sensitivity: Option<Sensitivity>,
    /// 5–300.
    pub ring_seconds: Option<u32>,
    /// 0–3600.
    pub wrap_up_seconds: Option<u32>,
    /// Whether its calls are recorded.
    pub recorded: Option<bool>,
    /// All its operators from now on.
    pub members: Option<Vec<String>>,
    /// Operators who join.
    #[serde(default)]
    pub add_members: Vec<String>,
    /// Operators who leave.
    #[serde(default)]
    pub remove_members: Vec<String>,
}

/// Every queue, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// One queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub name: String,
}

asks! {
    Create => "queue" "create" -> Change<Queue>;
    Set => "queue" "set" -> Change<Queue>;
    Index => "queue" "list" -> List<Queue>;
    Show => "queue" "show" -> Queue;
}
