//! Option types: what values an option takes, and how several definitions become one value.
//!
//! A type is a value of the language: a set with `_type = "option-type"` and native data hidden in
//! it. Each kind of type is one implementation of [`OptionType`]; the table in `table` names them.

use std::any::Any;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::literal::Literal;
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attr, Attrs, Value};

use super::collect::RawModule;
use super::definition::Definition;
use super::location::Place;
use super::property::kind_of;
use crate::brief::found;

mod anything;
mod choice;
mod collection;
mod custom;
mod flags;
mod function;
mod inside;
mod literal;
mod mismatch;
mod module;
mod number;
mod package;
mod path;
mod plain;
mod refined;
mod secret;
mod submodule;
mod table;
mod tag;
mod text;
mod unspecified;
mod value;

pub(crate) use flags::Tables as FlagTables;
pub(crate) use inside::{modules_of, options_of, sample};
pub(crate) use mismatch::{DECLARED, mismatch, with_article};
pub(crate) use secret::{SECRET, mk_secret};
pub(crate) use submodule::submodule_of;
pub(crate) use table::{boolean, lib_types, raw_by_name, type_or_null, unspecified};
pub(crate) use unspecified::merge_default;
pub(crate) use value::{definitions, detached, location, make};

/// One kind of option type. `inner` types and other values of the type itself are in
/// [`Type::values`], since implementations borrow nothing.
pub(crate) trait OptionType: Any {
    /// The name under `lib.types`.
    fn name(&self) -> &str;

    /// What a value is called in messages: `string`, `list of strings`.
    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String>;

    /// Whether a forced value has this type, looking no deeper than needed to choose between
    /// types: the elements of a list are looked at when they are merged.
    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool>;

    /// One value from definitions that [`OptionType::accepts`] took; there is at least one, weak
    /// layers come first, and their values are forced.
    ///
    /// # Errors
    /// Where they contradict each other, or an element is at fault.
    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let _ = ty;
        one_value(eval, place, definitions)
    }

    /// Why a value is not of this type.
    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        mismatch(eval, ty, place, definition)
    }

    /// The types among [`Type::values`], by number, with the names that `nestedTypes` has for them.
    fn nested(&self, ty: Type<'_>) -> Vec<(&'static str, usize)> {
        let _ = ty;
        Vec::new()
    }

    /// A type of the same kind around other values; `None` where the kind is around none.
    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        let (_, _) = (eval, values);
        None
    }

    /// The type of an option that is declared as both; `None` where they contradict.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        unify_nested(self.nested(ty), eval, ty, other)
    }

    /// The inner types whose options are this type's too, each with the name that stands for the
    /// step to it (`<name>`, `*`), if there is one.
    fn elements(&self, ty: Type<'_>) -> Vec<(Option<String>, usize)> {
        let _ = ty;
        Vec::new()
    }

    /// The modules that declare options of the type's own.
    fn modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        at: Span,
    ) -> Result<Option<Vec<RawModule<'a>>>> {
        let (_, _, _) = (eval, ty, at);
        Ok(None)
    }

    /// What stands for no definition at all in a lazy set, if the type has such a value.
    fn empty<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Option<Value<'a>>> {
        let (_, _) = (eval, ty);
        Ok(None)
    }

    /// Whether modules are among its values, so that it has options of its own.
    fn is_submodule(&self) -> bool {
        false
    }
}

/// Kinds of types that are equal merge as what they are made of does.
fn unify_nested<'a>(
    nested: Vec<(&'static str, usize)>,
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    other: Type<'a>,
) -> Result<Option<Type<'a>>> {
    if ty.name() != other.name() {
        return Ok(None);
    }
    // Types that contain themselves are compared by their words alone, at some depth.
    if nested.is_empty() || ty.depth > DESCRIBED {
        return Ok((ty.description(eval)? == other.description(eval)?).then_some(ty));
    }
    let mut values = ty.values.to_vec();
    if values.len() != other.values.len() {
        return Ok(None);
    }
    for (_, number) in nested {
        let both = ty.inner(eval, number)?.unify(eval, other.inner(eval, number)?)?;
        let (Some(both), Some(slot)) = (both, values.get_mut(number)) else { return Ok(None) };
        *slot = both.value();
    }
    ty.def.around(eval, &values).map(|both| Type::of(eval, both, Span::NONE)).transpose()
}

/// A type, ready to use.
#[derive(Clone, Copy)]
pub(crate) struct Type<'a> {
    def: &'a dyn OptionType,
    /// Inner types, modules, alternatives: whatever the kind of type is made of.
    pub(crate) values: &'a [Value<'a>],
    set: &'a Attrs<'a>,
    /// How many types it is inside of: a type may contain itself.
    depth: u16,
}

/// Types that make one scalar of the scalars that define it, the same wherever they stand.
const PLAIN: [&str; 20] = [
    "anything",
    "bool",
    "int",
    "port",
    "float",
    "number",
    "str",
    "nonEmptyStr",
    "singleLineStr",
    "strMatching",
    "lines",
    "commas",
    "package",
    "raw",
    "unspecified",
    "envVar",
    "separatedString",
    "path",
    "enum",
    "boolByOr",
];

fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name) || Literal::ALL.iter().any(|one| one.name() == name)
}

/// Deeper descriptions help nobody.
const DESCRIBED: u16 = 4;
/// Deeper values than this have no type that anyone wrote.
const DEEPEST: u16 = 2000;

impl<'a> Type<'a> {
    /// The type that a value is.
    ///
    /// # Errors
    /// `type::not-a-type` for anything else.
    pub(crate) fn of(eval: &Evaluator<'a>, value: Value<'a>, at: Span) -> Result<Type<'a>> {
        let value = eval.force_at(value, at)?;
        if let (Value::Attrs(set), Some("option-type")) = (value, kind_of(eval, value)?) {
            if let Some((def, values)) = value::hidden(eval, set)? {
                return Ok(Type { def, values, set, depth: 0 });
            }
            return Ok(Type { def: &custom::Custom, values: &[], set, depth: 0 });
        }
        let message = format!("an option's type is needed here, not {}", found(eval, value));
        let mut error = Diagnostic::error("type::not-a-type", at, message);
        error.help = Some(match value {
            Value::PrimOp(_) | Value::Lambda(_) => {
                "this takes an argument, as in `types.listOf types.str`".to_owned()
            }
            _ => "types are in `lib.types`, such as `types.str`".to_owned(),
        });
        Err(error.into())
    }

    pub(crate) fn name(self) -> &'a str {
        self.def.name()
    }

    /// An inner type by number.
    pub(crate) fn inner(self, eval: &Evaluator<'a>, number: usize) -> Result<Type<'a>> {
        if self.depth >= DEEPEST {
            let message = "this type is nested in itself without end";
            return Err(Diagnostic::error("type::endless", Span::NONE, message)
                .with_help("put a `listOf`, `attrsOf` or submodule between the type and itself")
                .into());
        }
        let value = self.values.get(number).copied().unwrap_or(Value::Null);
        Ok(Type { depth: self.depth + 1, ..Type::of(eval, value, Span::NONE)? })
    }

    /// What a value is called in messages.
    pub(crate) fn description(self, eval: &Evaluator<'a>) -> Result<String> {
        if let Some(attr) = self.own(symbol!("description"))
            && let Value::Str(text) = eval.force_attr(attr)?
        {
            return Ok((*text).to_owned());
        }
        if self.depth > DESCRIBED {
            return Ok("…".to_owned());
        }
        self.def.describe(eval, self)
    }

    /// The type seen by itself, as in a message about one of its values.
    pub(crate) fn alone(self) -> Type<'a> {
        Type { depth: 0, ..self }
    }

    /// Whether a value has this type, as far as one looks before merging.
    pub(crate) fn accepts(self, eval: &Evaluator<'a>, value: Value<'a>) -> Result<bool> {
        let value = eval.force(value)?;
        eval.deeper(Span::NONE, || {
            Ok(self.def.accepts(eval, self, value)? && self.own_check(eval, value)?)
        })
    }

    /// An attribute that `type // { … }` put over the native one.
    fn own(self, name: Symbol) -> Option<&'a Attr<'a>> {
        if self.set.payload().is_some() {
            return None;
        }
        // What Rust made stands nowhere.
        self.set.get(name).filter(|attr| !attr.span.is_none())
    }

    fn own_check(self, eval: &Evaluator<'a>, value: Value<'a>) -> Result<bool> {
        let Some(attr) = self.own(symbol!("check")) else { return Ok(true) };
        let check = eval.force_attr(attr)?;
        let result = eval.call(check, &[value], attr.span)?;
        eval.expect_bool(result, attr.span)
    }

    /// One value from all definitions of the strongest priority.
    ///
    /// # Errors
    /// `type::mismatch`, `module::conflict`, or whatever forcing meets.
    pub(crate) fn merge(
        self,
        eval: &Evaluator<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let mut refused = Vec::new();
        for definition in definitions {
            if !self.accepts(eval, definition.value)? {
                refused.push(self.refuse(eval, place, definition)?);
            }
        }
        let mut refused = refused.into_iter();
        if let Some(first) = refused.next() {
            refused.try_for_each(|other| place.session.tolerate(other))?;
            return Err(first);
        }
        match self.own(symbol!("merge")) {
            Some(attr) => {
                let merge = eval.force_attr(attr)?;
                custom::merge_by(eval, merge, place, definitions)
            }
            None => self.def.merge(eval, self, place, definitions),
        }
    }

    pub(crate) fn refuse(
        self,
        eval: &Evaluator<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        if let Some(attr) = self.own(symbol!("check"))
            && self.def.accepts(eval, self, eval.force(definition.value)?)?
        {
            let check = eval.force_attr(attr)?;
            return refined::fails_check(eval, self, check, place, definition);
        }
        self.def.refuse(eval, self, place, definition)
    }

    /// The type of an option that is declared as both; `None` where they contradict.
    pub(crate) fn unify(self, eval: &Evaluator<'a>, other: Type<'a>) -> Result<Option<Type<'a>>> {
        if std::ptr::eq(self.set, other.set) {
            return Ok(Some(self));
        }
        if self.name() != refined::CHECKED && other.name() == refined::CHECKED {
            return refined::unify_with_check(eval, self, other);
        }
        self.def.unify(eval, self, other)
    }

    /// What stands for no definition at all, if the type has such a value.
    pub(crate) fn empty(self, eval: &Evaluator<'a>) -> Result<Option<Value<'a>>> {
        match self.own(symbol!("emptyValue")) {
            Some(attr) => {
                let set = eval.expect_attrs(eval.force_attr(attr)?, attr.span)?;
                Ok(set.get(symbol!("value")).map(|attr| attr.value.get()))
            }
            None => self.def.empty(eval, self),
        }
    }

    pub(crate) fn is_submodule(self) -> bool {
        self.def.is_submodule()
    }

    /// Whether somebody put a `merge` or a `check` over the native ones.
    fn has_own_rules(self) -> bool {
        [symbol!("merge"), symbol!("check")].into_iter().any(|name| self.own(name).is_some())
    }

    /// Whether definitions that make this value make it wherever they stand.
    pub(crate) fn settles(self, eval: &Evaluator<'a>, value: Value<'a>) -> bool {
        if self.has_own_rules() {
            return false;
        }
        match (self.name(), value) {
            ("listOf", Value::List(list)) => list.is_empty(),
            ("attrsOf" | "lazyAttrsOf", Value::Attrs(set)) => set.is_empty(),
            ("nullOr", Value::Null) => true,
            ("nullOr", value) => self.inner(eval, 0).is_ok_and(|inner| inner.settles(eval, value)),
            ("either" | "coercedTo", Value::Bool(_) | Value::Int(_) | Value::Str(_)) => {
                let settles = |inner: Type<'a>| inner.settles(eval, value);
                let mut nested = self.def.nested(self).into_iter();
                nested.all(|(_, number)| self.inner(eval, number).is_ok_and(settles))
            }
            (name, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_)) => {
                is_plain(name)
            }
            _ => false,
        }
    }

    /// Whether a text, a number, a boolean or null, where nothing else defines the option, is its value
    /// as it stands, if the type accepts it.
    pub(crate) fn keeps_scalars(self, eval: &Evaluator<'a>) -> bool {
        const MADE_ANEW: [&str; 3] = ["package", "portRange", "singleLineStr"];
        if self.has_own_rules() {
            return false;
        }
        match self.name() {
            "nullOr" | "either" => self.def.nested(self).into_iter().all(|(_, number)| {
                self.inner(eval, number).is_ok_and(|inner| inner.keeps_scalars(eval))
            }),
            name if MADE_ANEW.contains(&name) => false,
            name => is_plain(name),
        }
    }

    /// What tells this type from others.
    pub(crate) fn address(self) -> *const () {
        std::ptr::from_ref(self.set).cast()
    }

    /// The type as a value of the language.
    pub(crate) fn value(self) -> Value<'a> {
        Value::Attrs(self.set)
    }
}

