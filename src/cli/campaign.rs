//! `bbctl campaign …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::campaign::{Campaign, CampaignStatus, Sensitivity};
use crate::wire::{Failure, campaign as wire};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a campaign
    Create {
        /// Its name
        name: String,
        /// Where it stands: running if not given
        #[arg(long, value_parser = status())]
        status: Option<CampaignStatus>,
        /// How much personal data it shows: high if not given
        #[arg(long, value_parser = sensitivity())]
        sensitivity: Option<Sensitivity>,
        /// A topic of contacts; repeat for several, in order
        #[arg(long = "topic", value_name = "TOPIC")]
        topics: Vec<String>,
        /// A disposition of contacts; repeat for several, in order
        #[arg(long = "disposition", value_name = "DISPOSITION")]
        dispositions: Vec<String>,
    },
    /// Change a campaign; what is not named stays
    Set {
        /// Which campaign
        name: String,
        /// Where it stands
        #[arg(long, value_parser = status())]
        status: Option<CampaignStatus>,
        /// How much personal data it shows
        #[arg(long, value_parser = sensitivity())]
        sensitivity: Option<Sensitivity>,
        /// The topics from now on; repeat for several, in order
        #[arg(long = "topic", value_name = "TOPIC")]
        topics: Vec<String>,
        /// The dispositions from now on; repeat for several, in order
        #[arg(long = "disposition", value_name = "DISPOSITION")]
        dispositions: Vec<String>,
    },
    /// List campaigns
    List,
    /// Show one campaign
    Show {
        /// Which campaign
        name: String,
    },
}

fn status() -> impl TypedValueParser<Value = CampaignStatus> {
    PossibleValuesParser::new(["draft", "running", "paused", "closed"]).map(|word| match word.as_str() {
        "draft" => CampaignStatus::Draft,
        "paused" => CampaignStatus::Paused,
        "closed" => CampaignStatus::Closed,
        _ => CampaignStatus::Running,
    })
}

/// Reads `low` and `high`.
pub(super) fn sensitivity() -> impl TypedValueParser<Value = Sensitivity> {
    PossibleValuesParser::new(["low", "high"])
        .map(|word| if word == "low" { Sensitivity::Low } else { Sensitivity::High })
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create { name, status, sensitivity, topics, dispositions } => {
                console.change(wire::Create { name, status, sensitivity, topics, dispositions }).await
            }
            Self::Set { name, status, sensitivity, topics, dispositions } => {
                let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
                let (topics, dispositions) = (some(topics), some(dispositions));
                console.change(wire::Set { name, status, sensitivity, topics, dispositions }).await
            }
            Self::List => console.list(wire::Index {}).await,
            Self::Show { name } => console.show(wire::Show { name }).await,
        }
    }
}

/// The stable word for it.
pub(super) fn sensitivity_word(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Low => "low",
        Sensitivity::High => "high",
    }
}

impl Show for Campaign {
    const COLUMNS: &'static [&'static str] =
        &["name", "status", "sensitivity", "topics", "dispositions", "created_at"];
    fn cells(&self) -> Vec<Cell> {
        let status = match self.status {
            CampaignStatus::Draft => "draft",
            CampaignStatus::Running => "running",
            CampaignStatus::Paused => "paused",
            CampaignStatus::Closed => "closed",
        };
        vec![
            Cell::text(&self.name),
            Cell::Word(status),
            Cell::Word(sensitivity_word(self.sensitivity)),
            Cell::List(self.topics.clone()),
            Cell::List(self.dispositions.clone()),
            Cell::Time(self.created_at),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("campaign {}", self.name)
    }
    fn more(&self) -> Vec<(&'static str, Cell)> {
        vec![("import_header", Cell::List(self.import_header.clone())), ("id", Cell::Text(self.id()))]
    }
}
