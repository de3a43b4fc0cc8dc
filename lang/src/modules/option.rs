//! An option: its declarations, the definitions that count, the merged value.

use std::cell::OnceCell;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attr, Value};

use super::definition::{Definition, Layer, Origin, priority};
use super::level::{Declaration, Level};
use super::location::{Location, NOWHERE, Place};
use super::property::{Conditions, definition_set, unwrap};
use super::types::{self, Type};

/// Where a reader finds an option's declaration: its name, or the call of `mkOption` where a
/// function of the library (`nameValuePair`) gave the name; nowhere, if it made the option too.
pub(crate) fn declared_at<'a>(eval: &Evaluator<'a>, declaration: &Declaration<'a>) -> Span {
    let sources = &eval.world.sources;
    if !sources.is_library(declaration.span) {
        return declaration.span;
    }
    let Value::Attrs(set) = declaration.value else { return Span::NONE };
    let call = set.get(symbol!("_type")).map_or(Span::NONE, |attr| attr.span);
    if sources.is_library(call) {
        return Span::NONE;
    }
    // The function's name is enough of the call.
    let text = sources.text(call).unwrap_or_default();
    let name = text.trim_start_matches(['(', ' ', '\n']);
    let start = call.start + (text.len() - name.len()) as u32;
    let len = name.find([' ', '\n', '{', '(']).unwrap_or(name.len());
    Span { start, end: start + len as u32, ..call }
}

/// The `highestPrio` of an option that nothing defines, as NixOS has it.
pub(crate) const NO_PRIORITY: i64 = 9999;

/// A field of a declaration, and the module that gives it.
type Field<'a> = (&'a Attr<'a>, Origin<'a>);

/// What declarations say of an option, for all configurations that have it.
pub(crate) struct Declared<'a> {
    /// Their values are forced sets.
    declarations: &'a [Declaration<'a>],
    apply: Option<Field<'a>>,
    default: Option<Field<'a>>,
    read_only: Option<Field<'a>>,
    ty: OnceCell<Type<'a>>,
    /// Whether the only definition, if it is a scalar that the type accepts, is the value.
    keeps_scalars: OnceCell<bool>,
    /// The value where nothing defines the option, if that depends on nothing else.
    settled: OnceCell<Value<'a>>,
}

impl<'a> Declared<'a> {
    pub(super) fn new(eval: &Evaluator<'a>, declarations: &[Declaration<'a>]) -> &'a Declared<'a> {
        let declarations = eval.arena.bump.alloc_slice_copy(declarations);
        let [apply, default, read_only] =
            [symbol!("apply"), symbol!("default"), symbol!("readOnly")]
                .map(|name| field_of(declarations, name));
        let (ty, keeps_scalars, settled) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let known =
            Declared { declarations, apply, default, read_only, ty, keeps_scalars, settled };
        eval.alloc(known)
    }

    /// The option's value where there is this definition alone, and that needs no merging; none where
    /// anything else must be looked at.
    pub(super) fn kept(&self, eval: &Evaluator<'a>, value: Value<'a>) -> Option<Value<'a>> {
        let ty = *self.ty.get()?;
        let keeps = *self.keeps_scalars.get_or_init(|| {
            self.apply.is_none() && self.read_only.is_none() && ty.keeps_scalars(eval)
        });
        if !keeps {
            return None;
        }
        let value = eval.force(value).ok()?;
        let is_scalar = matches!(
            value,
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_)
        );
        (is_scalar && ty.accepts(eval, value).ok()?).then_some(value)
    }

    /// The option's value where nothing defines it, if it was merged before and is the same
    /// everywhere.
    pub(super) fn settled(&self) -> Option<Value<'a>> {
        self.settled.get().copied()
    }
}

/// The first declaration's that has it.
fn field_of<'a>(declarations: &[Declaration<'a>], name: Symbol) -> Option<Field<'a>> {
    declarations.iter().find_map(|declaration| {
        let Value::Attrs(set) = declaration.value else { return None };
        Some((set.get(name)?, declaration.origin))
    })
}

/// Whether a field is there and true.
fn is_set<'a>(eval: &Evaluator<'a>, field: Option<Field<'a>>) -> Result<bool> {
    match field {
        Some((attr, _)) => Ok(matches!(eval.force_attr(attr)?, Value::Bool(true))),
        None => Ok(false),
    }
}

