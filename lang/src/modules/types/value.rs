//! An option type as a value of the language: a set with what module authors ask types for.
//!
//! The names are nixpkgs': `check`, `merge`, `description`, `getSubOptions`, `typeMerge` and so
//! on. Each is computed when it is asked for.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::LazyLock;

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, Payload, Value};

use super::super::definition::{Definition, Layer, Origin};
use super::super::location::{Location, NOWHERE, Place};
use super::super::session::Session;
use super::{OptionType, Type, inside};

/// The data hidden in a type's set.
struct Native(Rc<dyn OptionType>);

/// A kind of type, and the values that it is made of.
pub(super) type Hidden<'a> = (&'a dyn OptionType, &'a [Value<'a>]);

/// What is hidden in a type's set, if it is a native one.
pub(super) fn hidden<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Result<Option<Hidden<'a>>> {
    let payload = match set.payload() {
        Some(payload) => Some(payload),
        // `type // { … }` leaves the hidden data behind, but `native` still has it.
        None => hidden_in(eval, set)?,
    };
    let native =
        payload.and_then(|payload| Some((payload.data.downcast_ref::<Native>()?, payload)));
    Ok(native.map(|(Native(def), payload)| (&**def, payload.values)))
}

fn hidden_in<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Result<Option<&'a Payload<'a>>> {
    let Some(attr) = set.get(symbol!("native")) else { return Ok(None) };
    match eval.force_attr(attr)? {
        Value::Attrs(native) => Ok(native.payload()),
        _ => Ok(None),
    }
}

/// What every attribute of a type is computed from.
struct Itself<'a> {
    /// The set in which the type is hidden.
    native: Value<'a>,
    /// The set that the language sees.
    whole: OnceCell<Value<'a>>,
}

impl<'a> Itself<'a> {
    /// The type, without anything that `//` could put over it.
    fn bare(&self, eval: &Evaluator<'a>) -> Result<Type<'a>> {
        let set = eval.expect_attrs(self.native, Span::NONE)?;
        match hidden(eval, set)? {
            Some((def, values)) => Ok(Type { def, values, set, depth: 0 }),
            None => Type::of(eval, self.native, Span::NONE),
        }
    }

    fn whole(&self) -> Value<'a> {
        self.whole.get().copied().unwrap_or(Value::Null)
    }
}

type Field = for<'e, 'a> fn(&'e Evaluator<'a>, &'a Itself<'a>) -> Result<Value<'a>>;

/// What a type's set holds besides `_type`, `name` and what is hidden.
const FIELDS: [(&str, Field); 12] = [
    ("check", check),
    ("deprecationMessage", nothing),
    ("description", description),
    ("descriptionClass", description_class),
    ("emptyValue", empty_value),
    ("functor", functor),
    ("getSubModules", sub_modules),
    ("getSubOptions", sub_options),
    ("merge", merge),
    ("nestedTypes", nested_types),
    ("substSubModules", subst_sub_modules),
    ("typeMerge", type_merge),
];

static NAMES: LazyLock<[Symbol; 12]> = LazyLock::new(|| FIELDS.map(|(name, _)| Symbol::new(name)));
static OWN_NAMES: LazyLock<[Symbol; 3]> =
    LazyLock::new(|| ["_type", "name", "native"].map(Symbol::new));

/// A type as a value of the language, made of these values.
pub(crate) fn make<'a>(
    eval: &Evaluator<'a>,
    def: impl OptionType,
    values: &[Value<'a>],
) -> Value<'a> {
    let name = eval.str(def.name());
    let def: Rc<dyn OptionType> = Rc::new(def);
    // `//` drops what is hidden in a set, so a second set inside it has it too.
    let native = AttrsBuilder::new().finish_with(eval, Native(def.clone()), values);
    let itself: &'a Itself<'a> = eval.alloc(Itself { native, whole: OnceCell::new() });
    let [kind, own_name, hidden] = *OWN_NAMES;
    let mut set = AttrsBuilder::with_capacity(FIELDS.len() + 3);
    set.set(kind, eval.str_in("option-type"));
    set.set(own_name, name);
    set.set(hidden, native);
    for (name, (_, field)) in NAMES.iter().zip(FIELDS) {
        set.set(*name, eval.thunk(move |eval| field(eval, itself)));
    }
    *itself.whole.get_or_init(|| set.finish_with(eval, Native(def), values))
}

fn nothing<'a>(_: &Evaluator<'a>, _: &'a Itself<'a>) -> Result<Value<'a>> {
    Ok(Value::Null)
}

fn description<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    Ok(eval.str(&ty.def.describe(eval, ty)?))
}

/// Whether the description needs parentheses inside of another.
fn description_class<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    let words = ty.def.describe(eval, ty)?;
    Ok(eval.str_in(if words.contains(" or ") || words.starts_with("one of") {
        "conjunction"
    } else if words.contains(" of ") {
        "composite"
    } else {
        "noun"
    }))
}

