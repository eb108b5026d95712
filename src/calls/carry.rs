//! Carries out what the call machine wants.

use super::driver::Driver;
use super::negotiate::{self, Agreed};
use super::{EventKind, News, OfferOutcome, Room};
use crate::domain::call::{self, Input, Note, Output, PlayToken};
use crate::domain::record::{CallEvent, Fate};
use crate::domain::{OfferId, RecordingId};
use crate::media::{Companding, LegId, Recorded, Sound};
use crate::recordings::Subject;
use crate::signalling::{SignallingError, SipLegId};
use crate::sip::sdp::Audio;
use crate::store::TenantStore;
use crate::task;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often a command that signalling had no room for is tried again, and how far apart.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(20);

impl Driver {
    pub(super) async fn carry_out(&mut self, output: Output) {
        match output {
            Output::Reject(status) => {
                if let Some(leg) = self.customer.sip.take() {
                    self.room.reject(leg, status);
                    self.room.registry.remove_legs(Some(leg), None);
                }
            }
            Output::Answer => self.answer(),
            Output::Play(token, sound) => self.play(token, sound).await,
            Output::SetTimer(timer, after) => {
                self.timers.push((timer, self.room.clock.now() + Duration::from_millis(after)));
            }
            Output::ClearTimer(timer) => self.timers.retain(|(set, _)| *set != timer),
            Output::Queued { queue, since } => {
                let record = &mut self.journal.record;
                record.queue = Some(queue);
                record.campaign = self.machine.queue().map(|facts| facts.campaign);
                record.queued_at = Some(since);
                self.journal.milestone();
                self.queued(since);
            }
            Output::Dequeued(queue) => self.tell(EventKind::Dequeued { queue }),
            Output::Offered(_) => {}
            Output::Dial(offer) => self.dial(offer).await,
            Output::Drop(offer) => self.release_operator(offer),
            Output::OfferEnded { offer, account, outcome } => {
                self.room.registry.offer_ended(self.call, offer);
                self.tell(EventKind::OfferEnded { offer, account, outcome });
                if outcome == OfferOutcome::Accepted {
                    if let Some(facts) = self.machine.queue() {
                        let recording = self.journal.record.recording;
                        self.tell(EventKind::Bridged { account, queue: facts.id, recording });
                    }
                } else {
                    self.release_operator(offer);
                }
            }
            Output::BeginRecording(offer) => self.begin_recording(offer),
            Output::DiscardRecording(recording) => {
                if let Some((_, _, mut sink)) = self.recording.take_if(|(_, id, _)| *id == recording) {
                    sink.end();
                }
            }
            Output::Bridge(offer, recording) => self.bridge(offer, recording),
            Output::Part => {
                if let Some(leg) = self.customer.media
                    && let Err(error) = self.room.media.part(leg)
                {
                    // Closing the leg, which follows, parts it too.
                    tracing::warn!(%error, "a bridge could not be parted");
                }
            }
            Output::Hold(sound) => self.hold(sound).await,
            Output::Mute(muted) => {
                if let Some(operator) = &mut self.operator
                    && let Some(leg) = operator.media
                {
                    match self.room.media.mute(leg, muted) {
                        Ok(()) => operator.muted = muted,
                        Err(error) => tracing::warn!(%error, "an operator could not be muted"),
                    }
                }
            }
            Output::HangUp => {
                if let Some(leg) = self.customer.sip.take() {
                    self.room.hang_up(leg);
                    self.room.registry.remove_legs(Some(leg), None);
                }
            }
            Output::Note(note) => self.note(note),
            Output::Ended(fate) => self.ended(fate),
        }
    }

    fn tell(&self, kind: EventKind) {
        self.room.tell(self.store.id(), self.call, kind);
    }

    fn note(&mut self, note: Note) {
        self.journal.note(CallEvent {
            call: self.call,
            at: note.at,
            kind: note.kind.to_owned(),
            account: note.account,
            detail: note.detail,
        });
    }

    fn answer(&mut self) {
        let (Some(leg), Some(media), Some(ours)) =
            (self.customer.sip, self.customer.media, self.customer.ours)
        else {
            return;
        };
        let audio = match &self.customer.agreed {
            Some(agreed) => {
                self.room.connect(media, agreed);
                agreed.answer.clone()
            }
            // No offer came: ours goes out, their answer comes with the ACK.
            None => negotiate::offer(ours, Companding::Mu),
        };
        if let Err(error) = self.room.signalling.accept(leg, audio) {
            tracing::warn!(%error, "a call could not be answered");
            self.inputs.push_back(Input::CustomerLeft(call::Departure::Transport));
        }
    }

