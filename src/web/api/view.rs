//! What the API shows of the domain's records: written out field by field, so that a field
//! added to the domain never reaches a browser by accident.

use crate::crm;
use crate::domain::contact::NextAction;
use crate::domain::record::{CallRecord, Fate};
use crate::domain::{
    AccountId, CallId, CampaignId, ContactRecordId, CustomerId, QueueId, RecordingId, UnixMillis, contact,
    customer,
};
use serde::Serialize;
use utoipa::ToSchema;

/// 顧客. Personal data.
#[derive(Clone, Serialize, ToSchema)]
pub struct Customer {
    id: CustomerId,
    campaign: CampaignId,
    /// The tenant's own customer number, or empty.
    code: String,
    /// 氏名
    name: String,
    /// フリガナ
    kana: String,
    /// 電話番号, E.164.
    #[schema(required)]
    phone: Option<String>,
    /// 電話番号（予備）, E.164.
    #[schema(required)]
    phone_alt: Option<String>,
    email: String,
    postcode: String,
    address: String,
    /// 申し送り
    handover: String,
    /// Other columns of the import: (column name, value).
    extra: Vec<(String, String)>,
    /// Send it back on saving; a newer one in the store is a conflict.
    version: i64,
    #[schema(value_type = i64)]
    updated_at: UnixMillis,
}

impl From<customer::Customer> for Customer {
    fn from(it: customer::Customer) -> Self {
        let text = |phone: crate::domain::PhoneNumber| phone.as_str().to_owned();
        Self {
            id: it.id,
            campaign: it.campaign,
            code: it.code,
            name: it.name,
            kana: it.kana,
            phone: it.phone.map(text),
            phone_alt: it.phone_alt.map(text),
            email: it.email,
            postcode: it.postcode,
            address: it.address,
            handover: it.handover,
            extra: it.extra,
            version: it.version,
            updated_at: it.updated_at,
        }
    }
}

/// 対応記録
#[derive(Clone, Serialize, ToSchema)]
pub struct ContactRecord {
    id: ContactRecordId,
    campaign: CampaignId,
    #[schema(required)]
    customer: Option<CustomerId>,
    #[schema(required)]
    call: Option<CallId>,
    /// Who wrote it.
    account: AccountId,
    /// 用件区分, or empty.
    topic: String,
    /// 対応結果, or empty.
    disposition: String,
    /// 次アクション
    next_action: NextAction,
    #[schema(required, value_type = Option<i64>)]
    due_at: Option<UnixMillis>,
    /// 対応内容
    note: String,
    #[schema(value_type = i64)]
    created_at: UnixMillis,
    #[schema(value_type = i64)]
    updated_at: UnixMillis,
    /// Send it back on saving; a newer one in the store is a conflict.
    version: i64,
}

impl From<contact::ContactRecord> for ContactRecord {
    fn from(it: contact::ContactRecord) -> Self {
        Self {
            id: it.id,
            campaign: it.campaign,
            customer: it.customer,
            call: it.call,
            account: it.account,
            topic: it.topic,
            disposition: it.disposition,
            next_action: it.next_action,
            due_at: it.due_at,
            note: it.note,
            created_at: it.created_at,
            updated_at: it.updated_at,
            version: it.version,
        }
    }
}

/// 通話
#[derive(Clone, Serialize, ToSchema)]
pub struct Call {
    id: CallId,
    /// Caller's number in E.164, or as given, or empty when withheld.
    caller: String,
    /// The number dialled.
    called: String,
    #[schema(required)]
    campaign: Option<CampaignId>,
    #[schema(required)]
    queue: Option<QueueId>,
    #[schema(required)]
    customer: Option<CustomerId>,
    #[schema(required)]
    operator: Option<AccountId>,
    #[schema(required)]
    recording: Option<RecordingId>,
    #[schema(value_type = i64)]
    started_at: UnixMillis,
    #[schema(required, value_type = Option<i64>)]
    queued_at: Option<UnixMillis>,
    #[schema(required, value_type = Option<i64>)]
    answered_at: Option<UnixMillis>,
    #[schema(required, value_type = Option<i64>)]
    ended_at: Option<UnixMillis>,
    /// `null` while the call lives.
    #[schema(required)]
    fate: Option<Fate>,
}

impl From<CallRecord> for Call {
    fn from(it: CallRecord) -> Self {
        Self {
            id: it.id,
            caller: it.caller,
            called: it.called,
            campaign: it.campaign,
            queue: it.queue,
            customer: it.customer,
            operator: it.operator,
            recording: it.recording,
            started_at: it.started_at,
            queued_at: it.queued_at,
            answered_at: it.answered_at,
            ended_at: it.ended_at,
            fate: it.fate,
        }
    }
}

/// One line of 対応履歴: a call, a contact record, or both together.
#[derive(Clone, Serialize, ToSchema)]
pub struct HistoryRow {
    #[schema(value_type = i64)]
    at: UnixMillis,
    #[schema(required)]
    call: Option<Call>,
    #[schema(required)]
    contact: Option<ContactRecord>,
    /// Name of the operator, or empty.
    operator: String,
}

impl From<crm::HistoryRow> for HistoryRow {
    fn from(it: crm::HistoryRow) -> Self {
        Self {
            at: it.at,
            call: it.call.map(Into::into),
            contact: it.contact.map(Into::into),
            operator: it.operator,
        }
    }
}

/// Every element of a list as its view.
pub(in crate::web) fn views<T, V: From<T>>(list: Vec<T>) -> Vec<V> {
    list.into_iter().map(Into::into).collect()
}
