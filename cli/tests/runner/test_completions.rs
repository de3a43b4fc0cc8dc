//! `cairn completions`, and what every command shares.

use crate::common::cairn;

#[test]
fn completions_name_the_commands() {
    let output = cairn(&["completions", "bash"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("_cairn()"), "{}", output.stdout);
}

#[test]
fn unknown_command_is_a_usage_error() {
    let output = cairn(&["swich", "demo"]);
    assert_eq!(output.code, 2);
    insta::assert_snapshot!(output.stderr, @"
    error: unrecognized subcommand 'swich'

      tip: a similar subcommand exists: 'switch'

    Usage: cairn [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn every_command_has_an_example() {
    let help = cairn(&["--help"]).stdout;
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let names: Vec<_> = listed
        .expect("a list of commands")
        .lines()
        // Descriptions that go on in the next line are indented further.
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let help = cairn(&[name, "--help"]);
        assert_eq!(help.code, 0, "{name}");
        assert!(help.stdout.contains("Example"), "{name} has no example:\n{}", help.stdout);
    }
}