    async fn play(&mut self, token: PlayToken, sound: call::Sound) {
        let Some(leg) = self.customer.media else { return };
        let sound = match sound {
            call::Sound::Prompt(name) => prompt(&self.store, &name).await.map(Sound::Once),
            call::Sound::Music(name) => Some(music(&self.room, &self.store, name).await),
        };
        let played = sound.map(|sound| self.room.media.play(leg, sound));
        match played {
            Some(Ok(play)) => self.playing = Some((play, token)),
            // A prompt that can't be heard must not keep the caller from what follows it.
            Some(Err(_)) | None => self.inputs.push_back(Input::PlayFinished(token)),
        }
    }

    async fn hold(&mut self, sound: Option<call::Sound>) {
        let Some(leg) = self.customer.media else { return };
        let held = sound.is_some();
        let music = match sound {
            Some(call::Sound::Music(name)) => Some(music(&self.room, &self.store, name).await),
            Some(call::Sound::Prompt(name)) => Some(music(&self.room, &self.store, Some(name)).await),
            None => None,
        };
        if let Err(error) = self.room.media.hold(leg, music) {
            tracing::warn!(%error, "a customer could not be put on hold or taken back");
        }
        if let Some(offer) = self.machine.offer() {
            self.tell(EventKind::Held { account: offer.account, held });
        }
    }

    fn queued(&mut self, since: i64) {
        let Some(facts) = self.machine.queue() else { return };
        let caller = self.journal.record.caller.clone();
        self.tell(EventKind::Queued { queue: facts.id, campaign: facts.campaign, caller, since });
        let Some(phone) = self.phone.clone() else { return };
        let (store, mailbox) = (Arc::clone(&self.store), Arc::clone(&self.mailbox));
        let scope = (self.room.scopes)(self.store.id());
        task::spawn("call_customer", async move {
            // Two, to know whether the first is the only one.
            match store.customers_by_phone(&scope, facts.campaign, &phone, 2).await {
                Ok(found) => {
                    if let [customer] = found.as_slice() {
                        mailbox.tell(News::Customer(customer.id));
                    }
                }
                Err(error) => tracing::warn!(%error, "a caller could not be looked up"),
            }
        });
    }

    fn begin_recording(&self, offer: OfferId) {
        let subject = Subject {
            tenant: self.store.id(),
            call: self.call,
            campaign: self.machine.queue().map(|facts| facts.campaign),
            operator: self.machine.offer().map(|offer| offer.account),
        };
        let (recordings, mailbox) = (self.room.recordings.clone(), Arc::clone(&self.mailbox));
        task::spawn("call_recording", async move {
            let begun = recordings.begin(subject).await;
            let begun =
                begun.inspect_err(|error| tracing::error!(%error, "a recording could not be begun")).ok();
            if let Err(News::Recording(_, Some((_, mut sink)))) =
                mailbox.deliver(News::Recording(offer, begun)).await
            {
                sink.end();
            }
        });
    }

    /// Joins the legs; whatever is missing, no bridge comes about without its recording.
    fn bridge(&mut self, offer: OfferId, recording: call::Recording) {
        let operator = self.operator_of(offer);
        let account = self.machine.offer().map(|offer| offer.account);
        let legs = self.customer.media.zip(operator.and_then(|operator| operator.media));
        let recorded = match recording {
            call::Recording::ByPolicyNot => Some(Recorded::ByPolicyNot),
            call::Recording::Into(id) => self.sink_of(offer, id),
        };
        let bridged = match (legs, recorded) {
            (Some((customer, operator)), Some(recorded)) => {
                self.room.media.bridge(customer, operator, recorded).is_ok()
            }
            _ => false,
        };
        if !bridged {
            tracing::error!(call = %self.call, "a call could not be bridged");
            self.inputs.push_back(Input::BridgeFailed(offer));
        }
        let record = &mut self.journal.record;
        record.operator = account;
        record.answered_at = Some(self.room.clock.unix_millis());
        if let call::Recording::Into(id) = recording {
            record.recording = Some(id);
        }
        self.playing = None;
        self.journal.milestone();
    }

