//! What to say of a path at which there is no option.

use crate::diagnostic::{Diagnostic, did_you_mean, nearest};
use crate::print::print_name;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};

use super::configuration::Configuration;
use super::reference::OptionDoc;

/// How many names of a set are listed.
const SOME: usize = 12;

impl<'a> Configuration<'_, 'a> {
    /// The error of a path that is no option's.
    pub(super) fn absent(&self, names: &[Symbol]) -> Box<Diagnostic> {
        let absence = self.absence(names);
        if let Absence::There(set) = absence {
            let path = written(texts(names));
            let error = error(format!("`{path}` is a set of options, not one"));
            return error.with_help(format!("it holds {}", some(set))).into();
        }
        let options = self.reference().options;
        match absence {
            Absence::Name(depth, set) if names_are_free(&options, names, depth) => {
                undefined(names, depth, set).into()
            }
            _ => undeclared(&options, names).into(),
        }
    }

    /// Where the path leaves what there is.
    fn absence(&self, names: &[Symbol]) -> Absence<'a> {
        let mut value = self.eval.force(self.config());
        for (depth, name) in names.iter().enumerate() {
            let Ok(Value::Attrs(set)) = value else { return Absence::Unclear };
            match set.get(*name) {
                Some(attr) => value = self.eval.force_attr(attr),
                None => return Absence::Name(depth, set),
            }
        }
        match value {
            Ok(Value::Attrs(set)) => Absence::There(set),
            _ => Absence::Unclear,
        }
    }
}

/// Where a path leaves what there is.
enum Absence<'a> {
    /// At the name of this number, which this set has not.
    Name(usize, &'a Attrs<'a>),
    /// It does not: it leads to this set.
    There(&'a Attrs<'a>),
    /// At something that is no set, or cannot be computed.
    Unclear,
}

fn error(message: String) -> Diagnostic {
    Diagnostic::error("option::unknown", Span::NONE, message)
}

/// There might be something, if anybody defined it.
fn undefined(names: &[Symbol], depth: usize, set: &Attrs<'_>) -> Diagnostic {
    let missing = written(texts(names).take(depth + 1));
    let error = error(format!("nothing defines `{missing}`"));
    let name = names.get(depth).map_or("", |name| name.as_str());
    if let Some(near) = nearest(name, set.names()) {
        let near = written(texts(names).take(depth).chain([near]));
        return error.with_help(format!("did you mean `{near}`?"));
    }
    let around = written(texts(names).take(depth));
    error.with_help(match set.is_empty() {
        true => format!("`{around}` is empty"),
        false => format!("`{around}` has {}", some(set)),
    })
}

fn undeclared(options: &[OptionDoc], names: &[Symbol]) -> Diagnostic {
    let path = written(texts(names));
    let listed = options.iter().filter(|option| option.is_listed());
    let known: Vec<_> = listed.map(|option| beside(option, names)).collect();
    let mut error = error(format!("there is no option `{path}`"));
    error.help = did_you_mean(&path, known.iter().map(String::as_str));
    error
}

/// Whether people may define any name at this depth of a path: those of submodules, where the rest of
/// the path is an option of each, and those of a value without options of its own.
fn names_are_free(options: &[OptionDoc], names: &[Symbol], depth: usize) -> bool {
    let fits = |option: &OptionDoc, names: &[Symbol]| {
        let mut both = option.loc.iter().zip(names);
        both.all(|(step, name)| is_any(step) || step == name.as_str())
    };
    let of_each = options.iter().any(|option| {
        let is_open = option.loc.get(depth).is_some_and(|step| is_any(step));
        is_open && option.loc.len() >= names.len() && fits(option, names)
    });
    let (around, _) = names.split_at(depth);
    let mut near = options.iter().filter(|option| fits(option, around)).map(|o| o.loc.len());
    of_each || near.all(|len| len <= depth)
}

/// Whether a step stands for any name.
fn is_any(step: &str) -> bool {
    step.starts_with('<') || step == "*"
}

/// An option's path with the names that somebody gave in the place of those that it leaves open.
fn beside(option: &OptionDoc, names: &[Symbol]) -> String {
    let steps = option.loc.iter().enumerate().map(|(number, step)| match names.get(number) {
        Some(name) if step.starts_with('<') => name.as_str(),
        _ => step,
    });
    written(steps)
}

fn texts(names: &[Symbol]) -> impl Iterator<Item = &'static str> {
    names.iter().map(|name| name.as_str())
}

/// A path as it is written.
fn written<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut path = String::new();
    for name in names {
        if !path.is_empty() {
            path.push('.');
        }
        match is_any(name) {
            true => path.push_str(name),
            false => print_name(name, &mut path),
        }
    }
    path
}

/// The first names of a set.
fn some(set: &Attrs<'_>) -> String {
    let names = set.sorted().into_iter().map(|attr| attr.name.as_str());
    let names: Vec<_> = names.filter(|name| !name.starts_with('_')).collect();
    let more = if names.len() > SOME { ", …" } else { "" };
    let each = names.iter().take(SOME).map(|name| written([*name].into_iter()));
    format!("{}{more}", each.collect::<Vec<_>>().join(", "))
}
