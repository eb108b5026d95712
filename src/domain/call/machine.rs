//! The machine itself.

use super::{
    Departure, Input, Note, Offer, OfferOutcome, Output, Party, PlayToken, Recording, Sound, Stopped, Timer,
};
use crate::domain::flow::{FlowDocument, Outcome, Step, Walk};
use crate::domain::{AccountId, CampaignId, OfferId, QueueId, RecordingId, UnixMillis, record::Fate};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A call whose recording can't be begun so often is ended rather than rung around.
const RECORDING_FAILURES: u8 = 3;
/// How long an operator who took a call waits for its recording to begin, in milliseconds.
const JOIN: u64 = 5_000;
/// The most steps a call takes through its flow; a checked flow never comes near.
const MAX_STEPS: u32 = 10_000;

/// What a flow's queue name stands for, as known when the call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFacts {
    /// Which queue.
    pub id: QueueId,
    /// Whose customers call there.
    pub campaign: CampaignId,
    /// Whether its calls are recorded.
    pub recorded: bool,
}

/// Where a call is, as lists show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before or in a prompt.
    Prompt,
    /// Waiting, offered to nobody.
    Queued,
    /// Offered to an operator.
    Ringing,
    /// Bridged.
    Talking,
    /// Over.
    Ending,
}

impl Phase {
    /// The stable word for lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::Ending => "ending",
        }
    }
}

/// One inbound call.
#[derive(Debug)]
pub struct Machine {
    walk: Walk,
    queues: Arc<BTreeMap<String, QueueFacts>>,
    state: State,
    outputs: VecDeque<Output>,
    /// Whether the story has its first line.
    noted: bool,
    plays: u32,
    steps: u32,
    recording_failures: u8,
    /// The queue waited in last, and since when.
    queued: Option<(QueueFacts, UnixMillis)>,
}

#[derive(Debug)]
enum State {
    /// INVITE seen, nothing sent.
    Fresh,
    /// In a prompt.
    Playing(PlayToken),
    /// In a queue.
    Waiting(Waiting),
    /// With an operator.
    Talking {
        offer: Offer,
        held: bool,
    },
    Ended,
}

#[derive(Debug)]
struct Waiting {
    facts: QueueFacts,
    /// The timer of the longest wait, while it runs.
    patience: Option<u32>,
    /// The longest wait is over and the flow goes on once the present offer has ended.
    overdue: bool,
    offer: Option<(Offer, Stage)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ringing,
    /// Taken by the operator; the recording is being begun.
    Joining,
}

impl Machine {
    /// A call that nobody has answered yet. `queues` resolves the flow's queue names.
    pub fn new(flow: Arc<FlowDocument>, queues: Arc<BTreeMap<String, QueueFacts>>) -> Self {
        Self {
            walk: Walk::new(flow),
            queues,
            state: State::Fresh,
            outputs: VecDeque::new(),
            noted: false,
            plays: 0,
            steps: 0,
            recording_failures: 0,
            queued: None,
        }
    }

