//! What a station makes of the rooms' news.

use super::protocol::{CallState, Current, Offered, OperatorPresence, QueueLine, QueueName};
use super::station::Station;
use crate::calls;
use crate::crm::Pop;
use crate::domain::{CallId, CampaignId, PhoneNumber, QueueId, RecordingId, UnixMillis};
use crate::media::{self, MediaError};
use crate::queues::{self, QueueError};
use crate::web::api::view::views;
use crate::web::directory;
use crate::web::refusal::Refusal;
use std::time::Duration;

/// A ring is not kept waiting longer for who is calling.
const POP_TIME: Duration = Duration::from_millis(500);

impl Station {
    /// News of presence, offers and lines.
    pub(super) async fn queue_news(&mut self, event: queues::Event) {
        use queues::EventKind::{OfferEnded, Presence, Waiting};
        let told = match event.kind {
            Presence { presence, reserved, .. } => {
                Some(self.desk.presence_changed(presence, reserved, event.at))
            }
            queues::EventKind::Offered {
                offer,
                call,
                queue,
                queue_name,
                campaign,
                caller,
                waited_ms,
                ring_seconds,
                ..
            } => {
                let pop = self.pop(campaign, &caller).await;
                Some(self.desk.offered(Offered {
                    offer,
                    call,
                    queue: QueueName { id: queue, name: queue_name },
                    campaign,
                    caller,
                    waited_ms,
                    ring_seconds,
                    customers: views(pop.customers),
                    history: views(pop.history),
                }))
            }
            OfferEnded { call, outcome, .. } => self.desk.offer_ended(call, outcome.into()),
            Waiting { queue, waiting, longest_since } => self.desk.waiting(queue, waiting, longest_since),
        };
        if let Some(event) = told {
            self.publish(event);
        }
    }

    /// News of the account's own calls.
    pub(super) async fn call_news(&mut self, event: calls::Event) {
        let told = match event.kind {
            calls::EventKind::Bridged { queue, recording, .. } => {
                match self.current(event.call, queue, recording, event.at).await {
                    Some(current) => self.desk.bridged(current),
                    None => Vec::new(),
                }
            }
            calls::EventKind::Ended { fate, .. } => self.desk.call_ended(event.call, fate),
            _ => Vec::new(),
        };
        told.into_iter().for_each(|event| self.publish(event));
    }

    /// News of the account's legs.
    pub(super) fn leg_news(&mut self, event: media::Event) {
        match event.kind {
            media::EventKind::Connected => {
                let Some(takeover) = self.legs.connected(event.leg) else { return };
                let endpoint = calls::Endpoint::Browser(takeover.attach);
                if let Err(error) = self.services.queues.attach(self.tenant, self.account, endpoint) {
                    // Not an operator, or a queue room that is full: the page stays, no call comes.
                    tracing::warn!(%error, account = %self.account, "a browser leg can't be attached");
                }
                if let Some(replaced) = takeover.replaced {
                    self.detach(replaced);
                    self.close_leg(replaced);
                }
            }
            media::EventKind::Gone => {
                if self.legs.gone(event.leg) {
                    self.detach(event.leg);
                }
                self.hub.disown(event.leg);
            }
            _ => {}
        }
    }

    /// Legs whose end went unheard.
    pub(super) async fn drop_dead_legs(&mut self) {
        for leg in self.legs.all().collect::<Vec<_>>() {
            if matches!(self.services.media.stats(leg).await, Err(MediaError::NoLeg)) {
                self.leg_news(media::Event { leg, kind: media::EventKind::Gone });
            }
        }
    }

