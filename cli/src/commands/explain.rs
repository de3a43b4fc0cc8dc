//! `cairn explain`

use cairn_compiler::Fleet;
use cairn_lang::Span;
use cairn_lang::modules::{Explained, Explanation, Layer, Shown, priority};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{CHANGED, DIM, GOOD, STRONG, paint};
use crate::ui::Ui;

/// Say why an option has its value: every definition, and which of them won
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn explain demo networking.hostName
  cairn explain demo 'boot.kernel.sysctl' --format json")]
pub(crate) struct ExplainArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    /// The option's path, with dots
    #[arg(value_name = "OPTION")]
    option: String,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &ExplainArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let host = fleets::select_one(ui, &fleet, &args.host)?;
    let explained =
        fleet.explain(&host, &args.option).map_err(|problems| fleets::failed(ui, &problems))?;
    ui.object(&object(&fleet, &host, &explained));
    show(ui, &fleet, &host, &explained);
    match &explained.value {
        Ok(_) => Ok(()),
        Err(error) => {
            crate::report::show(ui, std::slice::from_ref(error), fleet.sources());
            Err(CommandError::told())
        }
    }
}

fn show(ui: &Ui, fleet: &Fleet, host: &str, explained: &Explanation) {
    let value = match &explained.value {
        Ok(value) => value.clone(),
        Err(_) => "<error>".to_owned(),
    };
    let dim = |text: &str| paint(DIM, text);
    ui.line(format_args!("{} = {value}", paint(STRONG, &explained.path)));
    ui.line(format_args!("  {} {}", dim("type"), explained.type_description));
    for span in &explained.declared {
        ui.line(format_args!("  {} {}", dim("declared"), place(fleet, *span)));
    }
    if let Some(description) = &explained.description {
        for line in description.trim().lines() {
            ui.line(format_args!("  {}", paint(DIM.italic(), line.trim())));
        }
    }
    ui.line("");
    if explained.definitions.is_empty() {
        ui.line(format_args!("  nothing defines it on {host}"));
    }
    for one in &explained.definitions {
        let mark = match (one.won, one.holds) {
            (true, _) => paint(GOOD, "✓"),
            (false, true) => paint(DIM, "·"),
            (false, false) => paint(CHANGED, "✗"),
        };
        let strength = format!("{}, {}", strength(one), layer(one));
        let at = if one.span.is_none() { one.file.clone() } else { place(fleet, one.span) };
        let off = if one.holds { "" } else { " (its condition does not hold)" };
        ui.line(format_args!("  {mark} {}{off}", one.value));
        ui.line(format_args!("      {} {}", dim(&at), dim(&format!("({strength})"))));
    }
}

fn strength(one: &Explained) -> String {
    match one.priority {
        _ if one.is_default => "the option's default".to_owned(),
        priority::OPTION_DEFAULT => "mkOptionDefault".to_owned(),
        priority::DEFAULT => "mkDefault".to_owned(),
        priority::PLAIN => "plain".to_owned(),
        priority::FORCE => "mkForce".to_owned(),
        priority::SET => "--set".to_owned(),
        other => format!("mkOverride {other}"),
    }
}

fn layer(one: &Explained) -> &'static str {
    match one.layer {
        Layer::Standard => "standard",
        Layer::Group(_) => "group",
        Layer::Host => "host",
        Layer::CommandLine => "command line",
    }
}

fn place(fleet: &Fleet, span: Span) -> String {
    match fleet.sources().place(span) {
        Some(at) => format!("{}:{}:{}", at.file, at.start.line, at.start.column),
        None => "nowhere".to_owned(),
    }
}

fn object(fleet: &Fleet, host: &str, explained: &Explanation) -> Json {
    let at = |span: Span| {
        fleet
            .sources()
            .place(span)
            .map(|at| json!({ "file": at.file, "line": at.start.line, "column": at.start.column }))
    };
    let definitions = explained.definitions.iter().map(|one| {
        json!({
            "value": one.value,
            "file": one.file,
            "at": at(one.span),
            "layer": layer(one),
            "priority": one.priority,
            "default": one.is_default,
            "holds": one.holds,
            "won": one.won,
        })
    });
    json!({
        "type": "option",
        "host": host,
        "option": explained.path,
        "value": explained.value.as_ref().ok(),
        "option_type": explained.type_description,
        "description": explained.description,
        "default": explained.default.as_ref().map(Shown::text),
        "declared": explained.declared.iter().map(|span| at(*span)).collect::<Vec<_>>(),
        "definitions": definitions.collect::<Vec<_>>(),
    })
}
