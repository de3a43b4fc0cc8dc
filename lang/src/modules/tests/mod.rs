//! Modules in, values and rendered diagnostics out.

use std::fmt::Write as _;

use crate::arena::Arena;
use crate::diagnostic::Diagnostic;
use crate::eval::Evaluator;
use crate::fs::{MemoryFs, Root, Roots, VirtualPath};
use crate::source::{Sources, Span};
use crate::world::{Mode, World};

use super::{Configuration, Explanations, Layer, ModuleSource, eval_modules};

mod echoes;
mod errors;
mod explained;
mod library;
mod renamed;
mod semantics;
mod shared;
mod values;
mod whole;

/// Runs `look` on the configuration of these files, each a module of its layer.
fn with<T>(
    files: &[(&str, Layer, &str)],
    look: impl FnOnce(&Configuration<'_, '_>, &Sources) -> T,
) -> T {
    let memory = MemoryFs::new(files.iter().map(|(name, _, text)| (*name, *text)));
    let world = World::new(Roots::new().with(Root::Fleet, memory), Mode::Build);
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, &world);
    let imported = |name: &str| name.starts_with('_');
    let modules = files.iter().filter(|(name, ..)| !imported(name)).map(|(name, layer, _)| {
        ModuleSource::file(VirtualPath::new(Root::Fleet, name).unwrap(), *layer)
    });
    let configuration = eval_modules(&eval, &modules.collect::<Vec<_>>(), &[]);
    look(&configuration, &world.sources)
}

/// The layer of a group.
fn group() -> Layer {
    Layer::Group("servers".into())
}

/// The whole configuration as JSON, or the first error.
fn value(modules: &[&str]) -> String {
    let names: Vec<_> = (0..modules.len()).map(|number| format!("m{number}.nix")).collect();
    let files: Vec<_> =
        names.iter().zip(modules).map(|(name, text)| (name.as_str(), Layer::Host, *text)).collect();
    layered(&files)
}

fn layered(files: &[(&str, Layer, &str)]) -> String {
    with(files, |configuration, sources| {
        let errors = configuration.force_all();
        if !errors.is_empty() {
            return render(&errors, sources);
        }
        match configuration.data(&[]) {
            Ok(data) => print(&data),
            Err(error) => render(&[*error], sources),
        }
    })
}

fn print(data: &crate::data::Data) -> String {
    use crate::data::Data;
    match data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => value.to_string(),
        Data::Str(text) => format!("{text:?}"),
        Data::List(items) => {
            format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", "))
        }
        Data::Attrs(set) => {
            let each = set.iter().map(|(name, data)| format!("{name}: {}", print(data)));
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Every error of these modules, rendered.
fn errors(modules: &[&str]) -> String {
    let names: Vec<_> = (0..modules.len()).map(|number| format!("m{number}.nix")).collect();
    let files: Vec<_> =
        names.iter().zip(modules).map(|(name, text)| (name.as_str(), Layer::Host, *text)).collect();
    with(&files, |configuration, sources| render(&configuration.force_all(), sources))
}

/// What `explain` says of an option, a line a definition.
fn explained(files: &[(&str, Layer, &str)], path: &[&str]) -> String {
    with(files, |configuration, sources| {
        let explanation = match configuration.explain_all(path) {
            Ok(Explanations::One(explanation)) => explanation,
            Ok(Explanations::Set { .. }) => return "a set".to_owned(),
            Err(error) => return render(&[*error], sources),
        };
        let value = explanation.value.unwrap_or_else(|error| error.message);
        let mut out = format!("{} = {value}\n", explanation.path);
        for each in explanation.definitions {
            let mark = match (each.won, each.holds) {
                (true, _) => '✓',
                (false, true) => '·',
                (false, false) => '✗',
            };
            let (at, strength) = (place(each.span, sources), each.priority);
            let _ = writeln!(out, "{mark} {strength} {} {at} = {}", each.layer, each.value);
            for condition in each.conditions {
                let at = place(condition.span, sources);
                let _ = writeln!(out, "    if {at}: {:?}", condition.holds);
            }
        }
        out
    })
}

/// Diagnostics as text: code, place, the words at fault, what is said.
fn render(errors: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for error in errors {
        let _ =
            writeln!(out, "{} at {}: {}", error.code, place(error.span, sources), error.message);
        for (span, message) in &error.related {
            let _ = writeln!(out, "  {}: {message}", place(*span, sources));
        }
        if let Some(help) = &error.help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}

fn place(span: Span, sources: &Sources) -> String {
    let Some(place) = sources.place(span) else { return "nowhere".to_owned() };
    let text = sources.text(span).unwrap_or_default();
    let text = text.lines().next().unwrap_or_default();
    format!("{}:{}:{} ‹{text}›", place.file, place.start.line, place.start.column)
}
