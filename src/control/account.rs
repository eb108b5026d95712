//! `account …`

use super::act::{Act, Answered, Inside};
use super::refusal::{self, store};
use super::tenant::named;
use crate::domain::account::{Account, Role};
use crate::domain::campaign::Campaign;
use crate::domain::{AccountId, CampaignId};
use crate::wire::account::{self as wire, Create, Delete, Index, Passwd, Set, Show};
use crate::wire::{Ask, Change, Failure, List, Outcome, Secret};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Create::PATH => act.mutate(create).await,
        Set::PATH => act.mutate(set).await,
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        Passwd::PATH => act.mutate(passwd).await,
        Delete::PATH => act.mutate(delete).await,
        _ => None,
    }
}

/// An account with what hangs on it.
struct Whole {
    account: Account,
    grants: Vec<CampaignId>,
    has_password: bool,
}

async fn create(act: &mut Act, ask: Create) -> Result<Change<wire::Account>, Failure> {
    let inside = act.inside()?;
    fits_login(&ask.login)?;
    let name = ask.name.unwrap_or_else(|| ask.login.clone());
    named(&name)?;
    let sip_contact = ask.sip_contact.filter(|c| !c.is_empty()).map(|c| sip_contact(&c)).transpose()?;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    let grants = campaigns(&all, &ask.campaigns)?;
    let desk = act.desk.clone();
    let hash = hash(act, ask.password).await?;
    let _one = desk.changes.acquire().await;
    if let Some(there) = look_up(&inside, &ask.login).await? {
        act.object = there.account.id.to_string();
        let same = there.account.name == name
            && there.account.role == ask.role
            && there.account.sip_contact == sip_contact
            && sorted(&there.grants) == sorted(&grants);
        return if same {
            Ok(act.changed(Outcome::Unchanged, shown(there, &all)))
        } else {
            Err(Failure::conflict(format!(
                "account {} is there already, with other settings; use 'bbctl account set'",
                ask.login
            )))
        };
    }
    let created_at = desk.clock.unix_millis();
    let id = AccountId(uuid::Uuid::now_v7());
    let account =
        Account { id, login: ask.login, name, role: ask.role, sip_contact, disabled: false, created_at };
    let whole = Whole { account, grants, has_password: hash.is_some() };
    if !act.dry_run {
        act.object = id.to_string();
        inside.store.account_create(whole.account.clone(), hash).await.map_err(store)?;
        for campaign in &whole.grants {
            if let Err(error) = inside.store.grant(id, *campaign).await {
                // Half an account would see too little and confuse a retry.
                let _ = inside.store.account_delete(id).await;
                return Err(store(error));
            }
        }
        refresh(act, &inside);
    }
    Ok(act.changed(Outcome::Created, shown(whole, &all)))
}

async fn set(act: &mut Act, ask: Set) -> Result<Change<wire::Account>, Failure> {
    let inside = act.inside()?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    let there = find(act, &inside, &ask.login).await?;
    let mut account = there.account.clone();
    if let Some(name) = ask.name {
        named(&name)?;
        account.name = name;
    }
    if let Some(contact) = ask.sip_contact {
        account.sip_contact = if contact.is_empty() { None } else { Some(sip_contact(&contact)?) };
    }
    account.role = ask.role.unwrap_or(account.role);
    account.disabled = ask.disabled.unwrap_or(account.disabled);
    let grants = ask.campaigns.map_or_else(|| Ok(there.grants.clone()), |names| campaigns(&all, &names))?;
    let new = Whole { account, grants, has_password: there.has_password };
    if new.account == there.account && sorted(&new.grants) == sorted(&there.grants) {
        return Ok(act.changed(Outcome::Unchanged, shown(there, &all)));
    }
    if !act.dry_run {
        let id = new.account.id;
        if new.account != there.account {
            inside.store.account_update(new.account.clone()).await.map_err(store)?;
        }
        for gone in there.grants.iter().filter(|c| !new.grants.contains(c)) {
            inside.store.revoke(id, *gone).await.map_err(store)?;
        }
        for added in new.grants.iter().filter(|c| !there.grants.contains(c)) {
            inside.store.grant(id, *added).await.map_err(store)?;
        }
        refresh(act, &inside);
    }
    Ok(act.changed(Outcome::Changed, shown(new, &all)))
}

async fn index(act: &mut Act, _: Index) -> Result<List<wire::Account>, Failure> {
    let inside = act.inside()?;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    let mut items = Vec::new();
    for account in inside.store.accounts().await.map_err(store)? {
        // Deleted between the two reads: no longer to be listed.
        if let Some(whole) = look_up(&inside, &account.login).await? {
            items.push(shown(whole, &all));
        }
    }
    Ok(List { items })
}

async fn show(act: &mut Act, ask: Show) -> Result<wire::Account, Failure> {
    let inside = act.inside()?;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    Ok(shown(find(act, &inside, &ask.login).await?, &all))
}

async fn passwd(act: &mut Act, ask: Passwd) -> Result<Change<wire::Account>, Failure> {
    let inside = act.inside()?;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    let there = find(act, &inside, &ask.login).await?;
    let hash = hash(act, Some(ask.password)).await?;
    if let Some(hash) = hash.filter(|_| !act.dry_run) {
        inside.store.account_set_password(there.account.id, hash).await.map_err(store)?;
    }
    Ok(act.changed(Outcome::Changed, shown(Whole { has_password: true, ..there }, &all)))
}

