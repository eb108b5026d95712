//! `customer …`

use super::act::{Act, Answered};
use super::{campaign, refusal};
use crate::domain::customer::Customer;
use crate::wire::customer::{Import, Imported, Search};
use crate::wire::{Ask, Failure, List};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Import::PATH => act.mutate(import).await,
        Search::PATH => act.view(search).await,
        _ => None,
    }
}

async fn import(act: &mut Act, ask: Import) -> Result<Imported, Failure> {
    let inside = act.inside()?;
    let campaign = campaign::find(&inside, &ask.campaign).await?;
    act.object = campaign.id.to_string();
    let file = std::mem::take(&mut act.file);
    let done = act
        .desk
        .crm
        .import(&inside.scope, campaign.id, &inside.tenant.region, file.into(), act.dry_run)
        .await
        .map_err(refusal::crm)?;
    let (added, changed, encoding) = (done.added, done.changed, done.encoding);
    Ok(Imported { campaign: campaign.name, added, changed, encoding, dry_run: act.dry_run })
}

async fn search(act: &mut Act, ask: Search) -> Result<List<Customer>, Failure> {
    let inside = act.inside()?;
    let limit = ask.limit.unwrap_or(20).clamp(1, 100);
    let items = act.desk.crm.search(&inside.scope, &ask.text, limit).await.map_err(refusal::crm)?;
    Ok(List { items })
}
