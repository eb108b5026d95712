//! `campaign …`

use super::act::{Act, Answered, Inside};
use super::refusal::store;
use super::tenant::named;
use crate::domain::CampaignId;
use crate::domain::campaign::{Campaign, CampaignStatus, Sensitivity};
use crate::wire::campaign::{Create, Index, Set, Show};
use crate::wire::{Ask, Change, Failure, List, Outcome};
use std::collections::BTreeSet;

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Create::PATH => act.mutate(create).await,
        Set::PATH => act.mutate(set).await,
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        _ => None,
    }
}

async fn create(act: &mut Act, ask: Create) -> Result<Change<Campaign>, Failure> {
    let inside = act.inside()?;
    named(&ask.name)?;
    words("topic", &ask.topics)?;
    words("disposition", &ask.dispositions)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let campaign = Campaign {
        id: CampaignId(uuid::Uuid::now_v7()),
        name: ask.name,
        status: ask.status.unwrap_or(CampaignStatus::Running),
        sensitivity: ask.sensitivity.unwrap_or(Sensitivity::High),
        topics: ask.topics,
        dispositions: ask.dispositions,
        import_header: Vec::new(),
        created_at: desk.clock.unix_millis(),
    };
    if let Some(there) = inside.store.campaign_named(&campaign.name).await.map_err(store)? {
        act.object = there.id.to_string();
        let (id, import_header, created_at) = (there.id, there.import_header.clone(), there.created_at);
        return if (Campaign { id, import_header, created_at, ..campaign }) == there {
            Ok(act.changed(Outcome::Unchanged, there))
        } else {
            let message = format!(
                "campaign {} is there already, with other settings; use 'bbctl campaign set'",
                there.name
            );
            Err(Failure::conflict(message))
        };
    }
    if !act.dry_run {
        act.object = campaign.id.to_string();
        inside.store.campaign_create(campaign.clone()).await.map_err(store)?;
    }
    Ok(act.changed(Outcome::Created, campaign))
}

async fn set(act: &mut Act, ask: Set) -> Result<Change<Campaign>, Failure> {
    let inside = act.inside()?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let there = find(&inside, &ask.name).await?;
    act.object = there.id.to_string();
    let new = Campaign {
        status: ask.status.unwrap_or(there.status),
        sensitivity: ask.sensitivity.unwrap_or(there.sensitivity),
        topics: ask.topics.unwrap_or_else(|| there.topics.clone()),
        dispositions: ask.dispositions.unwrap_or_else(|| there.dispositions.clone()),
        ..there.clone()
    };
    words("topic", &new.topics)?;
    words("disposition", &new.dispositions)?;
    if new == there {
        return Ok(act.changed(Outcome::Unchanged, there));
    }
    if !act.dry_run {
        inside.store.campaign_update(new.clone()).await.map_err(store)?;
    }
    Ok(act.changed(Outcome::Changed, new))
}

async fn index(act: &mut Act, _: Index) -> Result<List<Campaign>, Failure> {
    let inside = act.inside()?;
    Ok(List { items: inside.store.campaigns(&inside.scope).await.map_err(store)? })
}

async fn show(act: &mut Act, ask: Show) -> Result<Campaign, Failure> {
    let inside = act.inside()?;
    find(&inside, &ask.name).await
}

/// The campaign of that name.
pub(super) async fn find(inside: &Inside, name: &str) -> Result<Campaign, Failure> {
    inside
        .store
        .campaign_named(name)
        .await
        .map_err(store)?
        .ok_or_else(|| Failure::not_found("campaign", name))
}

/// A list that an operator picks from: short, distinct, each fit to be shown.
fn words(kind: &str, list: &[String]) -> Result<(), Failure> {
    if list.len() > 100 {
        return Err(Failure::usage(format!("a campaign has at most 100 {kind}s")));
    }
    let mut seen = BTreeSet::new();
    for word in list {
        named(word)?;
        if !seen.insert(word) {
            return Err(Failure::usage(format!("{kind} {word:?} is named twice")));
        }
    }
    Ok(())
}
