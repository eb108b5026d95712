//! Man pages and completions, generated from the command trees.

use super::Cli;
use crate::wire::Failure;
use clap::CommandFactory;
use clap_complete::Shell;

/// Which program a page is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The daemon.
    Bbd,
    /// The command.
    Bbctl,
}

/// The completion script of `program` for `shell`.
pub fn completions(shell: Shell, program: Program) -> String {
    let mut out = Vec::new();
    match program {
        Program::Bbctl => clap_complete::generate(shell, &mut Cli::command(), "bbctl", &mut out),
        Program::Bbd => clap_complete::generate(shell, &mut daemon(), "bbd", &mut out),
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// bbctl(1).
pub fn bbctl_man() -> Result<String, Failure> {
    todo!()
}
