//! Types written in the language: `mkOptionType { name; check; merge; … }`.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::Value;

use super::super::collect::RawModule;
use super::super::definition::{Definition, Layer, Origin};
use super::super::location::Place;
use super::{OptionType, Type, merge_default, value};

pub(crate) struct Custom;

impl Custom {
    fn field<'a>(eval: &Evaluator<'a>, ty: Type<'a>, name: &str) -> Result<Option<Value<'a>>> {
        ty.set.get_str(name).map(|attr| eval.force_attr(attr)).transpose()
    }
}

impl OptionType for Custom {
    fn name(&self) -> &str {
        "custom"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        for name in ["description", "name"] {
            if let Some(Value::Str(text)) = Custom::field(eval, ty, name)? {
                return Ok((*text).to_owned());
            }
        }
        Ok("value of a certain type".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        match Custom::field(eval, ty, "check")? {
            Some(check) => {
                let result = eval.call(check, &[value], Span::NONE)?;
                eval.expect_bool(result, Span::NONE)
            }
            None => Ok(true),
        }
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        match Custom::field(eval, ty, "merge")? {
            Some(merge) => merge_by(eval, merge, place, definitions),
            None => merge_default(eval, place, definitions),
        }
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let own = ty.set.get(symbol!("typeMerge")).filter(|attr| !attr.span.is_none());
        if let (Some(merge), Some(functor)) = (own, other.set.get(symbol!("functor"))) {
            let merged = eval.call(eval.force_attr(merge)?, &[functor.value.get()], merge.span)?;
            return match eval.force(merged)? {
                Value::Null => Ok(None),
                merged => Type::of(eval, merged, merge.span).map(Some),
            };
        }
        let same = ty.description(eval)? == other.description(eval)?;
        Ok((other.name() == "custom" && same).then_some(ty))
    }

    fn modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        at: Span,
    ) -> Result<Option<Vec<RawModule<'a>>>> {
        let Some(Value::List(list)) = Custom::field(eval, ty, "getSubModules")? else {
            return Ok(None);
        };
        let origin = Origin { file: "", layer: Layer::Standard };
        let module = |value| RawModule { at, ..RawModule::new(value, origin) };
        Ok(Some(list.iter().map(module).collect()))
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Option<Value<'a>>> {
        let Some(Value::Attrs(set)) = Custom::field(eval, ty, "emptyValue")? else {
            return Ok(None);
        };
        Ok(set.get(symbol!("value")).map(|attr| attr.value.get()))
    }
}

/// Merges by a function of the language: `merge loc [ { file; value; } … ]`.
pub(super) fn merge_by<'a>(
    eval: &Evaluator<'a>,
    merge: Value<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    let path = eval.list(place.path.steps().into_iter().map(|step| step.value(eval)));
    let each = definitions.iter().map(|definition| {
        eval.attrs([("file", eval.str_in(definition.origin.file)), ("value", definition.value)])
    });
    let list = eval.list(each);
    eval.call(merge, &[path, list], place.declared)
}

/// `mkOptionType { name; check; merge; … }`: the set with what it leaves out.
pub(super) fn make_option_type<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let Some(name) = set.get(symbol!("name")) else {
        return Err(eval.missing(Value::Attrs(set), "name".into(), at));
    };
    let itself: &'a std::cell::OnceCell<Value<'a>> = eval.alloc(std::cell::OnceCell::new());
    let mut out = AttrsBuilder::with_capacity(14);
    out.set("_type", eval.str_in("option-type"));
    out.set("description", name.value.get());
    out.set("descriptionClass", Value::Null);
    out.set("deprecationMessage", Value::Null);
    out.set("check", eval.primop("check", 1, |_, _, _| Ok(Value::Bool(true))));
    out.set(
        "merge",
        eval.primop("merge", 2, |eval, args, at| {
            let place = value::detached(eval, value::location(eval, args[0], at)?);
            let mut all = value::definitions(eval, args[1], at)?;
            for one in &mut all {
                one.value = eval.force_at(one.value, at)?;
            }
            merge_default(eval, place, &all)
        }),
    );
    out.set("emptyValue", eval.attrs::<Symbol>([]));
    out.set("nestedTypes", eval.attrs::<Symbol>([]));
    let nothing = eval.attrs::<Symbol>([]);
    out.set("getSubOptions", eval.primop("getSubOptions", 1, move |_, _, _| Ok(nothing)));
    out.set("getSubModules", Value::Null);
    out.set("substSubModules", eval.primop("substSubModules", 1, |_, _, _| Ok(Value::Null)));
    let whole = eval.thunk(move |_| Ok(itself.get().copied().unwrap_or(Value::Null)));
    let functor = [
        ("name", name.value.get()),
        ("wrapped", Value::Null),
        ("payload", Value::Null),
        ("itself", whole),
    ];
    out.set("functor", eval.attrs(functor));
    out.set(
        "typeMerge",
        eval.primop("typeMerge", 1, move |eval, args, at| {
            let functor = eval.expect_attrs(args[0], at)?;
            let Some(other) = functor.get(symbol!("itself")) else { return Ok(Value::Null) };
            let other = Type::of(eval, other.value.get(), at)?;
            let both = Type::of(eval, whole, at)?.unify(eval, other)?;
            Ok(both.map_or(Value::Null, Type::value))
        }),
    );
    set.iter().for_each(|attr| {
        out.copy(attr);
    });
    Ok(*itself.get_or_init(|| out.finish(eval)))
}
