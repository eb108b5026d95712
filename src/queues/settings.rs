//! The floor takes settings, memberships and accounts as they change.

use super::floor::{Desk, Floor};
use super::roster::Member;
use crate::domain::account::Account;
use crate::domain::queue::Queue;
use crate::domain::{AccountId, Presence, QueueId, UnixMillis};
use std::collections::{HashMap, HashSet};

impl Floor {
    /// Takes settings, memberships and accounts as they are now.
    pub(super) fn configure(&mut self, now: UnixMillis, queues: &[Queue], accounts: &[Account]) {
        let there: HashSet<QueueId> = queues.iter().map(|queue| queue.id).collect();
        // A deleted queue keeps its line until the callers are gone.
        self.desks.retain(|queue, desk| there.contains(queue) || desk.line.len() > 0);
        let mut membership: HashMap<AccountId, Vec<QueueId>> = HashMap::new();
        for queue in queues {
            let desk = self.desks.entry(queue.id).or_insert_with(Desk::unknown);
            desk.name.clone_from(&queue.name);
            (desk.ring_seconds, desk.wrap_up_seconds) = (queue.ring_seconds, queue.wrap_up_seconds);
            for account in &queue.members {
                membership.entry(*account).or_default().push(queue.id);
            }
        }
        let enabled: HashMap<AccountId, &Account> = accounts
            .iter()
            .filter(|account| !account.disabled)
            .map(|account| (account.id, account))
            .collect();
        let mut known: Vec<AccountId> = self.members.keys().chain(enabled.keys()).copied().collect();
        known.sort();
        known.dedup();
        for account in known {
            self.unindex(account);
            let member = self.members.entry(account).or_insert_with(|| Member::new(account, now));
            match enabled.get(&account) {
                Some(settings) => {
                    member.queues = membership.remove(&account).unwrap_or_default();
                    member.phone.clone_from(&settings.sip_contact);
                }
                None => {
                    (member.queues, member.phone, member.browser) = (Vec::new(), None, None);
                    if member.call.is_none() {
                        self.set(now, account, Presence::Offline, "disabled");
                        self.members.remove(&account);
                    }
                    continue;
                }
            }
            let free = member.call.is_none();
            let phone_in_queue = member.phone.is_some() && !member.queues.is_empty();
            let gone = member.phone.is_none() && member.browser.is_none();
            if free && phone_in_queue && !member.chosen && member.presence == Presence::Offline {
                self.set(now, account, Presence::Available, "phone");
            } else if free && gone && member.presence != Presence::Offline && !member.chosen {
                self.set(now, account, Presence::Offline, "no_phone");
            }
            self.index(account);
        }
        let idle = self.members.values().filter(|member| member.is_idle());
        let idle = idle.map(|member| member.account).collect();
        self.serve_all(now, idle);
    }
}
