//! What the checker comes by at one place of a file, for whoever edits it. Where nobody watches, it
//! costs one look at an empty option.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashSet;

use crate::modules::{Level, OptionTy, Place as OptionPlace};
use crate::source::{FileId, Span};
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Expr, ExprKind, Tree};

use super::Checker;
use super::schema::OptionShape;
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
    /// Modules in types that were looked at: a submodule may have itself inside.
    submodules: RefCell<FxHashSet<Span>>,
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
        let (seen, submodules) = (RefCell::default(), RefCell::default());
        self.watch = Some(Watch { file, offset, seen, submodules });
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

    /// Takes what is written of an option's type apart, for the modules in it: what they declare and
    /// read are the options of submodules. For those who watch alone: what evaluation made of the type
    /// may be of an older text.
    pub(super) fn watch_type(&self, expr: &'a Expr, cx: Cx<'a>, ty: OptionTy<'a>) {
        if self.watch.is_none() {
            return;
        }
        self.inside((), || match &expr.kind {
            ExprKind::WithScope(scope, body) => {
                self.watch_type(body, self.enter_with(scope, cx), ty);
            }
            ExprKind::Let(bindings, body) => self.watch_type(body, self.bind(bindings, cx), ty),
            ExprKind::Var(depth, slot) => {
                let scope = cx.scope.outer(*depth);
                let bound = scope.and_then(|scope| scope.slots.get(*slot as usize));
                if let Some(Ty::Later(thunk)) = bound.map(Cell::get) {
                    self.watch_type(thunk.expr, thunk.cx, ty);
                }
            }
            ExprKind::Apply(_, args) => match self.shape(ty) {
                OptionShape::Options(level) => {
                    args.iter().for_each(|arg| self.watch_submodule(arg, cx, level));
                }
                OptionShape::List(inner)
                | OptionShape::Each(inner)
                | OptionShape::Null(inner)
                | OptionShape::Same(inner) => {
                    args.iter().for_each(|arg| self.watch_type(arg, cx, inner));
                }
                _ => {}
            },
            _ => {}
        });
    }

    fn watch_submodule(&self, module: &'a Expr, cx: Cx<'a>, level: &'a Level<'a>) {
        let is_written = matches!(module.kind, ExprKind::Lambda(_) | ExprKind::Attrs(_));
        let is_new = |watch: &Watch<'a>| watch.submodules.borrow_mut().insert(module.span);
        if is_written && self.watch.as_ref().is_some_and(is_new) {
            self.check(module, cx, Want::Module(level));
        }
    }

    /// What was seen, in the order in which it was.
    pub(super) fn seen(&self) -> Vec<(Span, Seen<'a>)> {
        self.watch.as_ref().map(|watch| watch.seen.borrow().clone()).unwrap_or_default()
    }
}
