//! Keeps the generated parts of the manual pages true to the command trees. Each page stands
//! whole in `man/`; what lies between `.\" generated: NAME` and `.\" end` is written by
//! `UPDATE_MAN=1 cargo test manual`, and without it any difference is a failure.

use clap::{Arg, Command};
use std::path::Path;

/// Compares or rewrites the named parts of `man/PAGE`.
pub(crate) fn keep(page: &str, parts: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut fresh = text.clone();
    for (name, part) in parts {
        let (head, rest) = fresh.split_once(&format!(".\\\" generated: {name}\n")).unwrap();
        let (_, tail) = rest.split_once(".\\\" end\n").unwrap();
        fresh = format!("{head}.\\\" generated: {name}\n{part}.\\\" end\n{tail}");
    }
    if std::env::var_os("UPDATE_MAN").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert!(fresh == text, "man/{page} is stale: run UPDATE_MAN=1 cargo test manual");
    }
}

/// A tagged list of the command's own options.
pub(crate) fn options(command: &Command, wanted: impl Fn(&Arg) -> bool) -> String {
    let mut out = String::from(".Bl -tag -width Ds\n");
    for option in command.get_arguments().filter(|a| !a.is_positional() && !a.is_hide_set() && wanted(a)) {
        out.push_str(&format!(".It {}\n{}", flags(option), described(option)));
    }
    out + ".El\n"
}

/// A subsection a noun, a tagged item a verb.
pub(crate) fn commands(tree: &Command) -> String {
    let mut out = String::new();
    for noun in tree.get_subcommands().filter(|noun| !noun.is_hide_set() && noun.get_name() != "help") {
        out.push_str(&format!(".Ss {}\n{}", noun.get_name(), about(noun)));
        let verbs: Vec<&Command> = noun.get_subcommands().filter(|verb| verb.get_name() != "help").collect();
        if verbs.is_empty() {
            continue;
        }
        out.push_str(".Bl -tag -width Ds\n");
        for verb in verbs {
            out.push_str(&format!(".It Ic {} {}{}\n", noun.get_name(), verb.get_name(), synopsis(verb)));
            out.push_str(&about(verb));
            let arguments = |a: &&Arg| !a.is_hide_set() && !a.is_global_set() && a.get_id() != "help";
            let described: Vec<&Arg> = verb.get_arguments().filter(arguments).collect();
            if !described.is_empty() {
                out.push_str(".Bl -tag -width Ds -compact\n");
                for argument in described {
                    out.push_str(&format!(".It {}\n{}", flags(argument), self::described(argument)));
                }
                out.push_str(".El\n");
            }
        }
        out.push_str(".El\n");
    }
    out
}

fn synopsis(verb: &Command) -> String {
    let mut out = String::new();
    for argument in verb.get_positionals() {
        out.push_str(&format!(" Ar {}", shown_value(argument)));
    }
    if verb.get_arguments().any(|a| !a.is_positional() && !a.is_global_set() && a.get_id() != "help") {
        out.push_str(" Op Ar options");
    }
    out
}

fn flags(argument: &Arg) -> String {
    if argument.is_positional() {
        return format!("Ar {}", shown_value(argument));
    }
    let long = argument.get_long().map(|long| format!("Fl \\-{}", long.replace('-', "\\-")));
    let short = argument.get_short().map(|short| format!("Fl {short}"));
    let mut out = [short, long].into_iter().flatten().collect::<Vec<_>>().join(" , ");
    if argument.get_action().takes_values() {
        out.push_str(&format!(" Ar {}", shown_value(argument)));
    }
    out
}

fn shown_value(argument: &Arg) -> String {
    let names =
        argument.get_value_names().map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
    names.unwrap_or_else(|| vec![argument.get_id().to_string()]).join(" ").to_lowercase()
}

fn described(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = help.trim_end_matches('.').to_owned();
    let shown = argument.get_id() != "help" && argument.get_id() != "version";
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
    if shown
        && argument.get_action().takes_values()
        && !values.is_empty()
        && !argument.is_hide_possible_values_set()
    {
        text.push_str(&format!(": {}", values.join(", ")));
    }
    let default: Vec<_> =
        argument.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
    if !default.is_empty() && argument.get_action().takes_values() {
        text.push_str(&format!(" (default {})", default.join(" ")));
    }
    wrapped(&format!("{text}."))
}

/// Text in lines of at most 78 bytes, none of which is a request.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let room = lines.last().is_some_and(|line| line.is_empty() || line.len() + word.len() < 78);
        match lines.last_mut().filter(|_| room) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.push_str(&format!(" {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| escaped(line) + "\n").collect()
}

fn about(command: &Command) -> String {
    wrapped(&format!("{}.", command.get_about().map(ToString::to_string).unwrap_or_default()))
}

/// A line of text in roff: no escape, and no request, can begin in it.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace("--", "\\-\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn manual_of_bbctl_says_what_the_command_tree_and_the_contract_say() {
        let mut tree = Cli::command();
        tree.build();
        let json: String = crate::wire::samples::all()
            .iter()
            .map(|(commands, reply)| {
                let lines: String = reply.lines().map(|line| escaped(line) + "\n").collect();
                format!(".It {commands}\n.Bd -literal -compact\n{lines}.Ed\n")
            })
            .collect();
        keep(
            "bbctl.1",
            &[
                ("options", options(&tree, |_| true)),
                ("commands", commands(&tree)),
                ("json", format!(".Bl -tag -width Ds\n{json}.El\n")),
            ],
        );
    }
}
