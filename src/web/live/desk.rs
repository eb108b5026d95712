//! What an operator's screen shows, kept so that a page that comes back sees it again.
//! Pure: news in, events out.

use super::protocol::{CallState, Current, Event, Offered, OperatorPresence, Outcome, QueueLine};
use crate::domain::record::Fate;
use crate::domain::{CallId, Presence, QueueId, RecordingId, UnixMillis};

/// One account's screen.
#[derive(Default)]
pub struct Desk {
    /// `None` for an account that takes no calls.
    pub presence: Option<OperatorPresence>,
    offer: Option<Box<Offered>>,
    /// Accepted and not yet bridged.
    accepted: Option<Box<Offered>>,
    call: Option<Box<Current>>,
    queues: Vec<QueueLine>,
}

impl Desk {
    /// Everything at once.
    pub fn hello(&self, instance: &str) -> Event {
        Event::Hello {
            instance: instance.to_owned(),
            operator: self.presence,
            offer: self.offer.clone(),
            call: self.call.clone(),
            queues: self.queues.clone(),
        }
    }

    /// Replaces what the queues room knows.
    pub fn refresh(&mut self, presence: Option<OperatorPresence>, queues: Vec<QueueLine>) {
        self.presence = presence;
        self.queues = queues;
    }

    /// Forgets calls that no longer live.
    pub fn keep_calls(&mut self, lives: impl Fn(CallId) -> bool) {
        self.offer.take_if(|offer| !lives(offer.call));
        self.accepted.take_if(|offer| !lives(offer.call));
        self.call.take_if(|current| !lives(current.call));
    }

    /// The call the operator is on.
    pub fn call(&self) -> Option<&Current> {
        self.call.as_deref()
    }

    /// Shows a call that was there before the screen was.
    pub fn resume_call(&mut self, current: Current) {
        self.call = Some(Box::new(current));
    }

    /// Presence or reservation changed; `since` moves with presence alone.
    pub fn presence_changed(
        &mut self,
        presence: Presence,
        reserved: Option<Presence>,
        at: UnixMillis,
    ) -> Event {
        let since =
            self.presence.filter(|before| before.presence == presence).map_or(at, |before| before.since);
        let now = OperatorPresence { presence, since, reserved };
        self.presence = Some(now);
        match (self.call.as_deref_mut(), presence) {
            (Some(current), Presence::Talking) => current.state = CallState::Talking,
            (Some(current), Presence::Hold) => current.state = CallState::Hold,
            _ => {}
        }
        Event::Presence(now)
    }

    /// A call rings.
    pub fn offered(&mut self, offered: Offered) -> Event {
        let offered = Box::new(offered);
        self.offer = Some(offered.clone());
        Event::Offered(offered)
    }

    /// It no longer rings; nothing if that is known.
    pub fn offer_ended(&mut self, call: CallId, outcome: Outcome) -> Option<Event> {
        let offer = self.offer.take_if(|offer| offer.call == call)?;
        if outcome == Outcome::Accepted {
            self.accepted = Some(offer);
        }
        Some(Event::OfferEnded { call, outcome })
    }

    /// What was offered of a call that is being bridged now.
    pub fn offered_call(&self, call: CallId) -> Option<&Offered> {
        [&self.accepted, &self.offer].into_iter().flatten().map(Box::as_ref).find(|offer| offer.call == call)
    }

    /// Operator and caller hear each other. The two rooms that tell of an accepted offer are not
    /// in step; its end is always told first.
    pub fn bridged(&mut self, current: Current) -> Vec<Event> {
        let mut events: Vec<Event> = self.offer_ended(current.call, Outcome::Accepted).into_iter().collect();
        self.accepted = None;
        let current = Box::new(current);
        self.call = Some(current.clone());
        events.push(Event::Bridged(current));
        events
    }

    /// The operator muted or unmuted themselves.
    pub fn muted(&mut self, call: CallId, muted: bool) {
        if let Some(current) = self.call.as_deref_mut().filter(|current| current.call == call) {
            current.muted = muted;
        }
    }

    /// The operator held or resumed the call.
    pub fn held(&mut self, call: CallId, held: bool) {
        if let Some(current) = self.call.as_deref_mut().filter(|current| current.call == call) {
            current.state = if held { CallState::Hold } else { CallState::Talking };
        }
    }

    /// Over and committed.
    pub fn call_ended(&mut self, call: CallId, fate: Fate) -> Vec<Event> {
        let mut events: Vec<Event> = self.offer_ended(call, Outcome::CallerGone).into_iter().collect();
        self.accepted.take_if(|offer| offer.call == call);
        self.call.take_if(|current| current.call == call);
        events.push(Event::CallEnded { call, fate });
        events
    }

