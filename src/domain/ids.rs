//! Identifiers: UUIDv7, one type for each kind of thing so that they can't be confused.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the hyphenated text form; anything else is refused.
            pub fn parse(text: &str) -> Option<Self> { Uuid::from_str(text).ok().map(Self) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
    )*};
}

ids! {
    /// One call centre on the appliance.
    TenantId;
    /// A person who logs in, or a phone that answers.
    AccountId;
    /// A unit of work: its customers, queues and operators.
    CampaignId;
    /// A person or firm of a campaign.
    CustomerId;
    /// What came of one contact with a customer.
    ContactRecordId;
    /// Waiting callers and the operators who share them.
    QueueId;
    /// A public number and the flow that answers it.
    NumberId;
    /// A SIP connection to a carrier or another exchange.
    TrunkId;
    /// One version of a call flow.
    FlowId;
    /// A spoken or musical WAV of a tenant.
    PromptId;
    /// One call, from its first leg to its last.
    CallId;
    /// The sealed audio of one call.
    RecordingId;
    /// One logged-in browser.
    SessionId;
    /// One offer of a waiting call to one operator.
    OfferId;
}