/// A declared option.
pub(crate) struct OptionNode<'a> {
    pub(crate) level: &'a Level<'a>,
    pub(crate) name: Symbol,
    pub(crate) path: Location<'a>,
    /// Their values are forced sets.
    pub(crate) declarations: &'a [Declaration<'a>],
    declared: &'a Declared<'a>,
    value: OnceCell<Value<'a>>,
}

impl<'a> OptionNode<'a> {
    pub(crate) fn new(
        eval: &Evaluator<'a>,
        level: &'a Level<'a>,
        name: Symbol,
        path: Location<'a>,
        declared: &'a Declared<'a>,
    ) -> &'a OptionNode<'a> {
        let declarations = declared.declarations;
        eval.alloc(OptionNode { level, name, path, declarations, declared, value: OnceCell::new() })
    }

    /// Where it is declared.
    pub(crate) fn span(&self) -> Span {
        self.declarations.first().map_or(Span::NONE, |declaration| declaration.span)
    }

    /// Every place where it is declared that a reader can be shown.
    pub(crate) fn declared(&self) -> Vec<Span> {
        let spans = self.declarations.iter().map(|declaration| declaration.span);
        spans.filter(|span| !span.is_none()).collect()
    }

    pub(crate) fn place(&self) -> Place<'a> {
        let origins = self.declarations.iter().map(|declaration| &declaration.origin);
        let origin = origins.min_by_key(|origin| origin.layer).unwrap_or(NOWHERE);
        Place { path: self.path, declared: self.span(), origin, session: self.level.tree.session }
    }

    /// A field of the declaration (`default`, `description`, …) that a module gives.
    pub(crate) fn field(&self, name: &str) -> Option<Field<'a>> {
        field_of(self.declarations, Symbol::existing(name)?)
    }

    pub(crate) fn flag(&self, eval: &Evaluator<'a>, name: &str) -> Result<bool> {
        is_set(eval, self.field(name))
    }

    /// Whether lists leave it out with all that is in it: `internal`, or `visible = false`.
    pub(crate) fn is_hidden(&self, eval: &Evaluator<'a>) -> Result<bool> {
        let visible = self.field("visible").map(|(attr, _)| eval.force_attr(attr)).transpose()?;
        Ok(matches!(visible, Some(Value::Bool(false))) || self.flag(eval, "internal")?)
    }

    /// The type; several declarations of one option must agree on it.
    pub(crate) fn ty(&self, eval: &Evaluator<'a>) -> Result<Type<'a>> {
        if let Some(ty) = self.declared.ty.get() {
            return Ok(*ty);
        }
        let mut merged: Option<(Type<'a>, &Declaration<'a>)> = None;
        for declaration in self.declarations {
            let Value::Attrs(set) = declaration.value else { continue };
            let Some(attr) = set.get(symbol!("type")) else { continue };
            let ty = eval.force_attr(attr)?;
            let ty = Type::of(eval, ty, eval.value_span(attr.span.or(declaration.span)))?;
            merged = Some(match merged {
                None => (ty, declaration),
                Some((known, first)) => match known.unify(eval, ty)? {
                    Some(both) => (both, first),
                    None => {
                        return Err(self.two_types(eval, (known, first), (ty, declaration))?);
                    }
                },
            });
        }
        let ty = match merged {
            Some((ty, _)) => ty,
            None => Type::of(eval, types::unspecified(eval), self.span())?,
        };
        self.declared_once()?;
        Ok(*self.declared.ty.get_or_init(|| ty))
    }

    /// Several declarations add to one another; what an option has once is in one of them alone.
    fn declared_once(&self) -> Result<()> {
        if self.declarations.len() < 2 {
            return Ok(());
        }
        for name in ["default", "example", "description", "apply"] {
            let mut having = self.declarations.iter().filter_map(|declaration| {
                let Value::Attrs(set) = declaration.value else { return None };
                Some((declaration, set.get_str(name)?.span.or(declaration.span)))
            });
            let (Some(one), Some(other)) = (having.next(), having.next()) else { continue };
            let (first, second) = in_reading_order(one, other);
            let message = format!("`{}` is declared twice, each time with `{name}`", self.path);
            return Err(Diagnostic::error("option::declaration", second, message)
                .with_related(first, "declared here before")
                .with_help(format!("rename one of the two options, or leave out this `{name}`"))
                .into());
        }
        Ok(())
    }

    /// The merged value, a thunk: the one in the set of the level's values, if there is a set.
    pub(crate) fn value(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.value.get_or_init(|| match self.level.known_value(self.name) {
            Some(value) => value,
            None => eval.thunk(move |eval| self.compute(eval)),
        })
    }

    /// The thunk of the merged value, if somebody asked for it.
    pub(super) fn known_value(&self) -> Option<Value<'a>> {
        self.value.get().copied()
    }

    /// Computes the merged value: the work of its thunk.
    pub(super) fn compute(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        self.evaluate(eval).map_err(|mut error| {
            error.span = error.span.or(self.span());
            error
        })
    }

    fn evaluate(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let Some((attr, _)) = self.declared.apply else { return self.merged(eval) };
        // A function that does not look at the value does not need one.
        let merged = eval.thunk(move |eval| self.merged(eval));
        let apply = eval.force_attr(attr)?;
        let applied = eval.call(apply, &[merged], attr.span);
        if !self.level.tree.session.tolerant {
            return applied;
        }
        match eval.force(merged) {
            Ok(value) => applied.or_else(|error| self.note_elements(eval, value).and(Err(error))),
            Err(error) if error.code == "option::undefined" => applied,
            Err(error) => Err(error),
        }
    }

    /// Whether what its value fails with is a mistake of whoever reads it alone: nothing defines it,
    /// and its default throws; or `apply` fails, and nothing defines the option, or it hides, as one
    /// that was removed does.
    pub(super) fn fails_for_readers(&'a self, eval: &Evaluator<'a>) -> bool {
        // By its own words, not because it reads something else that throws.
        let default = self.default().map_or(Span::NONE, |default| default.span(eval));
        let throws =
            |error: Box<Diagnostic>| error.code == "eval::throw" && default.holds(error.span);
        if matches!(self.level.defines(eval, self.name), Ok(false))
            && self.merged(eval).is_err_and(throws)
        {
            return true;
        }
        if self.declared.apply.is_none() || eval.force(self.value(eval)).is_ok() {
            return false;
        }
        match self.merged(eval) {
            Ok(_) => match self.field("visible") {
                Some((attr, _)) => matches!(eval.force_attr(attr), Ok(Value::Bool(false))),
                None => false,
            },
            Err(error) => error.message == OptionNode::undefined_message(self.path),
        }
    }

    /// The value of all definitions that count, before `apply`.
    fn merged(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let ty = self.ty(eval)?;
        let mut all = Vec::new();
        if let Err(error) = self.unwrap_into(eval, &mut all) {
            // What the others say is looked at as well, if there is anything.
            if all.is_empty() {
                return Err(error);
            }
            self.level.tree.session.tolerate(error)?;
        }
        if is_set(eval, self.declared.read_only)? {
            // As they are written: a condition that is false is one too many, a `mkMerge` is one.
            let mut written = self.level.definitions_of(eval, self.name)?;
            written.splice(0..0, self.default());
            if written.len() > 1 {
                return Err(self.read_only(eval, &written));
            }
        }
        let mut errors = Vec::new();
        let strongest = settle(eval, all, &mut errors);
        for error in errors {
            if strongest.is_empty() {
                return Err(error.into());
            }
            self.level.tree.session.tolerate(error.into())?;
        }
        if strongest.is_empty() {
            return Err(self.undefined());
        }
        let value = ty.merge(eval, self.place(), &strongest)?;
        if self.declared.settled.get().is_none()
            && !self.level.defines(eval, self.name)?
            && self.declared.apply.is_none()
            && ty.settles(eval, value)
        {
            let _ = self.declared.settled.set(value);
        }
        Ok(value)
    }

    /// Notes each element of a list that fails: `apply` stops at the first.
    #[cold]
    fn note_elements(&self, eval: &Evaluator<'a>, value: Value<'a>) -> Result<()> {
        let Value::List(list) = value else { return Ok(()) };
        let session = self.level.tree.session;
        let failed = list.cells().iter().filter_map(|cell| eval.force_cell(cell, Span::NONE).err());
        failed.filter(|_| session.tolerant).try_for_each(|error| session.tolerate(error))
    }

    /// Every definition whose conditions hold; the option's default only where it counts.
    pub(crate) fn definitions(&self, eval: &Evaluator<'a>) -> Result<Vec<Definition<'a>>> {
        let mut out = Vec::new();
        self.unwrap_into(eval, &mut out)?;
        Ok(out)
    }

    /// As [`Self::definitions`]; a definition that fails hides none of the others.
    fn unwrap_into(&self, eval: &Evaluator<'a>, out: &mut Vec<Definition<'a>>) -> Result<()> {
        let mut result = Ok(());
        let session = self.level.tree.session;
        for definition in self.level.each_definition(eval, self.name)? {
            match unwrap(eval, definition, Conditions::Test, out) {
                // Each definition that fails is a mistake of its own.
                Err(error) if result.is_err() && session.tolerant => session.tolerate(error)?,
                other => result = result.and(other),
            }
        }
        // A default is not computed where it is not needed, and says nothing about a value that
        // somebody meant to give.
        let strongest = out.iter().map(Definition::strength).min();
        let stronger = strongest.is_some_and(|strongest| strongest < priority::OPTION_DEFAULT);
        if stronger || result.is_err() {
            return result;
        }
        let Some(default) = self.default() else { return result };
        let mut defaults = Vec::new();
        result = result.and(unwrap(eval, default, Conditions::Test, &mut defaults));
        out.splice(0..0, defaults);
        result
    }

    /// The option's own default as a definition.
    pub(crate) fn default(&self) -> Option<Definition<'a>> {
        let (attr, origin) = self.declared.default?;
        let origin = Origin { layer: Layer::Standard, ..origin };
        let mut default = Definition::new(attr.value.get(), attr.span, origin);
        default.priority = Some(priority::OPTION_DEFAULT);
        Some(default)
    }

    /// The option as modules see it under `options`.
    pub(crate) fn describe(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        let mut out = AttrsBuilder::new();
        for declaration in self.declarations {
            if let Value::Attrs(set) = declaration.value {
                for attr in set.iter() {
                    out.copy(attr);
                }
            }
        }
        let steps = self.path.steps().into_iter().filter_map(|step| match step {
            super::location::Step::Name(name) => Some(eval.str_in(name.as_str())),
            super::location::Step::Index(_) | super::location::Step::Entry(..) => None,
        });
        out.set("_type", eval.str_in("option"));
        out.set("loc", eval.list(steps));
        out.set("type", eval.thunk(move |eval| Ok(self.ty(eval)?.value())));
        out.set("value", self.value(eval));
        let files = self.declarations.iter().map(|declared| eval.str_in(declared.origin.file));
        out.set("declarations", eval.list(files));
        let positions = move |eval: &Evaluator<'a>| {
            let each = self.declarations.iter().map(|declared| {
                let found = eval.position_attrs(declared.span);
                let nothing = || {
                    eval.attrs([
                        ("file", eval.str_in(declared.origin.file)),
                        ("line", Value::Null),
                        ("column", Value::Null),
                    ])
                };
                if matches!(found, Value::Null) { nothing() } else { found }
            });
            Ok(eval.list(each.collect::<Vec<_>>()))
        };
        out.set("declarationPositions", eval.thunk(positions));
        out.set(
            "isDefined",
            eval.thunk(move |eval| Ok(Value::Bool(!self.strongest(eval)?.is_empty()))),
        );
        let highest = move |eval: &Evaluator<'a>| {
            let strongest = self.strongest(eval)?;
            Ok(Value::Int(strongest.first().map_or(NO_PRIORITY, Definition::strength)))
        };
        out.set("highestPrio", eval.thunk(highest));
        let values = move |eval: &Evaluator<'a>| {
            Ok(eval.list(self.strongest(eval)?.iter().map(|definition| definition.value)))
        };
        out.set("definitions", eval.thunk(values));
        let files = move |eval: &Evaluator<'a>| {
            Ok(eval.list(self.strongest(eval)?.iter().map(|one| eval.str_in(one.origin.file))))
        };
        out.set("files", eval.thunk(files));
        let located = move |eval: &Evaluator<'a>| {
            Ok(eval.list(self.strongest(eval)?.iter().map(|one| definition_set(eval, one))))
        };
        out.set("definitionsWithLocations", eval.thunk(located));
        let shown = move |eval: &Evaluator<'a>, _: &[Value<'a>], _: Span| {
            Ok(eval.str(&self.path.to_string()))
        };
        out.set("__toString", eval.primop("__toString", 1, shown));
        out.finish(eval)
    }

    /// The definitions that count, in the order in which they merge.
    fn strongest(&self, eval: &Evaluator<'a>) -> Result<Vec<Definition<'a>>> {
        Ok(settle(eval, self.definitions(eval)?, &mut Vec::new()))
    }

    /// The message of an option that nobody defines.
    pub(crate) fn undefined_message(path: impl std::fmt::Display) -> String {
        format!("the option `{path}` is used, but no module defines it")
    }

    /// The error of a value that is made of no definition, where there is no option.
    #[cold]
    pub(crate) fn undefined_at(path: Location<'a>, at: Span) -> Box<Diagnostic> {
        let message = OptionNode::undefined_message(path);
        Diagnostic::error("option::undefined", at, message)
            .with_help("the conditions of all its definitions are false, if there are any")
            .into()
    }

    #[cold]
    fn undefined(&self) -> Box<Diagnostic> {
        let message = OptionNode::undefined_message(self.path);
        Diagnostic::error("option::undefined", self.span(), message)
            .with_label("declared here, without a default")
            .with_help(format!("define it: `{} = …;`", self.path))
            .into()
    }

    #[cold]
    fn read_only(&self, eval: &Evaluator<'a>, all: &[Definition<'a>]) -> Box<Diagnostic> {
        let mut spans = all.iter().rev().map(|definition| definition.key.or(definition.span(eval)));
        let span = spans.next().unwrap_or(Span::NONE);
        let message =
            format!("the option `{}` is read-only: it has its one value already", self.path);
        let mut error = Diagnostic::error("option::read-only", span, message)
            .with_related(self.span(), "declared here")
            .with_help("remove this definition");
        for other in spans {
            error = error.with_related(other, "the other definition");
        }
        error.into()
    }

    #[cold]
    fn two_types(
        &self,
        eval: &Evaluator<'a>,
        (one, first): (Type<'a>, &Declaration<'a>),
        (other, second): (Type<'a>, &Declaration<'a>),
    ) -> Result<Box<Diagnostic>> {
        let ((known, first), (other, second)) =
            in_reading_order((first, (one, first.span)), (second, (other, second.span)));
        let (known, other) = (known.description(eval)?, other.description(eval)?);
        let message = format!("`{}` is declared twice: as {known} and as {other}", self.path);
        Ok(Diagnostic::error("option::declaration", second, message)
            .with_related(first, "declared here before")
            .with_help("rename one of the two options")
            .into())
    }
}

