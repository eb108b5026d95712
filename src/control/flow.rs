//! `flow …`

use super::act::{Act, Answered, Inside};
use super::refusal::store;
use super::tenant::named;
use crate::domain::FlowId;
use crate::domain::flow::{self, FlowDocument, Known};
use crate::domain::route::FlowVersion;
use crate::wire::flow::{Apply, Check, Checked, Flow, Index, Problem, Show};
use crate::wire::{Ask, Change, Failure, List, Outcome};

pub(super) async fn answer(act: &mut Act, path: &str) -> Answered {
    match path {
        Apply::PATH => act.mutate(apply).await,
        Check::PATH => act.read(check).await,
        Index::PATH => act.read(index).await,
        Show::PATH => act.read(show).await,
        _ => None,
    }
}

async fn apply(act: &mut Act, ask: Apply) -> Result<Change<Flow>, Failure> {
    let inside = act.inside()?;
    named(&ask.name)?;
    let desk = act.desk.clone();
    let _one = desk.changes.acquire().await;
    let problems = problems(&inside, &ask.document).await?;
    if !problems.is_empty() {
        let details = problems.iter().map(|p| format!("line {}: {}", p.line, p.message)).collect();
        return Err(Failure::usage(format!("flow {} was not applied: its document has mistakes", ask.name))
            .with_details(details));
    }
    let there = inside.store.flow_current(&ask.name).await.map_err(store)?;
    let outcome = match &there {
        Some(there) if there.document == ask.document => Outcome::Unchanged,
        Some(_) => Outcome::Changed,
        None => Outcome::Created,
    };
    let (id, at) = (FlowId(uuid::Uuid::now_v7()), desk.clock.unix_millis());
    let version = if act.dry_run {
        match there {
            Some(there) if outcome == Outcome::Unchanged => there,
            there => {
                let version = there.map_or(0, |there| there.version) + 1;
                FlowVersion { id, name: ask.name, version, document: ask.document, applied_at: at }
            }
        }
    } else {
        inside.store.flow_apply(&ask.name, &ask.document, id, at).await.map_err(store)?
    };
    act.object = version.id.to_string();
    Ok(act.changed(outcome, shown(version, false)))
}

async fn check(act: &mut Act, ask: Check) -> Result<Checked, Failure> {
    let inside = act.inside()?;
    Ok(Checked { problems: problems(&inside, &ask.document).await? })
}

async fn index(act: &mut Act, _: Index) -> Result<List<Flow>, Failure> {
    let inside = act.inside()?;
    let flows = inside.store.flows().await.map_err(store)?;
    Ok(List { items: flows.into_iter().map(|version| shown(version, false)).collect() })
}

async fn show(act: &mut Act, ask: Show) -> Result<Flow, Failure> {
    let inside = act.inside()?;
    let version = inside.store.flow_current(&ask.name).await.map_err(store)?;
    version.map(|version| shown(version, true)).ok_or_else(|| Failure::not_found("flow", &ask.name))
}

async fn problems(inside: &Inside, document: &str) -> Result<Vec<Problem>, Failure> {
    let known = Known {
        queues: inside.store.queues().await.map_err(store)?.into_iter().map(|q| q.name).collect(),
        prompts: inside.store.prompts().await.map_err(store)?.into_iter().map(|p| p.name).collect(),
    };
    let found = match FlowDocument::parse(document) {
        Ok(document) => flow::check(&document, &known),
        Err(problems) => problems,
    };
    Ok(found.iter().map(problem).collect())
}

fn problem(found: &flow::Problem) -> Problem {
    let place = match (found.step.as_str(), found.key.as_str()) {
        ("", "") => String::new(),
        ("", key) => format!("{key}: "),
        (step, "") => format!("step {step}: "),
        (step, key) => format!("step {step}, {key}: "),
    };
    Problem { line: found.line.unwrap_or(0), message: format!("{place}{}", found.message) }
}

fn shown(version: FlowVersion, whole: bool) -> Flow {
    Flow {
        id: version.id,
        name: version.name,
        version: version.version,
        applied_at: version.applied_at,
        document: whole.then_some(version.document),
    }
}
