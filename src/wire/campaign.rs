//! `campaign create|set|list|show`.

use super::{Change, List, asks};
use crate::domain::campaign::{Campaign, CampaignStatus, Sensitivity};
use serde::{Deserialize, Serialize};

/// Makes a campaign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Create {
    /// Unique in the tenant.
    pub name: String,
    /// `running` when absent.
    pub status: Option<CampaignStatus>,
    /// `high` when absent.
    pub sensitivity: Option<Sensitivity>,
    /// 用件区分, in order.
    #[serde(default)]
    pub topics: Vec<String>,
    /// 対応結果, in order.
    #[serde(default)]
    pub dispositions: Vec<String>,
}

/// Changes a campaign; what is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Set {
    /// Which.
    pub name: String,
    /// Where it stands.
    pub status: Option<CampaignStatus>,
    /// How much personal data it shows.
    pub sensitivity: Option<Sensitivity>,
    /// The whole list.
    pub topics: Option<Vec<String>>,
    /// The whole list.
    pub dispositions: Option<Vec<String>>,
}

/// Every campaign, by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {}

/// One campaign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Show {
    /// Which.
    pub name: String,
}

asks! {
    Create => "campaign" "create" -> Change<Campaign>;
    Set => "campaign" "set" -> Change<Campaign>;
    Index => "campaign" "list" -> List<Campaign>;
    Show => "campaign" "show" -> Campaign;
}