/// The definitions of the strongest layer.
pub(crate) fn strongest_layer<'a>(definitions: &[Definition<'a>]) -> Vec<Definition<'a>> {
    let strongest = definitions.iter().map(|definition| definition.origin.layer).max();
    let of_it = |definition: &&Definition<'a>| Some(definition.origin.layer) == strongest;
    definitions.iter().filter(of_it).copied().collect()
}

/// The value of a type that cannot merge: the strongest layer's, on which it must agree.
pub(crate) fn one_value<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    if let [only] = definitions {
        return Ok(only.value);
    }
    let strongest = strongest_layer(definitions);
    let Some((first, others)) = strongest.split_first() else { return Ok(Value::Null) };
    for other in others {
        if !eval.equal(first.value, other.value, other.key)? {
            return Err(mismatch::conflict(eval, place, first, other));
        }
    }
    Ok(first.value)
}

/// The value of the only definition: for types whose values cannot even be compared.
pub(crate) fn only_value<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    if let [only] = definitions {
        return Ok(only.value);
    }
    match &strongest_layer(definitions)[..] {
        [] => Ok(Value::Null),
        [only] => Ok(only.value),
        [first, other, ..] => Err(mismatch::conflict(eval, place, first, other)),
    }
}

/// One element of a list or set: its definitions unwrapped, the strongest merged. `None` where
/// none is left.
pub(crate) fn merge_element<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    place: Place<'a>,
    definitions: Vec<Definition<'a>>,
) -> Result<Option<Value<'a>>> {
    let mut errors = Vec::new();
    let strongest = super::option::settle(eval, definitions, &mut errors);
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    if strongest.is_empty() {
        return Ok(None);
    }
    ty.merge(eval, place, &strongest).map(Some)
}
