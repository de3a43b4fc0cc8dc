//! The walk over expressions.

use super::Evaluator;
use super::alloc::known_int;
use super::call::trace_call;
use super::scope::slot_of;
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind, Lambda, Param, Part};
use crate::value::{Closure, Env, PrimOp, Value};

/// What evaluating an expression comes to: a value, or another expression in tail position.
enum Step<'a> {
    Value(Value<'a>),
    Tail(&'a Expr),
    /// An expression in a scope of its own.
    Within(&'a Expr, &'a Env<'a>),
    /// The body of a function in the scope of its arguments, and where it was called.
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
            ExprKind::Str(text) => Ok(Value::Str(text.text())),
            ExprKind::Lambda(lambda) => Ok(self.closure(lambda, env)),
            ExprKind::Global(index) => Ok(self.global(*index)),
            ExprKind::Binary(op, left, right)
                if let Some(value) = known_result(*op, left, right, env) =>
            {
                Ok(value)
            }
            _ => self.deeper(expr.span, || self.eval_loop(expr, env)),
        }
    }

    fn eval_loop(&self, mut expr: &'a Expr, mut env: &'a Env<'a>) -> Result<Value<'a>> {
        // The latest call in tail position: what an error's trace names.
        let mut called: Option<(&Lambda, Span)> = None;
        // Whether the scope was made here, and ends here.
        let mut own = false;
        loop {
            let inner = match self.step(expr, env) {
                Ok(Step::Value(value)) => {
                    if own {
                        self.leave(env);
                    }
                    return Ok(value);
                }
                Ok(Step::Tail(next)) => {
                    expr = next;
                    continue;
                }
                Ok(Step::Within(next, inner)) => {
                    expr = next;
                    inner
                }
                Ok(Step::Call(lambda, inner, at)) => {
                    called = Some((lambda, at));
                    expr = &lambda.body;
                    inner
                }
                Err(mut error) => {
                    if let Some((lambda, at)) = called {
                        trace_call(&mut error, lambda, at);
                    }
                    return Err(error);
                }
            };
            if own {
                self.leave(env);
            }
            (env, own) = (inner, true);
            // A loop of tail calls takes no depth, so limits of time are looked at here.
            self.tick(expr.span)?;
        }
    }

    fn step(&self, expr: &'a Expr, env: &'a Env<'a>) -> Result<Step<'a>> {
        Ok(match &expr.kind {
            ExprKind::If(condition, yes, no) => {
                Step::Tail(if self.eval_bool(condition, env)? { yes } else { no })
            }
            ExprKind::Let(bindings, body) => Step::Within(body, self.bind(bindings, env)),
            ExprKind::WithScope(scope, body) => Step::Within(body, self.scope_with(scope, env)),
            ExprKind::Assert(condition, body) => {
                if !self.eval_bool(condition, env)? {
                    let error =
                        Diagnostic::error("eval::assert", condition.span, "this assertion failed");
                    return Err(error.into());
                }
                Step::Tail(body)
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
        while !rest.is_empty() {
            match function {
                Value::Lambda(closure) => {
                    let lambda = closure.lambda;
                    let missing = lambda.param.count() - closure.given;
                    if rest.len() < missing {
                        let given = rest.iter().map(|arg| self.delay(arg, env));
                        return Ok(Step::Value(self.give(closure, given)));
                    }
                    let (now, after) = rest.split_at(missing);
                    rest = after;
                    let inner = match (&lambda.param, now) {
                        (Param::Pattern(pattern), [arg]) => {
                            let arg = self.eval(arg, env)?;
                            self.destructure(closure, pattern, arg, at)?
                        }
                        _ => self.bind_args(closure, now, env).map_err(|mut error| {
                            trace_call(&mut error, lambda, at);
                            error
                        })?,
                    };
                    if rest.is_empty() {
                        return Ok(Step::Call(lambda, inner, at));
                    }
                    function = self.run_body(lambda, inner, at)?;
                }
                Value::PrimOp(primop) => {
                    let taken = (primop.arity - primop.args.len()).min(rest.len());
                    let (now, after) = rest.split_at(taken);
                    rest = after;
                    function = match now {
                        [one] => {
                            let mut args = [Value::Null];
                            self.primop_args(primop, std::slice::from_ref(one), env, &mut args)?;
                            self.call_primop(primop, &args, at)?
                        }
                        [_, _] => {
                            let mut args = [Value::Null; 2];
                            self.primop_args(primop, now, env, &mut args)?;
                            self.call_primop(primop, &args, at)?
                        }
                        many => {
                            let mut args = vec![Value::Null; many.len()];
                            self.primop_args(primop, many, env, &mut args)?;
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

    /// A scope with the arguments that a function misses. What its body asks for first is
    /// computed right here, the others are later.
    fn bind_args(
        &self,
        closure: &'a Closure<'a>,
        args: &'a [Expr],
        env: &'a Env<'a>,
    ) -> Result<&'a Env<'a>> {
        let inner = self.scope_of(closure);
        let asks_first = &closure.lambda.asks_first;
        for (index, arg) in args.iter().enumerate() {
            let slot = closure.given + index;
            if !asks_first.contains(&(slot as u32)) {
                inner.slots[slot].set(self.delay(arg, env));
            }
        }
        for &slot in asks_first {
            let cell = &inner.slots[slot as usize];
            match (slot as usize).checked_sub(closure.given) {
                Some(index) => cell.set(self.eval(&args[index], env)?),
                None => _ = self.force_cell(cell, Span::NONE)?,
            }
        }
        Ok(inner)
    }

    /// The arguments of a function written in Rust, as [`Self::bind_args`] makes them.
    fn primop_args(
        &self,
        primop: &PrimOp<'a>,
        exprs: &'a [Expr],
        env: &'a Env<'a>,
        args: &mut [Value<'a>],
    ) -> Result<()> {
        let asks_first = if exprs.len() == primop.arity { primop.asks_first } else { &[] };
        for (index, (expr, arg)) in exprs.iter().zip(args.iter_mut()).enumerate() {
            if !asks_first.contains(&index) {
                *arg = self.delay(expr, env);
            }
        }
        for &index in asks_first {
            args[index] = self.eval(&exprs[index], env)?;
        }
        Ok(())
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

/// The result of an operator whose operands are integers already.
#[inline]
fn known_result<'a>(
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
    env: &'a Env<'a>,
) -> Option<Value<'a>> {
    let (a, b) = (known_int(left, env)?, known_int(right, env)?);
    Some(match op {
        BinaryOp::Add => Value::Int(a.checked_add(b)?),
        BinaryOp::Sub => Value::Int(a.checked_sub(b)?),
        BinaryOp::Mul => Value::Int(a.checked_mul(b)?),
        BinaryOp::Less => Value::Bool(a < b),
        BinaryOp::LessOrEqual => Value::Bool(a <= b),
        BinaryOp::More => Value::Bool(a > b),
        BinaryOp::MoreOrEqual => Value::Bool(a >= b),
        BinaryOp::Equal => Value::Bool(a == b),
        BinaryOp::NotEqual => Value::Bool(a != b),
        _ => return None,
    })
}

#[cold]
fn unbound(name: Symbol, at: Span) -> Box<Diagnostic> {
    let message = format!("`{name}` is not defined, and no `with` around it brings it");
    Diagnostic::error("name::unbound", at, message).into()
}
