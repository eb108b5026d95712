//! How domain values stand in columns: ids and stable words as text, lists as JSON.

use crate::domain::account::Role;
use crate::domain::campaign::{CampaignStatus, Sensitivity};
use crate::domain::record::{Fate, RecordingState};
use crate::domain::{
    AccountId, CallId, CampaignId, ContactRecordId, CustomerId, FlowId, NumberId, PhoneNumber, Presence,
    PromptId, QueueId, RecordingId, SessionId, TenantId, TrunkId,
};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, de::DeserializeOwned};

#[derive(Debug, thiserror::Error)]
#[error("a column holds no {0}")]
struct Unreadable(&'static str);

macro_rules! text_columns {
    ($($name:ty: $write:expr, $read:expr;)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let write: fn(&$name) -> String = $write;
                Ok(ToSqlOutput::from(write(self)))
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let read: fn(&str) -> Option<$name> = $read;
                read(value.as_str()?).ok_or_else(|| FromSqlError::Other(Box::new(Unreadable(stringify!($name)))))
            }
        }
    )*};
}

text_columns! {
    TenantId: ToString::to_string, TenantId::parse;
    AccountId: ToString::to_string, AccountId::parse;
    CampaignId: ToString::to_string, CampaignId::parse;
    CustomerId: ToString::to_string, CustomerId::parse;
    ContactRecordId: ToString::to_string, ContactRecordId::parse;
    QueueId: ToString::to_string, QueueId::parse;
    NumberId: ToString::to_string, NumberId::parse;
    TrunkId: ToString::to_string, TrunkId::parse;
    FlowId: ToString::to_string, FlowId::parse;
    PromptId: ToString::to_string, PromptId::parse;
    CallId: ToString::to_string, CallId::parse;
    RecordingId: ToString::to_string, RecordingId::parse;
    SessionId: ToString::to_string, SessionId::parse;
    PhoneNumber: |number| number.as_str().to_owned(), PhoneNumber::parse;
    Role: |role| role.word().to_owned(), Role::parse;
    CampaignStatus: |status| status.word().to_owned(), CampaignStatus::parse;
    Sensitivity: |sensitivity| sensitivity.word().to_owned(), Sensitivity::parse;
    Presence: |presence| presence.word().to_owned(), Presence::parse;
    Fate: |fate| fate.word().to_owned(), Fate::parse;
    RecordingState: |state| state.word().to_owned(), RecordingState::parse;
}

/// A value kept as JSON text.
pub(in crate::store) struct Json<T>(pub(in crate::store) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
