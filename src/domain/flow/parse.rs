//! Reads the TOML document; every complaint names line and key.

use super::{FlowDocument, Limit, MAX_DOCUMENT, MAX_STEPS, Name, Placed, Problem, Step};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The longest name of a step, queue or prompt, in bytes.
const MAX_NAME: usize = 128;
/// How many problems are shown at once.
const MAX_PROBLEMS: usize = 100;
/// The longest wait, in seconds: a day.
const MAX_WAIT: u32 = 86_400;

impl FlowDocument {
    /// Reads a document. On failure every problem found is returned, in document order as
    /// far as the reader got.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_DOCUMENT {
            let message = format!("the flow is longer than {MAX_DOCUMENT} bytes");
            return Err(vec![Problem { line: None, step: String::new(), key: String::new(), message }]);
        }
        let lines = Lines::of(text);
        let root = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| lines.at(span.start));
            vec![Problem {
                line,
                step: String::new(),
                key: String::new(),
                message: error.message().to_owned(),
            }]
        })?;
        let mut problems = Vec::new();
        let mut top = Reader::new(&lines, "", 1, root.get_ref(), &mut problems);
        let start = top.name("start");
        let steps = top.take("step");
        top.refuse_rest();
        let steps = match steps {
            Some(table) => read_steps(&lines, table, &mut problems),
            None => {
                problems.push(Problem {
                    line: Some(1),
                    step: String::new(),
                    key: "step".to_owned(),
                    message: "the flow has no steps: add a table such as [step.welcome]".to_owned(),
                });
                BTreeMap::new()
            }
        };
        match start {
            Some(start) if problems.is_empty() => Ok(Self { start, steps }),
            _ => {
                problems.sort_by_key(|problem| problem.line);
                problems.truncate(MAX_PROBLEMS);
                Err(problems)
            }
        }
    }
}

fn read_steps(
    lines: &Lines,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Placed> {
    let mut steps = BTreeMap::new();
    let complain = |problems: &mut Vec<Problem>, line, step: &str, message: String| {
        problems.push(Problem { line: Some(line), step: step.to_owned(), key: String::new(), message });
    };
    let Some(table) = value.get_ref().as_table() else {
        complain(problems, lines.at(value.span().start), "", "step must be tables: [step.NAME]".to_owned());
        return steps;
    };
    if table.len() > MAX_STEPS {
        complain(problems, 1, "", format!("the flow has more than {MAX_STEPS} steps"));
        return steps;
    }
    for (key, value) in table {
        let (name, line) = (key.get_ref().as_ref(), lines.at(key.span().start));
        let short = cut(name);
        if name.is_empty() || name.len() > MAX_NAME {
            complain(problems, line, &short, format!("a step's name has 1 to {MAX_NAME} bytes"));
            continue;
        }
        let Some(table) = value.get_ref().as_table() else {
            complain(problems, line, &short, "a step is a table with a type".to_owned());
            continue;
        };
        let mut reader = Reader::new(lines, name, line, table, problems);
        let step = read_step(&mut reader);
        reader.refuse_rest();
        if let Some(step) = step {
            steps.insert(name.to_owned(), Placed { line, step });
        }
    }
    steps
}

fn read_step(reader: &mut Reader<'_, '_>) -> Option<Step> {
    let kind = reader.name("type")?;
    match kind.text.as_str() {
        "play" => {
            let (prompt, next) = (reader.name("prompt"), reader.name("next"));
            Some(Step::Play { prompt: prompt?, next: next? })
        }
        "queue" => {
            let queue = reader.name("queue");
            let music = reader.optional_name("music");
            let seconds = reader.seconds("max_wait_seconds");
            let then = reader.optional_name("on_timeout");
            let limit = match (seconds, then) {
                (Some(seconds), Some(then)) => Some(Limit { seconds, then }),
                (Some(_), None) => {
                    reader.complain("on_timeout", None, "is required with max_wait_seconds".to_owned());
                    return None;
                }
                (None, Some(then)) => {
                    let message = "needs max_wait_seconds to ever happen".to_owned();
                    reader.complain("on_timeout", Some(then.line), message);
                    return None;
                }
                (None, None) => None,
            };
            Some(Step::Queue { queue: queue?, music, limit })
        }
        "hangup" => Some(Step::HangUp),
        other => {
            let message = format!("unknown type \"{}\": use play, queue or hangup", cut(other));
            reader.complain("type", Some(kind.line), message);
            reader.forgive_rest();
            None
        }
    }
}

/// Takes keys out of one table and complains about what is missing, wrong or left over.
struct Reader<'a, 'p> {
    lines: &'a Lines,
    step: &'a str,
    line: usize,
    table: &'a DeTable<'a>,
    taken: Vec<&'static str>,
    forgiven: bool,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Reader<'a, 'p> {
    fn new(
        lines: &'a Lines,
        step: &'a str,
        line: usize,
        table: &'a DeTable<'a>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self { lines, step, line, table, taken: Vec::new(), forgiven: false, problems }
    }

    fn complain(&mut self, key: &str, line: Option<usize>, message: String) {
        let line = Some(line.unwrap_or(self.line));
        self.problems.push(Problem { line, step: cut(self.step), key: cut(key), message });
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.taken.push(key);
        let table = self.table;
        table.iter().find(|(k, _)| k.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn name(&mut self, key: &'static str) -> Option<Name> {
        let Some(value) = self.take(key) else {
            self.complain(key, None, "is missing".to_owned());
            return None;
        };
        let line = self.lines.at(value.span().start);
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() && text.len() <= MAX_NAME => {
                Some(Name { text: text.to_owned(), line })
            }
            Some(_) => {
                self.complain(key, Some(line), format!("must have 1 to {MAX_NAME} bytes"));
                None
            }
            None => {
                self.complain(
                    key,
                    Some(line),
                    format!("must be a string, not {}", value.get_ref().type_str()),
                );
                None
            }
        }
    }

    fn optional_name(&mut self, key: &'static str) -> Option<Name> {
        if self.table.iter().any(|(k, _)| k.get_ref().as_ref() == key) {
            self.name(key)
        } else {
            self.taken.push(key);
            None
        }
    }

    fn seconds(&mut self, key: &'static str) -> Option<u32> {
        let value = self.take(key)?;
        let line = self.lines.at(value.span().start);
        let seconds = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|seconds| (1..=MAX_WAIT).contains(seconds));
        if seconds.is_none() {
            self.complain(key, Some(line), format!("must be whole seconds, 1 to {MAX_WAIT}"));
        }
        seconds
    }

    /// Says nothing of further keys: the step's kind is unknown, so its keys are too.
    fn forgive_rest(&mut self) {
        self.forgiven = true;
    }

    fn refuse_rest(mut self) {
        if self.forgiven {
            return;
        }
        let table = self.table;
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !self.taken.contains(&name) {
                let line = self.lines.at(key.span().start);
                let message = format!("unknown key; this table takes {}", self.taken.join(", "));
                self.complain(name, Some(line), message);
            }
        }
    }
}

/// Where the lines of a document end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }
    /// The 1-based line of a byte offset.
    fn at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}

