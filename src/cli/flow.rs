//! `bbctl flow …`

use super::Format;
use super::cell::{Cell, printable};
use super::console::Console;
use super::present::{self, Show};
use crate::wire::flow::{self as wire, Checked, Flow};
use crate::wire::{Code, Failure};
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Check a flow document and make it the current version of its name
    Apply {
        /// TOML document; '-' is standard input
        file: PathBuf,
        /// Its name, which numbers use; the file's name without ending if not given
        #[arg(long)]
        name: Option<String>,
    },
    /// Check a flow document against the tenant's queues and prompts
    Check {
        /// TOML document; '-' is standard input
        file: PathBuf,
    },
    /// List current flows
    List,
    /// Show a flow with its document
    Show {
        /// Which flow
        name: String,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Apply { file, name } => {
                let name = name
                    .or_else(|| named_by(&file))
                    .ok_or_else(|| Failure::usage("name the flow with --name"))?;
                console.change(wire::Apply { name, document: document(console, &file)? }).await
            }
            Self::Check { file } => check(console, &file).await,
            Self::List => console.list(wire::Index {}).await,
            Self::Show { name } => show(console, name).await,
        }
    }
}

fn named_by(file: &Path) -> Option<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str())?;
    (stem != "-").then(|| stem.to_owned())
}

fn document(console: &Console, file: &Path) -> Result<String, Failure> {
    String::from_utf8(console.file(file)?)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8", file.display())))
}

async fn check(console: &Console, file: &Path) -> Result<(), Failure> {
    let answer = console.client.ask(wire::Check { document: document(console, file)? }, None).await?;
    let Checked { problems } = &answer.reply;
    match console.format() {
        Format::Json => console.raw(&present::json(&answer.reply)?)?,
        Format::Csv => {
            let rows = problems.iter().map(|p| vec![p.line.to_string(), printable(&p.message)]);
            console.raw(&present::csv(&["line", "message"], rows)?)?;
        }
        _ if problems.is_empty() => console.raw(&format!("{}: no problem found\n", file.display()))?,
        _ => {}
    }
    if problems.is_empty() {
        return Ok(());
    }
    let details = problems.iter().map(|p| format!("{}:{}: {}", file.display(), p.line, p.message)).collect();
    Err(Failure::new(Code::Usage, format!("{} can't be applied as it is", file.display()))
        .with_details(details))
}

async fn show(console: &Console, name: String) -> Result<(), Failure> {
    let answer = console.client.ask(wire::Show { name }, None).await?;
    let mut text = console.style(&answer).item(&answer.reply)?;
    if let (Format::Table, Some(document)) = (console.format(), &answer.reply.document) {
        text.push('\n');
        text.extend(document.lines().map(|line| printable(line) + "\n"));
    }
    console.raw(&text)
}

impl Show for Flow {
    const COLUMNS: &'static [&'static str] = &["name", "version", "applied_at"];
    fn cells(&self) -> Vec<Cell> {
        vec![Cell::text(&self.name), Cell::Number(self.version), Cell::Time(self.applied_at)]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("flow {} version {}", self.name, self.version)
    }
}
