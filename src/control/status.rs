//! `status`

use super::act::{Act, Answered};
use crate::domain::Presence;
use crate::task::Phase;
use crate::wire::status::{Load, Show, Status, Waiting};
use crate::wire::{Ask, Failure};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Show::PATH => act.read(show).await,
        _ => None,
    }
}

async fn show(act: &mut Act, _: Show) -> Result<Status, Failure> {
    let desk = &act.desk;
    let phase = match desk.stop.phase() {
        Phase::Running => "running",
        Phase::Draining => "draining",
        Phase::Stopped => "stopped",
    };
    let mut tenants = Vec::new();
    for store in desk.store.tenants() {
        let tenant = store.tenant();
        // A tenant whose numbers can't be had is shown with what there is: status must answer.
        let (operators, lines) = desk.queues.snapshot(tenant.id).await.unwrap_or_default();
        let named = store.queues().await.unwrap_or_default();
        let present = operators.iter().filter(|o| o.presence != Presence::Offline);
        let line = |queue: &crate::domain::queue::Queue| {
            let (waiting, longest_since) = lines
                .iter()
                .find(|(id, ..)| *id == queue.id)
                .map_or((0, None), |(_, waiting, since)| (*waiting, *since));
            Waiting { queue: queue.name.clone(), waiting, longest_since }
        };
        tenants.push(Load {
            tenant: tenant.slug.clone(),
            calls: desk.calls.snapshot(tenant.id).len(),
            operators: present.clone().count(),
            available: present.filter(|o| o.presence == Presence::Available).count(),
            queues: named.iter().map(line).collect(),
        });
    }
    tenants.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        phase: phase.into(),
        started_at: desk.started_at,
        now: desk.clock.unix_millis(),
        pid: std::process::id(),
        bound: desk.bound.clone(),
        certificate: desk.certificate.borrow().clone(),
        tenants,
    })
}
