//! A queue's settings (窓口). Its life — who waits, who is offered — is `crate::queues`'.

use super::{AccountId, CampaignId, QueueId, campaign::Sensitivity};
use serde::{Deserialize, Serialize};

/// A queue as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Key.
    pub id: QueueId,
    /// Unique in the tenant; what a flow names and a screen shows.
    pub name: String,
    /// The campaign whose customers call here.
    pub campaign: CampaignId,
    /// How much personal data its calls show.
    pub sensitivity: Sensitivity,
    /// Seconds an operator's phone rings before the next one is offered the call.
    pub ring_seconds: u32,
    /// Seconds of wrap-up after a call before the next is offered; 0 waits for the operator
    /// to press 受付可 in the browser, and a phone without a browser is free at once.
    pub wrap_up_seconds: u32,
    /// Whether its calls are recorded. On unless a tenant says otherwise.
    pub recorded: bool,
    /// Operators assigned to it.
    pub members: Vec<AccountId>,
}
