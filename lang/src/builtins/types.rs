//! What a value is.

use super::{Builtin, builtin};
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("typeOf", 1, type_of),
    builtin("isNull", 1, |e, args, at| is("null", e, args, at)),
    builtin("isBool", 1, |e, args, at| is("bool", e, args, at)),
    builtin("isInt", 1, |e, args, at| is("int", e, args, at)),
    builtin("isFloat", 1, |e, args, at| is("float", e, args, at)),
    builtin("isString", 1, |e, args, at| is("string", e, args, at)),
    builtin("isPath", 1, |e, args, at| is("path", e, args, at)),
    builtin("isList", 1, |e, args, at| is("list", e, args, at)),
    builtin("isAttrs", 1, |e, args, at| is("set", e, args, at)),
    builtin("isFunction", 1, |e, args, at| is("lambda", e, args, at)),
];

fn type_of<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(e.str_in(e.force_at(args[0], at)?.type_name()))
}

fn is<'a>(kind: &str, e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(Value::Bool(e.force_at(args[0], at)?.type_name() == kind))
}
