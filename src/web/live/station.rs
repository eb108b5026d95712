//! One account's live state: one task owns it, and everything reaches it through one inbox.

use super::desk::Desk;
use super::hub::{Hub, Key, Patience};
use super::legs::Legs;
use super::log::Log;
use super::protocol::{CLOSE_REPLACED, CLOSE_SESSION_ENDED, CLOSE_TRY_AGAIN, Event, Request};
use super::socket::Line;
use crate::access::{AccessError, Session};
use crate::calls::{self, Endpoint};
use crate::clock::Clock;
use crate::domain::{AccountId, Presence, SessionId, TenantId};
use crate::media::{self, LegId};
use crate::queues;
use crate::task::{Phase, Stop};
use crate::web::server::Services;
use axum::extract::ws::Utf8Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// An operator at work uses the session, though the page may ask nothing for a long call.
const USE_EVERY: Duration = Duration::from_secs(60);

/// A connection that just said `resume`.
pub struct Opening {
    /// Tells it from those before and after.
    pub number: u64,
    /// Whose.
    pub session: Session,
    /// The session's token, to ask again whether it holds.
    pub token: Zeroizing<String>,
    /// Where its frames go.
    pub line: Line,
    /// The run of numbers the page knows.
    pub instance: Option<String>,
    /// The last number it saw.
    pub seq: u64,
}

/// What reaches a station.
pub enum Input {
    /// A page connected.
    Opened(Box<Opening>),
    /// It asks for something.
    Asked(u64, Request),
    /// It asks for something that can't be read.
    Misread(u64, u64),
    /// It is gone.
    Closed(u64),
    /// News of queues, its own account's or a queue's line.
    Queues(queues::Event),
    /// News of its account's calls.
    Calls(calls::Event),
    /// News of one of its legs.
    Leg(media::Event),
    /// A session of the tenant ended.
    SessionEnded(SessionId),
    /// News was lost.
    StartOver,
}

/// The connected page.
pub(super) struct Page {
    number: u64,
    line: Line,
}

/// An account's live state.
pub struct Station {
    pub(super) tenant: TenantId,
    pub(super) account: AccountId,
    pub(super) services: Services,
    pub(super) clock: Clock,
    pub(super) hub: Hub,
    pub(super) desk: Desk,
    pub(super) legs: Legs,
    pub(super) session: Session,
    token: Zeroizing<String>,
    patience: Patience,
    behind: Arc<AtomicBool>,
    log: Log,
    page: Option<Page>,
    /// When the last page went; `None` while one is there.
    alone_since: Option<Instant>,
    /// When the session was last used.
    used_at: Instant,
    /// The session is over and the station with it.
    over: bool,
}

impl Station {
    /// A station for an account whose first page is about to open.
    pub fn new(
        (tenant, account): Key,
        opening: &Opening,
        services: Services,
        clock: Clock,
        patience: Patience,
        hub: Hub,
        behind: Arc<AtomicBool>,
    ) -> Self {
        let now = clock.now();
        Self {
            tenant,
            account,
            services,
            clock,
            hub,
            desk: Desk::default(),
            legs: Legs::default(),
            session: opening.session.clone(),
            token: opening.token.clone(),
            patience,
            behind,
            log: Log::fresh(),
            page: None,
            alone_since: Some(now),
            used_at: now,
            over: false,
        }
    }

