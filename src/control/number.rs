//! `number …`

use super::act::{Act, Answered, Inside};
use super::{refusal, trunk};
use crate::domain::route::{Number, Trunk};
use crate::domain::{NumberId, PhoneNumber};
use crate::wire::number::{self as wire, Add, Index, Remove};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Add::PATH => act.mutate(add).await,
        Index::PATH => act.read(index).await,
        Remove::PATH => act.mutate(remove).await,
        _ => None,
    }
}

async fn add(act: &mut Act, ask: Add) -> Result<Change<wire::Number>, Failure> {
    let inside = act.inside()?;
    let text = normalise(&ask.number, &inside.tenant.region)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let trunks = trunk::trunks(act).await?;
    let over = trunk::find(&trunks, &ask.trunk)?;
    if inside.store.flow_current(&ask.flow).await.map_err(refusal::store)?.is_none() {
        return Err(Failure::not_found("flow", &ask.flow));
    }
    let system = desk.store.system();
    let there = system.number_route(over.id, &text).await.map_err(refusal::store)?;
    if there.as_ref().is_some_and(|there| there.tenant != inside.tenant.id) {
        return Err(Failure::conflict(format!("{text} over trunk {} is another tenant's", over.name)));
    }
    let outcome = match &there {
        None => Outcome::Created,
        Some(there) if there.flow == ask.flow => Outcome::Unchanged,
        Some(_) => Outcome::Changed,
    };
    let id = there.map_or_else(|| NumberId(uuid::Uuid::now_v7()), |there| there.id);
    let number = Number { id, number: text, trunk: over.id, tenant: inside.tenant.id, flow: ask.flow };
    act.object = number.id.to_string();
    match outcome {
        Outcome::Created if !act.dry_run => {
            system.number_create(number.clone()).await.map_err(refusal::store)?
        }
        Outcome::Changed if !act.dry_run => {
            system.number_update(number.clone()).await.map_err(refusal::store)?
        }
        _ => {}
    }
    Ok(act.changed(outcome, shown(number, &trunks)))
}

async fn index(act: &mut Act, _: Index) -> Result<List<wire::Number>, Failure> {
    let inside = act.inside()?;
    let trunks = trunk::trunks(act).await?;
    Ok(List { items: numbers(act, &inside).await?.into_iter().map(|n| shown(n, &trunks)).collect() })
}

async fn remove(act: &mut Act, ask: Remove) -> Result<Change<wire::Number>, Failure> {
    let inside = act.inside()?;
    let text = normalise(&ask.number, &inside.tenant.region)?;
    let trunks = trunk::trunks(act).await?;
    let over = ask.trunk.as_deref().map(|name| trunk::find(&trunks, name)).transpose()?;
    let mut found = numbers(act, &inside).await?;
    found.retain(|n| n.number == text && over.is_none_or(|trunk| trunk.id == n.trunk));
    let number = match found.as_slice() {
        [only] => only.clone(),
        [] => return Err(Failure::not_found("number", &ask.number)),
        _ => {
            return Err(Failure::usage(format!(
                "{text} is there over several trunks; name one with --trunk"
            )));
        }
    };
    act.object = number.id.to_string();
    if !act.dry_run {
        act.desk.store.system().number_delete(number.id).await.map_err(refusal::store)?;
    }
    Ok(act.changed(Outcome::Removed, shown(number, &trunks)))
}

async fn numbers(act: &Act, inside: &Inside) -> Result<Vec<Number>, Failure> {
    act.desk.store.system().numbers(Some(inside.tenant.id)).await.map_err(refusal::store)
}

fn shown(number: Number, trunks: &[Trunk]) -> wire::Number {
    let trunk = trunks.iter().find(|t| t.id == number.trunk).map(|t| t.name.clone()).unwrap_or_default();
    wire::Number { id: number.id, number: number.number, trunk, flow: number.flow }
}

/// E.164, or the digits as the carrier dials them where they are no telephone number.
fn normalise(text: &str, region: &str) -> Result<String, Failure> {
    if let Some(number) = PhoneNumber::normalise(text, region) {
        return Ok(number.as_str().to_owned());
    }
    let is_dialled =
        (1..=32).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#');
    if is_dialled {
        Ok(text.to_owned())
    } else {
        Err(Failure::usage(format!(
            "{text:?} is no number; write it like 03-5555-0100, +81355550100, or the digits dialled"
        )))
    }
}
