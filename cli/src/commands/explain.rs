//! `cairn explain`

use cairn_compiler::Fleet;
use cairn_lang::Span;
use cairn_lang::modules::{Explained, Explanation, Explanations, Layer, Tested, priority};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::reference::{laid_out, shown_json, terminal};
use crate::report::plural;
use crate::style::{ACTION, CHANGED, DIM, GOOD, STRONG, paint};
use crate::ui::Ui;

/// Longer conditions are cut.
const CONDITION: usize = 70;

/// Say why an option has its value: every definition, and which of them won
#[derive(Debug, Args)]
#[command(after_help = "\
OPTION is an option's path, that of a part of its value, or that of a set of options: then those
that anything defines are shown.

Examples:
  cairn explain demo networking.hostName
  cairn explain demo 'boot.kernel.sysctl.\"vm.swappiness\"'
  cairn explain demo networking
  cairn explain demo services.k3s.role --set 'services.k3s.role=\"agent\"' --format json")]
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
    let (found, problems) =
        fleet.explain(&host, &args.option).map_err(|problems| fleets::failed(ui, &problems))?;
    let explained = match &found {
        Explanations::One(explained) => std::slice::from_ref(&**explained),
        Explanations::Set { defined, .. } => defined,
    };
    explained.iter().for_each(|one| ui.object(&object(&fleet, &host, one)));
    match &found {
        Explanations::One(explained) => show(ui, &fleet, &host, explained),
        Explanations::Set { defined, others } => {
            show_set(ui, &fleet, &host, args, defined, *others);
        }
    }
    if problems.diagnostics.is_empty() {
        return Ok(());
    }
    crate::report::show(ui, &problems.diagnostics, &problems.sources);
    if problems.has_errors() { Err(CommandError::told()) } else { Ok(()) }
}

/// A line with an option's value.
fn headline(ui: &Ui, explained: &Explanation) {
    let value = match &explained.value {
        Ok(value) => value.clone(),
        Err(_) => "<error>".to_owned(),
    };
    ui.line(format_args!("{} = {value}", paint(STRONG, &explained.path)));
}

fn show(ui: &Ui, fleet: &Fleet, host: &str, explained: &Explanation) {
    headline(ui, explained);
    if let Some(option) = &explained.within {
        terminal::field(ui, "part of", option);
    }
    terminal::field(ui, "type", &explained.type_description);
    if let Some(default) = &explained.default {
        terminal::value(ui, "default", &laid_out(default.clone()));
    }
    for span in &explained.declared {
        terminal::field(ui, "declared", &place(fleet, *span));
    }
    terminal::description(ui, explained.description.as_deref().unwrap_or_default());
    ui.line("");
    let defined = explained.definitions.iter().filter(|one| !one.is_default).count();
    if defined == 0 {
        ui.line(format_args!("  nothing defines it on {host}"));
    }
    let winners = explained.definitions.iter().filter(|one| one.won).count();
    if winners > 1 {
        ui.line(format_args!(
            "  {} make the value together, those of weaker layers first",
            plural(winners, "definition")
        ));
    }
    if explained.applied {
        ui.line("  the option makes its value of what is defined (`apply`)");
    }
    for one in &explained.definitions {
        definition(ui, fleet, one);
    }
}

fn definition(ui: &Ui, fleet: &Fleet, one: &Explained) {
    let mark = match (one.won, one.holds) {
        (true, _) => paint(GOOD, "✓"),
        (false, true) => paint(DIM, "·"),
        (false, false) => paint(CHANGED, "✗"),
    };
    ui.line(format_args!("  {mark} {}", one.value));
    ui.line(format_args!("      {}", paint(DIM, whence(fleet, one))));
    conditions(ui, fleet, one);
}

/// The conditions of a definition, and what they come to.
pub(super) fn conditions(ui: &Ui, fleet: &Fleet, one: &Explained) {
    for condition in &one.conditions {
        let text = condition_text(fleet, condition);
        let said = match condition.holds {
            Some(true) => paint(DIM, "holds"),
            Some(false) => paint(CHANGED, "does not hold"),
            None if condition.fails => paint(CHANGED, "fails"),
            None => paint(DIM, "is not looked at"),
        };
        ui.line(format_args!("      {} {}: {said}", paint(DIM, "if"), paint(ACTION, text)));
    }
}

