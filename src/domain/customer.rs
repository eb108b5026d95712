//! A person or firm in a campaign. Everything here is personal data.

use super::{CampaignId, CustomerId, PhoneNumber, UnixMillis};
use serde::{Deserialize, Serialize};

/// A customer as the store keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Key.
    pub id: CustomerId,
    /// The campaign it belongs to.
    pub campaign: CampaignId,
    /// The tenant's own customer number, unique in the campaign when not empty.
    pub code: String,
    /// 氏名
    pub name: String,
    /// フリガナ
    pub kana: String,
    /// 電話番号, normalised; found by caller number.
    pub phone: Option<PhoneNumber>,
    /// 電話番号（予備）
    pub phone_alt: Option<PhoneNumber>,
    /// メールアドレス
    pub email: String,
    /// 郵便番号
    pub postcode: String,
    /// 住所
    pub address: String,
    /// 申し送り
    pub handover: String,
    /// Other columns of the import, in file order: (column name, value).
    pub extra: Vec<(String, String)>,
    /// Grows by one with every change; a stale write is refused with it.
    pub version: i64,
    /// Last change.
    pub updated_at: UnixMillis,
}

impl std::fmt::Debug for Customer {
    /// Personal data stays out of logs: only the key is printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Customer").field("id", &self.id).finish_non_exhaustive()
    }
}
