//! `bbctl account …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::account::Role;
use crate::wire::Failure;
use crate::wire::account::{self as wire, Account};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an account
    Create {
        /// What is typed to log in
        login: String,
        /// What it may do
        #[arg(long, value_parser = role())]
        role: Role,
        /// The person's name; the login if not given
        #[arg(long)]
        name: Option<String>,
        /// Campaign it is assigned to; repeat for several
        #[arg(long = "campaign", value_name = "CAMPAIGN")]
        campaigns: Vec<String>,
        /// SIP URI that rings instead of a browser
        #[arg(long, value_name = "URI")]
        sip_contact: Option<String>,
        /// Take the password from standard input's first line
        #[arg(long, conflicts_with = "no_password")]
        password_stdin: bool,
        /// Make it without a password: it can't log in (a phone)
        #[arg(long)]
        no_password: bool,
    },
    /// Change an account; what is not named stays
    Set {
        /// Which account
        login: String,
        /// What it may do
        #[arg(long, value_parser = role())]
        role: Option<Role>,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
        /// Campaigns it is assigned to from now on; repeat for several
        #[arg(long = "campaign", value_name = "CAMPAIGN", conflicts_with = "no_campaigns")]
        campaigns: Vec<String>,
        /// Assign it to no campaign
        #[arg(long)]
        no_campaigns: bool,
        /// SIP URI that rings instead of a browser; '' for the browser again
        #[arg(long, value_name = "URI")]
        sip_contact: Option<String>,
        /// Shut it out (yes) or let it in again (no)
        #[arg(long, value_name = "YES|NO", value_parser = yes_no())]
        disabled: Option<bool>,
    },
    /// List accounts
    List,
    /// Show one account
    Show {
        /// Which account
        login: String,
    },
    /// Set a password; ends the account's sessions
    Passwd {
        /// Which account
        login: String,
        /// Take the password from standard input's first line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Delete an account
    Delete {
        /// Which account
        login: String,
    },
}

/// Reads `yes` and `no`.
pub(super) fn yes_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["yes", "no"]).map(|word| word == "yes")
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["admin", "supervisor", "operator"])
        .map(|word| Role::parse(&word).unwrap_or(Role::Operator))
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Create { login, role, name, campaigns, sip_contact, password_stdin, no_password } => {
                let password = if no_password { None } else { Some(console.password(password_stdin)?) };
                console.change(wire::Create { login, name, role, sip_contact, campaigns, password }).await
            }
            Self::Set { login, role, name, campaigns, no_campaigns, sip_contact, disabled } => {
                let campaigns = (no_campaigns || !campaigns.is_empty()).then_some(campaigns);
                console.change(wire::Set { login, name, role, sip_contact, campaigns, disabled }).await
            }
            Self::List => console.list(wire::Index {}).await,
            Self::Show { login } => console.show(wire::Show { login }).await,
            Self::Passwd { login, password_stdin } => {
                let password = console.password(password_stdin)?;
                console.change(wire::Passwd { login, password }).await
            }
            Self::Delete { login } => {
                console.confirm(&format!("Deleting account {login}"))?;
                console.change(wire::Delete { login }).await
            }
        }
    }
}

impl Show for Account {
    const COLUMNS: &'static [&'static str] =
        &["login", "name", "role", "campaigns", "sip_contact", "password", "state", "created_at"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.login),
            Cell::text(&self.name),
            Cell::Word(self.role.word()),
            if self.role == Role::Admin { Cell::Word("all") } else { Cell::List(self.campaigns.clone()) },
            Cell::maybe(self.sip_contact.as_deref(), Cell::text),
            Cell::Flag(self.has_password),
            Cell::Word(if self.disabled { "disabled" } else { "enabled" }),
            Cell::Time(self.created_at),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("account {}", self.login)
    }
    fn more(&self) -> Vec<(&'static str, Cell)> {
        vec![("id", Cell::Text(self.id()))]
    }
}