    /// Asks the rooms for everything the screen shows. What can't be asked now is left as it was.
    pub(super) async fn reload(&mut self) {
        let presence = match self.services.queues.operator(self.tenant, self.account).await {
            Ok(operator) => Some(OperatorPresence::from(&operator)),
            Err(QueueError::NotFound) => None,
            Err(_) => self.desk.presence,
        };
        match self.lines().await {
            Ok(lines) => self.desk.refresh(presence, lines),
            Err(error) => tracing::error!(?error, "a live screen's queues can't be read"),
        }
        let living = self.services.calls.snapshot(self.tenant);
        self.desk.keep_calls(|call| living.iter().any(|live| live.call == call));
        let own = |live: &&calls::Live| live.operator == Some(self.account) && live.state == "talking";
        if let (None, Some(live)) = (self.desk.call(), living.iter().find(own))
            && let Some(queue) = live.queue
            && let Some(current) = self.current(live.call, queue, None, live.started_at).await
        {
            self.desk.resume_call(current);
        }
    }

    async fn lines(&self) -> Result<Vec<QueueLine>, Refusal> {
        let queues = directory::queues(&self.services.store, &self.session).await?;
        let (_, lines) =
            self.services.queues.snapshot(self.tenant).await.map_err(|_| Refusal::Unavailable)?;
        let line = |id: QueueId| {
            lines.iter().find(|(queue, ..)| *queue == id).map_or((0, None), |(_, n, since)| (*n, *since))
        };
        Ok(queues
            .into_iter()
            .map(|queue| {
                let (waiting, longest_since) = line(queue.id);
                QueueLine { id: queue.id, name: queue.name, waiting, longest_since }
            })
            .collect())
    }

    /// The call as the screen shows it: from its offer, else from what the rooms know of it.
    async fn current(
        &mut self,
        call: CallId,
        queue: QueueId,
        recording: Option<RecordingId>,
        since: UnixMillis,
    ) -> Option<Current> {
        if let Some(offered) = self.desk.offered_call(call) {
            return Some(offered.answered(recording, since));
        }
        let live = self.services.calls.snapshot(self.tenant).into_iter().find(|live| live.call == call)?;
        let campaign = live.campaign?;
        let name = self.desk.queue_name(queue).unwrap_or_default().to_owned();
        let pop = self.pop(campaign, &live.caller).await;
        let recording = match recording {
            Some(recording) => Some(recording),
            None => self.recording_of(call).await,
        };
        Some(Current {
            call,
            queue: QueueName { id: queue, name },
            campaign,
            caller: live.caller,
            state: CallState::Talking,
            since,
            muted: false,
            recording,
            customers: views(pop.customers),
            history: views(pop.history),
        })
    }

    async fn recording_of(&self, call: CallId) -> Option<RecordingId> {
        let tenant = self.services.store.tenant(self.tenant).ok()?;
        tenant.call(&self.session.scope, call).await.ok()?.recording
    }

    /// Who is calling: nobody we may show, unless the campaign is running and within the scope
    /// as it is now.
    async fn pop(&mut self, campaign: CampaignId, caller: &str) -> Pop {
        let found = tokio::time::timeout(POP_TIME, self.customers(campaign, caller)).await;
        match found {
            Ok(Ok(Some(pop))) => pop,
            Ok(Ok(None)) => Pop { customers: Vec::new(), history: Vec::new() },
            Ok(Err(error)) => {
                tracing::error!(?error, "customers of a caller can't be read");
                Pop { customers: Vec::new(), history: Vec::new() }
            }
            Err(_) => {
                tracing::error!("customers of a caller took too long to read");
                Pop { customers: Vec::new(), history: Vec::new() }
            }
        }
    }

    async fn customers(&mut self, campaign: CampaignId, caller: &str) -> Result<Option<Pop>, Refusal> {
        if !self.check_session().await {
            return Ok(None);
        }
        let running = directory::campaigns(&self.services.store, &self.session).await?;
        if !running.iter().any(|it| it.id == campaign) {
            return Ok(None);
        }
        let number = PhoneNumber::parse(caller);
        Ok(Some(self.services.crm.pop(&self.session.scope, campaign, number.as_ref()).await?))
    }
}

impl From<&queues::Operator> for OperatorPresence {
    fn from(it: &queues::Operator) -> Self {
        Self { presence: it.presence, since: it.since, reserved: it.reserved }
    }
}
