//! Equality and order of values.

use std::cmp::Ordering;

use super::Evaluator;
use crate::brief;
use crate::diagnostic::{Diagnostic, Result};
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::{Attrs, List, Value};

impl<'a> Evaluator<'a> {
    /// `left == right`. Functions equal nothing, except that a shared list or set equals itself.
    ///
    /// # Errors
    /// Whatever forcing meets.
    pub fn equal(&self, left: Value<'a>, right: Value<'a>, at: Span) -> Result<bool> {
        let (left, right) = (self.force_at(left, at)?, self.force_at(right, at)?);
        Ok(match (left, right) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => a as f64 == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Path(a), Value::Path(b)) => a == b,
            (Value::List(a), Value::List(b)) => self.lists_equal(a, b, at)?,
            (Value::Attrs(a), Value::Attrs(b)) => self.sets_equal(a, b, at)?,
            _ => false,
        })
    }

    /// Elements of lists and sets: the very same value equals itself, functions too, as in Nix.
    pub(crate) fn parts_equal(&self, left: Value<'a>, right: Value<'a>, at: Span) -> Result<bool> {
        let same = match (left, right) {
            (Value::Thunk(a), Value::Thunk(b)) => std::ptr::eq(a, b),
            (Value::Lambda(a), Value::Lambda(b)) => std::ptr::eq(a, b),
            (Value::PrimOp(a), Value::PrimOp(b)) => std::ptr::eq(a, b),
            _ => false,
        };
        if same {
            // It may still fail.
            return self.force_at(left, at).map(|_| true);
        }
        self.tick(at)?;
        self.deeper(at, || self.equal(left, right, at))
    }

    fn lists_equal(&self, a: &'a List<'a>, b: &'a List<'a>, at: Span) -> Result<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (left, right) in a.iter().zip(b.iter()) {
            if !self.parts_equal(left, right, at)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn sets_equal(&self, a: &'a Attrs<'a>, b: &'a Attrs<'a>, at: Span) -> Result<bool> {
        if self.is_derivation(a)? && self.is_derivation(b)? {
            let out = (a.get(symbol!("outPath")), b.get(symbol!("outPath")));
            if let (Some(left), Some(right)) = out {
                return self.equal(left.value.get(), right.value.get(), at);
            }
        }
        if a.len() != b.len() {
            return Ok(false);
        }
        for (left, right) in a.iter().zip(b.iter()) {
            if left.name != right.name {
                return Ok(false);
            }
        }
        for left in a.sorted() {
            let Some(right) = b.get(left.name) else { return Ok(false) };
            if !self.parts_equal(left.value.get(), right.value.get(), left.span.or(at))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn is_derivation(&self, set: &'a Attrs<'a>) -> Result<bool> {
        let Some(attr) = set.get(symbol!("type")) else { return Ok(false) };
        Ok(matches!(self.force_attr(attr)?, Value::Str(text) if **text == *"derivation"))
    }

    /// The order of two numbers, strings, paths, or lists of these.
    ///
    /// # Errors
    /// `type::not-comparable`, or whatever forcing meets.
    pub fn compare(&self, left: Value<'a>, right: Value<'a>, at: Span) -> Result<Ordering> {
        // A NaN is neither less nor more; Nix asks only whether one is less.
        Ok(if self.less(left, right, at)? {
            Ordering::Less
        } else if self.less(right, left, at)? {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    }

    /// `left < right`
    pub(crate) fn less(&self, left: Value<'a>, right: Value<'a>, at: Span) -> Result<bool> {
        let (left, right) = (self.force_at(left, at)?, self.force_at(right, at)?);
        Ok(match (left, right) {
            (Value::Int(a), Value::Int(b)) => a < b,
            (Value::Float(a), Value::Float(b)) => a < b,
            (Value::Int(a), Value::Float(b)) => (a as f64) < b,
            (Value::Float(a), Value::Int(b)) => a < b as f64,
            (Value::Str(a), Value::Str(b)) => a < b,
            (Value::Path(a), Value::Path(b)) => self.path_text(a) < self.path_text(b),
            (Value::List(a), Value::List(b)) => {
                for (left, right) in a.iter().zip(b.iter()) {
                    self.tick(at)?;
                    if !self.deeper(at, || self.equal(left, right, at))? {
                        return self.deeper(at, || self.less(left, right, at));
                    }
                }
                a.len() < b.len()
            }
            (left, right) => return Err(not_comparable(left, right, at)),
        })
    }
}

#[cold]
fn not_comparable(left: Value<'_>, right: Value<'_>, at: Span) -> Box<Diagnostic> {
    let (left, right) = (brief::described(left), brief::described(right));
    let message = format!("{left} and {right} have no order");
    Diagnostic::error("type::not-comparable", at, message)
        .with_help(
            "numbers, strings, paths, and lists of these can be compared, each with its like",
        )
        .into()
}
