//! The command line of `bbd`.

use clap::Parser;
use std::path::PathBuf;

/// BlueBean: a call centre in one daemon
#[derive(Clone, Debug, Parser)]
#[command(name = "bbd", version, about, long_about = None)]
pub struct Options {
    /// Configuration file; without, /etc/bluebean/bbd.toml if there is one, else the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where databases and recordings live; made on first start
    #[arg(long, value_name = "DIR", default_value = "/var/lib/bluebean")]
    pub data_dir: PathBuf,
    /// Control socket for bbctl
    #[arg(long, value_name = "PATH", default_value = "/run/bluebean/bbd.sock")]
    pub socket: PathBuf,
    /// Key that unlocks the databases, kept apart from the data; made on first start. Without: DIR/master.key
    #[arg(long, value_name = "FILE")]
    pub master_key: Option<PathBuf>,
    /// Check the configuration and exit: 0 if it is right, 2 if not
    #[arg(long)]
    pub check: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::manual;
    use clap::CommandFactory;

    #[test]
    fn manual_of_bbd_says_what_the_options_say() {
        let mut command = Options::command();
        command.build();
        manual::keep("bbd.8", &[("options", manual::options(&command, |_| true))]);
    }
}
