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

impl Sensitivity {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }
    /// Reads [`Sensitivity::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Low, Self::High].into_iter().find(|s| s.word() == word)
    }
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

impl CampaignStatus {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }
    /// Reads [`CampaignStatus::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Draft, Self::Running, Self::Paused, Self::Closed].into_iter().find(|s| s.word() == word)
    }
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
