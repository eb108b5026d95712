//! The floor finds out what it missed.

use super::floor::Floor;
use crate::calls::{Live, OfferOutcome};
use crate::domain::{AccountId, CallId, Presence, UnixMillis};
use std::collections::HashMap;

impl Floor {
    /// Makes the floor agree with the calls there are, after news was lost.
    pub(super) fn resynchronise(&mut self, now: UnixMillis, living: &[Live]) {
        let by_call: HashMap<CallId, &Live> = living.iter().map(|live| (live.call, live)).collect();
        let waits =
            |call: &CallId| by_call.get(call).is_some_and(|live| matches!(live.state, "queued" | "ringing"));
        let stale: Vec<CallId> = self.calls.keys().filter(|call| !waits(call)).copied().collect();
        for call in stale {
            self.leave(call);
        }
        let held: Vec<(AccountId, CallId, Presence)> = self
            .members
            .values()
            .filter_map(|member| member.call.map(|call| (member.account, call, member.presence)))
            .collect();
        for (account, call, presence) in held {
            let live = by_call.get(&call).filter(|live| live.operator == Some(account));
            match live.map(|live| live.state) {
                Some("ringing") if presence == Presence::Ringing => {}
                Some("talking") if presence == Presence::Ringing => {
                    self.offer_ended(now, call, account, OfferOutcome::Accepted);
                }
                Some("talking") => {}
                _ if presence == Presence::Ringing => {
                    self.offer_ended(now, call, account, OfferOutcome::Failed);
                }
                _ => self.ended(now, call),
            }
        }
        for live in living.iter().filter(|live| waits(&live.call)) {
            if !self.calls.contains_key(&live.call)
                && let (Some(queue), Some(campaign)) = (live.queue, live.campaign)
            {
                let since = live.queued_at.unwrap_or(live.started_at);
                self.queued(now, live.call, queue, campaign, live.caller.clone(), since);
            }
        }
    }
}
