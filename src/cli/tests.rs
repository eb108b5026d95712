use super::*;
use clap::CommandFactory;

#[test]
fn the_command_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn global_options_stand_anywhere() {
    let cli = Cli::try_parse_from(["bbctl", "queue", "list", "--tenant", "acme", "-o", "csv"]).unwrap();
    assert_eq!(cli.global.tenant.as_deref(), Some("acme"));
    assert_eq!(cli.global.output, Format::Csv);
}

#[test]
fn a_password_is_never_an_argument() {
    fn walk(command: &clap::Command, path: &str) {
        for argument in command.get_arguments() {
            let takes_value = argument.get_action().takes_values();
            let name = argument.get_id().as_str();
            assert!(
                !(takes_value && (name.contains("password") || name.contains("secret"))),
                "{path} --{name}"
            );
        }
        for below in command.get_subcommands() {
            walk(below, &format!("{path} {}", below.get_name()));
        }
    }
    walk(&Cli::command(), "bbctl");
}
