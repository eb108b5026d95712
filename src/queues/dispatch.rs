//! Hands the calls' news to the tasks of their tenants.

use super::tenant::Command;
use super::{Desk, Room};
use crate::calls::Endpoint;
use crate::task::Phase;
use crate::{calls, media};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Runs until the daemon stops.
pub(super) async fn run(
    room: Arc<Room>,
    mut calls: Receiver<calls::Event>,
    mut browsers: Receiver<media::Event>,
) {
    let mut stop = room.stop.clone();
    loop {
        tokio::select! {
            event = calls.recv() => match event {
                Ok(event) => match room.desk(event.tenant) {
                    Ok(desk) => tell(&desk, Command::Call(event)),
                    Err(_) => tracing::debug!(tenant = %event.tenant, "a call of a tenant that is gone"),
                },
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "the queues lost news of calls and ask anew");
                    for desk in room.tenants.lock().unwrap_or_else(PoisonError::into_inner).values() {
                        fall_behind(desk);
                    }
                }
                Err(RecvError::Closed) => return,
            },
            event = browsers.recv() => match event {
                Ok(event) if event.kind == media::EventKind::Gone => {
                    let whose = room.legs().remove(&event.leg);
                    if let Some((tenant, account)) = whose
                        && let Ok(desk) = room.desk(tenant)
                    {
                        tell(&desk, Command::Detach(account, Endpoint::Browser(event.leg)));
                    }
                }
                Ok(_) => {}
                // Their WebSockets close as well, and the doors detach them then.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            () = stop.reached(Phase::Stopped) => return,
        }
    }
}

fn tell(desk: &Desk, command: Command) {
    if desk.inbox.try_send(command).is_err() {
        fall_behind(desk);
    }
}

fn fall_behind(desk: &Desk) {
    desk.behind.store(true, Ordering::Release);
    // Wakes a task that has nothing else to do; a full inbox wakes it anyway.
    let _ = desk.inbox.try_send(Command::CatchUp);
}
