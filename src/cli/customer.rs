//! `bbctl customer …`

use super::Format;
use super::cell::Cell;
use super::console::Console;
use super::present::{self, Show};
use crate::domain::customer::Customer;
use crate::wire::{Failure, customer as wire};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// Import customers from a CSV file, all or nothing
    Import {
        /// UTF-8 or Shift_JIS, with a header line; '-' is standard input
        file: PathBuf,
        /// Into which campaign
        #[arg(long)]
        campaign: String,
    },
    /// Search customers by name, kana, code, number or e-mail
    Search {
        /// What to look for
        text: String,
        /// Show at most this many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
        limit: u16,
    },
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Import { file, campaign } => {
                let bytes = console.file(&file)?;
                let answer = console.client.ask(wire::Import { campaign }, Some(bytes)).await?;
                let text = match console.format() {
                    Format::Json => present::json(&answer.reply)?,
                    format => summary(&answer.reply, format)?,
                };
                console.raw(&text)
            }
            Self::Search { text, limit } => {
                console.list(wire::Search { text, limit: Some(limit.into()) }).await
            }
        }
    }
}

fn summary(imported: &wire::Imported, format: Format) -> Result<String, Failure> {
    let wire::Imported { campaign, added, changed, encoding, dry_run } = imported;
    match format {
        Format::Csv => present::csv(
            &["campaign", "added", "changed", "encoding"],
            [vec![campaign.clone(), added.to_string(), changed.to_string(), encoding.clone()]],
        ),
        _ => {
            let would = if *dry_run { "would be " } else { "" };
            let campaign = super::cell::printable(campaign);
            Ok(format!(
                "campaign {campaign}: {added} customers {would}added, {changed} {would}changed ({encoding})\n"
            ))
        }
    }
}

impl Show for Customer {
    const COLUMNS: &'static [&'static str] =
        &["code", "name", "kana", "phone", "phone_alt", "email", "address", "id"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.code),
            Cell::text(&self.name),
            Cell::text(&self.kana),
            Cell::maybe(self.phone.as_ref(), |p| Cell::text(p.as_str())),
            Cell::maybe(self.phone_alt.as_ref(), |p| Cell::text(p.as_str())),
            Cell::text(&self.email),
            Cell::text(&self.address),
            Cell::Text(self.id.to_string()),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("customer {}", self.id)
    }
}
