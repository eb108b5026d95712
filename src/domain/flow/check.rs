//! Holds a flow against what the tenant has.

use super::{FlowDocument, Name, Problem, Step};
use std::collections::BTreeSet;

/// The names a flow may use.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The tenant's queues.
    pub queues: BTreeSet<String>,
    /// The tenant's prompts.
    pub prompts: BTreeSet<String>,
}

/// Everything that would go wrong on a call, in document order; empty is good.
pub fn check(flow: &FlowDocument, known: &Known) -> Vec<Problem> {
    let mut problems = shape(flow);
    let mut missing = |step: &str, key: &str, name: &Name, kind: &str| {
        problems.push(Problem {
            line: Some(name.line),
            step: step.to_owned(),
            key: key.to_owned(),
            message: format!("there is no {kind} \"{}\"", name.text),
        });
    };
    for (step, placed) in &flow.steps {
        match &placed.step {
            Step::Play { prompt, .. } if !known.prompts.contains(&prompt.text) => {
                missing(step, "prompt", prompt, "prompt");
            }
            Step::Queue { queue, music, .. } => {
                if !known.queues.contains(&queue.text) {
                    missing(step, "queue", queue, "queue");
                }
                if let Some(music) = music.as_ref().filter(|music| !known.prompts.contains(&music.text)) {
                    missing(step, "music", music, "prompt");
                }
            }
            _ => {}
        }
    }
    problems.sort_by_key(|problem| problem.line);
    problems
}

/// The part of [`check`] that needs no knowledge of the tenant: targets, reach, loops.
pub fn shape(flow: &FlowDocument) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut complain = |line, step: &str, key: &str, message: String| {
        problems.push(Problem { line: Some(line), step: step.to_owned(), key: key.to_owned(), message });
    };
    let no_step = |name: &Name| format!("there is no step \"{}\"", name.text);
    if flow.step(&flow.start.text).is_none() {
        complain(flow.start.line, "", "start", no_step(&flow.start));
    }
    for (step, placed) in &flow.steps {
        let key = match placed.step {
            Step::Queue { .. } => "on_timeout",
            _ => "next",
        };
        for target in placed.step.followers().filter(|target| flow.step(&target.text).is_none()) {
            complain(target.line, step, key, no_step(target));
        }
    }
    let reached = reached(flow);
    for (step, placed) in flow.steps.iter().filter(|(step, _)| !reached.contains(step.as_str())) {
        complain(placed.line, step, "", "no call can reach this step".to_owned());
    }
    for (step, placed) in flow.steps.iter().filter(|(step, _)| loops_busily(flow, step)) {
        complain(placed.line, step, "", "this step leads back to itself without ever waiting".to_owned());
    }
    problems
}

fn reached(flow: &FlowDocument) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![flow.start.text.as_str()];
    while let Some(name) = open.pop() {
        if let Some(step) = flow.step(name).filter(|_| !reached.contains(name)) {
            reached.insert(name);
            open.extend(step.followers().map(|next| next.text.as_str()));
        }
    }
    reached
}

/// Whether `from` comes back to itself over steps none of which waits.
fn loops_busily(flow: &FlowDocument, from: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        let Some(step) = flow.step(name).filter(|step| !step.waits()) else { continue };
        for next in step.followers().map(|next| next.text.as_str()) {
            if next == from {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let known = Known { queues: ["q".to_owned()].into(), prompts: ["p".to_owned()].into() };
        check(&FlowDocument::parse(text).unwrap(), &known).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_flow_has_no_problem() {
        let text = "start = \"a\"\n[step.a]\ntype = \"play\"\nprompt = \"p\"\nnext = \"b\"\n\
            [step.b]\ntype = \"queue\"\nqueue = \"q\"\nmax_wait_seconds = 9\non_timeout = \"a\"\n";
        assert_eq!(found(text), Vec::<String>::new(), "a loop through a queue waits");
    }

    #[test]
    fn what_would_go_wrong_is_named() {
        let text = "start = \"a\"\n\
            [step.a]\ntype = \"play\"\nprompt = \"p\"\nnext = \"b\"\n\
            [step.b]\ntype = \"play\"\nprompt = \"nope\"\nnext = \"a\"\n\
            [step.c]\ntype = \"queue\"\nqueue = \"none\"\nmusic = \"gone\"\nmax_wait_seconds = 1\non_timeout = \"x\"\n";
        assert_eq!(
            found(text),
            [
                "line 2: step.a: this step leads back to itself without ever waiting",
                "line 6: step.b: this step leads back to itself without ever waiting",
                "line 8: step.b.prompt: there is no prompt \"nope\"",
                "line 10: step.c: no call can reach this step",
                "line 12: step.c.queue: there is no queue \"none\"",
                "line 13: step.c.music: there is no prompt \"gone\"",
                "line 15: step.c.on_timeout: there is no step \"x\"",
            ]
        );
        assert_eq!(
            found("start = \"z\"\n[step.a]\ntype = \"hangup\"\n"),
            ["line 1: start: there is no step \"z\"", "line 2: step.a: no call can reach this step"]
        );
    }
}
