//! `bbctl`: the command tree, one file a noun, twin of `control/`.
//!
//! Owns: arguments, questions to the person, tables, and the source of the manual page and
//! completions. Refuses: rules of the business; the daemon decides.
//! May use: wire, domain (types and words only).

mod account;
mod call;
mod campaign;
mod cell;
mod client;
mod console;
mod customer;
mod flow;
mod number;
mod completions;
#[cfg(test)]
pub(crate) mod manual;
mod present;
mod prompt;
mod queue;
mod recording;
mod session;
mod status;
mod tenant;
mod trunk;

use crate::wire::Failure;
use clap::{Parser, Subcommand, ValueEnum};
use console::Console;
use std::path::PathBuf;
use std::time::Duration;

/// Administer a BlueBean call centre over its local socket
#[derive(Clone, Debug, Parser)]
#[command(name = "bbctl", version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Noun,
}

/// Options that every command takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Socket of the daemon
    #[arg(
        long,
        global = true,
        env = "BBCTL_SOCKET",
        value_name = "PATH",
        default_value = "/run/bluebean/bbd.sock"
    )]
    socket: PathBuf,
    /// Tenant to work in; needed when there are several
    #[arg(long, global = true, env = "BBCTL_TENANT", value_name = "NAME")]
    tenant: Option<String>,
    /// How to print the answer
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    output: Format,
    /// Check everything and say what would be done, but change nothing
    #[arg(long, global = true)]
    dry_run: bool,
    /// Don't ask before doing what can't be undone
    #[arg(short, long, global = true)]
    yes: bool,
    /// Give up after this long
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns for people
    Table,
    /// The documented contract, for programs
    Json,
    /// Comma-separated values with a header line
    Csv,
    /// One id a line
    Ids,
}

#[derive(Clone, Debug, Subcommand)]
enum Noun {
    /// Show how the appliance is
    Status,
    /// Call centres on this appliance
    #[command(subcommand)]
    Tenant(tenant::Verb),
    /// People who log in, and phones that answer for them
    #[command(subcommand)]
    Account(account::Verb),
    /// Units of work: customers, topics, dispositions
    #[command(subcommand)]
    Campaign(campaign::Verb),
    /// Customers of a campaign
    #[command(subcommand)]
    Customer(customer::Verb),
    /// Queues: waiting callers and the operators who share them
    #[command(subcommand)]
    Queue(queue::Verb),
    /// Public numbers and the flows that answer them
    #[command(subcommand)]
    Number(number::Verb),
    /// SIP connections to carriers, known by source range
    #[command(subcommand)]
    Trunk(trunk::Verb),
    /// Call flows: what a caller meets
    #[command(subcommand)]
    Flow(flow::Verb),
    /// Sounds that flows play
    #[command(subcommand)]
    Prompt(prompt::Verb),
    /// Calls, living and past
    #[command(subcommand)]
    Call(call::Verb),
    /// Sealed recordings of calls
    #[command(subcommand)]
    Recording(recording::Verb),
    /// Logged-in browsers
    #[command(subcommand)]
    Session(session::Verb),
    /// Print a shell's completion script
    #[command(hide = true)]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

impl Cli {
    /// Does what the command line says and returns the exit code. Errors go to standard error
    /// as one sentence, with their details below.
    pub async fn run(self) -> u8 {
        let console = Console::new(&self.global);
        let limit = Duration::from_secs(self.global.timeout);
        let done = tokio::time::timeout(limit, self.noun.run(&console)).await.unwrap_or_else(|_| {
            let message = format!("no answer within {} seconds; allow more with --timeout", limit.as_secs());
            Err(Failure::new(crate::wire::Code::TimedOut, message))
        });
        match done {
            Ok(()) => 0,
            Err(failure) => {
                console.complain(&failure);
                failure.code.exit()
            }
        }
    }
}

impl Noun {
    async fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Status => status::run(console).await,
            Self::Tenant(verb) => verb.run(console).await,
            Self::Account(verb) => verb.run(console).await,
            Self::Campaign(verb) => verb.run(console).await,
            Self::Customer(verb) => verb.run(console).await,
            Self::Queue(verb) => verb.run(console).await,
            Self::Number(verb) => verb.run(console).await,
            Self::Trunk(verb) => verb.run(console).await,
            Self::Flow(verb) => verb.run(console).await,
            Self::Prompt(verb) => verb.run(console).await,
            Self::Call(verb) => verb.run(console).await,
            Self::Recording(verb) => verb.run(console).await,
            Self::Session(verb) => verb.run(console).await,
            Self::Completions { shell } => console.raw(&completions::of(shell)),
        }
    }
}

#[cfg(test)]
mod tests;