/// What is defined in a set of options, and where.
fn show_set(
    ui: &Ui,
    fleet: &Fleet,
    host: &str,
    args: &ExplainArgs,
    defined: &[Explanation],
    others: usize,
) {
    let path = &args.option;
    if defined.is_empty() {
        let all = plural(others, "option");
        ui.line(format_args!("nothing in {path} is defined on {host}: {all} with defaults"));
        return;
    }
    for explained in defined {
        headline(ui, explained);
        for one in explained.definitions.iter().filter(|one| one.won) {
            ui.line(format_args!("    {}", paint(DIM, whence(fleet, one))));
        }
    }
    if others > 0 {
        ui.line("");
        let all = plural(others, "other option");
        ui.line(paint(DIM, format_args!("{all} in {path} with defaults: `cairn options {path}`")));
    }
}

/// Where a definition is and how strong: `demo.nix:4:31 (mkDefault, host)`.
pub(super) fn whence(fleet: &Fleet, one: &Explained) -> String {
    // A line of a command line is none that anybody could look up.
    let nowhere = one.span.is_none() || one.layer == Layer::CommandLine;
    let at = if nowhere { one.file.clone() } else { place(fleet, one.span) };
    let order = match one.order {
        None => String::new(),
        Some(500) => ", mkBefore".to_owned(),
        Some(1500) => ", mkAfter".to_owned(),
        Some(other) => format!(", mkOrder {other}"),
    };
    let group = one.layer.group().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{at} ({}, {}{group}{order})", strength(one), one.layer)
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

fn place(fleet: &Fleet, span: Span) -> String {
    match fleet.sources().place(span) {
        Some(at) => format!("{}:{}:{}", at.file, at.start.line, at.start.column),
        None => "nowhere".to_owned(),
    }
}

/// A condition as it is written, on one line.
fn condition_text(fleet: &Fleet, condition: &Tested) -> String {
    let text = fleet.sources().text(condition.span).unwrap_or_else(|| "…".to_owned());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    // Not `(a) || (b)`, whose parentheses are two pairs.
    let text = bare.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(&text);
    if text.chars().count() <= CONDITION {
        return text.to_owned();
    }
    text.chars().take(CONDITION - 1).chain(['…']).collect()
}

fn at(fleet: &Fleet, span: Span) -> Option<Json> {
    let at = fleet.sources().place(span)?;
    Some(json!({ "file": at.file, "line": at.start.line, "column": at.start.column }))
}

/// A definition for programs.
pub(super) fn definition_object(fleet: &Fleet, one: &Explained) -> Json {
    let at_value = at(fleet, one.span);
    // A default of the type's own has no module.
    let file = match &at_value {
        Some(at) if one.file.is_empty() => at["file"].clone(),
        _ => Json::from(one.file.as_str()),
    };
    let condition = |one: &Tested| json!({ "text": condition_text(fleet, one), "at": at(fleet, one.span), "holds": one.holds });
    json!({
        "value": one.value,
        "file": file,
        "at": at_value,
        "layer": one.layer.to_string(),
        "group": one.layer.group(),
        "strength": strength(one),
        "priority": one.priority,
        "order": one.order,
        "conditions": one.conditions.iter().map(condition).collect::<Vec<_>>(),
        "default": one.is_default,
        "holds": one.holds,
        "won": one.won,
    })
}

fn object(fleet: &Fleet, host: &str, explained: &Explanation) -> Json {
    let definitions = explained.definitions.iter().map(|one| definition_object(fleet, one));
    json!({
        "type": "option",
        "host": host,
        "option": explained.path,
        "within": explained.within,
        "value": explained.value.as_ref().ok(),
        "option_type": explained.type_description,
        "description": explained.description,
        "default": explained.default.as_ref().map(shown_json),
        "read_only": explained.read_only,
        "applied": explained.applied,
        "declared": explained.declared.iter().map(|span| at(fleet, *span)).collect::<Vec<_>>(),
        "definitions": definitions.collect::<Vec<_>>(),
    })
}
