//! `queue …`

use super::account::refresh;
use super::act::{Act, Answered, Inside};
use super::campaign;
use super::refusal::store;
use super::tenant::named;
use crate::domain::account::Account;
use crate::domain::campaign::Campaign;
use crate::domain::{AccountId, QueueId, UnixMillis, queue::Queue};
use crate::wire::queue::{self as wire, Create, Index, Set, Show};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Create::PATH => act.mutate(create).await,
        Set::PATH => act.mutate(set).await,
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        _ => None,
    }
}

/// Names by which ids are shown, and the lines as they are now.
struct Surroundings {
    campaigns: Vec<Campaign>,
    accounts: Vec<Account>,
    lines: Vec<(QueueId, usize, Option<UnixMillis>)>,
}

async fn create(act: &mut Act, ask: Create) -> Result<Change<wire::Queue>, Failure> {
    let inside = act.inside()?;
    named(&ask.name)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let around = surroundings(act, &inside).await?;
    let campaign = campaign::find(&inside, &ask.campaign).await?;
    let queue = Queue {
        id: QueueId(uuid::Uuid::now_v7()),
        name: ask.name,
        campaign: campaign.id,
        sensitivity: ask.sensitivity.unwrap_or(campaign.sensitivity),
        ring_seconds: ask.ring_seconds.unwrap_or(20),
        wrap_up_seconds: ask.wrap_up_seconds.unwrap_or(0),
        recorded: ask.recorded.unwrap_or(true),
        members: members(&around.accounts, &ask.members)?,
    };
    within(&queue)?;
    if let Some(there) = inside.store.queue_named(&queue.name).await.map_err(store)? {
        act.object = there.id.to_string();
        return if same(&Queue { id: there.id, ..queue }, &there) {
            Ok(act.changed(Outcome::Unchanged, around.shown(there)))
        } else {
            let message =
                format!("queue {} is there already, with other settings; use 'bbctl queue set'", there.name);
            Err(Failure::conflict(message))
        };
    }
    if !act.dry_run {
        act.object = queue.id.to_string();
        inside.store.queue_create(queue.clone()).await.map_err(store)?;
        refresh(act, &inside);
    }
    Ok(act.changed(Outcome::Created, around.shown(queue)))
}

async fn set(act: &mut Act, ask: Set) -> Result<Change<wire::Queue>, Failure> {
    let inside = act.inside()?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let around = surroundings(act, &inside).await?;
    let there = find(&inside, &ask.name).await?;
    act.object = there.id.to_string();
    let mut new = there.clone();
    if let Some(name) = &ask.campaign {
        new.campaign = campaign::find(&inside, name).await?.id;
    }
    if let Some(all) = &ask.members {
        new.members = members(&around.accounts, all)?;
    }
    let leave = members(&around.accounts, &ask.remove_members)?;
    new.members.retain(|member| !leave.contains(member));
    for joined in members(&around.accounts, &ask.add_members)? {
        if !new.members.contains(&joined) {
            new.members.push(joined);
        }
    }
    new.sensitivity = ask.sensitivity.unwrap_or(new.sensitivity);
    new.ring_seconds = ask.ring_seconds.unwrap_or(new.ring_seconds);
    new.wrap_up_seconds = ask.wrap_up_seconds.unwrap_or(new.wrap_up_seconds);
    new.recorded = ask.recorded.unwrap_or(new.recorded);
    within(&new)?;
    if same(&new, &there) {
        return Ok(act.changed(Outcome::Unchanged, around.shown(there)));
    }
    if !act.dry_run {
        inside.store.queue_update(new.clone()).await.map_err(store)?;
        refresh(act, &inside);
    }
    Ok(act.changed(Outcome::Changed, around.shown(new)))
}

async fn index(act: &mut Act, _: Index) -> Result<List<wire::Queue>, Failure> {
    let inside = act.inside()?;
    let around = surroundings(act, &inside).await?;
    let queues = inside.store.queues().await.map_err(store)?;
    Ok(List { items: queues.into_iter().map(|queue| around.shown(queue)).collect() })
}

async fn show(act: &mut Act, ask: Show) -> Result<wire::Queue, Failure> {
    let inside = act.inside()?;
    let around = surroundings(act, &inside).await?;
    Ok(around.shown(find(&inside, &ask.name).await?))
}

async fn find(inside: &Inside, name: &str) -> Result<Queue, Failure> {
    inside.store.queue_named(name).await.map_err(store)?.ok_or_else(|| Failure::not_found("queue", name))
}

async fn surroundings(act: &Act, inside: &Inside) -> Result<Surroundings, Failure> {
    Ok(Surroundings {
        campaigns: inside.store.campaigns(&inside.scope).await.map_err(store)?,
        accounts: inside.store.accounts().await.map_err(store)?,
        // Settings can be shown and changed while the room that runs them is busy.
        lines: act.desk.queues.snapshot(inside.tenant.id).await.map(|(_, lines)| lines).unwrap_or_default(),
    })
}

impl Surroundings {
    fn shown(&self, queue: Queue) -> wire::Queue {
        let (waiting, longest_since) = self
            .lines
            .iter()
            .find(|(id, ..)| *id == queue.id)
            .map_or((0, None), |(_, waiting, since)| (*waiting, *since));
        let is_member = |account: &&Account| queue.members.contains(&account.id);
        wire::Queue {
            id: queue.id,
            campaign: self
                .campaigns
                .iter()
                .find(|c| c.id == queue.campaign)
                .map(|c| c.name.clone())
                .unwrap_or_default(),
            sensitivity: queue.sensitivity,
            ring_seconds: queue.ring_seconds,
            wrap_up_seconds: queue.wrap_up_seconds,
            recorded: queue.recorded,
            members: self.accounts.iter().filter(is_member).map(|a| a.login.clone()).collect(),
            name: queue.name,
            waiting,
            longest_since,
        }
    }
}

fn members(accounts: &[Account], logins: &[String]) -> Result<Vec<AccountId>, Failure> {
    let id = |login: &String| {
        accounts
            .iter()
            .find(|a| a.login == *login)
            .map(|a| a.id)
            .ok_or_else(|| Failure::not_found("account", login))
    };
    let mut ids = logins.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Equal but for the order of members.
fn same(one: &Queue, other: &Queue) -> bool {
    let sorted = |queue: &Queue| {
        let mut queue = queue.clone();
        queue.members.sort();
        queue
    };
    sorted(one) == sorted(other)
}

fn within(queue: &Queue) -> Result<(), Failure> {
    if !(5..=300).contains(&queue.ring_seconds) {
        return Err(Failure::usage(format!(
            "{} ring seconds are out of range; use 5 to 300",
            queue.ring_seconds
        )));
    }
    if queue.wrap_up_seconds > 3600 {
        return Err(Failure::usage(format!(
            "{} wrap-up seconds are out of range; use 0 to 3600",
            queue.wrap_up_seconds
        )));
    }
    Ok(())
}
