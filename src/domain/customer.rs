//! A person or firm in a campaign. Everything here is personal data.

use super::kana::fold;
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

impl Customer {
    /// The folded text that search looks in: name, kana, code, email and the numbers, each
    /// number as digits with its country code and, for Japan, in its national form too.
    pub fn search_text(&self) -> String {
        let mut text = [&self.name, &self.kana, &self.code, &self.email].map(|field| fold(field)).join("\n");
        for number in [&self.phone, &self.phone_alt].into_iter().flatten() {
            let digits = number.as_str().trim_start_matches('+');
            text.push('\n');
            text.push_str(digits);
            if let Some(national) = digits.strip_prefix("81") {
                text.push_str("\n0");
                text.push_str(national);
            }
        }
        text
    }
}

/// What a line of an import says of a customer. `None` is a column that the file does not
/// have: that field stays as it is.
#[derive(Clone, Default)]
pub struct CustomerChange {
    /// Empty, or the key by which a known customer is found.
    pub code: String,
    /// 氏名
    pub name: Option<String>,
    /// フリガナ
    pub kana: Option<String>,
    /// 電話番号; `Some(None)` empties it.
    pub phone: Option<Option<PhoneNumber>>,
    /// 電話番号（予備）
    pub phone_alt: Option<Option<PhoneNumber>>,
    /// メールアドレス
    pub email: Option<String>,
    /// 郵便番号
    pub postcode: Option<String>,
    /// 住所
    pub address: Option<String>,
    /// 申し送り
    pub handover: Option<String>,
    /// Other columns, in file order.
    pub extra: Vec<(String, String)>,
}

impl CustomerChange {
    /// Writes what the line says into `customer`. Other columns replace those of the same
    /// name; further ones stay, after them.
    pub fn apply(self, customer: &mut Customer) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        customer.code = self.code;
        set(&mut customer.name, self.name);
        set(&mut customer.kana, self.kana);
        set(&mut customer.phone, self.phone);
        set(&mut customer.phone_alt, self.phone_alt);
        set(&mut customer.email, self.email);
        set(&mut customer.postcode, self.postcode);
        set(&mut customer.address, self.address);
        set(&mut customer.handover, self.handover);
        let older = std::mem::replace(&mut customer.extra, self.extra);
        for (column, value) in older {
            if !customer.extra.iter().any(|(known, _)| *known == column) {
                customer.extra.push((column, value));
            }
        }
    }
}

impl std::fmt::Debug for Customer {
    /// Personal data stays out of logs: only the key is printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Customer").field("id", &self.id).finish_non_exhaustive()
    }
}
