//! One operator as the floor knows them.

use super::Operator;
use crate::calls::Endpoint;
use crate::domain::{AccountId, CallId, Presence, QueueId, UnixMillis};
use crate::media::LegId;

/// An operator's state.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) account: AccountId,
    /// The queues they belong to.
    pub(super) queues: Vec<QueueId>,
    /// A phone; it rings instead of the browser.
    pub(super) phone: Option<String>,
    /// The browser's standing leg.
    pub(super) browser: Option<LegId>,
    pub(super) presence: Presence,
    /// In that presence since.
    pub(super) since: UnixMillis,
    /// What follows the present call.
    pub(super) reserved: Option<Presence>,
    /// The call that rings or is talked.
    pub(super) call: Option<CallId>,
    /// Seconds of wrap-up after the present call.
    pub(super) wrap_up_seconds: u32,
    /// Wrap-up ends by itself then.
    pub(super) wrap_up_until: Option<UnixMillis>,
    /// Offered nothing until then: their leg failed or their phone was not answered.
    pub(super) rests_until: Option<UnixMillis>,
    /// Idle since: became available, or had their last call. An offer that comes to
    /// nothing doesn't change it.
    pub(super) idle_since: UnixMillis,
    /// Whether a person chose a presence; until then a phone of a queue is available.
    pub(super) chosen: bool,
    /// The key under which the queues' idle sets hold them.
    pub(super) indexed: Option<UnixMillis>,
}

impl Member {
    /// Nobody there yet.
    pub(super) fn new(account: AccountId, now: UnixMillis) -> Self {
        Self {
            account,
            queues: Vec::new(),
            phone: None,
            browser: None,
            presence: Presence::Offline,
            since: now,
            reserved: None,
            call: None,
            wrap_up_seconds: 0,
            wrap_up_until: None,
            rests_until: None,
            idle_since: now,
            chosen: false,
            indexed: None,
        }
    }
    /// Where they hear a call.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        match (&self.phone, self.browser) {
            (Some(phone), _) => Some(Endpoint::Sip(phone.clone())),
            (None, Some(leg)) => Some(Endpoint::Browser(leg)),
            (None, None) => None,
        }
    }
    /// Whether a call may be offered to them.
    pub(super) fn is_idle(&self) -> bool {
        self.presence == Presence::Available
            && self.call.is_none()
            && self.rests_until.is_none()
            && (self.phone.is_some() || self.browser.is_some())
    }
    /// What follows when nothing is reserved and no call holds them: `Offline` without endpoint.
    pub(super) fn after_call(&self) -> Presence {
        match (self.phone.is_some(), self.browser.is_some()) {
            (false, false) => Presence::Offline,
            // A phone without a browser has no button to press: free at once.
            (true, false) if self.wrap_up_seconds == 0 => Presence::Available,
            _ => Presence::WrapUp,
        }
    }
    /// As lists show them.
    pub(super) fn show(&self) -> Operator {
        Operator {
            account: self.account,
            presence: self.presence,
            since: self.since,
            reserved: self.reserved,
            call: self.call,
        }
    }
}
