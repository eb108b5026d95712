//! A caller's place in a flow.

use super::{FlowDocument, Step};
use std::sync::Arc;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came to its end: the prompt was heard.
    Finished,
    /// Its time is up: nobody took the call.
    TimedOut,
}

/// Where a caller stands in a flow; ends at a hang-up, or where the flow names no next step.
#[derive(Clone, Debug)]
pub struct Walk {
    flow: Arc<FlowDocument>,
    at: String,
}

impl Walk {
    /// At the flow's first step.
    pub fn new(flow: Arc<FlowDocument>) -> Self {
        let at = flow.start.text.clone();
        Self { flow, at }
    }

    /// The step the caller is at; a missing one ends the call.
    pub fn step(&self) -> &Step {
        self.flow.step(&self.at).unwrap_or(&Step::HangUp)
    }

    /// Moves on and returns the step arrived at.
    pub fn advance(&mut self, outcome: Outcome) -> &Step {
        let next = self.step().follow(outcome).map(|name| name.text.clone());
        // No step has the empty name, so that it stands for the end.
        self.at = next.unwrap_or_default();
        self.step()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_follows_outcomes_and_ends() {
        let text = "start = \"a\"\n[step.a]\ntype = \"play\"\nprompt = \"p\"\nnext = \"b\"\n\
            [step.b]\ntype = \"queue\"\nqueue = \"q\"\nmax_wait_seconds = 9\non_timeout = \"c\"\n\
            [step.c]\ntype = \"hangup\"\n";
        let mut walk = Walk::new(Arc::new(FlowDocument::parse(text).unwrap()));
        assert!(matches!(walk.step(), Step::Play { .. }));
        assert!(matches!(walk.advance(Outcome::Finished), Step::Queue { .. }));
        assert_eq!(walk.clone().advance(Outcome::Finished), &Step::HangUp, "a queue doesn't finish");
        assert_eq!(walk.advance(Outcome::TimedOut), &Step::HangUp);
        assert_eq!(walk.advance(Outcome::Finished), &Step::HangUp, "the end stays the end");
    }
}
