//! `call …`

use super::act::{Act, Answered, Inside};
use super::refusal::{self, store};
use crate::calls::Live;
use crate::domain::record::{CallEvent, CallRecord};
use crate::domain::{AccountId, CampaignId, QueueId};
use crate::wire::call::{Call, Event, Hangup, Index, Show, Story};
use crate::wire::{Ask, Change, Failure, List, Outcome};
use std::collections::HashMap;

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Index::PATH => act.view(index).await,
        Show::PATH => act.view(show).await,
        Hangup::PATH => act.mutate(hangup).await,
        _ => None,
    }
}

/// The words for the ids that calls and recordings hold.
pub(super) struct Names {
    campaigns: HashMap<CampaignId, String>,
    queues: HashMap<QueueId, String>,
    logins: HashMap<AccountId, String>,
}

impl Names {
    pub(super) async fn of(inside: &Inside) -> Result<Self, Failure> {
        let campaigns = inside.store.campaigns(&inside.scope).await.map_err(store)?;
        let queues = inside.store.queues().await.map_err(store)?;
        let accounts = inside.store.accounts().await.map_err(store)?;
        Ok(Self {
            campaigns: campaigns.into_iter().map(|c| (c.id, c.name)).collect(),
            queues: queues.into_iter().map(|q| (q.id, q.name)).collect(),
            logins: accounts.into_iter().map(|a| (a.id, a.login)).collect(),
        })
    }
    pub(super) fn campaign(&self, id: Option<CampaignId>) -> Option<String> {
        self.campaigns.get(&id?).cloned()
    }
    /// The login, or the id of an account that is gone.
    pub(super) fn login(&self, id: Option<AccountId>) -> Option<String> {
        id.map(|id| self.logins.get(&id).cloned().unwrap_or_else(|| id.to_string()))
    }

    fn call(&self, record: CallRecord, live: &[Live]) -> Call {
        let living = live.iter().find(|live| live.call == record.id);
        // A row without a fate whose call is gone is being committed this moment.
        let state = living.map_or(if record.fate.is_some() { "ended" } else { "ending" }, |live| live.state);
        Call {
            id: record.id,
            caller: record.caller,
            called: record.called,
            state: state.into(),
            fate: record.fate,
            campaign: self.campaign(record.campaign),
            queue: record.queue.and_then(|id| self.queues.get(&id).cloned()),
            operator: self.login(record.operator.or_else(|| living.and_then(|live| live.operator))),
            customer: record.customer,
            recording: record.recording,
            started_at: record.started_at,
            queued_at: record.queued_at,
            answered_at: record.answered_at,
            ended_at: record.ended_at,
        }
    }

    fn event(&self, event: CallEvent) -> Event {
        Event { at: event.at, operator: self.login(event.account), kind: event.kind, detail: event.detail }
    }
}

async fn index(act: &mut Act, ask: Index) -> Result<List<Call>, Failure> {
    let inside = act.inside()?;
    let names = Names::of(&inside).await?;
    let live = act.desk.calls.snapshot(inside.tenant.id);
    let limit = ask.limit.unwrap_or(50).clamp(1, 1000);
    let records = if ask.live {
        let mut records = Vec::new();
        for living in live.iter().take(limit) {
            // Ended between the two reads: no longer to be listed.
            if let Ok(record) = inside.store.call(&inside.scope, living.call).await {
                records.push(record);
            }
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.started_at));
        records
    } else {
        inside.store.calls(&inside.scope, limit, ask.before).await.map_err(store)?
    };
    Ok(List { items: records.into_iter().map(|record| names.call(record, &live)).collect() })
}

async fn show(act: &mut Act, ask: Show) -> Result<Story, Failure> {
    let inside = act.inside()?;
    act.object = ask.id.to_string();
    let names = Names::of(&inside).await?;
    let live = act.desk.calls.snapshot(inside.tenant.id);
    let record = inside.store.call(&inside.scope, ask.id).await.map_err(|_| not_found(&ask.id))?;
    let events = inside.store.call_events(&inside.scope, ask.id).await.map_err(store)?;
    let written = match record.operator {
        Some(operator) => inside.store.contact_of(&inside.scope, ask.id, operator).await.map_err(store)?,
        None => None,
    };
    Ok(Story {
        call: names.call(record, &live),
        events: events.into_iter().map(|event| names.event(event)).collect(),
        contact_records: written.into_iter().collect(),
    })
}

async fn hangup(act: &mut Act, ask: Hangup) -> Result<Change<Call>, Failure> {
    let inside = act.inside()?;
    act.object = ask.id.to_string();
    let names = Names::of(&inside).await?;
    let live = act.desk.calls.snapshot(inside.tenant.id);
    let record = inside.store.call(&inside.scope, ask.id).await.map_err(|_| not_found(&ask.id))?;
    let over = record.fate.is_some();
    if !over && !act.dry_run {
        act.desk.calls.hang_up(inside.tenant.id, ask.id, None).map_err(refusal::call)?;
    }
    let outcome = if over { Outcome::Unchanged } else { Outcome::Ended };
    Ok(act.changed(outcome, names.call(record, &live)))
}

fn not_found(id: &crate::domain::CallId) -> Failure {
    Failure::not_found("call", &id.to_string())
}
