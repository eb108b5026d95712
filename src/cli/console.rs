//! The person's side: asks the daemon for them, prints, and puts questions.

use super::cell::printable;
use super::client::{Answer, Client};
use super::present::{Show, Style};
use super::{Format, Global};
use crate::wire::{Ask, Change, Failure, List, Listed, Secret};
use jiff::tz::TimeZone;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

/// The largest file read from standard input or disk for an upload, in bytes.
const LARGEST_UPLOAD: u64 = 64 * 1024 * 1024;

pub(super) struct Console {
    pub(super) client: Client,
    style: Style,
    yes: bool,
}

impl Console {
    pub(super) fn new(global: &Global) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            client: Client {
                socket: global.socket.clone(),
                tenant: global.tenant.clone(),
                dry_run: global.dry_run,
            },
            style: Style { format: global.output, terminal, colour, zone: TimeZone::UTC },
            yes: global.yes,
        }
    }

    pub(super) fn format(&self) -> Format {
        self.style.format
    }
    pub(super) fn dry_run(&self) -> bool {
        self.client.dry_run
    }

    /// The style with times in the reply's zone.
    pub(super) fn style<T>(&self, answer: &Answer<T>) -> Style {
        let zone = answer.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Style { zone: zone.unwrap_or(TimeZone::UTC), ..self.style.clone() }
    }

    /// Asks for a list and prints it.
    pub(super) async fn list<A: Ask<Reply = List<T>>, T: Show + Listed>(
        &self,
        ask: A,
    ) -> Result<(), Failure> {
        let answer = self.client.ask(ask, None).await?;
        self.raw(&self.style(&answer).list(&answer.reply)?)
    }

    /// Asks for one thing and prints it.
    pub(super) async fn show<A: Ask<Reply = T>, T: Show>(&self, ask: A) -> Result<(), Failure> {
        let answer = self.client.ask(ask, None).await?;
        self.raw(&self.style(&answer).item(&answer.reply)?)
    }

    /// Asks for a change and prints what it did.
    pub(super) async fn change<A: Ask<Reply = Change<T>>, T: Show>(&self, ask: A) -> Result<(), Failure> {
        self.upload(ask, None).await
    }

    /// [`Console::change`] with a file.
    pub(super) async fn upload<A: Ask<Reply = Change<T>>, T: Show>(
        &self,
        ask: A,
        file: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        let answer = self.client.ask(ask, file).await?;
        self.raw(&self.style(&answer).change(&answer.reply)?)
    }

    /// Prints text as it is. A reader that went away is no failure.
    pub(super) fn raw(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("can't print: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Says on standard error what went wrong.
    pub(super) fn complain(&self, failure: &Failure) {
        let mut text = format!("bbctl: {}\n", printable(&failure.message));
        for detail in &failure.details {
            text.push_str(&format!("  {}\n", printable(detail)));
        }
        // With standard error gone there is nobody left to tell; the exit code still speaks.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// Makes sure that something that can't be undone is wanted.
    pub(super) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes || self.client.dry_run {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(format!("{question} can't be undone; add --yes to do it")));
        }
        let _ = write!(std::io::stderr(), "{} can't be undone. Go on? [y/N] ", printable(question));
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        if matches!(line.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Failure::failed("not done")) }
    }

    /// A password from standard input's first line, or by prompt, twice.
    pub(super) fn password(&self, from_stdin: bool) -> Result<Secret, Failure> {
        if from_stdin {
            let mut line = String::new();
            let read = std::io::stdin().take(4096).read_to_string(&mut line);
            read.map_err(|e| Failure::usage(format!("no password could be read from standard input: {e}")))?;
            let first = line.lines().next().unwrap_or_default().to_owned();
            return if first.is_empty() {
                Err(Failure::usage("standard input holds no password; write it on the first line"))
            } else {
                Ok(Secret::new(first))
            };
        }
        let asked = |e: std::io::Error| {
            Failure::usage(format!(
                "no password can be asked for without a terminal ({e}); use --password-stdin"
            ))
        };
        let first = Secret::new(rpassword::prompt_password("New password: ").map_err(asked)?);
        let second = Secret::new(rpassword::prompt_password("Again: ").map_err(asked)?);
        if first.expose() == second.expose() {
            Ok(first)
        } else {
            Err(Failure::usage("the passwords differ; try again"))
        }
    }

    /// A file's bytes; `-` is standard input.
    pub(super) fn file(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let unreadable = |e: std::io::Error| Failure::usage(format!("{} can't be read: {e}", path.display()));
        let mut bytes = Vec::new();
        let mut read = |source: &mut dyn Read| source.take(LARGEST_UPLOAD + 1).read_to_end(&mut bytes);
        if path == Path::new("-") {
            read(&mut std::io::stdin()).map_err(unreadable)?;
        } else {
            read(&mut std::fs::File::open(path).map_err(unreadable)?).map_err(unreadable)?;
        }
        if bytes.len() as u64 > LARGEST_UPLOAD {
            return Err(Failure::usage(format!("{} is larger than 64 MiB; split it", path.display())));
        }
        Ok(bytes)
    }
}
