//! `tenant …`

use super::act::{Act, Answered};
use super::refusal;
use crate::domain::TenantId;
use crate::domain::tenant::Tenant;
use crate::wire::tenant::{Create, Index, Show};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Create::PATH => act.mutate(create).await,
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        _ => None,
    }
}

async fn create(act: &mut Act, ask: Create) -> Result<Change<Tenant>, Failure> {
    let name = ask.name.unwrap_or_else(|| ask.slug.clone());
    let region = ask.region.unwrap_or_else(|| "JP".into()).to_ascii_uppercase();
    let time_zone = ask.time_zone.unwrap_or_else(|| "Asia/Tokyo".into());
    let slug_fits = (1..=32).contains(&ask.slug.len())
        && ask.slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !slug_fits {
        return Err(Failure::usage(format!(
            "{:?} is no tenant name; use 1 to 32 of a-z, 0-9 and '-'",
            ask.slug
        )));
    }
    named(&name)?;
    if region.len() != 2 || !region.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(Failure::usage(format!("{region:?} is no region; use an ISO 3166 code such as JP")));
    }
    if jiff::tz::TimeZone::get(&time_zone).is_err() {
        return Err(Failure::usage(format!(
            "{time_zone:?} is no time zone; use an IANA name such as Asia/Tokyo"
        )));
    }
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    if let Some(there) = desk.store.tenant_by_slug(&ask.slug) {
        act.object = there.id.to_string();
        return if (&there.name, &there.region, &there.time_zone) == (&name, &region, &time_zone) {
            Ok(act.changed(Outcome::Unchanged, there))
        } else {
            Err(Failure::conflict(format!("tenant {} is there already, with other settings", ask.slug)))
        };
    }
    if act.dry_run {
        let created_at = desk.clock.unix_millis();
        let item = Tenant {
            id: TenantId(uuid::Uuid::now_v7()),
            slug: ask.slug,
            name,
            region,
            time_zone,
            created_at,
        };
        return Ok(act.changed(Outcome::Created, item));
    }
    let tenant =
        desk.store.create_tenant(&ask.slug, &name, &region, &time_zone).await.map_err(refusal::store)?;
    act.object = tenant.id.to_string();
    // Its queues' task starts with the first refresh; a busy room reads it at the next change.
    let _ = desk.queues.refresh(tenant.id);
    Ok(act.changed(Outcome::Created, tenant))
}

/// Refuses names that can't be shown or told apart.
pub(super) fn named(name: &str) -> Result<(), Failure> {
    let fits = !name.trim().is_empty()
        && name.trim() == name
        && name.chars().count() <= 128
        && !name.chars().any(|c| c.is_control());
    if fits {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "{name:?} is no name; use 1 to 128 characters without blanks at the ends"
        )))
    }
}

async fn index(act: &mut Act, _: Index) -> Result<List<Tenant>, Failure> {
    let mut items = act.desk.store.system().tenants().await.map_err(refusal::store)?;
    items.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(List { items })
}

async fn show(act: &mut Act, ask: Show) -> Result<Tenant, Failure> {
    let tenant =
        act.desk.store.tenant_by_slug(&ask.slug).ok_or_else(|| Failure::not_found("tenant", &ask.slug))?;
    act.time_zone = Some(tenant.time_zone.clone());
    Ok(tenant)
}
