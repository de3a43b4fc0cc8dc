//! Operators with two operands.

use std::cell::Cell;

use super::Evaluator;
use super::inspect::{mismatch, virtual_path};
use crate::diagnostic::{Diagnostic, Result};
use crate::source::Span;
use crate::tree::{BinaryOp, Expr, Part};
use crate::value::{Env, List, Value};

impl<'a> Evaluator<'a> {
    pub(crate) fn binary(
        &self,
        op: BinaryOp,
        left: &'a Expr,
        right: &'a Expr,
        env: &'a Env<'a>,
        at: Span,
    ) -> Result<Value<'a>> {
        Ok(match op {
            BinaryOp::Add => {
                let (a, b) = (self.eval(left, env)?, self.eval(right, env)?);
                return match (a, b) {
                    (Value::Int(a), Value::Int(b)) => integer(a.checked_add(b), "+", at),
                    (a, b) => self.add(a, b, left.span, right.span),
                };
            }
            BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                let (a, b) = (self.eval(left, env)?, self.eval(right, env)?);
                return arithmetic(op, a, b, (left.span, right.span, at));
            }
            BinaryOp::Less => Value::Bool(self.ordered(left, right, env, at)?),
            BinaryOp::LessOrEqual => Value::Bool(!self.ordered(right, left, env, at)?),
            BinaryOp::More => Value::Bool(self.ordered(right, left, env, at)?),
            BinaryOp::MoreOrEqual => Value::Bool(!self.ordered(left, right, env, at)?),
            BinaryOp::Equal => Value::Bool(self.exprs_equal(left, right, env, at)?),
            BinaryOp::NotEqual => Value::Bool(!self.exprs_equal(left, right, env, at)?),
            BinaryOp::And => Value::Bool(self.eval_bool(left, env)? && self.eval_bool(right, env)?),
            BinaryOp::Or => Value::Bool(self.eval_bool(left, env)? || self.eval_bool(right, env)?),
            BinaryOp::Implies => {
                Value::Bool(!self.eval_bool(left, env)? || self.eval_bool(right, env)?)
            }
            BinaryOp::Concat => {
                let a = self.expect_list(self.eval(left, env)?, left.span)?;
                let b = self.expect_list(self.eval(right, env)?, right.span)?;
                return self.concat(&[a, b], at);
            }
            BinaryOp::Update => {
                let a = self.expect_attrs(self.eval(left, env)?, left.span)?;
                let b = self.expect_attrs(self.eval(right, env)?, right.span)?;
                self.claim((a.len_at_most() + b.len_at_most()) * 32, at)?;
                self.update(a, b)
            }
        })
    }

    fn ordered(&self, a: &'a Expr, b: &'a Expr, env: &'a Env<'a>, at: Span) -> Result<bool> {
        let (a, b) = (self.eval(a, env)?, self.eval(b, env)?);
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Ok(a < b),
            (a, b) => self.less(a, b, at),
        }
    }

    fn exprs_equal(&self, a: &'a Expr, b: &'a Expr, env: &'a Env<'a>, at: Span) -> Result<bool> {
        let (a, b) = (self.eval(a, env)?, self.eval(b, env)?);
        self.equal(a, b, at)
    }

    pub(crate) fn eval_bool(&self, expr: &'a Expr, env: &'a Env<'a>) -> Result<bool> {
        match self.eval(expr, env)? {
            Value::Bool(value) => Ok(value),
            other => Err(mismatch("a boolean", other, expr.span)),
        }
    }

    /// `a + b` for anything but two integers.
    pub(crate) fn add(
        &self,
        a: Value<'a>,
        b: Value<'a>,
        a_at: Span,
        b_at: Span,
    ) -> Result<Value<'a>> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => integer(a.checked_add(b), "+", a_at),
            (Value::Int(a), Value::Float(b)) => Ok(Value::Float(a as f64 + b)),
            (Value::Float(a), Value::Int(b)) => Ok(Value::Float(a + b as f64)),
            (Value::Float(a), Value::Float(b)) => Ok(Value::Float(a + b)),
            (Value::Int(_) | Value::Float(_), other) => {
                let error = mismatch("a number", other, b_at);
                Err(match other {
                    Value::Str(_) => Box::new(
                        error.with_help("to join texts, write `toString` before the number"),
                    ),
                    _ => error,
                })
            }
            (Value::Path(path), other) => {
                let suffix = match other {
                    Value::Path(path) => self.path_text(path),
                    other => self.coerce_to_str(other, b_at)?,
                };
                self.append_to_path(&virtual_path(path), suffix, b_at)
            }
            (Value::Null | Value::Bool(_) | Value::List(_) | Value::Lambda(_), _) => {
                let help =
                    "`+` adds numbers and joins strings and paths; `++` joins lists, `//` sets";
                Err(Box::new(mismatch("a number, string or path", a, a_at).with_help(help)))
            }
            (a, b) => {
                let a = self.coerce_to_str(a, a_at)?;
                let b = self.coerce_to_str(b, b_at)?;
                self.join_strs(&[a, b], a_at)
            }
        }
    }

    /// Texts, one after the other.
    pub(crate) fn join_strs(&self, parts: &[&str], at: Span) -> Result<Value<'a>> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.claim(len, at)?;
        let mut text = bumpalo::collections::String::with_capacity_in(len, &self.arena.bump);
        parts.iter().for_each(|part| text.push_str(part));
        Ok(self.str_in(text.into_bump_str()))
    }

    /// Lists, one after the other.
    pub(crate) fn concat(&self, lists: &[&'a List<'a>], at: Span) -> Result<Value<'a>> {
        let len: usize = lists.iter().map(|list| list.len()).sum();
        if let Some(only) = lists.iter().find(|list| list.len() == len) {
            return Ok(Value::List(only));
        }
        self.claim(len * size_of::<Cell<Value<'_>>>(), at)?;
        Ok(self.list_of(len, lists.iter().flat_map(|list| list.iter())))
    }

    pub(crate) fn interpolate(&self, parts: &'a [Part], env: &'a Env<'a>) -> Result<Value<'a>> {
        // Few strings have more parts than that.
        let mut few = [""; 8];
        let mut many = Vec::new();
        let texts = match few.get_mut(..parts.len()) {
            Some(few) => few,
            None => {
                many.resize(parts.len(), "");
                &mut many
            }
        };
        let mut whole = Span::NONE;
        for (text, part) in texts.iter_mut().zip(parts) {
            *text = match part {
                Part::Text(text) => text,
                Part::Expr(expr) => {
                    whole = expr.span;
                    self.coerce_to_str(self.eval(expr, env)?, expr.span)?
                }
            };
        }
        self.join_strs(texts, whole)
    }
}

