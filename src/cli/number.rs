//! `bbctl number …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::wire::Failure;
use crate::wire::number::{self as wire, Number};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Give the tenant a number; adding it again changes its flow
    Add {
        /// As written in the tenant's region, or the digits the carrier sends
        #[arg(allow_hyphen_values = true)]
        number: String,
        /// The trunk it is dialled over
        #[arg(long)]
        trunk: String,
        /// The flow that answers it
        #[arg(long)]
        flow: String,
    },
    /// List the tenant's numbers
    List,
    /// Take a number away
    Remove {
        /// Which number
        number: String,
        /// Over which trunk, when the tenant has it over several
        #[arg(long)]
        trunk: Option<String>,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Add { number, trunk, flow } => console.change(wire::Add { number, trunk, flow }).await,
            Self::List => console.list(wire::Index {}).await,
            Self::Remove { number, trunk } => {
                console.confirm(&format!("Removing number {number}"))?;
                console.change(wire::Remove { number, trunk }).await
            }
        }
    }
}

impl Show for Number {
    const COLUMNS: &'static [&'static str] = &["number", "trunk", "flow", "id"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.number),
            Cell::text(&self.trunk),
            Cell::text(&self.flow),
            Cell::Text(self.id.to_string()),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("number {}", self.number)
    }
}
