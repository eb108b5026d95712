//! `trunk …`

use super::act::{Act, Answered};
use super::refusal;
use super::tenant::named;
use crate::domain::TrunkId;
use crate::domain::route::Trunk;
use crate::net::canonical_ip;
use crate::wire::trunk::{Add, Index, Remove, Set};
use crate::wire::{Ask, Change, Failure, List, Outcome};
use ipnet::IpNet;
use std::sync::Arc;

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Add::PATH => act.mutate(add).await,
        Set::PATH => act.mutate(set).await,
        Index::PATH => act.read(index).await,
        Remove::PATH => act.mutate(remove).await,
        _ => None,
    }
}

async fn add(act: &mut Act, ask: Add) -> Result<Change<Trunk>, Failure> {
    named(&ask.name)?;
    let sources = ranges(&ask.sources)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let all = trunks(act).await?;
    if let Some(there) = all.iter().find(|t| t.name == ask.name) {
        act.object = there.id.to_string();
        return if there.sources == sources {
            Ok(act.changed(Outcome::Unchanged, there.clone()))
        } else {
            Err(Failure::conflict(format!(
                "trunk {} is there already, with other sources; use 'bbctl trunk set'",
                ask.name
            )))
        };
    }
    let created_at = desk.clock.unix_millis();
    let trunk = Trunk { id: TrunkId(uuid::Uuid::now_v7()), name: ask.name, sources, created_at };
    apart(&trunk, &all)?;
    if !act.dry_run {
        act.object = trunk.id.to_string();
        desk.store.system().trunk_create(trunk.clone()).await.map_err(refusal::store)?;
        publish(act).await?;
    }
    Ok(act.changed(Outcome::Created, trunk))
}

async fn set(act: &mut Act, ask: Set) -> Result<Change<Trunk>, Failure> {
    let sources = ranges(&ask.sources)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let all = trunks(act).await?;
    let there = find(&all, &ask.name)?;
    act.object = there.id.to_string();
    if there.sources == sources {
        return Ok(act.changed(Outcome::Unchanged, there.clone()));
    }
    let trunk = Trunk { sources, ..there.clone() };
    apart(&trunk, &all)?;
    if !act.dry_run {
        desk.store.system().trunk_update(trunk.clone()).await.map_err(refusal::store)?;
        publish(act).await?;
    }
    Ok(act.changed(Outcome::Changed, trunk))
}

async fn index(act: &mut Act, _: Index) -> Result<List<Trunk>, Failure> {
    Ok(List { items: trunks(act).await? })
}

async fn remove(act: &mut Act, ask: Remove) -> Result<Change<Trunk>, Failure> {
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let all = trunks(act).await?;
    let trunk = find(&all, &ask.name)?.clone();
    act.object = trunk.id.to_string();
    let numbers = desk.store.system().numbers(None).await.map_err(refusal::store)?;
    let used = numbers.iter().filter(|n| n.trunk == trunk.id).count();
    if used > 0 {
        return Err(Failure::conflict(format!(
            "trunk {} still has numbers ({used}); remove them first",
            trunk.name
        )));
    }
    if !act.dry_run {
        desk.store.system().trunk_delete(trunk.id).await.map_err(refusal::store)?;
        publish(act).await?;
    }
    Ok(act.changed(Outcome::Removed, trunk))
}

/// Every trunk, by name.
pub(super) async fn trunks(act: &Act) -> Result<Vec<Trunk>, Failure> {
    let mut all = act.desk.store.system().trunks().await.map_err(refusal::store)?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The trunk of that name.
pub(super) fn find<'a>(all: &'a [Trunk], name: &str) -> Result<&'a Trunk, Failure> {
    all.iter().find(|t| t.name == name).ok_or_else(|| Failure::not_found("trunk", name))
}

/// Tells signalling whom to admit from now on.
async fn publish(act: &Act) -> Result<(), Failure> {
    let all = trunks(act).await?;
    act.desk.trunks.send_replace(Arc::new(all));
    Ok(())
}

/// Reads CIDR ranges and single addresses, in canonical form and order.
fn ranges(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let mut nets = Vec::new();
    for text in texts {
        let single = || text.parse().map(|ip| IpNet::from(canonical_ip(ip)));
        let net = text.parse::<IpNet>().or_else(|_| single()).map_err(|_| {
            Failure::usage(format!("{text:?} is no source range; write it like 192.0.2.0/24 or 192.0.2.1"))
        })?;
        if net.prefix_len() == 0 {
            return Err(Failure::refused(format!(
                "{text:?} would admit the whole internet; name the carrier's ranges"
            )));
        }
        nets.push(net.trunc());
    }
    if nets.is_empty() {
        return Err(Failure::usage("a trunk needs a source range; name it with --source"));
    }
    nets.sort();
    nets.dedup();
    Ok(nets)
}

/// A source admits as one trunk only.
fn apart(trunk: &Trunk, all: &[Trunk]) -> Result<(), Failure> {
    for other in all.iter().filter(|other| other.id != trunk.id) {
        for (ours, theirs) in trunk.sources.iter().flat_map(|o| other.sources.iter().map(move |t| (o, t))) {
            if ours.contains(theirs) || theirs.contains(ours) {
                let message = format!(
                    "{ours} overlaps {theirs} of trunk {}; a source can belong to one trunk",
                    other.name
                );
                return Err(Failure::conflict(message));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(name: &str, sources: &[&str]) -> Trunk {
        let sources: Vec<String> = sources.iter().map(|s| (*s).to_owned()).collect();
        Trunk {
            id: TrunkId(uuid::Uuid::now_v7()),
            name: name.into(),
            sources: ranges(&sources).unwrap(),
            created_at: 0,
        }
    }

    #[test]
    fn ranges_are_read_canonically_and_none_admits_everyone() {
        let nets = ranges(&["192.0.2.77/24".into(), "2001:db8::1".into(), "192.0.2.0/24".into()]).unwrap();
        assert_eq!(
            nets.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["192.0.2.0/24", "2001:db8::1/128"]
        );
        assert_eq!(ranges(&["0.0.0.0/0".into()]).unwrap_err().code, crate::wire::Code::Refused);
        assert_eq!(ranges(&["carrier.example".into()]).unwrap_err().code, crate::wire::Code::Usage);
        assert_eq!(ranges(&[]).unwrap_err().code, crate::wire::Code::Usage);
    }

    #[test]
    fn two_trunks_never_share_a_source() {
        let one = trunk("one", &["192.0.2.0/24"]);
        let inside = trunk("two", &["198.51.100.0/24", "192.0.2.128/25"]);
        let beside = trunk("three", &["192.0.3.0/24", "::1"]);
        assert!(
            apart(&inside, std::slice::from_ref(&one))
                .unwrap_err()
                .message
                .contains("overlaps 192.0.2.0/24 of trunk one")
        );
        assert_eq!(apart(&beside, std::slice::from_ref(&one)), Ok(()));
        assert_eq!(apart(&one, std::slice::from_ref(&one)), Ok(()), "a trunk does not clash with itself");
    }
}
