//! Completion scripts, generated from the command tree.

use super::Cli;
use clap::CommandFactory;
use clap_complete::Shell;

/// The completion script of `bbctl` for `shell`.
pub(super) fn of(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bbctl", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
