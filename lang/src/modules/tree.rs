//! One evaluation of modules: a configuration's, or a submodule's inside it.

use std::cell::OnceCell;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, Value};

use super::arguments;
use super::collect::{Loaded, RawModule};
use super::definition::{Definition, Layer, Origin};
use super::level::{Child, Level};
use super::location::{Location, NOWHERE, Place};
use super::property::rewrap;
use super::session::Session;
use super::types::{self, Type};
use super::unknown::Unmatched;

/// Modules, and the tree of options that they make. Everything in it is computed on demand.
pub(crate) struct ModuleTree<'a> {
    pub(crate) session: &'a Session<'a>,
    /// Where the tree hangs in a larger one.
    pub(crate) place: Place<'a>,
    /// Arguments for modules, besides `config`, `options` and `lib`.
    pub(crate) special: &'a [(Symbol, Value<'a>)],
    pub(crate) initial: &'a [RawModule<'a>],
    /// What its modules are made for, if they must say so: see `_class`.
    pub(crate) class: Option<&'a str>,
    /// What modules are called with that take everything.
    common: OnceCell<Value<'a>>,
    loaded: OnceCell<&'a [&'a Loaded<'a>]>,
    root: OnceCell<&'a Level<'a>>,
    /// The work of finding the options, where somebody asks for them before any value.
    structure: OnceCell<Value<'a>>,
    full: OnceCell<Value<'a>>,
    config: OnceCell<Value<'a>>,
    options: OnceCell<Value<'a>>,
}

impl<'a> ModuleTree<'a> {
    /// A tree of these modules, registered with its session.
    pub(crate) fn new(
        eval: &Evaluator<'a>,
        place: Place<'a>,
        special: &[(Symbol, Value<'a>)],
        initial: Vec<RawModule<'a>>,
    ) -> &'a ModuleTree<'a> {
        ModuleTree::of_class(eval, place, special, initial, None)
    }

    /// As [`Self::new`], of modules of one class alone.
    pub(crate) fn of_class(
        eval: &Evaluator<'a>,
        place: Place<'a>,
        special: &[(Symbol, Value<'a>)],
        mut initial: Vec<RawModule<'a>>,
        class: Option<&'a str>,
    ) -> &'a ModuleTree<'a> {
        initial.push(*eval.modules.own.get_or_init(|| own_options(eval)));
        let bump = &eval.arena.bump;
        let tree = eval.alloc(ModuleTree {
            session: place.session,
            place,
            special: bump.alloc_slice_copy(special),
            initial: bump.alloc_slice_copy(&initial),
            class,
            common: OnceCell::new(),
            loaded: OnceCell::new(),
            root: OnceCell::new(),
            structure: OnceCell::new(),
            full: OnceCell::new(),
            config: OnceCell::new(),
            options: OnceCell::new(),
        });
        place.session.register(tree);
        tree
    }

    /// The modules that it was made of, without what every tree has.
    pub(crate) fn given(&self) -> &'a [RawModule<'a>] {
        self.initial.split_last().map(|(_, given)| given).unwrap_or_default()
    }

    /// The option values, `_module` among them: what modules get as `config`. A thunk, so that
    /// modules whose imports depend on it meet an infinite recursion and not a crash.
    pub(crate) fn full_config(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.full.get_or_init(|| eval.thunk(move |eval| self.compute(eval)))
    }

    /// The option values, without `_module`.
    pub(crate) fn config(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.config.get_or_init(|| {
            eval.thunk(move |eval| {
                let full = eval.force(self.full_config(eval))?;
                let full = eval.expect_attrs(full, Span::NONE)?;
                let own = symbol!("_module");
                match full.entries() {
                    [first, others @ ..] if first.name == own => Ok(eval.attrs_of(others, None)),
                    all => {
                        let config = all.iter().filter(|attr| attr.name != own).cloned();
                        let count = all.len() - usize::from(full.get(own).is_some());
                        Ok(eval.sorted_attrs(count, config, None))
                    }
                }
            })
        })
    }

    /// The declared options as values: what modules get as `options`.
    pub(crate) fn options(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.options.get_or_init(|| eval.thunk(move |eval| self.root(eval)?.options(eval)))
    }

    /// The arguments of modules that take everything.
    pub(super) fn common_arguments(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.common.get_or_init(|| arguments::common(eval, self))
    }

    /// The options at the root.
    pub(crate) fn root(&'a self, eval: &Evaluator<'a>) -> Result<&'a Level<'a>> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        // Through a thunk, which notices when the modules' structure needs its own result: that of
        // the values, if they are being computed; else one of its own, for what modules define may
        // depend on `options`.
        let work = match self.full.get() {
            Some(Value::Thunk(full)) if full.is_begun() => Value::Thunk(full),
            _ => *self
                .structure
                .get_or_init(|| eval.thunk(move |eval| self.build(eval).map(|_| Value::Null))),
        };
        eval.force(work)?;
        self.build(eval)
    }

    /// Whether somebody has asked for a value of it.
    pub(crate) fn is_asked(&self) -> bool {
        match self.full.get() {
            Some(Value::Thunk(full)) => full.is_begun(),
            asked => asked.is_some(),
        }
    }

    /// The modules, imports followed.
    pub(crate) fn loaded(&'a self, eval: &Evaluator<'a>) -> Result<&'a [&'a Loaded<'a>]> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let loaded = eval.arena.bump.alloc_slice_copy(&super::collect::collect(eval, self)?);
        Ok(self.loaded.get_or_init(|| loaded))
    }

    fn build(&'a self, eval: &Evaluator<'a>) -> Result<&'a Level<'a>> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        let loaded = self.loaded(eval)?;
        let declarations: Vec<_> = loaded.iter().filter_map(|module| module.options).collect();
        let root = Level::new(eval, self, None, self.place.path, &declarations)?;
        Ok(self.root.get_or_init(|| root))
    }

