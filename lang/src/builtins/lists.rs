//! Lists.

use rustc_hash::FxHashMap;

use super::{Builtin, builtin};
use crate::brief::described;
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("map", 2, map),
    builtin("filter", 2, filter),
    builtin("foldl'", 3, foldl),
    builtin("genList", 2, gen_list),
    builtin("sort", 2, sort),
    builtin("concatMap", 2, concat_map),
    builtin("concatLists", 1, concat_lists),
    builtin("elem", 2, elem),
    builtin("elemAt", 2, elem_at),
    builtin("head", 1, head),
    builtin("tail", 1, tail),
    builtin("length", 1, length),
    builtin("all", 2, all),
    builtin("any", 2, any),
    builtin("partition", 2, partition),
    builtin("groupBy", 2, group_by),
];

fn map<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[1], at)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let call = e.application(e.expect_function(args[0], at)?, at);
    Ok(e.list_of(list.len(), list.iter().map(|item| e.apply_later(call, item))))
}

fn filter<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[1], at)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let function = e.expect_function(args[0], at)?;
    let mut kept = Vec::new();
    for item in list.iter() {
        if e.expect_bool(e.call(function, &[item], at)?, at)? {
            kept.push(item);
        }
    }
    // The same list, where all of it stays.
    Ok(if kept.len() == list.len() { Value::List(list) } else { e.list(kept) })
}

fn foldl<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    let mut accumulator = args[1];
    for item in e.expect_list(args[2], at)?.iter() {
        accumulator = e.call(function, &[accumulator, item], at)?;
    }
    Ok(accumulator)
}

fn gen_list<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let length = e.expect_int(args[1], at)?;
    let Ok(length) = usize::try_from(length) else {
        let message = format!("a list cannot have {length} elements");
        return Err(Diagnostic::error("type::range", at, message).into());
    };
    e.claim(length.saturating_mul(40), at)?;
    let call = e.application(e.expect_function(args[0], at)?, at);
    let items = (0..length).map(|index| e.apply_later(call, Value::Int(index as i64)));
    Ok(e.list_of(length, items))
}

fn sort<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[1], at)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let function = e.expect_function(args[0], at)?;
    let items = list.cells().iter().map(|cell| e.force_cell(cell, at));
    let mut items = items.collect::<Result<Vec<_>>>()?;
    let less = |a: Value<'a>, b: Value<'a>| e.expect_bool(e.call(function, &[a, b], at)?, at);
    merge_sort(&mut items, &less)?;
    Ok(e.list(items))
}

/// A stable merge sort: the library's may panic on an order that contradicts itself, and cannot
/// stop at an error.
fn merge_sort<T: Copy>(items: &mut [T], less: &impl Fn(T, T) -> Result<bool>) -> Result<()> {
    let middle = items.len() / 2;
    if middle == 0 {
        return Ok(());
    }
    merge_sort(&mut items[..middle], less)?;
    merge_sort(&mut items[middle..], less)?;
    let left = items[..middle].to_vec();
    let (mut l, mut r, mut out) = (0, middle, 0);
    while l < left.len() && r < items.len() {
        // Equal elements keep their order: the right one goes first only if it is less.
        if less(items[r], left[l])? {
            items[out] = items[r];
            r += 1;
        } else {
            items[out] = left[l];
            l += 1;
        }
        out += 1;
    }
    items[out..out + left.len() - l].copy_from_slice(&left[l..]);
    Ok(())
}

fn concat_map<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    let list = e.expect_list(args[1], at)?;
    let parts = list.iter().map(|item| e.expect_list(e.call(function, &[item], at)?, at));
    e.concat(&parts.collect::<Result<Vec<_>>>()?, at)
}

fn concat_lists<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[0], at)?;
    let parts = list.iter().map(|item| e.expect_list(item, at)).collect::<Result<Vec<_>>>()?;
    e.concat(&parts, at)
}

fn elem<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    for item in e.expect_list(args[1], at)?.iter() {
        if e.parts_equal(args[0], item, at)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn elem_at<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[0], at)?;
    let index = e.expect_int(args[1], at)?;
    let cell = usize::try_from(index).ok().and_then(|index| list.cells().get(index));
    match cell {
        Some(cell) => e.force_cell(cell, at),
        None => {
            let message =
                format!("there is no element {index} in {}", described(Value::List(list)));
            Err(Diagnostic::error("type::range", at, message)
                .about(Value::Int(index), "")
                .with_help(match list.len() {
                    0 => "look whether the list is `[ ]` first".to_owned(),
                    len => format!("elements are counted from 0: the last is {}", len - 1),
                })
                .into())
        }
    }
}

fn empty(what: &str, list: Value<'_>, at: Span) -> Box<Diagnostic> {
    let message = format!("`{what}` of an empty list");
    Diagnostic::error("type::range", at, message)
        .about(list, "")
        .with_help("look whether the list is `[ ]` first")
        .into()
}

fn head<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[0], at)?;
    match list.cells().first() {
        Some(cell) => e.force_cell(cell, at),
        None => Err(empty("head", Value::List(list), at)),
    }
}

fn tail<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let list = e.expect_list(args[0], at)?;
    match list.cells() {
        [_, rest @ ..] => Ok(e.sub_list(rest)),
        [] => Err(empty("tail", Value::List(list), at)),
    }
}

fn length<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(Value::Int(e.expect_list(args[0], at)?.len() as i64))
}

fn all<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    for item in e.expect_list(args[1], at)?.iter() {
        if !e.expect_bool(e.call(function, &[item], at)?, at)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn any<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    for item in e.expect_list(args[1], at)?.iter() {
        if e.expect_bool(e.call(function, &[item], at)?, at)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn partition<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for item in e.expect_list(args[1], at)?.iter() {
        let side = e.expect_bool(e.call(function, &[item], at)?, at)?;
        if side { right.push(item) } else { wrong.push(item) }
    }
    Ok(e.attrs([("right", e.list(right)), ("wrong", e.list(wrong))]))
}

fn group_by<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let function = e.expect_function(args[0], at)?;
    let mut places: FxHashMap<Symbol, usize> = FxHashMap::default();
    let mut groups: Vec<(Symbol, Vec<Value<'a>>)> = Vec::new();
    for item in e.expect_list(args[1], at)?.iter() {
        let name = Symbol::new(e.expect_str(e.call(function, &[item], at)?, at)?);
        let place = *places.entry(name).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    let mut set = AttrsBuilder::with_capacity(groups.len());
    for (name, items) in groups {
        set.set(name, e.list(items));
    }
    Ok(set.finish(e))
}
