//! What the compiler sees of evaluated modules: values, errors, explanations.

use rustc_hash::FxHashSet;

use crate::check::Checker;
use crate::data::Data;
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::source::{Sources, Span};
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, List, Value};

use super::collect::RawModule;
use super::definition::{Layer, Origin};
use super::level::{Level, Node};
use super::location::{Location, Place, Step};
use super::option::OptionNode;
use super::property::kind_of;
use super::session::Session;
use super::tree::{ModuleTree, descend, top};
use super::unknown::unknown_options;

/// Where a module is.
#[derive(Clone)]
pub enum Source<'a> {
    /// A file.
    File(VirtualPath),
    /// A value: a function, a set, or a path.
    Value(Value<'a>),
}

/// A module to evaluate. What it imports inherits its layer.
#[derive(Clone)]
pub struct ModuleSource<'a> {
    /// The module.
    pub source: Source<'a>,
    /// How strong it is among equal priorities.
    pub layer: Layer,
    /// A priority for all of its definitions, such as [`super::priority::SET`] for `--set`.
    pub priority: Option<i64>,
    /// The name for people of a module that is no file: where it comes from.
    pub name: String,
    /// Where it is mentioned; [`Span::NONE`] if nowhere.
    pub span: Span,
}

impl<'a> ModuleSource<'a> {
    /// A file's module.
    pub fn file(path: VirtualPath, layer: Layer) -> ModuleSource<'a> {
        let name = path.to_string();
        ModuleSource { source: Source::File(path), layer, priority: None, name, span: Span::NONE }
    }

    /// A module that is a value, such as `hosts.a` of a fleet's outputs.
    pub fn value(
        value: Value<'a>,
        layer: Layer,
        name: impl Into<String>,
        span: Span,
    ) -> ModuleSource<'a> {
        let source = Source::Value(value);
        ModuleSource { source, layer, priority: None, name: name.into(), span }
    }
}

/// Evaluated modules. Nothing is computed before it is asked for.
pub struct Configuration<'e, 'a> {
    pub(super) eval: &'e Evaluator<'a>,
    pub(super) tree: &'a ModuleTree<'a>,
}

