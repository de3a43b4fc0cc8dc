//! Forcing: a thunk is computed once; a failed one fails again with the same error.

use std::cell::Cell;

use rustc_hash::FxHashSet;

use super::Evaluator;
use crate::diagnostic::{Diagnostic, Result};
use crate::source::Span;
use crate::tree::Expr;
use crate::value::{Attr, Attrs, List, Thunk, ThunkState, Value};

impl<'a> Evaluator<'a> {
    /// The value itself, its parts perhaps thunks.
    ///
    /// # Errors
    /// Whatever computing it meets.
    #[inline]
    pub fn force(&self, value: Value<'a>) -> Result<Value<'a>> {
        self.force_at(value, Span::NONE)
    }

    /// As [`Self::force`], on behalf of the expression at `at`.
    ///
    /// # Errors
    /// Whatever computing it meets.
    #[inline]
    pub fn force_at(&self, value: Value<'a>, at: Span) -> Result<Value<'a>> {
        match value {
            Value::Thunk(thunk) => self.force_thunk(thunk, at),
            value => Ok(value),
        }
    }

    /// Forces what a cell holds, and writes the result back.
    ///
    /// # Errors
    /// Whatever computing it meets.
    #[inline]
    pub fn force_cell(&self, cell: &Cell<Value<'a>>, at: Span) -> Result<Value<'a>> {
        match cell.get() {
            Value::Thunk(thunk) => {
                let value = self.force_thunk(thunk, at)?;
                cell.set(value);
                Ok(value)
            }
            value => Ok(value),
        }
    }

    /// Forces an attribute's value.
    ///
    /// # Errors
    /// Whatever computing it meets, with the attribute in its trace.
    pub fn force_attr(&self, attr: &Attr<'a>) -> Result<Value<'a>> {
        self.force_cell(&attr.value, attr.span).map_err(|mut error| {
            error.push_trace(attr.span, format!("while evaluating the attribute `{}`", attr.name));
            error
        })
    }

    /// Forces a value and everything in it.
    ///
    /// # Errors
    /// Whatever computing it meets.
    pub fn force_deep(&self, value: Value<'a>, at: Span) -> Result<Value<'a>> {
        let value = self.force_at(value, at)?;
        // A set may contain itself (`rec { a = a'; … }`), or the same part many times.
        let mut seen = FxHashSet::default();
        self.force_within(value, at, &mut seen)?;
        Ok(value)
    }

    fn force_within(
        &self,
        value: Value<'a>,
        at: Span,
        seen: &mut FxHashSet<*const ()>,
    ) -> Result<()> {
        let address = match value {
            Value::List(list) => std::ptr::from_ref::<List<'a>>(list).cast(),
            Value::Attrs(attrs) => std::ptr::from_ref::<Attrs<'a>>(attrs).cast(),
            _ => return Ok(()),
        };
        if !seen.insert(address) {
            return Ok(());
        }
        self.tick(at)?;
        self.deeper(at, || match value {
            Value::List(list) => list.cells().iter().try_for_each(|cell| {
                let item = self.force_cell(cell, at)?;
                self.force_within(item, at, seen)
            }),
            Value::Attrs(attrs) => attrs.sorted().into_iter().try_for_each(|attr| {
                let value = self.force_attr(attr)?;
                self.force_within(value, attr.span.or(at), seen).map_err(|mut error| {
                    let message = format!("while evaluating the attribute `{}`", attr.name);
                    error.push_trace(attr.span, message);
                    error
                })
            }),
            _ => Ok(()),
        })
    }

    pub(crate) fn force_thunk(&self, thunk: &'a Thunk<'a>, at: Span) -> Result<Value<'a>> {
        let before = thunk.state.get();
        let result = match before {
            ThunkState::Done(value) => return Ok(value),
            ThunkState::Delayed(expr, env) => {
                thunk.state.set(ThunkState::Forcing(Some(expr)));
                self.eval(expr, env).inspect(|_| self.leave(env))
            }
            ThunkState::Apply(call, arg) => {
                thunk.state.set(ThunkState::Forcing(None));
                self.call(call.function, &[arg], call.at)
            }
            ThunkState::Native(body) => {
                thunk.state.set(ThunkState::Forcing(None));
                let result =
                    self.deeper(at, || body(self).and_then(|value| self.force_at(value, at)));
                // Rust code has no place of its own: the error is where its value is asked for.
                result.map_err(|mut error| {
                    error.span = error.span.or(at);
                    error
                })
            }
            ThunkState::Forcing(expr) => return Err(self.infinite(expr, at)),
            ThunkState::Failed(number) => return Err(self.failure(number)),
        };
        match result {
            Ok(value) => {
                thunk.state.set(ThunkState::Done(value));
                Ok(value)
            }
            Err(error) => {
                // What somebody did not wait for is no fault of the value.
                let after = match error.code.as_str() {
                    "eval::interrupted" | "eval::time" => before,
                    _ => ThunkState::Failed(self.remember(&error)),
                };
                thunk.state.set(after);
                Err(error)
            }
        }
    }

    #[cold]
    fn infinite(&self, expr: Option<&'a Expr>, at: Span) -> Box<Diagnostic> {
        let defined = expr.map_or(Span::NONE, |expr| expr.span);
        let mut error =
            Diagnostic::error("eval::infinite-recursion", at.or(defined), "infinite recursion")
                .with_label("this needs its own value")
                .with_help(
                    "a value must not depend on itself; look at what the trace leads through",
                );
        if defined != error.span {
            error = error.with_related(defined, "the value that needs itself");
        }
        error.into()
    }

    #[cold]
    fn failure(&self, number: u32) -> Box<Diagnostic> {
        let errors = self.errors.borrow();
        let known = errors.get(number as usize).cloned();
        Box::new(known.unwrap_or_else(|| {
            Diagnostic::error("eval::failed", Span::NONE, "this value failed before")
        }))
    }

    /// The number of an error. One error on its way up through many thunks is kept once.
    #[cold]
    fn remember(&self, error: &Diagnostic) -> u32 {
        let mut errors = self.errors.borrow_mut();
        let same = |known: &Diagnostic| {
            known.span == error.span && known.code == error.code && known.message == error.message
        };
        if !errors.last().is_some_and(same) {
            errors.push(error.clone());
        }
        errors.len() as u32 - 1
    }
}
