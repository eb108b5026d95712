//! Which call a leg belongs to, and what lists show of living calls.

use super::{CallError, Command, Live, News, Offer};
use crate::domain::call::Stopped;
use crate::domain::{AccountId, CallId, OfferId, TenantId};
use crate::media::LegId;
use crate::signalling::SipLegId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// News one call may have waiting. A call that falls so far behind is ended.
const MAILBOX: usize = 64;

/// Where a call's news goes.
#[derive(Debug)]
pub(super) struct Mailbox {
    news: mpsc::Sender<News>,
    stopped: Mutex<Option<Stopped>>,
    stop: Notify,
}

impl Mailbox {
    /// Hands news on; a full mailbox ends its call rather than lose a BYE.
    pub(super) fn tell(&self, news: News) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.news.try_send(news) {
            self.end(Stopped::Overrun);
        }
    }
    /// Hands news on when there is room; returns it when the call is over.
    pub(super) async fn deliver(&self, news: News) -> Result<(), News> {
        self.news.send(news).await.map_err(|refused| refused.0)
    }
    /// Ends the call from above, whatever its mailbox holds.
    pub(super) fn end(&self, by: Stopped) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(by);
        self.stop.notify_one();
    }
    /// Returns once the call is to end.
    pub(super) async fn ended(&self) -> Stopped {
        loop {
            self.stop.notified().await;
            if let Some(by) = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return by;
            }
        }
    }
}

/// All living calls.
#[derive(Debug)]
pub(super) struct Registry {
    table: Mutex<Table>,
    living: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Table {
    calls: HashMap<CallId, Entry>,
    sip: HashMap<SipLegId, Arc<Mailbox>>,
    media: HashMap<LegId, Arc<Mailbox>>,
}

#[derive(Debug)]
struct Entry {
    mailbox: Arc<Mailbox>,
    /// `None` until the call's tenant is known.
    live: Option<Live>,
    /// The offer that stands, from the moment `queues` makes it.
    offered: Option<(OfferId, AccountId)>,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self { table: Mutex::default(), living: watch::Sender::new(0) }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new call with its first leg.
    pub(super) fn open(&self, call: CallId, leg: SipLegId) -> (Arc<Mailbox>, mpsc::Receiver<News>) {
        let (news, inbox) = mpsc::channel(MAILBOX);
        let mailbox = Arc::new(Mailbox { news, stopped: Mutex::default(), stop: Notify::new() });
        let mut table = self.table();
        table.sip.insert(leg, Arc::clone(&mailbox));
        table.calls.insert(call, Entry { mailbox: Arc::clone(&mailbox), live: None, offered: None });
        self.living.send_modify(|living| *living += 1);
        (mailbox, inbox)
    }

    /// The call is over and committed.
    pub(super) fn close(&self, call: CallId) {
        if self.table().calls.remove(&call).is_some() {
            self.living.send_modify(|living| *living = living.saturating_sub(1));
        }
    }

    /// Makes a SIP leg and routes its news to `mailbox`, with no moment in between in which
    /// news of it could be lost.
    pub(super) fn with_sip_leg<E>(
        &self,
        mailbox: &Arc<Mailbox>,
        make: impl FnOnce() -> Result<SipLegId, E>,
    ) -> Result<SipLegId, E> {
        let mut table = self.table();
        let leg = make()?;
        table.sip.insert(leg, Arc::clone(mailbox));
        Ok(leg)
    }

    pub(super) fn add_media_leg(&self, mailbox: &Arc<Mailbox>, leg: LegId) {
        self.table().media.insert(leg, Arc::clone(mailbox));
    }

    pub(super) fn remove_legs(&self, sip: Option<SipLegId>, media: Option<LegId>) {
        let mut table = self.table();
        if let Some(leg) = sip {
            table.sip.remove(&leg);
        }
        if let Some(leg) = media {
            table.media.remove(&leg);
        }
    }

    pub(super) fn by_sip_leg(&self, leg: SipLegId) -> Option<Arc<Mailbox>> {
        self.table().sip.get(&leg).cloned()
    }

    pub(super) fn by_media_leg(&self, leg: LegId) -> Option<Arc<Mailbox>> {
        self.table().media.get(&leg).cloned()
    }

    /// Changes what lists show of a call.
    pub(super) fn show(&self, call: CallId, live: Live) {
        if let Some(entry) = self.table().calls.get_mut(&call) {
            entry.live = Some(live);
        }
    }

    /// Hands an offer to a call that waits and has none.
    pub(super) fn offer(&self, tenant: TenantId, call: CallId, offer: Offer) -> Result<(), CallError> {
        let mut table = self.table();
        let entry = table.calls.get_mut(&call).ok_or(CallError::NotFound)?;
        let live = entry.live.as_ref().filter(|live| live.tenant == tenant).ok_or(CallError::NotFound)?;
        if live.state != "queued" || entry.offered.is_some() {
            return Err(CallError::State);
        }
        let standing = (offer.id, offer.account);
        send(&entry.mailbox, Command::Offer(offer))?;
        entry.offered = Some(standing);
        Ok(())
    }

    /// The offer is over.
    pub(super) fn offer_ended(&self, call: CallId, offer: OfferId) {
        if let Some(entry) = self.table().calls.get_mut(&call) {
            entry.offered.take_if(|(id, _)| *id == offer);
        }
    }

    /// Hands on a command of an operator who must be the one the call is offered to or talks
    /// with; of nobody in particular when `by` is `None`.
    pub(super) fn command(
        &self,
        tenant: TenantId,
        call: CallId,
        by: Option<AccountId>,
        command: Command,
    ) -> Result<(), CallError> {
        let table = self.table();
        let entry = table.calls.get(&call).ok_or(CallError::NotFound)?;
        let live = entry.live.as_ref().filter(|live| live.tenant == tenant).ok_or(CallError::NotFound)?;
        let concerned = match (by, entry.offered) {
            (None, _) => true,
            (Some(by), Some((_, account))) => by == account,
            (Some(by), None) => live.operator == Some(by) && live.state == "talking",
        };
        if !concerned || live.state == "ending" {
            return Err(CallError::State);
        }
        send(&entry.mailbox, command)
    }

    pub(super) fn snapshot(&self, tenant: TenantId) -> Vec<Live> {
        let table = self.table();
        let mut calls: Vec<Live> = table
            .calls
            .values()
            .filter_map(|entry| {
                let mut live = entry.live.as_ref().filter(|live| live.tenant == tenant)?.clone();
                if let Some((_, account)) = entry.offered {
                    (live.operator, live.state) = (Some(account), "ringing");
                }
                Some(live)
            })
            .collect();
        calls.sort_by_key(|live| (live.started_at, live.call));
        calls
    }

    /// Ends every call from above.
    pub(super) fn end_all(&self, by: Stopped) {
        for entry in self.table().calls.values() {
            entry.mailbox.end(by);
        }
    }

    /// Returns once no call lives.
    pub(super) async fn idle(&self) {
        let mut living = self.living.subscribe();
        // The sender lives as long as `self`.
        let _ = living.wait_for(|living| *living == 0).await;
    }

    /// Legs and calls on the books, for tests.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        let table = self.table();
        (table.calls.len(), table.sip.len(), table.media.len())
    }
}

fn send(mailbox: &Mailbox, command: Command) -> Result<(), CallError> {
    mailbox.news.try_send(News::Command(command)).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => CallError::Busy,
        mpsc::error::TrySendError::Closed(_) => CallError::NotFound,
    })
}
