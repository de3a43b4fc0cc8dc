//! Names that a `let` binds and nothing uses.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Expr, ExprKind, Key, Lambda, Param, Part, Tree};

/// A warning for each name that a `let` of this file binds for nothing. A name that begins with
/// `_` is meant so.
pub(super) fn unused(tree: &Tree) -> Vec<Diagnostic> {
    let mut walk = Walk { scopes: Vec::new(), found: Vec::new() };
    walk.expr(&tree.root);
    walk.found
}

/// The names of one environment, and whether each was used; none where that does not matter.
type Names = Vec<(Symbol, Span, bool)>;

struct Walk {
    scopes: Vec<Names>,
    found: Vec<Diagnostic>,
}

impl Walk {
    fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.kind(expr));
    }

    fn kind(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Var(depth, slot) => self.mark(*depth, *slot),
            ExprKind::Interpolation(parts) | ExprKind::PathInterpolation(_, parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
            ExprKind::Select(of, path, default) => {
                self.expr(of);
                self.keys(path);
                default.iter().for_each(|default| self.expr(default));
            }
            ExprKind::HasAttr(of, path) => {
                self.expr(of);
                self.keys(path);
            }
            ExprKind::Apply(function, args) => {
                self.expr(function);
                args.iter().for_each(|arg| self.expr(arg));
            }
            ExprKind::Lambda(lambda) => self.lambda(lambda),
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Attrs(attrs) => self.bindings(attrs, None),
            ExprKind::Let(bindings, body) => self.bindings(bindings, Some(body)),
            ExprKind::WithScope(scope, body) => {
                self.expr(scope);
                self.scopes.push(Names::new());
                self.expr(body);
                self.scopes.pop();
            }
            ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|expr| self.expr(expr)),
            ExprKind::Assert(a, b) | ExprKind::Binary(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Not(of) | ExprKind::Negate(of) => self.expr(of),
            _ => {}
        }
    }

    fn mark(&mut self, depth: u32, slot: u32) {
        let scope = self.scopes.iter_mut().rev().nth(depth as usize);
        if let Some((_, _, used)) = scope.and_then(|names| names.get_mut(slot as usize)) {
            *used = true;
        }
    }

    fn keys(&mut self, path: &[Key]) {
        for key in path {
            if let Key::Dynamic(expr) = key {
                self.expr(expr);
            }
        }
    }

    fn lambda(&mut self, lambda: &Lambda) {
        self.scopes.push(Names::new());
        if let Param::Pattern(pattern) = &lambda.param {
            let defaults = pattern.formals.iter().filter_map(|formal| formal.default.as_ref());
            defaults.for_each(|default| self.expr(default));
        }
        self.expr(&lambda.body);
        self.scopes.pop();
    }

    /// A set; with a body, a `let`.
    fn bindings(&mut self, attrs: &AttrsExpr, body: Option<&Expr>) {
        for entry in attrs.entries.iter().filter(|entry| entry.outer) {
            self.expr(&entry.value);
        }
        if attrs.has_env() {
            let names = attrs.entries.iter().map(|entry| (entry.name, entry.span, false));
            self.scopes.push(if body.is_some() { names.collect() } else { Names::new() });
        }
        attrs.sources.iter().for_each(|source| self.expr(source));
        for entry in attrs.entries.iter().filter(|entry| !entry.outer) {
            self.expr(&entry.value);
        }
        for entry in &attrs.dynamic {
            self.expr(&entry.name);
            self.expr(&entry.value);
        }
        body.iter().for_each(|body| self.expr(body));
        if attrs.has_env() {
            self.close();
        }
    }

    fn close(&mut self) {
        for (name, span, used) in self.scopes.pop().unwrap_or_default() {
            if !used && !name.as_str().starts_with('_') {
                let message = format!("`{name}` is never used");
                let help = "remove it, or begin its name with `_`";
                self.found.push(Diagnostic::warning("name::unused", span, message).with_help(help));
            }
        }
    }
}
