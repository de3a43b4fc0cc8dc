//! The command line. One definition makes parsing, help and completions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cairn_lang::Features;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, ValueEnum, ValueHint};

use crate::commands::Command;
use crate::style;

/// Typed host configuration, compiled to generations for the Debian that you have.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    styles = style::HELP,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Start with `cairn check`, then `cairn switch demo --into /tmp/demo`.\n\
                  `cairn COMMAND --help` shows an example of each."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Folder of the fleet [default: the nearest one upward with a cairn.nix]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) fleet: Option<PathBuf>,

    /// Define an option of every host that is looked at, stronger than anything in the fleet; EXPR may
    /// use `lib`
    #[arg(long, global = true, value_name = "PATH=EXPR", action = ArgAction::Append)]
    pub(crate) set: Vec<String>,

    /// Take an input from a folder, whatever the lock says
    #[arg(long, global = true, value_names = ["NAME", "DIR"], num_args = 2, action = ArgAction::Append)]
    pub(crate) override_input: Vec<String>,

    /// Switch on parts of the language that Nix calls experimental, by the names that it gives them
    #[arg(
        long,
        global = true,
        value_name = "FEATURES",
        value_delimiter = ' ',
        action = ArgAction::Append,
        value_parser = PossibleValuesParser::new(Features::NAMES),
        hide_possible_values = true
    )]
    pub(crate) extra_experimental_features: Vec<String>,

    /// What standard output holds: text, or one JSON object a line
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,

    /// When to use colours; `auto` also heeds NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Global {
    /// The folders that stand for inputs.
    pub(crate) fn overrides(&self) -> BTreeMap<String, PathBuf> {
        let pair = |pair: &[String]| match pair {
            [name, folder] => Some((name.clone(), PathBuf::from(folder))),
            _ => None,
        };
        self.override_input.chunks(2).filter_map(pair).collect()
    }

    /// The experimental parts of the language that are switched on.
    pub(crate) fn features(&self) -> Features {
        let mut features = Features::default();
        for name in &self.extra_experimental_features {
            features.enable(name);
        }
        features
    }
}

/// What standard output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The hosts that a command is about.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// Hosts by name, or by group or tag as `@NAME`
    #[arg(value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
}
