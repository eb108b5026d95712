//! `bbctl queue …`

use super::account::yes_no;
use super::campaign::{sensitivity, sensitivity_word};
use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::campaign::Sensitivity;
use crate::wire::Failure;
use crate::wire::queue::{self as wire, Queue};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a queue
    Create {
        /// Its name, which flows use
        name: String,
        /// The campaign whose customers call here
        #[arg(long)]
        campaign: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a queue; what is not named stays
    Set {
        /// Which queue
        name: String,
        /// The campaign whose customers call here
        #[arg(long)]
        campaign: Option<String>,
        #[command(flatten)]
        settings: Settings,
        /// Operator who joins; repeat for several
        #[arg(long = "add-member", value_name = "LOGIN", conflicts_with = "members")]
        add_members: Vec<String>,
        /// Operator who leaves; repeat for several
        #[arg(long = "remove-member", value_name = "LOGIN", conflicts_with = "members")]
        remove_members: Vec<String>,
    },
    /// List queues
    List,
    /// Show one queue
    Show {
        /// Which queue
        name: String,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Settings {
    /// Login of an operator who shares it; repeat for all of them
    #[arg(long = "member", value_name = "LOGIN")]
    members: Vec<String>,
    /// Seconds an operator's phone rings before the next is offered the call: 20 if never set
    #[arg(long, value_name = "N")]
    ring_seconds: Option<u32>,
    /// Seconds of wrap-up after a call; 0 waits for the operator: 0 if never set
    #[arg(long, value_name = "N")]
    wrap_up_seconds: Option<u32>,
    /// Whether its calls are recorded: yes if never set
    #[arg(long, value_name = "YES|NO", value_parser = yes_no())]
    recorded: Option<bool>,
    /// How much personal data its calls show: as the campaign if never set
    #[arg(long, value_parser = sensitivity())]
    sensitivity: Option<Sensitivity>,
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create { name, campaign, settings } => {
                let Settings { members, ring_seconds, wrap_up_seconds, recorded, sensitivity } = settings;
                console
                    .change(wire::Create {
                        name,
                        campaign,
                        sensitivity,
                        ring_seconds,
                        wrap_up_seconds,
                        recorded,
                        members,
                    })
                    .await
            }
            Self::Set { name, campaign, settings, add_members, remove_members } => {
                let Settings { members, ring_seconds, wrap_up_seconds, recorded, sensitivity } = settings;
                let members = (!members.is_empty()).then_some(members);
                console
                    .change(wire::Set {
                        name,
                        campaign,
                        sensitivity,
                        ring_seconds,
                        wrap_up_seconds,
                        recorded,
                        members,
                        add_members,
                        remove_members,
                    })
                    .await
            }
            Self::List => console.list(wire::Index {}).await,
            Self::Show { name } => console.show(wire::Show { name }).await,
        }
    }
}

impl Show for Queue {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "campaign",
        "members",
        "waiting",
        "ring_seconds",
        "wrap_up_seconds",
        "recorded",
        "sensitivity",
    ];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.name),
            Cell::text(&self.campaign),
            Cell::List(self.members.clone()),
            Cell::Number(self.waiting as i64),
            Cell::Number(self.ring_seconds.into()),
            Cell::Number(self.wrap_up_seconds.into()),
            Cell::Flag(self.recorded),
            Cell::Word(sensitivity_word(self.sensitivity)),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("queue {}", self.name)
    }
    fn more(&self) -> Vec<(&'static str, Cell)> {
        vec![("longest_since", Cell::maybe(self.longest_since, Cell::Time)), ("id", Cell::Text(self.id()))]
    }
}