    fn sink_of(&mut self, offer: OfferId, recording: RecordingId) -> Option<Recorded> {
        let begun = self.recording.take_if(|(of, id, _)| *of == offer && *id == recording);
        begun.map(|(_, _, sink)| Recorded::Into(sink))
    }

    fn ended(&mut self, fate: Fate) {
        let record = &mut self.journal.record;
        record.fate = Some(fate);
        record.ended_at = Some(self.room.clock.unix_millis());
        if let Some(operator) = &self.operator {
            self.release_operator(operator.offer);
        }
        if let Some(leg) = self.customer.sip.take() {
            // Only a call whose answer could not be sent comes here with its dialog.
            self.room.hang_up(leg);
            self.room.registry.remove_legs(Some(leg), None);
        }
        if let Some(leg) = self.customer.media.take() {
            self.room.registry.remove_legs(None, Some(leg));
            self.room.media.close(leg);
        }
        self.timers.clear();
        self.over = true;
    }
}

async fn prompt(store: &TenantStore, name: &str) -> Option<Arc<[i16]>> {
    let found = store.prompt_rendering(name).await;
    let tenant = store.id();
    match &found {
        Ok(Some(_)) => {}
        Ok(None) => tracing::warn!(%tenant, prompt = name, "a flow names a prompt that is not there"),
        Err(error) => tracing::error!(%tenant, prompt = name, %error, "a prompt could not be read"),
    }
    found.ok().flatten()
}

/// The named music, or the built-in one.
async fn music(room: &Room, store: &TenantStore, name: Option<String>) -> Sound {
    let named = match name {
        Some(name) => prompt(store, &name).await,
        None => None,
    };
    Sound::Loop(named.unwrap_or_else(|| Arc::clone(&room.music)))
}

impl Room {
    pub(super) fn connect(&self, leg: LegId, agreed: &Agreed) {
        if let Err(error) = self.media.connect(leg, agreed.remote) {
            tracing::warn!(%error, "a leg's audio could not be directed");
        }
    }

    /// Answers a re-INVITE or UPDATE, and returns what is agreed from now on.
    pub(super) fn reoffered(
        self: &Arc<Self>,
        leg: SipLegId,
        media: LegId,
        ours: SocketAddr,
        offer: Option<&Audio>,
        before: Option<Agreed>,
    ) -> Option<Agreed> {
        let law = before.as_ref().map(|agreed| agreed.remote.companding);
        let Some(offer) = offer else {
            let accepted = self.signalling.accept(leg, negotiate::offer(ours, law.unwrap_or(Companding::Mu)));
            if let Err(error) = accepted {
                tracing::warn!(%error, "a re-offer could not be answered");
            }
            return before;
        };
        match negotiate::agree(offer, ours, law) {
            Some(agreed) => match self.signalling.accept(leg, agreed.answer.clone()) {
                Ok(()) => {
                    self.connect(media, &agreed);
                    Some(agreed)
                }
                Err(error) => {
                    tracing::warn!(%error, "a re-offer could not be answered");
                    before
                }
            },
            None => {
                self.reject(leg, 488);
                before
            }
        }
    }

    /// Ends a SIP leg; when signalling has no room just now, a little later.
    pub(super) fn hang_up(self: &Arc<Self>, leg: SipLegId) {
        if self.signalling.hang_up(leg).is_err() {
            self.insist(move |room| room.signalling.hang_up(leg));
        }
    }

    /// Refuses an INVITE or re-offer; when signalling has no room just now, a little later.
    pub(super) fn reject(self: &Arc<Self>, leg: SipLegId, status: u16) {
        if self.signalling.reject(leg, status).is_err() {
            self.insist(move |room| room.signalling.reject(leg, status));
        }
    }

    fn insist(
        self: &Arc<Self>,
        command: impl Fn(&Self) -> Result<(), SignallingError> + Send + Sync + 'static,
    ) {
        let room = Arc::clone(self);
        task::spawn("call_insist", async move {
            for _ in 0..TRIES {
                tokio::time::sleep(PAUSE).await;
                if command(&room).is_ok() {
                    return;
                }
            }
            tracing::error!("signalling took no command for ten seconds");
        });
    }
}