/// A name short and plain enough to be shown in a message.
fn cut(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
start = "welcome"
[step.welcome]
type = "play"
prompt = "welcome"
next = "support"
[step.support]
type = "queue"
queue = "サポート"
music = "hold"
max_wait_seconds = 600
on_timeout = "bye"
[step.bye]
type = "hangup"
"#;

    fn complaints(text: &str) -> Vec<String> {
        FlowDocument::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_flow_is_read() {
        let flow = FlowDocument::parse(GOOD).unwrap();
        assert_eq!(flow.start().text, "welcome");
        assert_eq!(flow.queues().collect::<Vec<_>>(), ["サポート"]);
        assert_eq!(flow.prompts().collect::<Vec<_>>(), ["hold", "welcome"]);
        let Some(Step::Queue { limit: Some(limit), .. }) = flow.step("support") else { panic!("no queue") };
        assert_eq!((limit.seconds, limit.then.text.as_str(), limit.then.line), (600, "bye", 12));
    }

    #[test]
    fn each_mistake_names_line_and_key() {
        let cases = [
            ("", "line 1: start: is missing"),
            ("start = 3\n[step.a]\ntype=\"hangup\"", "line 1: start: must be a string, not integer"),
            (
                "start = \"a\"\nstrat = 1\n[step.a]\ntype=\"hangup\"",
                "line 2: strat: unknown key; this table takes start, step",
            ),
            (
                "start = \"a\"\n[step.a]\ntype = \"hangup\"\nnext = \"a\"",
                "line 4: step.a.next: unknown key; this table takes type",
            ),
            (
                "start = \"a\"\n[step.a]\ntype = \"dance\"",
                "line 3: step.a.type: unknown type \"dance\": use play, queue or hangup",
            ),
            ("start = \"a\"\n\n[step.a]\ntype = \"play\"\nnext = \"a\"", "line 3: step.a.prompt: is missing"),
            (
                "start = \"a\"\n[step.a]\ntype = \"queue\"\nqueue = \"q\"\nmax_wait_seconds = 0\non_timeout = \"a\"",
                "line 5: step.a.max_wait_seconds: must be whole seconds, 1 to 86400",
            ),
            (
                "start = \"a\"\n[step.a]\ntype = \"queue\"\nqueue = \"q\"\nmax_wait_seconds = 5",
                "line 2: step.a.on_timeout: is required with max_wait_seconds",
            ),
            (
                "start = \"a\"\n[step.a]\ntype = \"queue\"\nqueue = \"q\"\non_timeout = \"a\"",
                "line 5: step.a.on_timeout: needs max_wait_seconds to ever happen",
            ),
            ("start = \"a\"\nstep = 5", "line 2: step must be tables: [step.NAME]"),
            ("start = \"a\"\n[step]\na = 5", "line 3: step.a: a step is a table with a type"),
        ];
        for (text, expected) in cases {
            let found = complaints(text);
            assert!(
                found.iter().any(|line| line == expected),
                "{text:?}\n wanted {expected}\n found {found:#?}"
            );
        }
        assert!(complaints("start = \"a\"\n[step.a\n").first().unwrap().starts_with("line 2: "));
    }

    #[test]
    fn hostile_documents_are_refused_shortly() {
        assert_eq!(complaints(&"x".repeat(MAX_DOCUMENT + 1)).len(), 1);
        let deep = format!("start = {}{}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(!complaints(&deep).is_empty());
        let long = format!("start = \"a\"\n[step.{}]\ntype = \"hangup\"", "n".repeat(10_000));
        assert!(complaints(&long).iter().all(|line| line.len() < 200));
        let bell = "start = \"a\"\n[step.\"a\\u0007\"]\ntype = \"hangup\"\nx = 1";
        assert!(complaints(bell).iter().all(|line| !line.contains('\u{7}')));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(start|step|type|queue|=|\"|\\[|\\]|\\.|\n|a|[ -~]|\\PC){0,60}") {
            let _ = FlowDocument::parse(&text);
        }
    }
}
