//! What the body of a function asks of its parameters: one that is added to is a number from there
//! on, and no list.
//!
//! Only where evaluation surely comes by when the function is called: what a branch asks for, or a
//! value that may never be needed, says nothing of the others.

use crate::source::Span;
use crate::tree::{BinaryOp, Expr, ExprKind};

use super::Checker;
use super::scope::Cx;
use super::ty::{Kinds, Mode, Ty};

/// What interpolation takes.
pub(super) const TEXT: Kinds = Kinds::STR.or(Kinds::PATH).or(Kinds::SET);

impl<'a> Checker<'_, 'a> {
    /// An expression must be of these kinds: if it is a parameter, it is from here on.
    pub(super) fn demand(&self, expr: &'a Expr, cx: Cx<'a>, kinds: Kinds) {
        let (ExprKind::Var(depth, slot), Some(body)) = (&expr.kind, self.body.get()) else {
            return;
        };
        let own = cx.scope.outer(*depth).filter(|scope| std::ptr::addr_eq(*scope, body));
        let Some(cell) = own.and_then(|scope| scope.slots.get(*slot as usize)) else { return };
        if self.mode.get() != Mode::All || !matches!(cell.get(), Ty::Dyn) {
            return;
        }
        cell.set(self.of_kinds(kinds));
        self.asked.borrow_mut().insert(std::ptr::from_ref(cell).cast(), expr.span);
    }

    /// Notes where the kind of the parameter that is used here was learnt.
    pub(super) fn note_learnt(&self, depth: u32, slot: u32, cx: Cx<'a>, at: Span) {
        if self.asked.borrow().is_empty() {
            return;
        }
        let Some(scope) = cx.scope.outer(depth) else { return };
        let Some(cell) = scope.slots.get(slot as usize) else { return };
        let cell = std::ptr::from_ref(cell).cast::<()>();
        if let Some(place) = self.asked.borrow().get(&cell) {
            self.learnt.borrow_mut().insert(at, *place);
        }
    }

    pub(super) fn demand_operands(
        &self,
        op: BinaryOp,
        (left, a): (&'a Expr, Ty<'a>),
        (right, b): (&'a Expr, Ty<'a>),
        cx: Cx<'a>,
    ) {
        let kinds = match op {
            BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => Kinds::NUMBER,
            BinaryOp::Concat => Kinds::LIST,
            BinaryOp::Update => Kinds::SET,
            BinaryOp::Add => {
                let number =
                    |ty: Ty<'a>| !ty.is_vague() && ty.kinds().without(Kinds::NUMBER) == Kinds::NONE;
                match () {
                    () if number(a) || number(b) => Kinds::NUMBER,
                    // Whichever side is a text: the other is used as one.
                    () if a.kinds() == Kinds::STR => TEXT,
                    () => return,
                }
            }
            _ => return,
        };
        self.demand(left, cx, kinds);
        self.demand(right, cx, kinds);
    }
}
