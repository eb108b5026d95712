//! What came of one contact with a customer (対応記録).

use super::record::CallRecord;
use super::{AccountId, CallId, CampaignId, ContactRecordId, CustomerId, UnixMillis};
use serde::{Deserialize, Serialize};

/// 次アクション: the follow-up chosen on saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextAction {
    /// Nothing more to do.
    None,
    /// 再架電
    Callback,
    /// 自動再架電
    AutoRedial,
    /// 訪問
    Visit,
}

impl NextAction {
    /// The stable word for schema, CLI and API.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Callback => "callback",
            Self::AutoRedial => "auto_redial",
            Self::Visit => "visit",
        }
    }
    /// Reads [`NextAction::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Callback, Self::AutoRedial, Self::Visit].into_iter().find(|a| a.word() == word)
    }
}

/// A contact record as the store keeps it. One a call and operator; saving again replaces
/// the draft under a higher version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRecord {
    /// Key.
    pub id: ContactRecordId,
    /// The campaign worked for.
    pub campaign: CampaignId,
    /// The customer, when one was known.
    pub customer: Option<CustomerId>,
    /// The call it came of.
    pub call: Option<CallId>,
    /// Who wrote it.
    pub account: AccountId,
    /// 用件区分, one of the campaign's topics, or empty.
    pub topic: String,
    /// 対応結果, one of the campaign's dispositions, or empty.
    pub disposition: String,
    /// 次アクション
    pub next_action: NextAction,
    /// When the follow-up is due.
    pub due_at: Option<UnixMillis>,
    /// 対応内容. Personal data.
    pub note: String,
    /// First saved.
    pub created_at: UnixMillis,
    /// Last saved.
    pub updated_at: UnixMillis,
    /// Grows by one with every save.
    pub version: i64,
}

impl std::fmt::Debug for ContactRecord {
    /// Notes are personal data and stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactRecord")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// One line of 対応履歴: a call, a contact record, or both together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// When the call began, else when the record was first saved.
    pub at: UnixMillis,
    /// The call, if any.
    pub call: Option<CallRecord>,
    /// The contact record, if any.
    pub contact: Option<ContactRecord>,
    /// Name of who wrote the record, else of who answered; empty when neither.
    pub operator: String,
}
