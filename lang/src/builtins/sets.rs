//! Attribute sets.

use std::cell::Cell;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator, Formals};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attr, Value};

pub(super) const TABLE: &[Builtin] = &[
    builtin("attrNames", 1, attr_names),
    builtin("attrValues", 1, attr_values),
    builtin("mapAttrs", 2, map_attrs),
    builtin("listToAttrs", 1, list_to_attrs),
    builtin("removeAttrs", 2, remove_attrs),
    builtin("intersectAttrs", 2, intersect_attrs),
    builtin("hasAttr", 2, has_attr),
    builtin("getAttr", 2, get_attr),
    builtin("catAttrs", 2, cat_attrs),
    builtin("zipAttrsWith", 2, zip_attrs_with),
    builtin("functionArgs", 1, function_args),
    builtin("unsafeGetAttrPos", 2, attr_position),
];

fn attr_names<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let sorted = e.expect_attrs(args[0], at)?.sorted();
    Ok(e.list_of(sorted.len(), sorted.into_iter().map(|attr| e.name(attr.name))))
}

fn attr_values<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let sorted = e.expect_attrs(args[0], at)?.sorted();
    Ok(e.list_of(sorted.len(), sorted.into_iter().map(|attr| attr.value.get())))
}

fn map_attrs<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = e.expect_attrs(args[1], at)?;
    let function = args[0];
    let entries = set.iter().map(|attr| {
        let (name, value) = (attr.name, attr.value.get());
        let mapped = e.thunk(move |e| e.call(function, &[e.name(name), value], at));
        Attr { name, span: attr.span, value: Cell::new(mapped) }
    });
    Ok(e.sorted_attrs(set.len(), entries, None))
}

fn list_to_attrs<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[0], at)?;
    of_pairs(e, list.len(), list.iter().map(Ok), at)
}

/// The set of so many pairs `{ name; value; }`.
fn of_pairs<'a>(
    e: &Evaluator<'a>,
    count: usize,
    pairs: impl Iterator<Item = Result<Value<'a>>>,
    at: Span,
) -> Result<Value<'a>> {
    let (name_key, value_key) = (symbol!("name"), symbol!("value"));
    let mut seen = FxHashSet::default();
    let mut set = AttrsBuilder::with_capacity(count);
    for item in pairs {
        let item = e.force_at(item?, at)?;
        let pair = e.expect_attrs(item, at)?;
        let name = pair.get(name_key).ok_or_else(|| e.missing(item, name_key, at))?;
        let text = e.force_attr(name)?;
        let symbol = Symbol::new(e.expect_str(text, name.span.or(at))?);
        // The first of a name counts.
        if seen.insert(symbol) {
            let value = pair.get(value_key).ok_or_else(|| e.missing(item, value_key, at))?;
            set.insert(symbol, value.value.get(), value.span);
        }
    }
    Ok(set.finish(e))
}

fn remove_attrs<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = e.expect_attrs(args[0], at)?;
    let mut gone = FxHashSet::default();
    for name in e.expect_list(args[1], at)?.iter() {
        gone.extend(Symbol::existing(e.expect_str(name, at)?));
    }
    let kept: Vec<_> = set.iter().filter(|attr| !gone.contains(&attr.name)).cloned().collect();
    Ok(e.sorted_attrs(kept.len(), kept.into_iter(), None))
}

/// `lib.filterAttrs`.
pub(crate) fn filter_attrs<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = e.expect_attrs(args[1], at)?;
    let mut kept = AttrsBuilder::new();
    for attr in set.sorted() {
        if e.expect_bool(e.call(args[0], &[e.name(attr.name), attr.value.get()], at)?, at)? {
            kept.copy(attr);
        }
    }
    Ok(kept.finish(e))
}

/// `lib.mapAttrs'`: the function gives pairs of a name and a value.
pub(crate) fn map_to_pairs<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = e.expect_attrs(args[1], at)?;
    let call = |attr: &Attr<'a>| e.call(args[0], &[e.name(attr.name), attr.value.get()], at);
    of_pairs(e, set.len(), set.sorted().into_iter().map(call), at)
}

/// `lib.mapAttrsToList`.
pub(crate) fn map_to_list<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let (function, set) = (args[0], e.expect_attrs(args[1], at)?);
    let items = set.sorted().into_iter().map(|attr| {
        let (name, value) = (attr.name, attr.value.get());
        e.thunk(move |e| e.call(function, &[e.name(name), value], at))
    });
    Ok(e.list_of(set.len(), items))
}

fn intersect_attrs<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let (names, values) = (e.expect_attrs(args[0], at)?, e.expect_attrs(args[1], at)?);
    let common: Vec<_> = if names.len() < values.len() {
        names.iter().filter_map(|attr| values.get(attr.name)).cloned().collect()
    } else {
        values.iter().filter(|attr| names.get(attr.name).is_some()).cloned().collect()
    };
    Ok(e.sorted_attrs(common.len(), common.into_iter(), None))
}

fn has_attr<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let name = e.expect_str(args[0], at)?;
    Ok(Value::Bool(e.expect_attrs(args[1], at)?.get_str(name).is_some()))
}

fn get_attr<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let name = Symbol::new(e.expect_str(args[0], at)?);
    let set = e.expect_attrs(args[1], at)?;
    match set.get(name) {
        Some(attr) => e.force_attr(attr),
        None => e.absent(Value::Attrs(set), name, at),
    }
}

fn cat_attrs<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let name = Symbol::new(e.expect_str(args[0], at)?);
    let mut found = Vec::new();
    for item in e.expect_list(args[1], at)?.iter() {
        found.extend(e.expect_attrs(item, at)?.get(name).map(|attr| attr.value.get()));
    }
    Ok(e.list(found))
}

fn zip_attrs_with<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    let mut places: FxHashMap<Symbol, usize> = FxHashMap::default();
    let mut groups: Vec<(Symbol, Vec<Value<'a>>)> = Vec::new();
    for item in e.expect_list(args[1], at)?.iter() {
        for attr in e.expect_attrs(item, at)?.iter() {
            let place = *places.entry(attr.name).or_insert_with(|| {
                groups.push((attr.name, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(attr.value.get());
        }
    }
    let mut set = AttrsBuilder::with_capacity(groups.len());
    for (name, values) in groups {
        let values = e.list(values);
        set.set(name, e.thunk(move |e| e.call(function, &[e.name(name), values], at)));
    }
    Ok(set.finish(e))
}

fn function_args<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let mut set = AttrsBuilder::new();
    // Of a set with `__functor`, nobody knows but `lib.functionArgs`.
    let function = e.force_at(args[0], at)?;
    let formals = if function.is_function() { e.formals(function, at)? } else { None };
    match formals {
        Some(Formals::Any) => {}
        Some(Formals::Set { names, .. }) => {
            for formal in names {
                set.insert(formal.name, Value::Bool(formal.has_default), formal.span);
            }
        }
        None => {
            let found = function.described();
            let message = format!("expected a function, found {found}");
            return Err(Diagnostic::error("type::mismatch", at, message).into());
        }
    }
    Ok(set.finish(e))
}

fn attr_position<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let name = e.expect_str(args[0], at)?;
    let attr = e.expect_attrs(args[1], at)?.get_str(name);
    Ok(attr.map_or(Value::Null, |attr| e.position_attrs(attr.span)))
}
