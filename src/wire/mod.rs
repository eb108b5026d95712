//! What `bbctl` and `bbd` say to each other: requests, replies, error codes. Shared by both
//! binaries; the JSON of replies is the documented contract of `bbctl -o json`.
//!
//! A request is `POST /v1/NOUN/VERB` with an [`Envelope`] as JSON; a verb that takes a file
//! has that JSON on the body's first line and the file's bytes after it.
//!
//! May use: domain.

pub mod account;
pub mod call;
pub mod campaign;
pub mod customer;
pub mod failure;
pub mod flow;
pub mod number;
pub mod prompt;
pub mod queue;
pub mod recording;
pub mod secret;
pub mod session;
pub mod status;
pub mod tenant;
pub mod trunk;

pub use failure::{Code, Failure};
pub use secret::Secret;

use crate::domain::campaign::Campaign;
use crate::domain::customer::Customer;
use crate::domain::route::{Prompt, Trunk};
use crate::domain::tenant::Tenant;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Reply header that names the tenant's IANA time zone, by which tables show times.
pub const TIME_ZONE_HEADER: &str = "bluebean-time-zone";

/// One verb of the socket: its request type says where it goes and what comes back.
pub trait Ask: Serialize + DeserializeOwned + Send {
    /// `/v1/NOUN/VERB`.
    const PATH: &'static str;
    /// `noun.verb`, as the audit log has it.
    const ACTION: &'static str;
    /// What comes back with status 200.
    type Reply: Serialize + DeserializeOwned + Send;
}

/// Says of each request type where it goes and what it yields.
macro_rules! asks {
    ($($ask:ty => $noun:literal $verb:literal -> $reply:ty;)+) => {$(
        impl $crate::wire::Ask for $ask {
            const PATH: &'static str = concat!("/v1/", $noun, "/", $verb);
            const ACTION: &'static str = concat!($noun, ".", $verb);
            type Reply = $reply;
        }
    )+};
}
pub(crate) use asks;

/// A request with what every request may have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope<A> {
    /// The tenant's slug, for verbs within one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Do everything but the change.
    #[serde(default)]
    pub dry_run: bool,
    /// The verb's own fields.
    #[serde(flatten)]
    pub ask: A,
}

/// What a mutation did, or with `dry_run` would have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Created,
    /// It is different now.
    Changed,
    /// It was so already.
    Unchanged,
    /// It is gone.
    Removed,
    /// It was told to end.
    Ended,
}

/// Reply of a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// What was done.
    pub outcome: Outcome,
    /// Whether nothing was really done.
    pub dry_run: bool,
    /// The thing as it is now, or as it was when removed.
    pub item: T,
}

/// A kind of thing that lists hold.
pub trait Listed {
    /// The list's key in JSON: `queues`.
    const PLURAL: &'static str;
}

/// Reply of a list: `{"queues": […]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T> {
    /// In the order a person expects.
    pub items: Vec<T>,
}

impl<T: Listed + Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(T::PLURAL, &self.items)])
    }
}

impl<'de, T: Listed + Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = BTreeMap::<String, Vec<T>>::deserialize(deserializer)?;
        let items = map.remove(T::PLURAL).ok_or_else(|| D::Error::missing_field(T::PLURAL))?;
        Ok(Self { items })
    }
}

/// Says under which key a list of each type stands.
macro_rules! lists {
    ($($item:ty => $plural:literal;)+) => {$(
        impl Listed for $item {
            const PLURAL: &'static str = $plural;
        }
    )+};
}

lists! {
    Tenant => "tenants";
    account::Account => "accounts";
    Campaign => "campaigns";
    Customer => "customers";
    queue::Queue => "queues";
    number::Number => "numbers";
    Trunk => "trunks";
    flow::Flow => "flows";
    Prompt => "prompts";
    call::Call => "calls";
    recording::Recording => "recordings";
    session::Session => "sessions";
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing this snapshot changes the contract of `bbctl -o json`.
    #[test]
    fn replies_keep_their_contract() {
        let text: String =
            samples::all().iter().map(|(name, reply)| format!("# {name}\n{reply}\n\n")).collect();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_list_reads_what_it_wrote() {
        let list = List {
            items: vec![Tenant {
                id: crate::domain::TenantId(uuid::Uuid::nil()),
                slug: "a".into(),
                name: "A".into(),
                region: "JP".into(),
                time_zone: "Asia/Tokyo".into(),
                created_at: 0,
            }],
        };
        let text = serde_json::to_string(&list).unwrap();
        assert!(text.starts_with(r#"{"tenants":[{"#), "{text}");
        assert_eq!(serde_json::from_str::<List<Tenant>>(&text).unwrap(), list);
        assert!(serde_json::from_str::<List<Tenant>>(r#"{"queues":[]}"#).is_err());
    }

    #[test]
    fn an_envelope_lies_flat_around_the_verbs_own_fields() {
        let text =
            r#"{"tenant":"acme","dry_run":true,"name":"support","campaign":"sales","members":["ann"]}"#;
        let envelope: Envelope<queue::Create> = serde_json::from_str(text).unwrap();
        assert_eq!(envelope.tenant.as_deref(), Some("acme"));
        assert!(envelope.dry_run);
        assert_eq!(envelope.ask.members, ["ann"]);
        assert_eq!(<queue::Create as Ask>::PATH, "/v1/queue/create");
        assert_eq!(<queue::Create as Ask>::ACTION, "queue.create");
    }
}