/// Evaluates modules into a configuration. `special` are arguments for every module besides
/// `config`, `options` and `lib`: `pkgs`, `name`, `nodes`.
///
/// An error in one module is noted, and the others are evaluated nevertheless: ask
/// [`Configuration::diagnostics`] or [`Configuration::force_all`] before using values.
pub fn eval_modules<'e, 'a>(
    eval: &'e Evaluator<'a>,
    modules: &[ModuleSource<'a>],
    special: &[(Symbol, Value<'a>)],
) -> Configuration<'e, 'a> {
    configuration(eval, modules, special, true)
}

/// As [`eval_modules`], but whatever depends on an error fails with it: a value that is had from
/// this is right, whatever else is wrong.
pub fn eval_modules_strictly<'e, 'a>(
    eval: &'e Evaluator<'a>,
    modules: &[ModuleSource<'a>],
    special: &[(Symbol, Value<'a>)],
) -> Configuration<'e, 'a> {
    configuration(eval, modules, special, false)
}

fn configuration<'e, 'a>(
    eval: &'e Evaluator<'a>,
    modules: &[ModuleSource<'a>],
    special: &[(Symbol, Value<'a>)],
    tolerant: bool,
) -> Configuration<'e, 'a> {
    let session = eval.alloc(Session::new(tolerant));
    let raw = modules.iter().map(|module| {
        let value = match &module.source {
            Source::File(path) => eval.path(path),
            Source::Value(value) => *value,
        };
        let origin = Origin { file: eval.alloc_str(&module.name), layer: module.layer };
        let raw = RawModule::new(value, origin);
        RawModule { at: module.span, priority: module.priority, ..raw }
    });
    let raw = raw.collect();
    Configuration { eval, tree: ModuleTree::new(eval, top(session), special, raw) }
}

impl<'e, 'a> Configuration<'e, 'a> {
    /// All values: the set that modules see as `config`.
    pub fn config(&self) -> Value<'a> {
        self.tree.config(self.eval)
    }

    /// All options: the set that modules see as `options`.
    pub fn options(&self) -> Value<'a> {
        self.tree.options(self.eval)
    }

    /// The value at a path, forced: an option's, a set of options', or one inside an option's.
    ///
    /// # Errors
    /// `option::unknown` for a path that leads nowhere, or whatever computing the value meets.
    pub fn value(&self, path: &[&str]) -> Result<Value<'a>> {
        let mut value = self.eval.force(self.config())?;
        for name in path {
            let missing = |value| self.eval.missing(value, Symbol::new(name), Span::NONE);
            value = match value {
                Value::Attrs(set) => match set.get_str(name) {
                    Some(attr) => self.eval.force_attr(attr)?,
                    None => return Err(missing(value)),
                },
                other => return Err(missing(other)),
            };
        }
        Ok(value)
    }

    /// The value at a path as plain data.
    ///
    /// # Errors
    /// As [`Configuration::value`], and for a function inside.
    pub fn data(&self, path: &[&str]) -> Result<Data> {
        self.eval.to_data(self.value(path)?, Span::NONE)
    }

    /// What is wrong with the modules' structure: modules that fail, unknown options at the top
    /// and in every submodule evaluated so far. Empties the notes.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut out = Collected::new(self.eval);
        self.check_structure(&mut out, &mut 0);
        out.finish()
    }

    /// Every error there is: each option's value is computed by itself, through and through, and
    /// every definition has its option. An option without a value is no error unless it is used.
    /// All mistakes in the text of the files read so far are among them.
    pub fn force_all(&self) -> Vec<Diagnostic> {
        let mut out = Collected::new(self.eval);
        match self.tree.root(self.eval) {
            Ok(root) => self.force_level(root, &mut out),
            Err(error) => out.push(*error),
        }
        self.check_structure(&mut out, &mut 0);
        for error in self.eval.world.file_diagnostics() {
            // Before an error of the same place, which has only a trace besides.
            out.errors.retain(|known| known.code != error.code || known.span != error.span);
            out.push(error);
        }
        self.drop_echoes(&mut out);
        out.finish()
    }

    /// What a module that fails would have declared and defined, nobody knows.
    fn drop_echoes(&self, out: &mut Collected) {
        out.errors.retain(|error| !self.is_echo(error));
    }

    /// Whether an error may be there only because a module fails.
    pub fn is_echo(&self, error: &Diagnostic) -> bool {
        let session = self.tree.session;
        match error.code.as_str() {
            _ if !session.is_broken() => false,
            "option::undefined" => true,
            "option::unknown" | "name::missing-attribute" => {
                let name = self.eval.world.sources.text(error.span).unwrap_or_default();
                session.may_have_declared(name.trim_matches('"'))
            }
            _ => false,
        }
    }

    /// The files among its modules, and what tells its set of options from others.
    ///
    /// # Errors
    /// When the modules' structure cannot be known.
    pub fn outline(&self) -> Result<(Vec<VirtualPath>, u64)> {
        let modules = self.tree.loaded(self.eval)?.iter();
        let files = modules.filter_map(|module| module.file.map(crate::eval::virtual_path));
        Ok((files.collect(), self.tree.root(self.eval)?.digest(self.eval)))
    }

    /// A checker of files against these options.
    ///
    /// # Errors
    /// When there are none, because the modules' structure cannot be known.
    pub fn checker(&self) -> Result<Checker<'e, 'a>> {
        Ok(Checker::new(self.eval, Some(self.tree.root(self.eval)?)))
    }

    fn check_structure(&self, out: &mut Collected, seen: &mut usize) {
        loop {
            let trees = self.tree.session.trees_from(*seen);
            if trees.is_empty() {
                break;
            }
            *seen += trees.len();
            for tree in trees {
                match unknown_options(self.eval, tree) {
                    Ok(unknown) => unknown.into_iter().for_each(|error| out.push(error)),
                    Err(error) => out.push(*error),
                }
            }
        }
        for error in self.tree.session.take_errors() {
            out.push(error);
        }
    }

    fn force_level(&self, level: &'a Level<'a>, out: &mut Collected) {
        for child in level.children() {
            // What was settled for others has no parts that could fail.
            if child.settled(self.eval).is_ok_and(|settled| settled.is_some()) {
                continue;
            }
            match child.node(self.eval) {
                Err(error) => out.push(*error),
                Ok(Node::Level(level)) => self.force_level(level, out),
                Ok(Node::Option(option)) => self.force_option(option, out),
            }
        }
    }

    fn force_option(&self, option: &'a OptionNode<'a>, out: &mut Collected) {
        let result = self.eval.force(option.value(self.eval));
        self.note(result, option.place(), out);
    }

    fn note(&self, result: Result<Value<'a>>, place: Place<'a>, out: &mut Collected) {
        match result {
            Ok(value) => self.force_inside(value, place, out),
            Err(error) if self.is_for_readers(&error, place.path) => {}
            Err(error) => out.push(*error),
        }
    }

    /// The evaluator that its values are computed by.
    pub fn evaluator(&self) -> &'e Evaluator<'a> {
        self.eval
    }

    /// Whether the error that the option at a path ends in is a mistake of whoever reads it alone.
    pub fn fails_for_readers(&self, error: &Diagnostic, path: &[Symbol]) -> bool {
        let path = path.iter().fold(Location::default(), |at, name| at.name(self.eval, *name));
        self.is_for_readers(error, path)
    }

    /// Whether the error that the value at a path ends in is none unless somebody uses the value.
    pub(super) fn is_for_readers(&self, error: &Diagnostic, path: Location<'a>) -> bool {
        let own = OptionNode::undefined_message(path);
        if error.code == "option::undefined"
            && without_indices(&error.message) == without_indices(&own)
        {
            return true;
        }
        let steps = path.steps();
        let trees = self.tree.session.trees_from(0);
        trees.into_iter().any(|tree| {
            let option = names_below(tree.place.path, &steps)
                .and_then(|names| option_at(self.eval, tree, &names));
            option.is_some_and(|option| option.fails_for_readers(self.eval))
        })
    }

    /// Computes what is inside of a value, each part by itself.
    fn force_inside(&self, value: Value<'a>, place: Place<'a>, out: &mut Collected) {
        let address = match value {
            Value::List(list) => std::ptr::from_ref::<List<'a>>(list).cast::<()>(),
            Value::Attrs(set) => std::ptr::from_ref::<Attrs<'a>>(set).cast::<()>(),
            _ => return,
        };
        if !out.walked.insert(address) {
            return;
        }
        let walked = self.eval.deeper(place.declared, || {
            match value {
                Value::List(list) => {
                    for (number, cell) in list.cells().iter().enumerate() {
                        let place = place.index(self.eval, number);
                        self.note(self.eval.force_cell(cell, place.declared), place, out);
                    }
                }
                Value::Attrs(set) if !self.is_opaque(set)? => {
                    for attr in set.sorted() {
                        let place = place.name(self.eval, attr.name);
                        self.note(self.eval.force_cell(&attr.value, attr.span), place, out);
                    }
                }
                _ => {}
            }
            Ok(())
        });
        if let Err(error) = walked {
            out.push(*error);
        }
    }

    /// Packages, types and other objects, whose attributes are nobody's definitions.
    pub(super) fn is_opaque(&self, set: &'a Attrs<'a>) -> Result<bool> {
        if set.payload().is_some() || kind_of(self.eval, Value::Attrs(set))?.is_some() {
            return Ok(true);
        }
        let Some(attr) = set.get(symbol!("type")) else { return Ok(false) };
        let Ok(Value::Str(kind)) = self.eval.force_attr(attr) else { return Ok(false) };
        Ok(["package", "derivation"].contains(kind))
    }
}

/// What is left of a path below another, if that is names alone.
fn names_below(above: Location<'_>, steps: &[Step]) -> Option<Vec<Symbol>> {
    let above = above.steps();
    // Elements are counted in each definition by itself.
    let is_element = |step: &Step| !matches!(step, Step::Name(_));
    let same = |one: &Step, other: &Step| one == other || is_element(one) && is_element(other);
    let (prefix, rest) = steps.split_at_checked(above.len())?;
    let fits = above.iter().zip(prefix).all(|(one, other)| same(one, other));
    let names = rest.iter().map(|step| match step {
        Step::Name(name) => Some(*name),
        Step::Index(_) | Step::Entry(..) => None,
    });
    if fits { names.collect() } else { None }
}

/// The option at a path from a tree's root.
fn option_at<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    names: &[Symbol],
) -> Option<&'a OptionNode<'a>> {
    let (child, depth) = descend(eval, tree.root(eval).ok()?, names).ok()??;
    match child.node(eval).ok()? {
        Node::Option(option) if depth == names.len() => Some(option),
        _ => None,
    }
}

/// A message without the numbers of list elements, which count each definition by itself.
fn without_indices(message: &str) -> String {
    let mut parts = message.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out + "[" + rest
    })
}

/// Diagnostics, each once.
struct Collected {
    sources: Sources,
    errors: Vec<Diagnostic>,
    walked: FxHashSet<*const ()>,
}

impl Collected {
    fn new(eval: &Evaluator<'_>) -> Collected {
        let sources = eval.world.sources.clone();
        Collected { sources, errors: Vec::new(), walked: FxHashSet::default() }
    }

    fn push(&mut self, error: Diagnostic) {
        let mut error = error;
        error.settle(&self.sources);
        let same = |known: &Diagnostic| {
            let place = known.code == error.code && known.span == error.span;
            place && (!error.span.is_none() || known.message == error.message)
        };
        if !self.errors.iter().any(same) {
            self.errors.push(error);
        }
    }

    /// In the order of files and places.
    fn finish(self) -> Vec<Diagnostic> {
        let mut errors = self.errors;
        let file =
            |error: &Diagnostic| self.sources.get(error.span.file).map(|file| file.name.clone());
        errors.sort_by_cached_key(|error| {
            (file(error).is_none(), file(error), error.span.start, error.code.clone())
        });
        errors
    }
}
