//! `prompt …`

use super::act::{Act, Answered};
use super::refusal::store;
use super::tenant::named;
use crate::domain::PromptId;
use crate::domain::flow::FlowDocument;
use crate::domain::route::Prompt;
use crate::media::wav;
use crate::wire::prompt::{Add, Index, Remove};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Add::PATH => act.mutate(add).await,
        Index::PATH => act.read(index).await,
        Remove::PATH => act.mutate(remove).await,
        _ => None,
    }
}

async fn add(act: &mut Act, ask: Add) -> Result<Change<Prompt>, Failure> {
    let inside = act.inside()?;
    named(&ask.name)?;
    let source = std::mem::take(&mut act.file);
    let (source, samples) =
        tokio::task::spawn_blocking(move || wav::render(&source).map(|samples| (source, samples)))
            .await
            .map_err(|e| Failure::failed(format!("the sound could not be rendered: {e}")))?
            .map_err(|e| Failure::usage(format!("{e}; give a WAV file of PCM, A-law or µ-law")))?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let there = inside.store.prompts().await.map_err(store)?.into_iter().find(|p| p.name == ask.name);
    if let Some(there) = &there {
        act.object = there.id.to_string();
        let kept = inside.store.prompt_source(&ask.name).await.map_err(store)?;
        if kept.is_some_and(|kept| kept == source) {
            return Ok(act.changed(Outcome::Unchanged, there.clone()));
        }
    }
    let outcome = if there.is_some() { Outcome::Changed } else { Outcome::Created };
    let mut prompt = Prompt {
        id: there.map_or_else(|| PromptId(uuid::Uuid::now_v7()), |there| there.id),
        name: ask.name,
        duration_ms: samples.len() as i64 / 8,
        updated_at: desk.clock.unix_millis(),
    };
    if !act.dry_run {
        act.object = prompt.id.to_string();
        let rendering = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        prompt = inside.store.prompt_put(prompt, source.into(), rendering).await.map_err(store)?;
    }
    Ok(act.changed(outcome, prompt))
}

async fn index(act: &mut Act, _: Index) -> Result<List<Prompt>, Failure> {
    let inside = act.inside()?;
    Ok(List { items: inside.store.prompts().await.map_err(store)? })
}

async fn remove(act: &mut Act, ask: Remove) -> Result<Change<Prompt>, Failure> {
    let inside = act.inside()?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let prompts = inside.store.prompts().await.map_err(store)?;
    let prompt = prompts
        .into_iter()
        .find(|p| p.name == ask.name)
        .ok_or_else(|| Failure::not_found("prompt", &ask.name))?;
    act.object = prompt.id.to_string();
    for flow in inside.store.flows().await.map_err(store)? {
        let plays =
            FlowDocument::parse(&flow.document).is_ok_and(|d| d.prompts().any(|name| name == prompt.name));
        if plays {
            return Err(Failure::conflict(format!(
                "flow {} plays prompt {}; change the flow first",
                flow.name, prompt.name
            )));
        }
    }
    if !act.dry_run {
        inside.store.prompt_delete(prompt.id).await.map_err(store)?;
    }
    Ok(act.changed(Outcome::Removed, prompt))
}