    /// Works until nobody is left to work for.
    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>, mut stop: Stop) {
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                () = stop.reached(Phase::Stopped) => return,
                input = inputs.recv() => match input {
                    Some(input) => self.take(input).await,
                    None => return,
                },
                () = tokio::time::sleep(pause) => self.look_around().await,
            }
            if self.behind.swap(false, Ordering::AcqRel) {
                self.start_over().await;
            }
            if self.is_done() && self.hub.close((self.tenant, self.account), &inputs) {
                self.release_legs();
                return;
            }
        }
    }

    async fn take(&mut self, input: Input) {
        match input {
            Input::Opened(opening) => self.opened(*opening).await,
            Input::Asked(number, request) => {
                if self.is_open(number) {
                    self.asked(request).await;
                }
            }
            Input::Misread(number, re) => {
                if self.is_open(number) {
                    self.misread(re);
                }
            }
            Input::Closed(number) => {
                if self.page.take_if(|page| page.number == number).is_some() {
                    self.alone_since = Some(self.clock.now());
                }
            }
            Input::Queues(event) => self.queue_news(event).await,
            Input::Calls(event) => self.call_news(event).await,
            Input::Leg(event) => self.leg_news(event),
            Input::SessionEnded(session) => {
                if session == self.session.id {
                    self.end_session();
                }
            }
            Input::StartOver => {}
        }
    }

    fn is_open(&self, number: u64) -> bool {
        self.page.as_ref().is_some_and(|page| page.number == number)
    }

    /// How long nothing needs to be looked at.
    fn pause(&self) -> Duration {
        let now = self.clock.now();
        let until = |since: Instant, wait: Duration| (since + wait).saturating_duration_since(now);
        let used = until(self.used_at, USE_EVERY);
        match self.alone_since {
            None => used,
            Some(since) if self.legs.all().next().is_some() => used.min(until(since, self.patience.leg)),
            Some(since) => used.min(until(since, self.patience.station)),
        }
        .max(Duration::from_millis(1))
    }

    async fn look_around(&mut self) {
        let now = self.clock.now();
        if self.alone_since.is_some_and(|since| now.saturating_duration_since(since) >= self.patience.leg) {
            self.release_legs();
        }
        if now.saturating_duration_since(self.used_at) >= USE_EVERY {
            self.used_at = now;
            let presence = self.desk.presence.map_or(Presence::Offline, |it| it.presence);
            let works = !matches!(presence, Presence::Offline | Presence::Away) || self.desk.call().is_some();
            if self.page.is_some() && works {
                self.check_session().await;
            }
        }
    }

    fn is_done(&self) -> bool {
        let waited = |since| self.clock.now().saturating_duration_since(since) >= self.patience.station;
        self.over || self.alone_since.is_some_and(waited)
    }

    async fn opened(&mut self, opening: Opening) {
        let Opening { number, session, token, line, instance, seq } = opening;
        // It may have ended between the request's check and now, with nobody here to hear it.
        self.token = token;
        self.session = session;
        self.over = false;
        if let Some(before) = self.page.replace(Page { number, line }) {
            before.line.end(CLOSE_REPLACED);
        }
        self.alone_since = None;
        if !self.check_session().await {
            self.page.take().into_iter().for_each(|page| page.line.end(CLOSE_TRY_AGAIN));
            return;
        }
        let missed = instance.and_then(|instance| self.log.since(&instance, seq));
        match missed {
            Some(frames) => frames.into_iter().for_each(|frame| self.send(frame)),
            None => {
                self.reload().await;
                self.greet();
            }
        }
    }

    /// Asks whether the session still holds, which also counts as using it; ends everything
    /// when it does not. A store that can't say fails closed for what was asked, no more.
    pub(super) async fn check_session(&mut self) -> bool {
        self.used_at = self.clock.now();
        match self.services.access.session(&self.token).await {
            Ok(session) => {
                self.session = session;
                true
            }
            Err(AccessError::NoSession | AccessError::Denied) => {
                self.end_session();
                false
            }
            Err(error) => {
                tracing::error!(%error, "a live session can't be checked");
                false
            }
        }
    }

    /// Tells the page, closes it, and takes the operator's leg away at once.
    fn end_session(&mut self) {
        if self.over {
            return;
        }
        self.publish(Event::SessionEnded {});
        if let Some(page) = self.page.take() {
            page.line.end(CLOSE_SESSION_ENDED);
        }
        self.alone_since = Some(self.clock.now());
        self.release_legs();
        self.desk = Desk::default();
        self.log = Log::fresh();
        self.over = true;
    }

    /// Lost news, or a page that knows nothing: everything is asked anew and told whole, in a
    /// new run of numbers.
    async fn start_over(&mut self) {
        self.log = Log::fresh();
        if self.over || !self.check_session().await {
            return;
        }
        self.drop_dead_legs().await;
        self.reload().await;
        self.greet();
    }

    fn greet(&mut self) {
        let hello = self.desk.hello(self.log.instance());
        let frame = self.log.unnumbered(hello, self.clock.unix_millis());
        self.send(frame);
    }

    /// Numbers, keeps and sends an event.
    pub(super) fn publish(&mut self, event: Event) {
        let frame = self.log.append(event, self.clock.unix_millis());
        self.send(frame);
    }

    /// Sends a frame; a page that does not keep up is dropped, and may come back and resume.
    pub(super) fn send(&mut self, frame: Utf8Bytes) {
        let slow = self.page.take_if(|page| !page.line.send(frame.clone()));
        if let Some(page) = slow {
            tracing::info!(account = %self.account, "a live page reads too slowly and is dropped");
            page.line.end(CLOSE_TRY_AGAIN);
            self.alone_since = Some(self.clock.now());
        }
    }

    /// Nobody hears calls in these browsers any more.
    fn release_legs(&mut self) {
        let (standing, coming) = self.legs.give_up();
        if let Some(leg) = standing {
            self.detach(leg);
        }
        for leg in [standing, coming].into_iter().flatten() {
            self.close_leg(leg);
        }
    }

    /// Tells the queues that the operator no longer hears calls on this leg.
    pub(super) fn detach(&self, leg: LegId) {
        if let Err(error) = self.services.queues.detach(self.tenant, self.account, Endpoint::Browser(leg)) {
            tracing::warn!(%error, account = %self.account, "a browser leg can't be detached");
        }
    }

    /// Closes a leg and forgets whose it was.
    pub(super) fn close_leg(&self, leg: LegId) {
        self.services.media.close(leg);
        self.hub.disown(leg);
    }
}
