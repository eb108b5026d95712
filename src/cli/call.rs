//! `bbctl call …`

use super::Format;
use super::cell::Cell;
use super::console::Console;
use super::present::{self, Show};
use crate::domain::{CallId, UnixMillis};
use crate::wire::Failure;
use crate::wire::call::{self as wire, Call, Story};
use clap::Subcommand;
use jiff::Timestamp;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// List calls, newest first
    List {
        /// Show at most this many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only calls that started before this time (2026-11-24T09:00:00+09:00)
        #[arg(long, value_name = "TIME", value_parser = moment)]
        before: Option<UnixMillis>,
        /// Only calls that live
        #[arg(long)]
        live: bool,
    },
    /// Show a call with its story
    Show {
        /// Its id
        #[arg(value_parser = call_id)]
        id: CallId,
    },
    /// End a living call
    Hangup {
        /// Its id
        #[arg(value_parser = call_id)]
        id: CallId,
    },
}

fn call_id(text: &str) -> Result<CallId, &'static str> {
    CallId::parse(text).ok_or("this is no id; see 'bbctl call list -o ids'")
}

/// Reads an RFC 3339 time.
pub(super) fn moment(text: &str) -> Result<UnixMillis, &'static str> {
    text.parse::<Timestamp>()
        .map(Timestamp::as_millisecond)
        .map_err(|_| "write the time as 2026-11-24T09:00:00+09:00")
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::List { limit, before, live } => {
                console.list(wire::Index { limit: Some(limit.into()), before, live }).await
            }
            Self::Show { id } => show(console, id).await,
            Self::Hangup { id } => {
                console.confirm(&format!("Ending call {id}"))?;
                console.change(wire::Hangup { id }).await
            }
        }
    }
}

async fn show(console: &Console, id: CallId) -> Result<(), Failure> {
    let answer = console.client.ask(wire::Show { id }, None).await?;
    let Story { call, events, contact_records } = &answer.reply;
    let style = console.style(&answer);
    let columns = ["at", "kind", "operator", "detail"];
    let rows = events.iter().map(|event| {
        vec![
            Cell::Time(event.at),
            Cell::text(&event.kind),
            Cell::maybe(event.operator.as_deref(), Cell::text),
            Cell::text(&event.detail),
        ]
    });
    match console.format() {
        Format::Json => console.raw(&present::json(&answer.reply)?),
        Format::Ids => console.raw(&style.item(call)?),
        Format::Csv => console.raw(&present::csv(
            &columns,
            rows.map(|row| row.iter().map(|c| c.for_csv(&style.zone)).collect()),
        )?),
        Format::Table => {
            let mut text = format!("{}\n{}", style.item(call)?, style.table(&columns, rows));
            if !contact_records.is_empty() {
                let rows = contact_records.iter().map(|r| {
                    vec![
                        Cell::Time(r.updated_at),
                        Cell::text(&r.topic),
                        Cell::text(&r.disposition),
                        Cell::text(&r.note),
                    ]
                });
                text.push('\n');
                text.push_str(&style.table(&["saved_at", "topic", "disposition", "note"], rows));
            }
            console.raw(&text)
        }
    }
}

impl Show for Call {
    const COLUMNS: &'static [&'static str] =
        &["started_at", "caller", "called", "state", "queue", "operator", "talk", "recording", "id"];
    fn cells(&self) -> Vec<Cell> {
        let state = match (self.fate, self.state.as_str()) {
            (Some(fate), _) => fate.word(),
            (None, "prompt") => "prompt",
            (None, "queued") => "queued",
            (None, "ringing") => "ringing",
            (None, "talking") => "talking",
            (None, _) => "ending",
        };
        let talk = self.answered_at.zip(self.ended_at).map(|(from, to)| to - from);
        vec![
            Cell::Time(self.started_at),
            Cell::text(&self.caller),
            Cell::text(&self.called),
            Cell::Word(state),
            Cell::maybe(self.queue.as_deref(), Cell::text),
            Cell::maybe(self.operator.as_deref(), Cell::text),
            Cell::maybe(talk, Cell::Span),
            Cell::maybe(self.recording, |id| Cell::Text(id.to_string())),
            Cell::Text(self.id.to_string()),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("call {}", self.id)
    }
    fn more(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("campaign", Cell::maybe(self.campaign.as_deref(), Cell::text)),
            ("customer", Cell::maybe(self.customer, |id| Cell::Text(id.to_string()))),
            ("queued_at", Cell::maybe(self.queued_at, Cell::Time)),
            ("answered_at", Cell::maybe(self.answered_at, Cell::Time)),
            ("ended_at", Cell::maybe(self.ended_at, Cell::Time)),
        ]
    }
}