fn integer<'a>(result: Option<i64>, op: &str, at: Span) -> Result<Value<'a>> {
    result.map(Value::Int).ok_or_else(|| overflow(op, at))
}

#[cold]
fn overflow(op: &str, at: Span) -> Box<Diagnostic> {
    let message = format!("the result of `{op}` does not fit a 64-bit integer");
    Diagnostic::error("eval::overflow", at, message)
        .with_help("use a float (`1.0 * x`) where the exact value does not matter")
        .into()
}

/// `a - b`, `a * b`, `a / b`; the spans are those of `a`, `b` and the whole.
pub(crate) fn arithmetic<'a>(
    op: BinaryOp,
    a: Value<'a>,
    b: Value<'a>,
    (a_at, b_at, at): (Span, Span, Span),
) -> Result<Value<'a>> {
    let float = |a: f64, b: f64| {
        Ok(Value::Float(match op {
            BinaryOp::Add => a + b,
            BinaryOp::Sub => a - b,
            BinaryOp::Mul => a * b,
            _ if b == 0.0 => return Err(division_by_zero(b_at)),
            _ => a / b,
        }))
    };
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => match op {
            BinaryOp::Add => integer(a.checked_add(b), "+", at),
            BinaryOp::Sub => integer(a.checked_sub(b), "-", at),
            BinaryOp::Mul => integer(a.checked_mul(b), "*", at),
            _ if b == 0 => Err(division_by_zero(b_at)),
            _ => integer(a.checked_div(b), "/", at),
        },
        (Value::Int(a), Value::Float(b)) => float(a as f64, b),
        (Value::Float(a), Value::Int(b)) => float(a, b as f64),
        (Value::Float(a), Value::Float(b)) => float(a, b),
        (Value::Int(_) | Value::Float(_), other) => Err(mismatch("a number", other, b_at)),
        (other, _) => Err(mismatch("a number", other, a_at)),
    }
}

#[cold]
fn division_by_zero(at: Span) -> Box<Diagnostic> {
    Diagnostic::error("eval::division-by-zero", at, "division by zero")
        .with_label("this is 0")
        .with_help("look whether it is 0 first")
        .into()
}