fn check<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    let check = move |eval: &Evaluator<'a>, args: &[Value<'a>], _: Span| {
        Ok(Value::Bool(ty.accepts(eval, args[0])?))
    };
    Ok(eval.primop("check", 1, check))
}

fn merge<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    Ok(eval.primop("merge", 2, move |eval, args, at| merge_call(eval, ty, args, at)))
}

/// `type.merge loc [ { file; value; } … ]`, as nixpkgs' types have it.
fn merge_call<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let place = detached(eval, location(eval, args[0], at)?);
    let mut definitions = definitions(eval, args[1], at)?;
    for definition in &mut definitions {
        definition.value = eval.force_at(definition.value, at)?;
    }
    ty.merge(eval, place, &definitions)
}

/// A location given as a list of names.
pub(crate) fn location<'a>(
    eval: &Evaluator<'a>,
    names: Value<'a>,
    at: Span,
) -> Result<Location<'a>> {
    let mut path = Location::default();
    for step in eval.expect_list(names, at)?.iter() {
        path = path.name(eval, eval.expect_str(step, at)?.into());
    }
    Ok(path)
}

/// A place outside of every configuration: its first error ends the evaluation.
pub(crate) fn detached<'a>(eval: &Evaluator<'a>, path: Location<'a>) -> Place<'a> {
    Place { path, declared: Span::NONE, origin: NOWHERE, session: eval.alloc(Session::new(false)) }
}

/// Definitions given as `[ { file; value; } … ]`, their values as they are.
pub(crate) fn definitions<'a>(
    eval: &Evaluator<'a>,
    list: Value<'a>,
    at: Span,
) -> Result<Vec<Definition<'a>>> {
    let mut definitions = Vec::new();
    for item in eval.expect_list(list, at)?.iter() {
        let set = eval.expect_attrs(item, at)?;
        let Some(attr) = set.get(symbol!("value")) else {
            return Err(eval.missing(Value::Attrs(set), "value".into(), at));
        };
        let file = match set.get(symbol!("file")) {
            Some(attr) => eval.coerce_to_str(eval.force_attr(attr)?, attr.span.or(at))?,
            None => "",
        };
        let origin = Origin { file, layer: Layer::Standard };
        definitions.push(Definition::new(attr.value.get(), attr.span.or(at), origin));
    }
    Ok(definitions)
}

fn empty_value<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    Ok(match ty.def.empty(eval, ty)? {
        Some(value) => eval.attrs([("value", value)]),
        None => eval.attrs::<Symbol>([]),
    })
}

/// `getSubOptions prefix`: the options below, as `options` would show them.
fn sub_options<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    Ok(eval.primop("getSubOptions", 1, move |eval, args, at| {
        let path = location(eval, args[0], at)?;
        inside::sub_options(eval, ty, path)
    }))
}

fn sub_modules<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    inside::sub_modules(eval, ty)
}

fn subst_sub_modules<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    Ok(eval.primop("substSubModules", 1, move |eval, args, _| {
        Ok(inside::subst_sub_modules(eval, ty, args[0])?.unwrap_or(Value::Null))
    }))
}

/// `typeMerge functor`: the type of an option that is declared with both, or null.
fn type_merge<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    Ok(eval.primop("typeMerge", 1, move |eval, args, at| {
        let functor = eval.expect_attrs(args[0], at)?;
        let Some(attr) = functor.get(symbol!("itself")) else { return Ok(Value::Null) };
        let other = Type::of(eval, attr.value.get(), at)?;
        let both = Type::of(eval, itself.whole(), at)?.unify(eval, other)?;
        Ok(both.map_or(Value::Null, Type::value))
    }))
}

/// The type taken apart: what `typeMerge` of another one takes.
fn functor<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    let nested = ty.def.nested(ty);
    let at = |number: usize| ty.values.get(number).copied().unwrap_or(Value::Null);
    let wrapped = match nested.as_slice() {
        [] => Value::Null,
        [(_, only)] => at(*only),
        several => eval.list(several.iter().map(|(_, number)| at(*number))),
    };
    let payload = match (nested.as_slice(), ty.values) {
        ([], [values]) => eval.attrs([("values", *values)]),
        ([("elemType", number)], _) => eval.attrs([("elemType", at(*number))]),
        _ => Value::Null,
    };
    Ok(eval.attrs([
        ("name", eval.str_in(ty.name())),
        ("wrapped", wrapped),
        ("payload", payload),
        ("itself", itself.whole()),
    ]))
}

fn nested_types<'a>(eval: &Evaluator<'a>, itself: &'a Itself<'a>) -> Result<Value<'a>> {
    let ty = itself.bare(eval)?;
    let mut out = AttrsBuilder::new();
    for (name, number) in ty.def.nested(ty) {
        if let Some(value) = ty.values.get(number).filter(|_| !name.is_empty()) {
            out.set(name, *value);
        }
    }
    // Several alternatives are pairs of pairs.
    if let ("either", [all @ .., _]) = (ty.name(), ty.values)
        && all.len() > 1
    {
        out.set("left", make(eval, super::choice::Either, all));
    }
    Ok(out.finish(eval))
}
