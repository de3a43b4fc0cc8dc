//! Errors, order of evaluation, importing, traces.

use super::absent::no_variable;
use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("abort", 1, abort),
    builtin("throw", 1, throw),
    builtin("tryEval", 1, try_eval),
    builtin("seq", 2, seq),
    builtin("deepSeq", 2, deep_seq),
    builtin("trace", 2, trace),
    builtin("traceVerbose", 2, second),
    builtin("warn", 2, warn),
    builtin("break", 1, identity),
    builtin("addErrorContext", 2, add_error_context),
    builtin("import", 1, import),
    builtin("scopedImport", 2, scoped_import),
    builtin("genericClosure", 1, generic_closure),
    builtin("getEnv", 1, get_env),
];

fn abort<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let message = e.coerce_to_str(args[0], at)?;
    let message = format!("evaluation aborted: {message}");
    Err(Diagnostic::error("eval::abort", at, message).into())
}

fn throw<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Err(Diagnostic::error("eval::throw", at, e.coerce_to_str(args[0], at)?).into())
}

fn try_eval<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let (success, value) = match e.force_at(args[0], at) {
        Ok(value) => (true, value),
        Err(error) if error.is_catchable() => (false, Value::Bool(false)),
        Err(error) => return Err(error),
    };
    Ok(e.attrs([("success", Value::Bool(success)), ("value", value)]))
}

/// Nixpkgs' `lib.warn` asks whether a warning is to be an error. That is Nix's own switch, which is
/// never set here; every other variable would make the result depend on the machine.
fn get_env<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    match e.expect_str(args[0], at)? {
        "NIX_ABORT_ON_WARN" => Ok(e.str("")),
        name => Err(no_variable(name, at)),
    }
}

fn seq<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.force_at(args[0], at)?;
    Ok(args[1])
}

fn deep_seq<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.force_deep(args[0], at)?;
    Ok(args[1])
}

fn say<'a>(e: &Evaluator<'a>, prefix: &str, value: Value<'a>, at: Span) -> Result<()> {
    let text = match e.force_at(value, at)? {
        Value::Str(text) => (*text).to_owned(),
        other => e.print(other)?,
    };
    if let Some(sink) = &e.world.trace {
        sink(&format!("{prefix}: {text}"));
    }
    Ok(())
}

fn trace<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    say(e, "trace", args[0], at)?;
    Ok(args[1])
}

fn warn<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.expect_str(args[0], at)?;
    say(e, "warning", args[0], at)?;
    Ok(args[1])
}

fn second<'a>(_: &Evaluator<'a>, args: &[Value<'a>], _: Span) -> Result<Value<'a>> {
    Ok(args[1])
}

fn identity<'a>(_: &Evaluator<'a>, args: &[Value<'a>], _: Span) -> Result<Value<'a>> {
    Ok(args[0])
}

fn add_error_context<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.force_at(args[1], at).map_err(|mut error| {
        if let Ok(context) = e.coerce_to_str(args[0], at) {
            error.push_trace(at, context);
        }
        error
    })
}

fn import<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    e.import(&path, at)
}

fn scoped_import<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let scope = e.expect_attrs(args[0], at)?;
    let path = e.expect_path(args[1], at)?;
    let names: Vec<Symbol> = scope.iter().map(|attr| attr.name).collect();
    let tree = e.world.scoped_tree(&path, &names, at).map_err(crate::eval::first)?;
    e.scoped_tree(tree, scope.iter().map(|attr| attr.value.get()).collect())
}

fn generic_closure<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let spec = e.expect_attrs(args[0], at)?;
    let part = |name: &str| {
        let attr = spec
            .get_str(name)
            .ok_or_else(|| e.missing(Value::Attrs(spec), Symbol::new(name), at))?;
        e.force_attr(attr)
    };
    let start = e.expect_list(part("startSet")?, at)?;
    if start.is_empty() {
        return Ok(Value::List(start));
    }
    let mut queue: std::collections::VecDeque<_> = start.iter().collect();
    let operator = e.expect_function(part("operator")?, at)?;
    let key_name = Symbol::new("key");
    // Keys seen so far, sorted.
    let mut keys: Vec<Value<'a>> = Vec::new();
    let mut result = Vec::new();
    while let Some(item) = queue.pop_front() {
        let item = e.force_at(item, at)?;
        let set = e.expect_attrs(item, at)?;
        let key = set.get(key_name).ok_or_else(|| e.missing(item, key_name, at))?;
        let key = e.force_attr(key)?;
        let (mut low, mut high) = (0, keys.len());
        let mut seen = false;
        while low < high && !seen {
            let middle = low + (high - low) / 2;
            match e.compare(keys[middle], key, at)? {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => seen = true,
            }
        }
        if seen {
            continue;
        }
        keys.insert(low, key);
        result.push(item);
        queue.extend(e.expect_list(e.call(operator, &[item], at)?, at)?.iter());
        e.tick(at)?;
    }
    Ok(e.list(result))
}
