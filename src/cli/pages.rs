//! Man pages and completions, generated from the command trees.

use super::Cli;
use crate::wire::Failure;
use clap::CommandFactory;
use clap_complete::Shell;

/// The completion script of `bbctl` for `shell`.
pub(super) fn completions(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bbctl", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// bbctl(1).
pub fn bbctl_man() -> Result<String, Failure> {
    todo!()
}