/// What belongs to two declarations, the one that stands first in the modules before the other:
/// in a layer, later modules come earlier in the order of merging.
fn in_reading_order<T>(
    (one, of_one): (&Declaration<'_>, T),
    (other, of_other): (&Declaration<'_>, T),
) -> (T, T) {
    if one.origin.layer < other.origin.layer { (of_one, of_other) } else { (of_other, of_one) }
}

/// The definitions of the strongest priority, in the order in which they merge, their values
/// forced. One that fails is left out, and its error put to the others.
pub(crate) fn settle<'a>(
    eval: &Evaluator<'a>,
    mut all: Vec<Definition<'a>>,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Definition<'a>> {
    if all.iter().all(is_bare) {
        all.sort_by_key(Definition::rank);
        return all;
    }
    while let Some(least) = all.iter().map(Definition::strength).min() {
        let mut strongest = Vec::with_capacity(all.len());
        let failed = errors.len();
        for definition in all.iter().filter(|definition| definition.strength() == least) {
            if let Err(error) = unwrap(eval, *definition, Conditions::Open, &mut strongest) {
                errors.push(*error);
            }
        }
        // `mkForce (mkIf false …)` leaves the floor to weaker ones.
        if !strongest.is_empty() || errors.len() > failed {
            strongest.sort_by_key(Definition::rank);
            return strongest;
        }
        all.retain(|definition| definition.strength() != least);
    }
    Vec::new()
}

/// Whether a definition is its value and nothing else, and that is known.
fn is_bare(definition: &Definition<'_>) -> bool {
    let plain = match definition.value {
        Value::Thunk(_) => false,
        Value::Attrs(set) => set.get(symbol!("_type")).is_none(),
        _ => true,
    };
    plain && definition.priority.is_none() && definition.conditions.is_none()
}
