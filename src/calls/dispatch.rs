//! The one reader of signalling's and media's news: hands each to the call it is of.

use super::{News, Room, driver};
use crate::domain::CallId;
use crate::domain::call::Stopped;
use crate::media;
use crate::signalling::{Event, Invited};
use crate::task::{self, Phase, Stop};
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Runs until signalling and media are gone.
pub(super) async fn run(
    room: Arc<Room>,
    mut signalling: mpsc::Receiver<Event>,
    mut media: mpsc::Receiver<media::Event>,
    stop: Stop,
) {
    let (mut sip_open, mut media_open, mut stopping) = (true, true, false);
    let mut stopped = stop.clone();
    while sip_open || media_open {
        tokio::select! {
            event = signalling.recv(), if sip_open => match event {
                Some(Event::Invited(invited)) => take_in(&room, *invited, &stop),
                Some(event) => to_its_call(&room, event),
                None => sip_open = false,
            },
            event = media.recv(), if media_open => match event {
                Some(event) => pass_on(&room, event),
                None => media_open = false,
            },
            () = stopped.reached(Phase::Stopped), if !stopping => {
                stopping = true;
                room.registry.end_all(Stopped::Shutdown);
            }
        }
    }
}

fn take_in(room: &Arc<Room>, invited: Invited, stop: &Stop) {
    if stop.phase() >= Phase::Draining {
        room.reject(invited.leg, 503);
        return;
    }
    let call = CallId(Uuid::now_v7());
    let (mailbox, inbox) = room.registry.open(call, invited.leg);
    task::spawn("call", driver::run(Arc::clone(room), call, invited, mailbox, inbox));
}

fn to_its_call(room: &Room, event: Event) {
    let leg = match &event {
        Event::Invited(invited) => invited.leg,
        Event::Cancelled(leg)
        | Event::Confirmed(leg, _)
        | Event::Ringing(leg)
        | Event::Answered(leg, _)
        | Event::Failed(leg, _)
        | Event::Reoffered(leg, _)
        | Event::Ended(leg, _) => *leg,
    };
    match room.registry.by_sip_leg(leg) {
        Some(mailbox) => mailbox.tell(News::Signalling(event)),
        // News that crossed with our hanging up.
        None => tracing::debug!(?leg, "news of a leg that is no longer ours"),
    }
}

fn pass_on(room: &Room, event: media::Event) {
    if let Some(mailbox) = room.registry.by_media_leg(event.leg) {
        mailbox.tell(News::Media(event.clone()));
    }
    if matches!(event.kind, media::EventKind::Connected | media::EventKind::Gone) {
        // Nobody listening is fine.
        let _ = room.browsers.send(event);
    }
}
