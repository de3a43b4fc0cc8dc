//! stub
use crate::diagnostic::Diagnostic;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};
pub(crate) fn globals<'a>(_e: &Evaluator<'a>) -> Vec<Value<'a>> {
    Vec::new()
}
pub(crate) fn index(_name: &str) -> Option<u32> {
    None
}
pub(crate) fn unavailable_in<'a>(
    _e: &Evaluator<'a>,
    _s: &Attrs<'a>,
    _n: Symbol,
    _at: Span,
) -> Option<Box<Diagnostic>> {
    None
}
