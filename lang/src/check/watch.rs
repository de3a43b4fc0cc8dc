//! What the checker comes by at one place of a file, for whoever edits it. Where nobody watches, it
//! costs one look at an empty option.

use std::cell::{Cell, RefCell};

use crate::modules::{Level, Place as OptionPlace};
use crate::source::{FileId, Span};
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Tree};

use super::Checker;
use super::scope::Cx;
use super::shape::Shape;
use super::signature::Sig;
use super::ty::Ty;
use super::want::Want;

/// A file, or one place in it, and what was seen there.
pub(super) struct Watch<'a> {
    file: Cell<FileId>,
    /// One place alone.
    offset: Option<u32>,
    seen: RefCell<Vec<(Span, Seen<'a>)>>,
}

/// What stands at a span.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    /// An expression.
    Expr(Ty<'a>),
    /// A name that is bound to this: by a `let`, a set or a function.
    Bound(Ty<'a>),
    /// A name that is taken out of this.
    Name(Ty<'a>, Symbol),
    /// A definition among these options.
    Entry(&'a Level<'a>, OptionPlace<'a>, Symbol),
    /// A declaration that became one of these options.
    Declaration(&'a Level<'a>, Symbol),
    /// An attribute of a set of which these are known: a function's argument, or `cairn.nix`.
    Argument(&'static [(String, bool, Sig)]),
    Part(&'a Shape),
    /// A name that one of these sets brings.
    With(&'a [Ty<'a>]),
    /// A value of which this is wanted.
    Wanted(Want<'a>),
}

impl<'a> Watch<'a> {
    fn takes(&self, span: Span) -> bool {
        let here = |offset: u32| span.start <= offset && offset <= span.end;
        span.file == self.file.get() && self.offset.is_none_or(here)
    }
}

impl<'e, 'a> Checker<'e, 'a> {
    /// Notes what is at a byte of the next text that is checked, or everywhere in it.
    #[must_use]
    pub fn watching(mut self, offset: Option<u32>) -> Checker<'e, 'a> {
        let file = Cell::new(Span::NONE.file);
        self.watch = Some(Watch { file, offset, seen: RefCell::default() });
        self
    }

    /// Takes this file as the one to watch.
    pub(super) fn watch_tree(&self, tree: &Tree) {
        if let Some(watch) = &self.watch {
            watch.file.set(tree.file);
        }
    }

    /// Notes what stands at a span, if somebody watches.
    #[inline]
    pub(super) fn saw(&self, span: Span, seen: impl FnOnce() -> Seen<'a>) {
        if let Some(watch) = &self.watch
            && watch.takes(span)
        {
            // Looking closer may come by other places.
            let seen = seen();
            watch.seen.borrow_mut().push((span, seen));
        }
    }

    /// Notes the names of a set of which some are known.
    pub(super) fn saw_names(&self, attrs: &'a AttrsExpr, want: Want<'a>) {
        if self.watch.is_none() {
            return;
        }
        let seen = match want {
            Want::Sig(Sig::Fields(fields, _)) => Seen::Argument(fields),
            Want::Shape(shape) => Seen::Part(shape),
            _ => return,
        };
        for entry in &attrs.entries {
            self.saw(entry.span, || seen);
        }
    }

    /// Notes the sets that may bring a name.
    pub(super) fn saw_with(&self, scopes: &[u32], cx: Cx<'a>, at: Span) {
        self.saw(at, || {
            let sets = scopes.iter().filter_map(|depth| {
                let slot = cx.scope.outer(*depth)?.slots.first()?;
                Some(self.resolve(slot.get()))
            });
            Seen::With(self.slice(&sets.collect::<Vec<_>>()))
        });
    }

    /// What was seen, in the order in which it was.
    pub(super) fn seen(&self) -> Vec<(Span, Seen<'a>)> {
        self.watch.as_ref().map(|watch| watch.seen.borrow().clone()).unwrap_or_default()
    }
}
