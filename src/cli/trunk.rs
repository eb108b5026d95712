//! `bbctl trunk …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::route::Trunk;
use crate::wire::{Failure, trunk as wire};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Admit a carrier by where its packets come from
    Add {
        /// Its name
        name: String,
        /// Source range in CIDR, or one address; repeat for several
        #[arg(long = "source", value_name = "CIDR", required = true)]
        sources: Vec<String>,
    },
    /// Change a trunk's source ranges
    Set {
        /// Which trunk
        name: String,
        /// Source range from now on; repeat for several
        #[arg(long = "source", value_name = "CIDR", required = true)]
        sources: Vec<String>,
    },
    /// List trunks
    List,
    /// Remove a trunk that no number uses
    Remove {
        /// Which trunk
        name: String,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Add { name, sources } => console.change(wire::Add { name, sources }).await,
            Self::Set { name, sources } => console.change(wire::Set { name, sources }).await,
            Self::List => console.list(wire::Index {}).await,
            Self::Remove { name } => {
                console.confirm(&format!("Removing trunk {name}"))?;
                console.change(wire::Remove { name }).await
            }
        }
    }
}

impl Show for Trunk {
    const COLUMNS: &'static [&'static str] = &["name", "sources", "created_at"];
    fn cells(&self) -> Vec<Cell> {
        let sources = self.sources.iter().map(ToString::to_string).collect();
        vec![Cell::text(&self.name), Cell::List(sources), Cell::Time(self.created_at)]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("trunk {}", self.name)
    }
}
