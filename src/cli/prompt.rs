//! `bbctl prompt …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::route::Prompt;
use crate::wire::{Failure, prompt as wire};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Add or replace a sound
    Add {
        /// Its name, which flows use
        name: String,
        /// WAV file; '-' is standard input
        file: PathBuf,
    },
    /// List sounds
    List,
    /// Remove a sound that no current flow plays
    Remove {
        /// Which sound
        name: String,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Add { name, file } => {
                let bytes = console.file(&file)?;
                console.upload(wire::Add { name }, Some(bytes)).await
            }
            Self::List => console.list(wire::Index {}).await,
            Self::Remove { name } => {
                console.confirm(&format!("Removing prompt {name}"))?;
                console.change(wire::Remove { name }).await
            }
        }
    }
}

impl Show for Prompt {
    const COLUMNS: &'static [&'static str] = &["name", "duration", "updated_at"];
    fn cells(&self) -> Vec<Cell> {
        vec![Cell::text(&self.name), Cell::Span(self.duration_ms), Cell::Time(self.updated_at)]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("prompt {}", self.name)
    }
}
