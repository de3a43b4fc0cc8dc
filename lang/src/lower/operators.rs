//! Operators. In Nix some of them stand for functions by their names (`a - b` is `__sub a b`), so a
//! program that binds such a name changes what they mean.

use rnix::ast;

use super::Lowerer;
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind};

/// The functions that operators and search paths stand for.
const STAND_INS: [&str; 6] = ["__sub", "__mul", "__div", "__lessThan", "__findFile", "__nixPath"];

/// Whether a file, or the scope around it, may bind one of them: few do, so the others need not
/// look.
pub(super) fn may_redefine(text: &str, scope: &[Symbol]) -> bool {
    let in_scope = |name: &str| scope.iter().any(|known| known.as_str() == name);
    STAND_INS.iter().any(|name| text.contains(name) || in_scope(name))
}

impl Lowerer<'_> {
    pub(super) fn unary(&mut self, node: &ast::UnaryOp, span: Span) -> ExprKind {
        let of = self.part(node.expr(), span);
        match node.operator() {
            Some(ast::UnaryOpKind::Negate) => match self.redefined("__sub", span) {
                Some(function) => {
                    let zero = Expr { kind: ExprKind::Int(0), span };
                    ExprKind::Apply(function, [zero, *of].into())
                }
                None => ExprKind::Negate(of),
            },
            _ => ExprKind::Not(of),
        }
    }

    pub(super) fn binary(&mut self, node: &ast::BinOp, span: Span) -> ExprKind {
        let Some(kind) = node.operator() else {
            let message = "an operator is missing here";
            self.report(Diagnostic::error("syntax::error", span, message));
            return ExprKind::Null;
        };
        if let ast::BinOpKind::PipeRight | ast::BinOpKind::PipeLeft = kind {
            return self.pipe(node, kind, span);
        }
        let (left, right) = (self.part(node.lhs(), span), self.part(node.rhs(), span));
        let op = match kind {
            ast::BinOpKind::Concat => BinaryOp::Concat,
            ast::BinOpKind::Update => BinaryOp::Update,
            ast::BinOpKind::Add => BinaryOp::Add,
            ast::BinOpKind::Sub => BinaryOp::Sub,
            ast::BinOpKind::Mul => BinaryOp::Mul,
            ast::BinOpKind::Div => BinaryOp::Div,
            ast::BinOpKind::And => BinaryOp::And,
            ast::BinOpKind::Or => BinaryOp::Or,
            ast::BinOpKind::Implication => BinaryOp::Implies,
            ast::BinOpKind::Equal => BinaryOp::Equal,
            ast::BinOpKind::NotEqual => BinaryOp::NotEqual,
            ast::BinOpKind::Less => BinaryOp::Less,
            ast::BinOpKind::LessOrEq => BinaryOp::LessOrEqual,
            ast::BinOpKind::More => BinaryOp::More,
            // Pipes are no operators of the tree.
            _ => BinaryOp::MoreOrEqual,
        };
        self.stand_in(op, left, right, span)
    }

    fn stand_in(
        &mut self,
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
        span: Span,
    ) -> ExprKind {
        let (name, swap, negate) = match op {
            BinaryOp::Sub => ("__sub", false, false),
            BinaryOp::Mul => ("__mul", false, false),
            BinaryOp::Div => ("__div", false, false),
            BinaryOp::Less => ("__lessThan", false, false),
            BinaryOp::More => ("__lessThan", true, false),
            BinaryOp::LessOrEqual => ("__lessThan", true, true),
            BinaryOp::MoreOrEqual => ("__lessThan", false, true),
            _ => return ExprKind::Binary(op, left, right),
        };
        let Some(function) = self.redefined(name, span) else {
            return ExprKind::Binary(op, left, right);
        };
        let args = if swap { [*right, *left] } else { [*left, *right] };
        let call = ExprKind::Apply(function, args.into());
        if negate { ExprKind::Not(Box::new(Expr { kind: call, span })) } else { call }
    }

    /// The file's own binding of a name that an operator stands for.
    pub(super) fn redefined(&mut self, name: &str, span: Span) -> Option<Box<Expr>> {
        if !self.redefines {
            return None;
        }
        let name = Symbol::new(name);
        let binds =
            |scope: &Scope| matches!(scope, Scope::Names(names) if names.contains_key(&name));
        if !self.scopes.iter().any(binds) {
            return None;
        }
        Some(Box::new(Expr { kind: self.resolve(name, span), span }))
    }

    /// `x |> f` and `f <| x`: a call.
    fn pipe(&mut self, node: &ast::BinOp, kind: ast::BinOpKind, span: Span) -> ExprKind {
        if !self.world.features.pipe_operators {
            let message = "the pipe operators are not enabled, as in Nix";
            self.report(Diagnostic::error("syntax::pipe", span, message).with_help(
                "write the call, `f x`; or enable the experimental feature `pipe-operators`",
            ));
            return ExprKind::Null;
        }
        let mixed = [node.lhs(), node.rhs()].into_iter().flatten().any(|operand| {
            let pipes = [ast::BinOpKind::PipeRight, ast::BinOpKind::PipeLeft];
            let operator = match operand {
                ast::Expr::BinOp(inner) => inner.operator(),
                _ => None,
            };
            operator.is_some_and(|other| pipes.contains(&other) && other != kind)
        });
        if mixed {
            let message = "`|>` and `<|` are mixed without parentheses";
            self.report(
                Diagnostic::error("syntax::pipe", span, message)
                    .with_help("write parentheses around the part that comes first"),
            );
            return ExprKind::Null;
        }
        let (left, right) = (self.part(node.lhs(), span), self.part(node.rhs(), span));
        match kind {
            ast::BinOpKind::PipeRight => ExprKind::Apply(right, [*left].into()),
            _ => ExprKind::Apply(left, [*right].into()),
        }
    }
}