async fn delete(act: &mut Act, ask: Delete) -> Result<Change<wire::Account>, Failure> {
    let inside = act.inside()?;
    let all = inside.store.campaigns(&inside.scope).await.map_err(store)?;
    let there = find(act, &inside, &ask.login).await?;
    if !act.dry_run {
        inside.store.account_delete(there.account.id).await.map_err(store)?;
        refresh(act, &inside);
    }
    Ok(act.changed(Outcome::Removed, shown(there, &all)))
}

async fn look_up(inside: &Inside, login: &str) -> Result<Option<Whole>, Failure> {
    let Some((account, hash)) = inside.store.account_login(login).await.map_err(store)? else {
        return Ok(None);
    };
    let grants = inside.store.grants(account.id).await.map_err(store)?;
    Ok(Some(Whole { account, grants, has_password: hash.is_some() }))
}

async fn find(act: &mut Act, inside: &Inside, login: &str) -> Result<Whole, Failure> {
    let whole = look_up(inside, login).await?.ok_or_else(|| Failure::not_found("account", login))?;
    act.object = whole.account.id.to_string();
    Ok(whole)
}

/// Operators and their members changed: queues read them again. A busy room reads them at the
/// next change; the store already has the truth.
pub(super) fn refresh(act: &Act, inside: &Inside) {
    if let Err(error) = act.desk.queues.refresh(inside.tenant.id) {
        tracing::warn!(%error, tenant = inside.tenant.slug, "the queues were not told of a change");
    }
}

/// Checks a password against the rule, and hashes it unless this is a rehearsal.
async fn hash(act: &Act, password: Option<Secret>) -> Result<Option<String>, Failure> {
    let Some(password) = password else { return Ok(None) };
    crate::domain::password::check(password.expose()).map_err(|rule| Failure::refused(rule.to_string()))?;
    if act.dry_run {
        return Ok(Some(String::new()));
    }
    act.desk.access.hash(password.into_inner()).await.map(Some).map_err(refusal::access)
}

fn shown(whole: Whole, all: &[Campaign]) -> wire::Account {
    let Whole { account, grants, has_password } = whole;
    let campaigns = all.iter().filter(|c| grants.contains(&c.id)).map(|c| c.name.clone()).collect();
    wire::Account {
        id: account.id,
        login: account.login,
        name: account.name,
        role: account.role,
        campaigns: if account.role == Role::Admin { Vec::new() } else { campaigns },
        sip_contact: account.sip_contact,
        has_password,
        disabled: account.disabled,
        created_at: account.created_at,
    }
}

fn campaigns(all: &[Campaign], names: &[String]) -> Result<Vec<CampaignId>, Failure> {
    let id = |name: &String| {
        all.iter().find(|c| c.name == *name).map(|c| c.id).ok_or_else(|| Failure::not_found("campaign", name))
    };
    let mut ids = names.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn sorted(ids: &[CampaignId]) -> Vec<CampaignId> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

fn fits_login(login: &str) -> Result<(), Failure> {
    let fits = (1..=64).contains(&login.chars().count())
        && !login.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits {
        Ok(())
    } else {
        Err(Failure::usage(format!("{login:?} is no login; use 1 to 64 characters without blanks")))
    }
}

/// A SIP URI as RFC 3261 §19.1 has it: `sip:`, a user part, a host, perhaps a port and parameters.
fn sip_contact(text: &str) -> Result<String, Failure> {
    let wrong =
        || Failure::usage(format!("{text:?} is no SIP contact; write it like sip:1001@192.0.2.5:5060"));
    let rest = text.strip_prefix("sip:").ok_or_else(wrong)?;
    let (user, rest) = rest.split_once('@').ok_or_else(wrong)?;
    let (place, parameters) =
        rest.split_once(';').map_or((rest, ""), |(place, parameters)| (place, parameters));
    let is_user = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,;?/%".contains(c);
    let is_parameter = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()[]/:&+$=;%".contains(c);
    let is_host = |host: &str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    let is_place = place.parse::<std::net::SocketAddr>().is_ok_and(|a| a.port() > 0)
        || place
            .strip_prefix('[')
            .and_then(|p| p.strip_suffix(']'))
            .is_some_and(|p| p.parse::<std::net::Ipv6Addr>().is_ok())
        || match place.split_once(':') {
            Some((host, port)) => is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0),
            None => is_host(place),
        };
    let fits = text.len() <= 256
        && !user.is_empty()
        && user.chars().all(is_user)
        && is_place
        && parameters.chars().all(is_parameter);
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sip_contact_can_neither_be_broken_nor_smuggle_a_header() {
        for good in [
            "sip:1001@192.0.2.5:5060",
            "sip:q1@127.0.0.3:5070",
            "sip:a.b@[2001:db8::1]:5060;transport=tcp",
            "sip:x@[::1]",
            "sip:phone@desk.example.jp",
        ] {
            assert!(sip_contact(good).is_ok(), "{good}");
        }
        for bad in [
            "1001@192.0.2.5",
            "sips:1001@192.0.2.5",
            "sip:192.0.2.5",
            "sip:@192.0.2.5",
            "sip:a@",
            "sip:a@b:0",
            "sip:a@b:99999",
            "sip:a b@c",
            "sip:a@b\r\nVia: x",
            "sip:a@b;x=\u{1b}",
            "sip:a@b>",
            "sip:a@b?Subject=x",
        ] {
            assert!(sip_contact(bad).is_err(), "{bad:?}");
        }
        assert!(sip_contact(&format!("sip:{}@192.0.2.5", "a".repeat(300))).is_err());
    }
}
