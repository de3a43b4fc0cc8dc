//! What the parser lets pass and Nix does not.

use rnix::{SyntaxKind, ast};
use rowan::ast::AstNode;

use super::Lowerer;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The value of a float's text, or what to write instead. A lone `0` before the point needs a digit
/// after it, and what has no exact place among floats is refused, as in Nix.
pub(super) fn float(text: &str) -> Result<f64, &'static str> {
    let fraction = text.strip_prefix("0.");
    if fraction.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err("write `0.0`");
    }
    let value: f64 = text.parse().map_err(|_| "write it as `1.5` or `1.0e3`")?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let zero = !mantissa.contains(|c: char| matches!(c, '1'..='9'));
    if value.is_infinite() {
        return Err("the largest float is about 1.8e308");
    }
    if !zero && !value.is_normal() {
        return Err("the smallest float is about 2.3e-308");
    }
    Ok(value)
}

impl Lowerer<'_> {
    /// A function is no operand and no element of a list, unless it is in parentheses.
    pub(super) fn may_be_function(&mut self, lambda: &ast::Lambda, span: Span) {
        let around = lambda.syntax().parent().map(|parent| parent.kind());
        let what = match around {
            Some(SyntaxKind::NODE_LIST) => "in a list",
            Some(SyntaxKind::NODE_APPLY) => "as an argument",
            Some(
                SyntaxKind::NODE_BIN_OP
                | SyntaxKind::NODE_UNARY_OP
                | SyntaxKind::NODE_HAS_ATTR
                | SyntaxKind::NODE_SELECT,
            ) => "beside an operator",
            _ => return,
        };
        let message = format!("a function {what} needs parentheses");
        self.report(
            Diagnostic::error("syntax::error", span, message).with_help("write `(x: …)` around it"),
        );
    }

    /// A `(` is closed by a `)` and by nothing else.
    pub(super) fn closed(&mut self, paren: &ast::Paren, span: Span) {
        let Some(last) = paren.syntax().last_token() else { return };
        if last.kind() == SyntaxKind::TOKEN_R_PAREN {
            return;
        }
        let message = format!("unexpected `{}`, expected `)`", last.text());
        let start = last.text_range().start().into();
        let place = Span { start, end: span.end, ..span };
        let opened = Span { end: span.start + 1, ..span };
        self.report(
            Diagnostic::error("syntax::error", place, message)
                .with_related(opened, "this `(` is not closed"),
        );
    }

    /// `a ? b ? c` has no order.
    pub(super) fn asks_once(&mut self, node: &ast::HasAttr, span: Span) {
        if matches!(node.expr(), Some(ast::Expr::HasAttr(_))) {
            let message = "`?` cannot be asked twice without parentheses";
            self.report(
                Diagnostic::error("syntax::error", span, message)
                    .with_help("write parentheses around the first question"),
            );
        }
    }

    /// A name is never between two single quotes.
    pub(super) fn plain_quotes(&mut self, string: &ast::Str) {
        let first = string.syntax().first_token();
        if first.is_some_and(|token| token.text() == "''") {
            let message = "an attribute's name is no `''` string";
            self.report(
                Diagnostic::error("syntax::error", self.span(string), message)
                    .with_help("write the name between `\"`"),
            );
        }
    }
}