    fn compute(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let root = match self.structure.get() {
            Some(_) => self.root(eval)?,
            None => self.build(eval)?,
        };
        let freeform = self.freeform(eval)?;
        let declared = root.value_of_defined(eval)?;
        let Some(freeform) = freeform else { return Ok(declared) };
        let definitions = super::unknown::unmatched(eval, root)?;
        let definitions: Vec<_> =
            definitions.iter().map(|unmatched| nest(eval, unmatched)).collect();
        if definitions.is_empty() {
            return Ok(declared);
        }
        let free = eval.force(freeform.merge(eval, self.place, &definitions)?)?;
        let declared = eval.expect_attrs(declared, Span::NONE)?;
        match free {
            Value::Attrs(free) => overlay(eval, free, declared, root),
            _ => Ok(Value::Attrs(declared)),
        }
    }

    /// The type of definitions without an option, where there is one.
    pub(crate) fn freeform(&'a self, eval: &Evaluator<'a>) -> Result<Option<Type<'a>>> {
        let loaded = self.loaded(eval)?;
        let mut merged: Option<(Type<'a>, &Definition<'a>)> = None;
        for found in loaded.iter().filter_map(|module| module.freeform) {
            let value = eval.force_at(found.value, found.span(eval))?;
            if matches!(value, Value::Null) {
                continue;
            }
            let ty = Type::of(eval, value, found.span(eval))?;
            merged = Some(match merged {
                None => (ty, found),
                Some((known, first)) => match known.unify(eval, ty)? {
                    Some(both) => (both, first),
                    None => return Err(two_freeform_types(eval, known, first, ty, found)?),
                },
            });
        }
        if let Some((ty, _)) = merged {
            return Ok(Some(ty));
        }
        let own = self.own_option(eval, symbol!("freeformType"))?;
        match own.map(|value| eval.force(value)).transpose()? {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Type::of(eval, value, Span::NONE).map(Some),
        }
    }

    /// Whether unknown options are errors: `_module.check`.
    pub(crate) fn checks(&'a self, eval: &Evaluator<'a>) -> Result<bool> {
        let check = self.own_option(eval, symbol!("check"))?;
        let check = check.map(|value| eval.force(value)).transpose()?;
        Ok(!matches!(check, Some(Value::Bool(false))))
    }

    /// The value of an argument that modules define by `_module.args`.
    pub(crate) fn argument(
        &'a self,
        eval: &Evaluator<'a>,
        name: Symbol,
    ) -> Result<Option<Value<'a>>> {
        let Some(args) = self.own_option(eval, symbol!("args"))? else { return Ok(None) };
        let args = eval.force(args)?;
        let args = eval.expect_attrs(args, Span::NONE)?;
        Ok(args.get(name).map(|attr| attr.value.get()))
    }

    /// The names that modules may take as arguments.
    pub(crate) fn argument_names(&'a self, eval: &Evaluator<'a>) -> Vec<&'static str> {
        let mut names = vec!["config", "lib", "options"];
        names.extend(self.special.iter().map(|(name, _)| name.as_str()));
        if let Ok(Some(args)) = self.own_option(eval, symbol!("args"))
            && let Ok(Value::Attrs(args)) = eval.force(args)
        {
            names.extend(args.names());
        }
        names.sort_unstable();
        names
    }

    /// The value of one of the options that every tree has for itself.
    fn own_option(&'a self, eval: &Evaluator<'a>, name: Symbol) -> Result<Option<Value<'a>>> {
        let root = match self.root.get() {
            Some(root) => root,
            None => self.root(eval)?,
        };
        // Mostly there is nothing but the defaults.
        if !root.defines(eval, symbol!("_module"))? {
            return Ok(None);
        }
        let Some(own) = root.child(symbol!("_module")) else { return Ok(None) };
        let own = own.node(eval)?;
        let option = own.level().and_then(|level| level.child(name));
        option.map(|child| child.value(eval)).transpose()
    }
}

