//! What a call meets (call flow): parse, check, step.
//!
//! A flow is a TOML document of named steps. [`FlowDocument::parse`] reads it and names line
//! and key of whatever is wrong; [`check`] holds it against the tenant's queues and prompts;
//! [`Walk`] is a caller's place in it, moved by [`Outcome`]s. A new kind of step is a variant
//! of [`Step`], its keys in `parse`, and the outcomes it can have in [`Step::follow`].

mod check;
mod parse;
mod walk;

pub use check::{Known, check, shape};
pub use walk::{Outcome, Walk};

use std::collections::BTreeMap;
use std::fmt;

/// The longest document taken, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// The most steps one flow may have.
pub const MAX_STEPS: usize = 1000;

/// A flow as read: its shape is right, its names are not yet checked. The default one has no
/// step: a call that meets it is hung up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowDocument {
    start: Name,
    steps: BTreeMap<String, Placed>,
}

/// A step with the line its table starts on (1-based).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Placed {
    line: usize,
    step: Step,
}

/// A name as written, with the line it stands on (1-based).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub line: usize,
}

/// What happens at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Plays a prompt once.
    Play {
        /// The tenant's prompt.
        prompt: Name,
        /// The step after it.
        next: Name,
    },
    /// Waits for an operator, hearing music.
    Queue {
        /// The tenant's queue.
        queue: Name,
        /// A prompt played again and again; the built-in music when absent.
        music: Option<Name>,
        /// How long at most, and what follows; without it until somebody hangs up.
        limit: Option<Limit>,
    },
    /// Ends the call.
    HangUp,
}

/// The end of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Seconds, 1 to 86,400.
    pub seconds: u32,
    /// The step after them.
    pub then: Name,
}

impl Step {
    /// The step that follows `outcome`; `None` when this step can't end so.
    pub fn follow(&self, outcome: Outcome) -> Option<&Name> {
        match (self, outcome) {
            (Self::Play { next, .. }, Outcome::Finished) => Some(next),
            (Self::Queue { limit: Some(limit), .. }, Outcome::TimedOut) => Some(&limit.then),
            _ => None,
        }
    }

    /// Every step that can follow.
    fn followers(&self) -> impl Iterator<Item = &Name> {
        [Outcome::Finished, Outcome::TimedOut].into_iter().filter_map(|outcome| self.follow(outcome))
    }

    /// Whether time passes here for as long as the caller likes, so that a loop through
    /// it is no busy loop.
    fn waits(&self) -> bool {
        matches!(self, Self::Queue { .. })
    }
}

impl FlowDocument {
    /// The name of the first step.
    pub fn start(&self) -> &Name {
        &self.start
    }
    /// A step by name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.get(name).map(|placed| &placed.step)
    }
    /// Step names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.keys().map(String::as_str)
    }
    /// Every queue the flow names, in the order of step names, with repetitions.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.steps.values().filter_map(|placed| match &placed.step {
            Step::Queue { queue, .. } => Some(queue.text.as_str()),
            _ => None,
        })
    }
    /// Every prompt the flow names, music included, in the order of step names, with repetitions.
    pub fn prompts(&self) -> impl Iterator<Item = &str> {
        self.steps.values().filter_map(|placed| match &placed.step {
            Step::Play { prompt, .. } => Some(prompt.text.as_str()),
            Step::Queue { music, .. } => music.as_ref().map(|m| m.text.as_str()),
            Step::HangUp => None,
        })
    }
}

/// Something wrong with a flow, said so that its author can mend it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// 1-based line of the document, when it has one.
    pub line: Option<usize>,
    /// The step concerned, or empty for the document as a whole.
    pub step: String,
    /// The key concerned, or empty.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match (self.step.is_empty(), self.key.is_empty()) {
            (true, true) => {}
            (true, false) => write!(f, "{}: ", self.key)?,
            (false, true) => write!(f, "step.{}: ", self.step)?,
            (false, false) => write!(f, "step.{}.{}: ", self.step, self.key)?,
        }
        f.write_str(&self.message)
    }
}
