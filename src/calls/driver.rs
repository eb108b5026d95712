//! One task a call: turns news into the machine's inputs. What comes out is carried out
//! in `carry`.

use super::journal::Journal;
use super::negotiate::{self, Agreed};
use super::operator::Operator;
use super::registry::Mailbox;
use super::{Command, EventKind, Live, News, OfferOutcome, Room, admit};
use crate::domain::call::{Departure, Input, Machine, PlayToken, Stopped, Timer};
use crate::domain::record::CallRecord;
use crate::domain::{CallId, OfferId, PhoneNumber, RecordingId};
use crate::media::handle::Opened;
use crate::media::{self, Companding, LegId, PlayId, TapSink};
use crate::signalling::{EndReason, Event, Invited, SipLegId};
use crate::store::TenantStore;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// One call as its task holds it.
pub(super) struct Driver {
    pub(super) room: Arc<Room>,
    pub(super) store: Arc<TenantStore>,
    pub(super) call: CallId,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) machine: Machine,
    /// Inputs that arose while outputs were carried out.
    pub(super) inputs: VecDeque<Input>,
    pub(super) customer: Customer,
    pub(super) operator: Option<Operator>,
    pub(super) phone: Option<PhoneNumber>,
    pub(super) playing: Option<(PlayId, PlayToken)>,
    pub(super) timers: Vec<(Timer, Instant)>,
    pub(super) recording: Option<(OfferId, RecordingId, Box<dyn TapSink>)>,
    pub(super) journal: Journal,
    pub(super) over: bool,
}

/// The customer's leg.
pub(super) struct Customer {
    /// Its dialog, until it is over or we hang up.
    pub(super) sip: Option<SipLegId>,
    /// Its audio.
    pub(super) media: Option<LegId>,
    /// Where we want its RTP.
    pub(super) ours: Option<SocketAddr>,
    /// What was agreed last.
    pub(super) agreed: Option<Agreed>,
}

/// Takes one INVITE to its end.
pub(super) async fn run(
    room: Arc<Room>,
    call: CallId,
    invited: Invited,
    mailbox: Arc<Mailbox>,
    mut inbox: mpsc::Receiver<News>,
) {
    let leg = invited.leg;
    match Driver::admit(Arc::clone(&room), call, invited, mailbox).await {
        Ok((mut driver, first)) => {
            driver.live(&mut inbox, first).await;
            driver.end(inbox).await;
        }
        Err(status) => {
            // Harmless when the caller has cancelled meanwhile.
            room.reject(leg, status);
            room.registry.remove_legs(Some(leg), None);
        }
    }
    room.registry.close(call);
}

