//! `bbctl session …`

use super::cell::Cell;
use super::console::Console;
use super::present::Show;
use crate::domain::SessionId;
use crate::wire::Failure;
use crate::wire::session::{self as wire, Session};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// List logged-in browsers
    List,
    /// End a session: its pages are logged out at once
    Kill {
        /// Its id
        #[arg(value_parser = session_id)]
        id: SessionId,
    },
}

fn session_id(text: &str) -> Result<SessionId, &'static str> {
    SessionId::parse(text).ok_or("this is no id; see 'bbctl session list -o ids'")
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::List => console.list(wire::Index {}).await,
            Self::Kill { id } => {
                console.confirm(&format!("Ending session {id}"))?;
                console.change(wire::Kill { id }).await
            }
        }
    }
}

impl Show for Session {
    const COLUMNS: &'static [&'static str] =
        &["login", "source", "user_agent", "created_at", "last_seen_at", "id"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.login),
            Cell::text(&self.source),
            Cell::text(&self.user_agent),
            Cell::Time(self.created_at),
            Cell::Time(self.last_seen_at),
            Cell::Text(self.id.to_string()),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("session {}", self.id)
    }
}
