//! A unit of work (業務): its customers, queues, topics and dispositions.

use super::{CampaignId, UnixMillis};
use serde::{Deserialize, Serialize};

/// 個人情報区分: how much personal data the work shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// No or little personal data.
    Low,
    /// Personal data.
    High,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Being prepared.
    Draft,
    /// 実施中
    Running,
    /// Stopped for now.
    Paused,
    /// Over.
    Closed,
}

/// A campaign as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Key.
    pub id: CampaignId,
    /// Unique in the tenant.
    pub name: String,
    /// Where it stands.
    pub status: CampaignStatus,
    /// How much personal data it shows.
    pub sensitivity: Sensitivity,
    /// 用件区分, in the order of the list an operator picks from.
    pub topics: Vec<String>,
    /// 対応結果, in the order of the list an operator picks from.
    pub dispositions: Vec<String>,
    /// The header line of the last import, column names as the file had them.
    pub import_header: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
}