    /// The next thing to do; `None` when all is done until the next input.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Where the call is.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Fresh | State::Playing(_) => Phase::Prompt,
            State::Waiting(Waiting { offer: None, .. }) => Phase::Queued,
            State::Waiting(_) => Phase::Ringing,
            State::Talking { .. } => Phase::Talking,
            State::Ended => Phase::Ending,
        }
    }

    /// The queue the call was in last.
    pub fn queue(&self) -> Option<QueueFacts> {
        self.queued.map(|(facts, _)| facts)
    }

    /// Since when it waited there.
    pub fn queued_since(&self) -> Option<UnixMillis> {
        self.queued.map(|(_, since)| since)
    }

    /// The offer that rings or is bridged.
    pub fn offer(&self) -> Option<Offer> {
        match &self.state {
            State::Waiting(waiting) => waiting.offer.map(|(offer, _)| offer),
            State::Talking { offer, .. } => Some(*offer),
            _ => None,
        }
    }

    /// Whether the customer is on hold.
    pub fn held(&self) -> bool {
        matches!(self.state, State::Talking { held: true, .. })
    }

    /// Takes one input. `now` is wall-clock time and never goes back by itself; it only
    /// dates what comes out.
    pub fn step(&mut self, now: UnixMillis, input: Input) {
        if matches!(self.state, State::Fresh) && !self.noted {
            self.noted = true;
            self.note(now, "invited", None, "");
        }
        match input {
            Input::Begin => self.begin(now),
            Input::Barred(bar) if matches!(self.state, State::Fresh) => {
                self.emit(Output::Reject(bar.status()));
                self.finish(now, Fate::Refused, bar.word());
            }
            Input::Barred(_) => {}
            Input::CustomerLeft(how) => self.customer_left(now, how),
            Input::PlayFinished(token) => {
                if matches!(self.state, State::Playing(playing) if playing == token) {
                    self.walk.advance(Outcome::Finished);
                    self.enter(now);
                }
            }
            Input::TimerFired(Timer::Patience(which)) => self.patience_over(now, which),
            Input::TimerFired(Timer::Join(id)) => self.recording_begun(now, id, None),
            Input::TimerFired(Timer::Ring(id)) => self.end_ringing(now, id, OfferOutcome::TimedOut),
            Input::Offered(offer) => self.offered(now, offer),
            Input::Accepted(account) => {
                if let Some((offer, Stage::Ringing)) = self.offer_to(account)
                    && offer.party == Party::Browser
                {
                    self.accepted(now, offer);
                }
            }
            Input::Refused(account) => {
                if let Some((offer, Stage::Ringing)) = self.offer_to(account) {
                    self.end_ringing(now, offer.id, OfferOutcome::Refused);
                }
            }
            Input::OperatorAnswered(id) => {
                if let Some((offer, Stage::Ringing)) = self.offer_with(id)
                    && offer.party == Party::Sip
                {
                    self.accepted(now, offer);
                }
            }
            Input::OperatorFailed(id, declined) => {
                let outcome = if declined { OfferOutcome::Refused } else { OfferOutcome::Failed };
                self.end_offer(now, id, outcome);
            }
            Input::OperatorLeft(id, how) => self.operator_left(now, id, how),
            Input::RecordingBegun(id, recording) => self.recording_begun(now, id, recording),
            Input::BridgeFailed(id) => self.operator_left(now, id, Departure::Media),
            Input::HungUp(account) => self.hung_up(now, account),
            Input::Held(account, held) => self.hold(now, account, held),
            Input::Muted(account, muted) => {
                if matches!(&self.state, State::Talking { offer, .. } if offer.account == account) {
                    self.emit(Output::Mute(muted));
                }
            }
            Input::Stopped(by) => self.stopped(now, by),
        }
    }

    fn begin(&mut self, now: UnixMillis) {
        if matches!(self.state, State::Fresh) {
            self.emit(Output::Answer);
            self.note(now, "answered", None, "");
            self.enter(now);
        }
    }

    /// Carries out the step the flow is at.
    fn enter(&mut self, now: UnixMillis) {
        self.steps += 1;
        let step = if self.steps > MAX_STEPS { Step::HangUp } else { self.walk.step().clone() };
        match step {
            Step::Play { prompt, .. } => {
                let token = self.play(Sound::Prompt(prompt.text.clone()));
                self.note(now, "prompt_started", None, &prompt.text);
                self.state = State::Playing(token);
            }
            Step::Queue { queue, music, limit } => match self.queues.get(&queue.text).copied() {
                Some(facts) => {
                    let patience = limit.map(|limit| {
                        self.emit(Output::SetTimer(
                            Timer::Patience(self.steps),
                            u64::from(limit.seconds) * 1000,
                        ));
                        self.steps
                    });
                    let since = match self.queued {
                        Some((before, since)) if before.id == facts.id => since,
                        _ => now,
                    };
                    self.queued = Some((facts, since));
                    self.play(Sound::Music(music.map(|music| music.text)));
                    self.note(now, "queued", None, &queue.text);
                    self.emit(Output::Queued { queue: facts.id, since });
                    self.state = State::Waiting(Waiting { facts, patience, overdue: false, offer: None });
                }
                None => self.hang_up(now, Fate::Completed, "no_queue"),
            },
            Step::HangUp => self.hang_up(now, Fate::Completed, "flow"),
        }
    }

    fn patience_over(&mut self, now: UnixMillis, which: u32) {
        if let State::Waiting(waiting) = &mut self.state
            && waiting.patience == Some(which)
        {
            waiting.patience = None;
            waiting.overdue = true;
            self.go_on_when_overdue(now);
        }
    }

    /// Leaves the queue once its time is up and no offer stands.
    fn go_on_when_overdue(&mut self, now: UnixMillis) {
        if let State::Waiting(Waiting { facts, overdue: true, offer: None, .. }) = &self.state {
            let queue = facts.id;
            // Between two steps: out of the queue, in nothing yet.
            self.state = State::Playing(PlayToken(0));
            self.emit(Output::Dequeued(queue));
            self.walk.advance(Outcome::TimedOut);
            self.enter(now);
        }
    }

    fn offered(&mut self, now: UnixMillis, offer: Offer) {
        let fits = matches!(&self.state, State::Waiting(Waiting { offer: None, overdue: false, .. }));
        if !fits {
            let (id, account) = (offer.id, offer.account);
            self.emit(Output::OfferEnded { offer: id, account, outcome: OfferOutcome::CallerGone });
            return;
        }
        self.note(now, "offered", Some(offer.account), "");
        self.emit(Output::Offered(offer));
        self.emit(Output::SetTimer(Timer::Ring(offer.id), u64::from(offer.ring_seconds) * 1000));
        if offer.party == Party::Sip {
            self.emit(Output::Dial(offer.id));
        }
        if let State::Waiting(waiting) = &mut self.state {
            waiting.offer = Some((offer, Stage::Ringing));
        }
    }

    /// The offer that stands, when it is to `account`.
    fn offer_to(&self, account: AccountId) -> Option<(Offer, Stage)> {
        match &self.state {
            State::Waiting(waiting) => waiting.offer.filter(|(offer, _)| offer.account == account),
            _ => None,
        }
    }

    /// The offer that stands, when it has this id.
    fn offer_with(&self, id: OfferId) -> Option<(Offer, Stage)> {
        match &self.state {
            State::Waiting(waiting) => waiting.offer.filter(|(offer, _)| offer.id == id),
            _ => None,
        }
    }

    fn accepted(&mut self, now: UnixMillis, offer: Offer) {
        let State::Waiting(waiting) = &mut self.state else { return };
        let recorded = waiting.facts.recorded;
        waiting.offer = Some((offer, Stage::Joining));
        self.emit(Output::ClearTimer(Timer::Ring(offer.id)));
        if recorded {
            self.emit(Output::SetTimer(Timer::Join(offer.id), JOIN));
            self.emit(Output::BeginRecording(offer.id));
        } else {
            self.bridge(now, offer, Recording::ByPolicyNot);
        }
    }

    fn recording_begun(&mut self, now: UnixMillis, id: OfferId, recording: Option<RecordingId>) {
        match (self.offer_with(id), recording) {
            (Some((offer, Stage::Joining)), Some(recording)) => {
                self.bridge(now, offer, Recording::Into(recording));
            }
            (Some((_, Stage::Joining)), None) => {
                self.recording_failures += 1;
                if self.recording_failures >= RECORDING_FAILURES {
                    self.hang_up(now, Fate::Completed, "no_recording");
                } else {
                    self.end_offer(now, id, OfferOutcome::Failed);
                }
            }
            (_, Some(recording)) => self.emit(Output::DiscardRecording(recording)),
            (_, None) => {}
        }
    }

    fn bridge(&mut self, now: UnixMillis, offer: Offer, recording: Recording) {
        if let State::Waiting(Waiting { patience: Some(which), .. }) = self.state {
            self.emit(Output::ClearTimer(Timer::Patience(which)));
        }
        if let Recording::Into(_) = recording {
            self.emit(Output::ClearTimer(Timer::Join(offer.id)));
        }
        let outcome = OfferOutcome::Accepted;
        self.emit(Output::Bridge(offer.id, recording));
        self.note(now, "offer_ended", Some(offer.account), outcome.word());
        self.note(now, "bridged", Some(offer.account), "");
        self.emit(Output::OfferEnded { offer: offer.id, account: offer.account, outcome });
        self.state = State::Talking { offer, held: false };
    }

    /// Ends the offer `id` if it still rings.
    fn end_ringing(&mut self, now: UnixMillis, id: OfferId, outcome: OfferOutcome) {
        if matches!(self.offer_with(id), Some((_, Stage::Ringing))) {
            self.end_offer(now, id, outcome);
        }
    }

    /// Ends the offer `id` at whatever stage; the call waits on, or goes on when overdue.
    fn end_offer(&mut self, now: UnixMillis, id: OfferId, outcome: OfferOutcome) {
        if let State::Waiting(waiting) = &mut self.state
            && let Some((offer, stage)) = waiting.offer.take_if(|(offer, _)| offer.id == id)
        {
            self.let_go(now, offer, stage, outcome);
            self.go_on_when_overdue(now);
        }
    }

    fn let_go(&mut self, now: UnixMillis, offer: Offer, stage: Stage, outcome: OfferOutcome) {
        self.emit(Output::ClearTimer(match stage {
            Stage::Ringing => Timer::Ring(offer.id),
            Stage::Joining => Timer::Join(offer.id),
        }));
        if offer.party == Party::Sip {
            self.emit(Output::Drop(offer.id));
        }
        self.note(now, "offer_ended", Some(offer.account), outcome.word());
        self.emit(Output::OfferEnded { offer: offer.id, account: offer.account, outcome });
    }

    fn operator_left(&mut self, now: UnixMillis, id: OfferId, how: Departure) {
        match &self.state {
            State::Talking { offer, .. } if offer.id == id => {
                let account = offer.account;
                let detail = if how == Departure::HungUp { "operator" } else { how.word() };
                self.note(now, "hung_up", Some(account), detail);
                self.close(now, true);
                self.finish(now, Fate::Answered, detail);
            }
            _ => self.end_offer(now, id, OfferOutcome::Failed),
        }
    }

    fn hung_up(&mut self, now: UnixMillis, account: AccountId) {
        match &self.state {
            State::Talking { offer, .. } if offer.account == account => {
                let id = offer.id;
                self.operator_left(now, id, Departure::HungUp);
            }
            _ => {
                if let Some((offer, _)) = self.offer_to(account) {
                    self.end_offer(now, offer.id, OfferOutcome::Refused);
                }
            }
        }
    }

    fn hold(&mut self, now: UnixMillis, account: AccountId, wanted: bool) {
        let music = match self.walk.step() {
            Step::Queue { music, .. } => music.as_ref().map(|music| music.text.clone()),
            _ => None,
        };
        if let State::Talking { offer, held } = &mut self.state
            && offer.account == account
            && *held != wanted
        {
            *held = wanted;
            self.emit(Output::Hold(wanted.then_some(Sound::Music(music))));
            self.note(now, if wanted { "held" } else { "resumed" }, Some(account), "");
        }
    }

    fn customer_left(&mut self, now: UnixMillis, how: Departure) {
        let fate = match &self.state {
            State::Ended => return,
            State::Talking { .. } => Fate::Answered,
            State::Waiting(_) => Fate::Abandoned,
            State::Fresh | State::Playing(_) => Fate::Completed,
        };
        let detail = if how == Departure::HungUp { "caller" } else { how.word() };
        self.note(now, "hung_up", None, detail);
        self.close(now, false);
        self.finish(now, fate, detail);
    }

    fn stopped(&mut self, now: UnixMillis, by: Stopped) {
        let fate = match (&self.state, by) {
            (State::Ended, _) => return,
            (State::Talking { .. }, _) => Fate::Answered,
            (State::Fresh, _) => {
                self.emit(Output::Reject(503));
                self.finish(now, Fate::Refused, by.word());
                return;
            }
            (_, Stopped::Shutdown) => Fate::Interrupted,
            _ => Fate::Completed,
        };
        self.hang_up(now, fate, by.word());
    }

    /// Ends a call that was answered, from our side.
    fn hang_up(&mut self, now: UnixMillis, fate: Fate, detail: &'static str) {
        self.note(now, "hung_up", None, detail);
        self.close(now, true);
        self.finish(now, fate, detail);
    }

    /// Lets go of whatever the state holds; of the customer too when they are still there.
    fn close(&mut self, now: UnixMillis, customer: bool) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        if customer {
            self.emit(Output::HangUp);
        }
        match state {
            State::Waiting(waiting) => {
                if let Some(which) = waiting.patience {
                    self.emit(Output::ClearTimer(Timer::Patience(which)));
                }
                if let Some((offer, stage)) = waiting.offer {
                    self.let_go(now, offer, stage, OfferOutcome::CallerGone);
                }
                self.emit(Output::Dequeued(waiting.facts.id));
            }
            State::Talking { offer, .. } => {
                if offer.party == Party::Sip {
                    self.emit(Output::Drop(offer.id));
                }
                self.emit(Output::Part);
            }
            State::Fresh | State::Playing(_) | State::Ended => {}
        }
    }

    fn finish(&mut self, now: UnixMillis, fate: Fate, detail: &'static str) {
        self.state = State::Ended;
        self.note(now, "ended", None, detail);
        self.emit(Output::Ended(fate));
    }

    fn play(&mut self, sound: Sound) -> PlayToken {
        self.plays = self.plays.wrapping_add(1);
        let token = PlayToken(self.plays);
        self.emit(Output::Play(token, sound));
        token
    }

    fn note(&mut self, at: UnixMillis, kind: &'static str, account: Option<AccountId>, detail: &str) {
        self.emit(Output::Note(Note { at, kind, account, detail: detail.to_owned() }));
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
