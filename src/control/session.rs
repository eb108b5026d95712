//! `session …`

use super::act::{Act, Answered, Inside};
use super::refusal;
use crate::wire::session::{Index, Kill, Session};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Index::PATH => act.read(index).await,
        Kill::PATH => act.mutate(kill).await,
        _ => None,
    }
}

async fn index(act: &mut Act, _: Index) -> Result<List<Session>, Failure> {
    let inside = act.inside()?;
    Ok(List { items: sessions(act, &inside).await? })
}

async fn kill(act: &mut Act, ask: Kill) -> Result<Change<Session>, Failure> {
    let inside = act.inside()?;
    act.object = ask.id.to_string();
    let session = sessions(act, &inside).await?.into_iter().find(|s| s.id == ask.id);
    let session = session.ok_or_else(|| Failure::not_found("session", &ask.id.to_string()))?;
    if !act.dry_run {
        // Open WebSockets hear of it by the broadcast of access.
        act.desk.access.log_out(inside.tenant.id, ask.id).await.map_err(refusal::access)?;
    }
    Ok(act.changed(Outcome::Ended, session))
}

async fn sessions(act: &Act, inside: &Inside) -> Result<Vec<Session>, Failure> {
    let mut rows = act.desk.access.sessions(inside.tenant.id).await.map_err(refusal::access)?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
    let session = |row: crate::access::SessionRow| Session {
        id: row.id,
        account: row.account,
        login: row.login,
        source: row.source,
        user_agent: row.user_agent,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
    };
    Ok(rows.into_iter().map(session).collect())
}
