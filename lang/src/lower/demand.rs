//! What a function's body asks for first.

use crate::tree::{BinaryOp, Expr, ExprKind, Part};

/// The slots of a function's own parameters whose values evaluating its body asks for before
/// anything else can happen, in that order. Arguments for them can be computed before the call:
/// nobody can tell the difference, whatever fails or never ends.
pub(super) fn asks_first(body: &Expr) -> Box<[u32]> {
    let mut slots = Vec::new();
    walk(body, &mut slots);
    slots.into()
}

/// Adds what an expression asks for first. Gives whether nothing can fail once that is there,
/// so that what comes next is as good as first.
fn walk(expr: &Expr, slots: &mut Vec<u32>) -> bool {
    match &expr.kind {
        ExprKind::Var(0, slot) => {
            if !slots.contains(slot) {
                slots.push(*slot);
            }
            true
        }
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Lambda(_)
        | ExprKind::Global(_) => true,
        ExprKind::Binary(op, left, right) => {
            let both = match op {
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::Less
                | BinaryOp::MoreOrEqual
                | BinaryOp::Equal
                | BinaryOp::NotEqual => Some((left, right)),
                // `a > b` is `b < a`.
                BinaryOp::More | BinaryOp::LessOrEqual => Some((right, left)),
                // The left side's type is looked at before the right side is.
                BinaryOp::Concat
                | BinaryOp::Update
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Implies => None,
            };
            match both {
                Some((first, second)) => _ = walk(first, slots) && walk(second, slots),
                None => _ = walk(left, slots),
            }
            false
        }
        ExprKind::If(first, ..)
        | ExprKind::Assert(first, _)
        | ExprKind::Select(first, ..)
        | ExprKind::HasAttr(first, _)
        | ExprKind::Apply(first, _)
        | ExprKind::Not(first)
        | ExprKind::Negate(first) => {
            walk(first, slots);
            false
        }
        ExprKind::Interpolation(parts) => {
            if let Some(first) = parts.iter().find_map(interpolated) {
                walk(first, slots);
            }
            false
        }
        _ => false,
    }
}

fn interpolated(part: &Part) -> Option<&Expr> {
    match part {
        Part::Expr(expr) => Some(expr),
        Part::Text(_) => None,
    }
}
