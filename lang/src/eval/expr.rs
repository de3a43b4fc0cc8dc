//! The walk over expressions.

use super::Evaluator;
use super::alloc::slot_of;
use super::call::trace_call;
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, ExprKind, Lambda, Part};
use crate::value::{Env, Value};

/// What evaluating an expression comes to: a value, or another expression in tail position.
enum Step<'a> {
    Value(Value<'a>),
    Tail(&'a Expr, &'a Env<'a>),
    /// The body of a function, and where it was called.
    Call(&'a Lambda, &'a Env<'a>, Span),
}

impl<'a> Evaluator<'a> {
    /// The value of an expression.
    #[inline]
    pub(crate) fn eval(&self, expr: &'a Expr, env: &'a Env<'a>) -> Result<Value<'a>> {
        match &expr.kind {
            ExprKind::Var(depth, slot) => {
                let cell = slot_of(env, *depth, *slot);
                match cell.get() {
                    Value::Thunk(_) => self.force_cell(cell, expr.span),
                    value => Ok(value),
                }
            }
            ExprKind::Int(value) => Ok(Value::Int(*value)),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Null => Ok(Value::Null),
            ExprKind::Float(value) => Ok(Value::Float(*value)),
            ExprKind::Str(text) => Ok(self.str_in(text)),
            ExprKind::Lambda(lambda) => Ok(self.closure(lambda, env)),
            _ => self.deeper(expr.span, || self.eval_loop(expr, env)),
        }
    }

    fn eval_loop(&self, mut expr: &'a Expr, mut env: &'a Env<'a>) -> Result<Value<'a>> {
        // The latest call in tail position: what an error's trace names.
        let mut called: Option<(&Lambda, Span)> = None;
        loop {
            match self.step(expr, env) {
                Ok(Step::Value(value)) => return Ok(value),
                Ok(Step::Tail(next, inner)) => (expr, env) = (next, inner),
                Ok(Step::Call(lambda, inner, at)) => {
                    called = Some((lambda, at));
                    (expr, env) = (&lambda.body, inner);
                }
                Err(mut error) => {
                    if let Some((lambda, at)) = called {
                        trace_call(&mut error, lambda, at);
                    }
                    return Err(error);
                }
            }
            // A loop of tail calls takes no depth, so limits of time are looked at here.
            self.tick(expr.span)?;
        }
    }

    fn step(&self, expr: &'a Expr, env: &'a Env<'a>) -> Result<Step<'a>> {
        Ok(match &expr.kind {
            ExprKind::If(condition, yes, no) => {
                Step::Tail(if self.eval_bool(condition, env)? { yes } else { no }, env)
            }
            ExprKind::Let(bindings, body) => Step::Tail(body, self.bind(bindings, env)),
            ExprKind::WithScope(scope, body) => {
                let scope = self.delay(scope, env);
                Step::Tail(body, self.env(Some(env), std::iter::once(scope)))
            }
            ExprKind::Assert(condition, body) => {
                if !self.eval_bool(condition, env)? {
                    let error =
                        Diagnostic::error("eval::assert", condition.span, "this assertion failed");
                    return Err(error.into());
                }
                Step::Tail(body, env)
            }
            ExprKind::Apply(function, args) => return self.apply(function, args, env, expr.span),
            ExprKind::Binary(op, left, right) => {
                Step::Value(self.binary(*op, left, right, env, expr.span)?)
            }
            ExprKind::Select(of, path, default) => {
                Step::Value(self.select(of, path, default.as_deref(), env)?)
            }
            _ => Step::Value(self.plain(expr, env)?),
        })
    }

    /// The forms that have no tail position.
    fn plain(&self, expr: &'a Expr, env: &'a Env<'a>) -> Result<Value<'a>> {
        match &expr.kind {
            ExprKind::Attrs(attrs) => self.build_attrs(attrs, env),
            ExprKind::List(items) => {
                Ok(self.list_of(items.len(), items.iter().map(|item| self.delay(item, env))))
            }
            ExprKind::Interpolation(parts) => self.interpolate(parts, env),
            ExprKind::Global(index) => match self.globals.get(*index as usize) {
                Some(value) => Ok(*value),
                None => Err(unbound(Symbol::new("?"), expr.span)),
            },
            ExprKind::With(name, scopes) => self.with_lookup(*name, scopes, env, expr.span),
            ExprKind::HasAttr(of, path) => Ok(Value::Bool(self.has_attr(of, path, env)?)),
            ExprKind::Not(of) => Ok(Value::Bool(!self.eval_bool(of, env)?)),
            ExprKind::Negate(of) => {
                let value = self.eval(of, env)?;
                let spans = (of.span, of.span, expr.span);
                super::operators::arithmetic(
                    crate::tree::BinaryOp::Sub,
                    Value::Int(0),
                    value,
                    spans,
                )
            }
            ExprKind::Path(path) => Ok(self.path(path)),
            ExprKind::PathInterpolation(base, parts) => {
                self.interpolate_into_path(base, parts, env, expr.span)
            }
            ExprKind::Fail(error) => Err(error.clone()),
            ExprKind::CurPos => Ok(self.position_attrs(expr.span)),
            // The others were handled on the way here.
            _ => self.eval(expr, env),
        }
    }

    fn apply(
        &self,
        function: &'a Expr,
        args: &'a [Expr],
        env: &'a Env<'a>,
        at: Span,
    ) -> Result<Step<'a>> {
        let mut function = self.eval(function, env)?;
        let mut rest = args;
        while let [arg, after @ ..] = rest {
            match function {
                Value::Lambda(closure) => {
                    let (mut lambda, mut scope) = (closure.lambda, closure.env);
                    let mut arg = arg;
                    rest = after;
                    loop {
                        scope = self.enter(lambda, scope, self.delay(arg, env), at)?;
                        // Curried arguments go straight in, without a closure for each.
                        let (ExprKind::Lambda(inner), [next, after @ ..]) =
                            (&lambda.body.kind, rest)
                        else {
                            break;
                        };
                        (lambda, arg, rest) = (inner, next, after);
                    }
                    if rest.is_empty() {
                        return Ok(Step::Call(lambda, scope, at));
                    }
                    function = self.run_body(lambda, scope, at)?;
                }
                Value::PrimOp(primop) => {
                    let taken = (primop.arity - primop.args.len()).min(rest.len());
                    let (now, after) = rest.split_at(taken);
                    rest = after;
                    function = match now {
                        [one] => self.call_primop(primop, &[self.delay(one, env)], at)?,
                        [one, two] => {
                            let args = [self.delay(one, env), self.delay(two, env)];
                            self.call_primop(primop, &args, at)?
                        }
                        many => {
                            let args: Vec<_> =
                                many.iter().map(|arg| self.delay(arg, env)).collect();
                            self.call_primop(primop, &args, at)?
                        }
                    };
                }
                Value::Attrs(set) => function = self.functor(set, function, at)?,
                other => return Err(super::call::not_a_function(other, at)),
            }
        }
        Ok(Step::Value(function))
    }

    fn with_lookup(
        &self,
        name: Symbol,
        scopes: &[u32],
        env: &'a Env<'a>,
        at: Span,
    ) -> Result<Value<'a>> {
        for depth in scopes {
            let scope = self.force_cell(slot_of(env, *depth, 0), at)?;
            if let Some(attr) = self.expect_attrs(scope, at)?.get(name) {
                return self.force_cell(&attr.value, at);
            }
        }
        for depth in scopes {
            let scope = self.force_cell(slot_of(env, *depth, 0), at)?;
            if super::attrs::fallback(scope).is_some() {
                return self.absent(scope, name, at);
            }
        }
        Err(unbound(name, at))
    }

    fn interpolate_into_path(
        &self,
        base: &VirtualPath,
        parts: &'a [Part],
        env: &'a Env<'a>,
        at: Span,
    ) -> Result<Value<'a>> {
        let mut suffix = String::from("/");
        for part in parts {
            match part {
                Part::Text(text) => suffix.push_str(text),
                Part::Expr(expr) => match self.eval(expr, env)? {
                    Value::Path(path) => suffix.push_str(self.path_text(path)),
                    value => suffix.push_str(self.coerce_to_str(value, expr.span)?),
                },
            }
        }
        self.append_to_path(base, &suffix, at)
    }

    /// A source file's name: its real path where paths show at all.
    fn file_name(&self, name: &str) -> Value<'a> {
        let path = VirtualPath::new(Root::Fleet, name).filter(|_| !name.starts_with('<'));
        let real = path.filter(|_| self.shows_real_paths());
        match real.and_then(|path| self.world.roots.real_path(&path)) {
            Some(real) => self.str(&real.to_string_lossy()),
            None => self.str(name),
        }
    }

    /// `{ file; line; column; }` of a place, or null.
    pub(crate) fn position_attrs(&self, at: Span) -> Value<'a> {
        let Some(place) = self.world.sources.place(at) else { return Value::Null };
        self.attrs([
            ("file", self.file_name(&place.file)),
            ("line", Value::Int(place.start.line.into())),
            ("column", Value::Int(place.start.column.into())),
        ])
    }
}

#[cold]
fn unbound(name: Symbol, at: Span) -> Box<Diagnostic> {
    let message = format!("`{name}` is not defined, and no `with` around it brings it");
    Diagnostic::error("name::unbound", at, message).into()
}
