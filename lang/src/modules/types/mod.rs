//! Option types: what values an option takes, and how several definitions become one value.
//!
//! A type is a value of the language: a set with `_type = "option-type"` and native data hidden in
//! it. Each kind of type is one implementation of [`OptionType`]; the table in `table` names them.

use std::any::Any;
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::value::{Attrs, Payload, Value};

use super::brief::found;
use super::definition::{Definition, Layer, Origin};
use super::location::{Location, Place};
use super::property::kind_of;
use super::session::Session;

mod anything;
mod choice;
mod collection;
mod custom;
mod flags;
mod literal;
mod mismatch;
mod number;
mod package;
mod plain;
mod submodule;
mod table;
mod text;

pub(crate) use mismatch::{DECLARED, mismatch, with_article};
pub(crate) use submodule::{modules_of, options_of, sample};
pub(crate) use table::{boolean, lib_types, raw, raw_by_name, submodule, unspecified};

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

    /// The type of an option that is declared as both; `None` where they contradict.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let _ = eval;
        Ok((ty.name() == other.name() && ty.values.is_empty()).then_some(ty))
    }

    /// The name that stands for any element in the reference: `<name>` or `*`.
    fn element_name(&self) -> Option<&'static str> {
        None
    }

    /// Whether modules are among its values, so that it has options of its own.
    fn is_submodule(&self) -> bool {
        false
    }
}

/// The data hidden in a type's set.
struct Native(Rc<dyn OptionType>);

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
            // `type // { … }` leaves the hidden data behind, but `native` still has it.
            let hidden = match set.payload() {
                Some(payload) => Some(payload),
                None => hidden_in(eval, set)?,
            };
            if let Some(payload) = hidden
                && let Some(Native(def)) = payload.data.downcast_ref::<Native>()
            {
                return Ok(Type { def: &**def, values: payload.values, set, depth: 0 });
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
        if self.set.payload().is_none()
            && let Some(attr) = self.set.get_str("description")
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

    /// The `check` that `type // { check = …; }` put over the native one.
    fn own_check(self, eval: &Evaluator<'a>, value: Value<'a>) -> Result<bool> {
        let own = self.set.get_str("check").filter(|_| self.set.payload().is_none());
        let Some(attr) = own else { return Ok(true) };
        let check = eval.force_attr(attr)?;
        if matches!(check, Value::PrimOp(_)) {
            return Ok(true);
        }
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
                refused.push(self.def.refuse(eval, self, place, definition)?);
            }
        }
        let mut refused = refused.into_iter();
        if let Some(first) = refused.next() {
            refused.try_for_each(|other| place.session.tolerate(other))?;
            return Err(first);
        }
        self.def.merge(eval, self, place, definitions)
    }

    pub(crate) fn refuse(
        self,
        eval: &Evaluator<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        self.def.refuse(eval, self, place, definition)
    }

    pub(crate) fn unify(self, eval: &Evaluator<'a>, other: Type<'a>) -> Result<Option<Type<'a>>> {
        self.def.unify(eval, self, other)
    }

    pub(crate) fn element_name(self) -> Option<&'static str> {
        self.def.element_name()
    }

    pub(crate) fn is_submodule(self) -> bool {
        self.def.is_submodule()
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

fn hidden_in<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Result<Option<&'a Payload<'a>>> {
    let Some(attr) = set.get_str("native") else { return Ok(None) };
    match eval.force_attr(attr)? {
        Value::Attrs(native) => Ok(native.payload()),
        _ => Ok(None),
    }
}

/// A type as a value of the language.
pub(crate) fn make<'a>(
    eval: &Evaluator<'a>,
    def: impl OptionType,
    values: &[Value<'a>],
) -> Value<'a> {
    make_from(eval, AttrsBuilder::new(), def, values)
}

/// As [`make`], from a set that gives more attributes.
pub(crate) fn make_from<'a>(
    eval: &Evaluator<'a>,
    mut set: AttrsBuilder<'a>,
    def: impl OptionType,
    values: &[Value<'a>],
) -> Value<'a> {
    let name = eval.str(def.name());
    let def: Rc<dyn OptionType> = Rc::new(def);
    // `//` drops what is hidden in a set, so a second set inside it has it too.
    let native = AttrsBuilder::new().finish_with(eval, Native(def.clone()), values);
    let of = move |eval: &Evaluator<'a>| {
        let set = eval.attrs([("_type", eval.str_in("option-type")), ("native", native)]);
        Type::of(eval, set, Span::NONE)
    };
    set.set("_type", eval.str_in("option-type"));
    set.set("name", name);
    set.set("native", native);
    set.set(
        "description",
        eval.thunk(move |eval| {
            let ty = of(eval)?;
            Ok(eval.str(&ty.def.describe(eval, ty)?))
        }),
    );
    set.set(
        "check",
        eval.primop("check", 1, move |eval, args, _| {
            Ok(Value::Bool(of(eval)?.accepts(eval, args[0])?))
        }),
    );
    set.set(
        "merge",
        eval.primop("merge", 2, move |eval, args, at| merge_call(eval, of(eval)?, args, at)),
    );
    set.finish_with(eval, Native(def), values)
}

/// `type.merge loc [ { file; value; } … ]`, as nixpkgs' types have it.
fn merge_call<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let mut path = Location::default();
    for step in eval.expect_list(args[0], at)?.iter() {
        path = path.name(eval, eval.expect_str(step, at)?.into());
    }
    let mut definitions = Vec::new();
    for item in eval.expect_list(args[1], at)?.iter() {
        let set = eval.expect_attrs(item, at)?;
        let Some(attr) = set.get_str("value") else {
            return Err(eval.missing(Value::Attrs(set), "value".into(), at));
        };
        let origin = Origin { file: "", layer: Layer::Standard };
        let value = eval.force_attr(attr)?;
        definitions.push(Definition::new(value, attr.span.or(at), origin));
    }
    let session = eval.alloc(Session::new(false));
    ty.merge(eval, Place { path, declared: Span::NONE, session }, &definitions)
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
