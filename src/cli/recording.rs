//! `bbctl recording …`

use super::Format;
use super::call::moment;
use super::cell::Cell;
use super::console::Console;
use super::present::{self, Show};
use crate::domain::{RecordingId, UnixMillis};
use crate::wire::Failure;
use crate::wire::recording::{self as wire, Exported, Recording};
use clap::Subcommand;
use http_body_util::BodyExt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Verb {
    /// List recordings, newest first
    List {
        /// Show at most this many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only recordings that began before this time (2026-11-24T09:00:00+09:00)
        #[arg(long, value_name = "TIME", value_parser = moment)]
        before: Option<UnixMillis>,
    },
    /// Show one recording
    Show {
        /// Its id
        #[arg(value_parser = recording_id)]
        id: RecordingId,
    },
    /// Write a recording in clear to a WAV file (mode 0600); audited
    Export {
        /// Its id
        #[arg(value_parser = recording_id)]
        id: RecordingId,
        /// The file to write; one that is there is replaced with --yes only
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

fn recording_id(text: &str) -> Result<RecordingId, &'static str> {
    RecordingId::parse(text).ok_or("this is no id; see 'bbctl recording list -o ids'")
}

impl Verb {
    pub(super) async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::List { limit, before } => {
                console.list(wire::Index { limit: Some(limit.into()), before }).await
            }
            Self::Show { id } => console.show(wire::Show { id }).await,
            Self::Export { id, to } => export(console, id, &to).await,
        }
    }
}

async fn export(console: &Console, id: RecordingId, to: &Path) -> Result<(), Failure> {
    if to.exists() {
        console.confirm(&format!("Replacing {}", to.display()))?;
    }
    let bytes = if console.dry_run() {
        console.client.ask(wire::Export { id }, None).await?.reply.wav_bytes.unsigned_abs()
    } else {
        download(console, id, to).await?
    };
    let exported = Exported { id, file: to.display().to_string(), bytes, dry_run: console.dry_run() };
    let text = match console.format() {
        Format::Json => present::json(&exported)?,
        Format::Ids => format!("{id}\n"),
        Format::Csv => {
            present::csv(&["id", "file", "bytes"], [vec![id.to_string(), exported.file, bytes.to_string()]])?
        }
        Format::Table => {
            let would = if exported.dry_run { "would be " } else { "" };
            format!("recording {id}: {would}written to {} ({bytes} bytes)\n", to.display())
        }
    };
    console.raw(&text)
}

/// Streams beside the target and renames at the end, so that no half a recording bears its name.
async fn download(console: &Console, id: RecordingId, to: &Path) -> Result<u64, Failure> {
    let mut body = console.client.fetch(wire::Export { id }).await?;
    let mut draft = to.to_owned().into_os_string();
    draft.push(".part");
    let draft = PathBuf::from(draft);
    let unwritable =
        |e: std::io::Error| Failure::failed(format!("{} can't be written: {e}", draft.display()));
    // Never through a link or into a file that someone else laid there: it would get their mode.
    let _ = std::fs::remove_file(&draft);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(unwritable)?;
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let broken =
            |e: hyper::Error| Failure::failed(format!("the recording broke off: {e}; see the log of bbd"));
        let written = match frame.map_err(broken) {
            Ok(frame) => {
                frame.into_data().map_or(Ok(0), |data| file.write_all(&data).map(|()| data.len() as u64))
            }
            Err(failure) => {
                let _ = std::fs::remove_file(&draft);
                return Err(failure);
            }
        };
        bytes += written.inspect_err(|_| drop(std::fs::remove_file(&draft))).map_err(unwritable)?;
    }
    file.sync_all().and_then(|()| std::fs::rename(&draft, to)).map_err(unwritable)?;
    Ok(bytes)
}

impl Show for Recording {
    const COLUMNS: &'static [&'static str] =
        &["started_at", "state", "duration", "campaign", "operator", "wav_bytes", "call", "id"];
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Time(self.started_at),
            Cell::Word(self.state.word()),
            Cell::Span(self.duration_ms),
            Cell::maybe(self.campaign.as_deref(), Cell::text),
            Cell::maybe(self.operator.as_deref(), Cell::text),
            Cell::Number(self.wav_bytes),
            Cell::Text(self.call.to_string()),
            Cell::Text(self.id.to_string()),
        ]
    }
    fn id(&self) -> String {
        self.id.to_string()
    }
    fn label(&self) -> String {
        format!("recording {}", self.id)
    }
}