impl Driver {
    /// A call that is somebody's, with its first input; else the status that refuses it.
    async fn admit(
        room: Arc<Room>,
        call: CallId,
        invited: Invited,
        mailbox: Arc<Mailbox>,
    ) -> Result<(Self, Input), u16> {
        let (number, store) = match admit::route(&room, &invited).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                tracing::info!(trunk = %invited.trunk, "a number was dialled that is nobody's");
                return Err(404);
            }
            Err(error) => {
                tracing::error!(%error, "a number could not be looked up");
                return Err(503);
            }
        };
        let (caller, phone) = admit::caller(&invited, store.tenant());
        let record = CallRecord {
            id: call,
            caller,
            called: number.number.clone(),
            campaign: None,
            queue: None,
            customer: None,
            operator: None,
            recording: None,
            started_at: room.clock.unix_millis(),
            queued_at: None,
            answered_at: None,
            ended_at: None,
            fate: None,
        };
        let mut customer = Customer { sip: Some(invited.leg), media: None, ours: None, agreed: None };
        let (machine, first) = match admit::machine(&room, &number, &store).await {
            Ok(machine) => match admit::media(&room, &invited).await {
                Ok((Opened { leg, .. }, ours, agreed)) => {
                    customer = Customer { media: Some(leg), ours: Some(ours), agreed, ..customer };
                    room.registry.add_media_leg(&mailbox, leg);
                    (machine, Input::Begin)
                }
                Err(bar) => (machine, Input::Barred(bar)),
            },
            Err(bar) => (Machine::new(Arc::default(), Arc::default()), Input::Barred(bar)),
        };
        let mut driver = Self {
            journal: Journal::begin(Arc::clone(&store), record),
            room,
            store,
            call,
            mailbox,
            machine,
            inputs: VecDeque::new(),
            customer,
            operator: None,
            phone,
            playing: None,
            timers: Vec::new(),
            recording: None,
            over: false,
        };
        driver.show();
        Ok((driver, first))
    }

    /// Lives until the machine says it is over.
    async fn live(&mut self, inbox: &mut mpsc::Receiver<News>, first: Input) {
        // A caller may have given up while the call was admitted.
        while let Ok(news) = inbox.try_recv() {
            self.hear(news).await;
        }
        self.inputs.push_back(first);
        self.settle().await;
        let mailbox = Arc::clone(&self.mailbox);
        while !self.over {
            let wake = self.timers.iter().map(|(_, at)| *at).min();
            tokio::select! {
                biased;
                by = mailbox.ended() => self.inputs.push_back(Input::Stopped(by)),
                () = until(wake) => self.ring_timers(),
                news = inbox.recv() => match news {
                    Some(news) => self.hear(news).await,
                    None => self.inputs.push_back(Input::Stopped(Stopped::Shutdown)),
                },
                () = self.journal.written() => {}
            }
            self.settle().await;
        }
    }

    /// Feeds the machine until it wants nothing more.
    async fn settle(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            self.machine.step(self.room.clock.unix_millis(), input);
            // Whoever acts on what is told below finds the call in its new state.
            self.show();
            while let Some(output) = self.machine.poll() {
                self.carry_out(output).await;
            }
        }
        self.show();
    }

    fn ring_timers(&mut self) {
        let now = self.room.clock.now();
        let inputs = &mut self.inputs;
        self.timers.retain(|(timer, at)| {
            let due = *at <= now;
            if due {
                inputs.push_back(Input::TimerFired(*timer));
            }
            !due
        });
    }

    async fn hear(&mut self, news: News) {
        match news {
            News::Signalling(event) => self.hear_signalling(event),
            News::Media(event) => self.hear_media(&event),
            News::Command(Command::Offer(offer)) => self.take_offer(offer),
            News::Command(command) => self.inputs.extend(match command {
                Command::Accept(account) => Some(Input::Accepted(account)),
                Command::Refuse(account) => Some(Input::Refused(account)),
                Command::HangUp(Some(account)) => Some(Input::HungUp(account)),
                Command::HangUp(None) => Some(Input::Stopped(Stopped::Administrator)),
                Command::Mute(account, muted) => Some(Input::Muted(account, muted)),
                Command::Hold(account, held) => Some(Input::Held(account, held)),
                Command::Offer(_) => None,
            }),
            News::Recording(offer, Some((recording, sink))) => {
                self.recording = Some((offer, recording, sink));
                self.inputs.push_back(Input::RecordingBegun(offer, Some(recording)));
            }
            News::Recording(offer, None) => self.inputs.push_back(Input::RecordingBegun(offer, None)),
            News::Customer(customer) => self.journal.record.customer = Some(customer),
        }
        self.settle().await;
    }

    fn hear_signalling(&mut self, event: Event) {
        match event {
            Event::Cancelled(leg) if self.customer.sip == Some(leg) => {
                self.customer.sip = None;
                self.room.registry.remove_legs(Some(leg), None);
                self.inputs.push_back(Input::CustomerLeft(Departure::Cancelled));
            }
            Event::Ended(leg, reason) if self.customer.sip == Some(leg) => {
                self.customer.sip = None;
                self.room.registry.remove_legs(Some(leg), None);
                self.inputs.push_back(Input::CustomerLeft(departure(reason)));
            }
            Event::Confirmed(leg, Some(answer)) if self.customer.sip == Some(leg) => {
                if let (Some(media), Some(ours)) = (self.customer.media, self.customer.ours) {
                    match negotiate::agree(&answer, ours, self.customer.law()) {
                        Some(agreed) => {
                            self.room.connect(media, &agreed);
                            self.customer.agreed = Some(agreed);
                        }
                        None => self.customer_failed(),
                    }
                }
            }
            Event::Reoffered(leg, offer) if self.customer.sip == Some(leg) => {
                if let (Some(media), Some(ours)) = (self.customer.media, self.customer.ours) {
                    self.customer.agreed =
                        self.room.reoffered(leg, media, ours, offer.as_ref(), self.customer.agreed.take());
                }
            }
            event => self.hear_operators_signalling(event),
        }
    }

    fn hear_media(&mut self, event: &media::Event) {
        let talking = self.machine.phase() == crate::domain::call::Phase::Talking;
        match &event.kind {
            media::EventKind::PlayFinished(play) => {
                if let Some((_, token)) = self.playing.take_if(|(playing, _)| playing == play) {
                    self.inputs.push_back(Input::PlayFinished(token));
                }
            }
            // Whoever waits may be silent; who talks may not.
            media::EventKind::Stalled if talking && self.customer.media == Some(event.leg) => {
                self.customer_failed();
            }
            media::EventKind::Stalled if talking => self.operator_lost(event.leg, Departure::Media),
            media::EventKind::Gone => self.operator_lost(event.leg, Departure::HungUp),
            _ => {}
        }
    }

    /// The customer's audio can't go on: their dialog is ended and the machine told.
    fn customer_failed(&mut self) {
        if let Some(leg) = self.customer.sip.take() {
            self.room.hang_up(leg);
            self.room.registry.remove_legs(Some(leg), None);
        }
        self.inputs.push_back(Input::CustomerLeft(Departure::Media));
    }

    /// Shows the call as it is in the lists.
    fn show(&mut self) {
        let record = &self.journal.record;
        let live = Live {
            call: self.call,
            tenant: self.store.id(),
            caller: record.caller.clone(),
            called: record.called.clone(),
            campaign: record.campaign,
            queue: record.queue,
            operator: self.machine.offer().map(|offer| offer.account),
            state: self.machine.phase().word(),
            started_at: record.started_at,
            queued_at: record.queued_at,
            answered_at: record.answered_at,
            customer: record.customer,
            recording: record.recording,
            held: self.machine.held(),
            muted: self.operator.as_ref().is_some_and(|operator| operator.muted),
        };
        self.room.registry.show(self.call, live);
    }

    /// After the machine's end: gives back what came too late, commits, and says so.
    async fn end(mut self, mut inbox: mpsc::Receiver<News>) {
        self.room.registry.remove_legs(self.customer.sip, self.customer.media);
        inbox.close();
        while let Some(news) = inbox.recv().await {
            match news {
                News::Command(Command::Offer(offer)) => self.offer_refused(offer.id, offer.account),
                News::Recording(_, Some((_, mut sink))) => sink.end(),
                _ => {}
            }
        }
        if let Some((_, _, mut sink)) = self.recording.take() {
            sink.end();
        }
        let record = &self.journal.record;
        let (fate, account, queue) = (record.fate, record.operator, record.queue);
        let (room, tenant, call) = (self.room, self.store.id(), self.call);
        self.journal.end().await;
        if let Some(fate) = fate {
            room.tell(tenant, call, EventKind::Ended { fate, account, queue });
        }
    }

    /// Tells `queues` that an offer came too late.
    pub(super) fn offer_refused(&self, offer: OfferId, account: crate::domain::AccountId) {
        self.room.registry.offer_ended(self.call, offer);
        let outcome = OfferOutcome::CallerGone;
        self.room.tell(self.store.id(), self.call, EventKind::OfferEnded { offer, account, outcome });
    }
}

impl Customer {
    /// The law in use.
    pub(super) fn law(&self) -> Option<Companding> {
        self.agreed.as_ref().map(|agreed| agreed.remote.companding)
    }
}

/// How a dialog's end is called in a call's story.
pub(super) fn departure(reason: EndReason) -> Departure {
    match reason {
        EndReason::Bye => Departure::HungUp,
        EndReason::AckLost => Departure::AckLost,
        EndReason::SessionExpired => Departure::Expired,
        EndReason::Transport => Departure::Transport,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