#[cold]
fn two_freeform_types<'a>(
    eval: &Evaluator<'a>,
    known: Type<'a>,
    first: &Definition<'a>,
    other: Type<'a>,
    second: &Definition<'a>,
) -> Result<Box<Diagnostic>> {
    let (known, other) = (known.description(eval)?, other.description(eval)?);
    let message = format!("`freeformType` is given twice: as {known} and as {other}");
    Ok(Diagnostic::error("option::declaration", second.key, message)
        .with_related(first.key, "given here before")
        .with_help("remove one of the two")
        .into())
}

/// The options of `_module`, declared in every tree.
fn own_options<'a>(eval: &Evaluator<'a>) -> RawModule<'a> {
    let option = |ty: Value<'a>, default: Value<'a>| {
        let fields = [
            ("_type", eval.str_in("option")),
            ("type", ty),
            ("default", default),
            ("internal", Value::Bool(true)),
        ];
        eval.attrs(fields)
    };
    let empty = eval.attrs::<Symbol>([]);
    let own = eval.attrs([
        ("args", option(types::raw_by_name(eval), empty)),
        ("check", option(types::boolean(eval), Value::Bool(true))),
        ("freeformType", option(types::type_or_null(eval), Value::Null)),
    ]);
    let value = eval.attrs([("options", eval.attrs([("_module", own)]))]);
    RawModule::new(value, Origin { file: "<cairn>/modules", layer: Layer::Standard })
}

/// A definition without an option, inside the sets that lead to it.
fn nest<'a>(eval: &Evaluator<'a>, unmatched: &Unmatched<'a>) -> Definition<'a> {
    let definition = unmatched.definition;
    let value = unmatched.below.iter().rev().fold(rewrap(eval, &definition), |value, name| {
        let mut set = AttrsBuilder::with_capacity(1);
        set.insert(*name, value, definition.key);
        set.finish(eval)
    });
    definition.element(value, definition.key, definition.key)
}

/// Declared options over free definitions, also inside nested sets of options.
fn overlay<'a>(
    eval: &Evaluator<'a>,
    free: &'a Attrs<'a>,
    declared: &'a Attrs<'a>,
    level: &'a Level<'a>,
) -> Result<Value<'a>> {
    let mut out = AttrsBuilder::with_capacity(free.len() + declared.len());
    for attr in free.iter() {
        out.copy(attr);
    }
    for attr in declared.iter() {
        let below = level.child(attr.name).map(|child| child.node(eval)).transpose()?;
        let inner = below.and_then(|node| node.level()).zip(free.get(attr.name));
        match inner {
            None => {
                out.copy(attr);
            }
            Some((level, free)) => {
                // Later: what is free there may be wrong, and nobody may ask.
                let both = eval.thunk(move |eval| {
                    let (free, declared) = (eval.force_attr(free)?, eval.force_attr(attr)?);
                    match (free, declared) {
                        (Value::Attrs(free), Value::Attrs(declared)) => {
                            overlay(eval, free, declared, level)
                        }
                        _ => Ok(declared),
                    }
                });
                out.set(attr.name, both);
            }
        }
    }
    Ok(out.finish(eval))
}

/// The child at a path of names, from a tree's root; `None` where an option or nothing is met.
pub(crate) fn descend<'a>(
    eval: &Evaluator<'a>,
    root: &'a Level<'a>,
    path: &[Symbol],
) -> Result<Option<(&'a Child<'a>, usize)>> {
    let mut level = root;
    for (depth, name) in path.iter().enumerate() {
        let Some(child) = level.child(*name) else { return Ok(None) };
        match child.node(eval)?.level() {
            Some(below) if depth + 1 < path.len() => level = below,
            _ => return Ok(Some((child, depth + 1))),
        }
    }
    Ok(None)
}

/// The location of a tree that is no part of another.
pub(crate) fn top<'a>(session: &'a Session<'a>) -> Place<'a> {
    Place { path: Location::default(), declared: Span::NONE, origin: NOWHERE, session }
}