    /// A queue's line changed; nothing if it is not one of the account's.
    pub fn waiting(
        &mut self,
        queue: QueueId,
        waiting: usize,
        longest_since: Option<UnixMillis>,
    ) -> Option<Event> {
        let line = self.queues.iter_mut().find(|line| line.id == queue)?;
        (line.waiting, line.longest_since) = (waiting, longest_since);
        Some(Event::Waiting { queue, waiting, longest_since })
    }

    /// A queue's name, where it is one of the account's.
    pub fn queue_name(&self, queue: QueueId) -> Option<&str> {
        self.queues.iter().find(|line| line.id == queue).map(|line| line.name.as_str())
    }
}

impl Offered {
    /// The call as it begins once it is answered.
    pub fn answered(&self, recording: Option<RecordingId>, since: UnixMillis) -> Current {
        Current {
            call: self.call,
            queue: self.queue.clone(),
            campaign: self.campaign,
            caller: self.caller.clone(),
            state: CallState::Talking,
            since,
            muted: false,
            recording,
            customers: self.customers.clone(),
            history: self.history.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CampaignId, OfferId};
    use crate::web::live::protocol::QueueName;
    use uuid::Uuid;

    const CALL: CallId = CallId(Uuid::from_u128(1));
    const QUEUE: QueueId = QueueId(Uuid::from_u128(2));

    fn offered() -> Offered {
        Offered {
            offer: OfferId(Uuid::from_u128(3)),
            call: CALL,
            queue: QueueName { id: QUEUE, name: "受付".into() },
            campaign: CampaignId(Uuid::from_u128(4)),
            caller: "+81355550142".into(),
            waited_ms: 10,
            ring_seconds: 20,
            customers: vec![],
            history: vec![],
        }
    }

    fn names(events: &[Event]) -> Vec<String> {
        let name = |event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
        events.iter().map(name).collect()
    }

    #[test]
    fn an_answered_call_in_either_order_of_news() {
        for bridged_first in [false, true] {
            let mut desk = Desk::default();
            desk.offered(offered());
            let mut told = vec![];
            if !bridged_first {
                told.extend(desk.offer_ended(CALL, Outcome::Accepted));
            }
            let current = desk.offered_call(CALL).unwrap().answered(None, 7);
            told.extend(desk.bridged(current));
            told.extend(desk.offer_ended(CALL, Outcome::Accepted));
            assert_eq!(names(&told), ["offer_ended", "bridged"]);
            let hello = serde_json::to_value(desk.hello("x")).unwrap();
            assert!(hello["offer"].is_null());
            assert_eq!(hello["call"]["caller"], "+81355550142");
            assert_eq!(names(&desk.call_ended(CALL, Fate::Answered)), ["call_ended"]);
            assert!(serde_json::to_value(desk.hello("x")).unwrap()["call"].is_null());
        }
    }

    #[test]
    fn a_caller_who_leaves_stops_the_ringing() {
        let mut desk = Desk::default();
        desk.offered(offered());
        assert_eq!(names(&desk.call_ended(CALL, Fate::Abandoned)), ["offer_ended", "call_ended"]);
        assert!(desk.offer_ended(CALL, Outcome::CallerGone).is_none());
        assert!(desk.offered_call(CALL).is_none());
    }

    #[test]
    fn a_reservation_does_not_restart_the_clock() {
        let mut desk = Desk::default();
        desk.presence_changed(Presence::Talking, None, 100);
        desk.presence_changed(Presence::Talking, Some(Presence::Away), 200);
        assert_eq!(desk.presence.unwrap().since, 100);
        desk.presence_changed(Presence::Away, None, 300);
        assert_eq!(desk.presence.unwrap().since, 300);
    }

    #[test]
    fn only_own_queues_are_told() {
        let mut desk = Desk::default();
        assert!(desk.waiting(QUEUE, 1, Some(5)).is_none());
        desk.refresh(
            None,
            vec![QueueLine { id: QUEUE, name: "受付".into(), waiting: 0, longest_since: None }],
        );
        assert!(desk.waiting(QUEUE, 1, Some(5)).is_some());
        assert_eq!(desk.queue_name(QUEUE), Some("受付"));
    }

    #[test]
    fn calls_that_died_unheard_are_forgotten() {
        let mut desk = Desk::default();
        desk.offered(offered());
        desk.resume_call(offered().answered(None, 0));
        desk.keep_calls(|_| true);
        assert!(desk.call().is_some());
        desk.keep_calls(|_| false);
        assert!(desk.call().is_none() && desk.offered_call(CALL).is_none());
    }
}
