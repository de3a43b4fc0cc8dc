//! What is expected of an expression, pushed down into it: each branch of an `if`, each element of
//! a list and each side of `++` is compared by itself, so that an error is at its own characters.

use std::cell::RefCell;

use crate::modules::{Level, OptionTy, Place as OptionPlace};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind};

use super::Checker;
use super::lookup::Look;
use super::report;
use super::schema::OptionShape;
use super::scope::Cx;
use super::shape::Shape;
use super::signature::Sig;
use super::ty::{Item, Kinds, Mode, SetTy, Ty};
use super::watch::Seen;

/// What is expected of an expression.
#[derive(Clone, Copy)]
pub(super) enum Want<'a> {
    Any,
    /// An argument of the library's functions, or a result for them.
    Sig(&'static Sig),
    /// A list of such elements.
    List(&'a Want<'a>),
    /// A set of such attributes.
    Each(&'a Want<'a>),
    /// A set of a name and such a value, as this signature says.
    Pair(&'static Sig, &'a Want<'a>),
    /// A definition of an option of this type.
    Option(OptionTy<'a>, OptionPlace<'a>),
    /// Definitions of these options, which are at this place.
    Level(&'a Level<'a>, OptionPlace<'a>),
    /// A module that may define these options, which are at this place.
    Module(&'a Level<'a>, OptionPlace<'a>),
    /// Declarations that became these options.
    Declarations(&'a Level<'a>, OptionPlace<'a>),
    /// A part of a file of known shape.
    Shape(&'a Shape),
}

impl Want<'_> {
    /// Whether `mkIf` and the like may stand here.
    fn is_definition(self) -> bool {
        matches!(self, Want::Option(..) | Want::Level(..) | Want::Module(..))
    }
}

impl<'a> Checker<'_, 'a> {
    /// Infers an expression, and reports what is not as wanted.
    pub(super) fn check(&self, expr: &'a Expr, cx: Cx<'a>, want: Want<'a>) -> Ty<'a> {
        if matches!(want, Want::Any) {
            return self.infer(expr, cx);
        }
        stacker::maybe_grow(256 << 10, 8 << 20, || self.check_kind(expr, cx, want))
    }

    fn check_kind(&self, expr: &'a Expr, cx: Cx<'a>, want: Want<'a>) -> Ty<'a> {
        match &expr.kind {
            ExprKind::If(condition, yes, no) => {
                let (then, otherwise) = self.condition(condition, cx);
                let branch = |expr: &'a Expr, cx: Option<Cx<'a>>| match cx {
                    Some(cx) => self.aside(|| self.check(expr, cx, want)),
                    None => Ty::Never,
                };
                let (yes, no) = (branch(yes, then), branch(no, otherwise));
                self.union([yes, no])
            }
            ExprKind::Let(bindings, body) => {
                let inner = self.bind(bindings, cx);
                self.check(body, inner, want)
            }
            ExprKind::WithScope(scope, body) => {
                let inner = self.enter_with(scope, cx);
                self.check(body, inner, want)
            }
            ExprKind::Assert(condition, body) => match self.condition(condition, cx).0 {
                Some(cx) => self.check(body, cx, want),
                None => Ty::Never,
            },
            ExprKind::Apply(function, args) => {
                if want.is_definition() && self.check_property(function, args, cx, want) {
                    return Ty::Dyn;
                }
                let before = self.found.borrow().len();
                let ty = self.apply_wanting(function, args, cx, expr.span, want);
                // What an argument is not as wanted for is said there.
                let said = |found: &[crate::Diagnostic]| {
                    found.iter().skip(before).any(|error| expr.span.holds(error.span))
                };
                if !said(&self.found.borrow()) {
                    self.compare(ty, want, expr.span);
                }
                ty
            }
            ExprKind::List(items) => match self.element_want(want, Kinds::LIST) {
                Some(each) => {
                    let each = items.iter().enumerate().map(|(number, item)| {
                        let want = self.numbered(each, number);
                        Item { ty: self.check(item, cx, want), at: item.span }
                    });
                    let each = each.collect();
                    self.list_of_items(each)
                }
                None => self.check_leaf(expr, cx, want),
            },
            ExprKind::Binary(BinaryOp::Concat, left, right)
                if self.element_want(want, Kinds::LIST).is_some() =>
            {
                let (a, b) = (self.check(left, cx, want), self.check(right, cx, want));
                let (a, b) = (self.elements(a), self.elements(b));
                let elem = self.union([a, b]);
                self.list_of(elem, false)
            }
            ExprKind::Attrs(attrs) => self.check_attrs(expr, attrs, cx, want),
            ExprKind::Binary(BinaryOp::Update, left, right) if want.is_definition() => {
                self.infer(left, cx);
                self.check(right, cx, want)
            }
            ExprKind::Lambda(lambda) => match want {
                Want::Module(level, place) => {
                    self.check_module_function(lambda, cx, (level, place))
                }
                Want::Option(ty, place) => match self.shape(ty) {
                    OptionShape::Options(level) => {
                        self.check_module_function(lambda, cx, (level, place));
                        Ty::Dyn
                    }
                    _ => self.check_leaf(expr, cx, want),
                },
                Want::Shape(Shape::Result(inner)) => {
                    let scope = self.params(lambda, cx, |_| Ty::Dyn, &[]);
                    self.check(&lambda.body, Cx { scope, ..cx }, Want::Shape(inner))
                }
                Want::Shape(Shape::Module) => match self.root {
                    Some(level) => self.check(expr, cx, Want::Module(level, level.tree.place)),
                    None => self.infer(expr, cx),
                },
                _ => self.check_leaf(expr, cx, want),
            },
            _ => self.check_leaf(expr, cx, want),
        }
    }

    pub(super) fn check_leaf(&self, expr: &'a Expr, cx: Cx<'a>, want: Want<'a>) -> Ty<'a> {
        self.saw(expr.span, || Seen::Wanted(want));
        let ty = self.infer(expr, cx);
        match expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Str(_) => {
                self.regardless(|| self.compare(ty, want, expr.span));
            }
            _ => self.compare(ty, want, expr.span),
        }
        ty
    }

    pub(super) fn check_shape(&self, expr: &'a Expr, cx: Cx<'a>, shape: &'a Shape) -> Ty<'a> {
        self.check(expr, cx, Want::Shape(shape))
    }

    /// Reports a value that is not as wanted, for whatever it is.
    pub(super) fn compare(&self, ty: Ty<'a>, want: Want<'a>, at: Span) {
        match want {
            Want::Any | Want::Shape(_) | Want::Declarations(..) => {}
            Want::Sig(sig) => self.compare_signature(ty, sig, at),
            Want::List(_) => {
                self.expect(ty, Kinds::LIST, "a list", at);
            }
            Want::Each(_) => {
                self.expect(ty, Kinds::SET, "an attribute set", at);
            }
            Want::Pair(sig, value) => {
                self.compare_signature(ty, sig, at);
                if let Look::Has(ty) = self.look_in(ty, Symbol::new(VALUE)) {
                    self.compare(ty, *value, at);
                }
            }
            Want::Option(option, place) => self.define(ty, option, place, at),
            Want::Level(level, place) => self.define_level(ty, level, place, at),
            Want::Module(level, place) => self.compare_module(ty, (level, place), at),
        }
    }

    pub(super) fn compare_signature(&self, ty: Ty<'a>, sig: &'static Sig, at: Span) {
        match sig {
            Sig::Any | Sig::Var(_) | Sig::Either(_) | Sig::Never => {}
            Sig::Shown => self.compare_shown(ty, at),
            Sig::Kind(kinds) => {
                self.expect(ty, *kinds, words(*kinds), at);
            }
            Sig::Text => {
                self.expect_text(ty, at);
            }
            Sig::Fun(..) => {
                self.expect(ty, Kinds::FUN.or(Kinds::SET), "a function", at);
            }
            Sig::Each(_) => {
                self.expect(ty, Kinds::SET, "an attribute set", at);
            }
            Sig::Fields(fields, _) => {
                let ty = self.resolve(ty);
                if !self.expect(ty, Kinds::SET, "an attribute set", at) {
                    return;
                }
                for (name, optional, inner) in fields {
                    let name = Symbol::new(name);
                    match self.look_in(ty, name) {
                        Look::No if *optional => {}
                        Look::No => {
                            let needed: Vec<_> =
                                fields.iter().filter(|(_, optional, _)| !optional).collect();
                            self.report(report::lacks(name, &needed, at));
                        }
                        Look::Has(ty) => self.aside(|| self.compare_signature(ty, inner, at)),
                        Look::Maybe(ty) => {
                            self.doubt_if(!optional, at);
                            self.aside(|| self.compare_signature(ty, inner, at));
                        }
                    }
                }
            }
            Sig::List(inner) => {
                let ty = self.resolve(ty);
                if !self.expect(ty, Kinds::LIST, "a list", at) {
                    return;
                }
                // Of a list that has elements, none is right.
                match ty {
                    Ty::List(list) if list.non_empty => {
                        self.compare_signature(list.elem, inner, at);
                    }
                    ty => {
                        let elem = self.elements(ty);
                        self.in_mode(Mode::Silent, || self.compare_signature(elem, inner, at));
                    }
                }
            }
        }
    }

    /// What is wanted of each element of a list, or each attribute of a set, where that is wanted.
    pub(super) fn element_want(&self, want: Want<'a>, kind: Kinds) -> Option<Want<'a>> {
        Some(match want {
            Want::List(each) if kind == Kinds::LIST => *each,
            Want::Each(each) if kind == Kinds::SET => *each,
            // Elements of which nothing is wanted may never be looked at.
            Want::Sig(Sig::List(each)) if matches!(**each, Sig::Any | Sig::Var(_)) => return None,
            Want::Sig(Sig::List(each)) if kind == Kinds::LIST => Want::Sig(each),
            Want::Option(ty, place) => match self.shape(ty) {
                OptionShape::List(inner) if kind == Kinds::LIST => Want::Option(inner, place),
                OptionShape::Each(inner) if kind == Kinds::SET => Want::Option(inner, place),
                OptionShape::Null(inner) | OptionShape::Same(inner) => {
                    return self.element_want(Want::Option(inner, place), kind);
                }
                _ => return None,
            },
            Want::Shape(Shape::Each(each)) if kind == Kinds::SET => Want::Shape(each),
            Want::Shape(Shape::Modules) if kind == Kinds::LIST => {
                let root = self.root?;
                Want::Module(root, root.tree.place)
            }
            _ => return None,
        })
    }

    /// What is wanted of an element, with its number.
    fn numbered(&self, want: Want<'a>, number: usize) -> Want<'a> {
        match want {
            Want::Option(ty, place) => Want::Option(ty, place.index(self.eval, number)),
            other => other,
        }
    }

    /// What is wanted of an attribute, with its name.
    pub(super) fn named_want(&self, want: Want<'a>, name: Symbol) -> Want<'a> {
        match want {
            Want::Option(ty, place) => Want::Option(ty, place.name(self.eval, name)),
            other => other,
        }
    }
}

/// What kinds of values are called.
fn words(kinds: Kinds) -> &'static str {
    match kinds {
        Kinds::NULL => "null",
        Kinds::BOOL => "a boolean",
        Kinds::INT => "an integer",
        Kinds::FLOAT => "a float",
        Kinds::NUMBER => "a number",
        Kinds::STR => "a string",
        Kinds::PATH => "a path",
        Kinds::LIST => "a list",
        Kinds::SET => "an attribute set",
        _ => "a function",
    }
}

/// The attribute of a pair that holds its value.
pub(super) const VALUE: &str = "value";

/// What a signature's variables stand for in one call.
#[derive(Default)]
pub(super) struct Bindings<'a> {
    types: RefCell<Vec<(u8, Ty<'a>)>>,
    /// With what a function's result is called in paths: it is any element.
    wants: RefCell<Vec<(u8, Want<'a>, &'static str)>>,
}

impl<'a> Bindings<'a> {
    /// Notes what is wanted of the result, as far as it says something of the arguments.
    pub(super) fn expect(&self, checker: &Checker<'_, 'a>, result: &Sig, want: Want<'a>) {
        match result {
            Sig::Var(name) => self.wants.borrow_mut().push((*name, want, "")),
            Sig::List(inner) => {
                if let Some(each) = checker.element_want(want, Kinds::LIST) {
                    self.expect_inside(checker, inner, each, "*");
                }
            }
            Sig::Each(inner) => {
                if let Some(each) = checker.element_want(want, Kinds::SET) {
                    self.expect_inside(checker, inner, each, "<name>");
                }
            }
            Sig::Either(all) => all.iter().for_each(|one| self.expect(checker, one, want)),
            Sig::Fields(fields, _) => {
                let value = fields.iter().find(|(name, ..)| name == VALUE);
                if let (Want::Pair(_, want), Some((.., value))) = (want, value) {
                    self.expect(checker, value, *want);
                }
            }
            _ => {}
        }
    }

    fn expect_inside(
        &self,
        checker: &Checker<'_, 'a>,
        inner: &Sig,
        want: Want<'a>,
        step: &'static str,
    ) {
        match inner {
            Sig::Var(name) => self.wants.borrow_mut().push((*name, want, step)),
            inner => self.expect(checker, inner, want),
        }
    }

    /// What is wanted of an argument, or of the result of one that is a function: perhaps a part of
    /// what is wanted of the call.
    pub(super) fn want_of_part(&self, checker: &Checker<'_, 'a>, part: &'static Sig) -> Want<'a> {
        let want = self.want(checker, part);
        let Sig::Var(name) = part else { return want };
        let wants = self.wants.borrow();
        match wants.iter().find(|(known, ..)| known == name) {
            Some((_, _, step)) if !step.is_empty() => checker.named_want(want, Symbol::new(step)),
            _ => want,
        }
    }

    /// What is wanted of an argument.
    pub(super) fn want(&self, checker: &Checker<'_, 'a>, param: &'static Sig) -> Want<'a> {
        let known = |want: Want<'a>| match want {
            Want::Any | Want::Sig(_) => None,
            want => Some(checker.eval.alloc(want)),
        };
        let inside = |inner: &'static Sig| known(self.want(checker, inner));
        match param {
            Sig::Any => Want::Any,
            Sig::Var(name) => {
                let wants = self.wants.borrow();
                wants
                    .iter()
                    .find(|(known, ..)| known == name)
                    .map_or(Want::Any, |(_, want, _)| *want)
            }
            Sig::List(inner) => inside(inner).map_or(Want::Sig(param), Want::List),
            Sig::Each(inner) => inside(inner).map_or(Want::Sig(param), Want::Each),
            Sig::Fields(fields, _) => {
                let value = fields.iter().find(|(name, ..)| name == VALUE);
                let value = value.and_then(|(.., value)| known(self.want_of_part(checker, value)));
                value.map_or(Want::Sig(param), |value| Want::Pair(param, value))
            }
            _ => Want::Sig(param),
        }
    }

    /// Learns from an argument, or from what a function gave.
    pub(super) fn bind(&self, checker: &Checker<'_, 'a>, param: &Sig, ty: Ty<'a>) {
        match param {
            Sig::Var(name) => self.types.borrow_mut().push((*name, ty)),
            Sig::List(inner) => self.bind(checker, inner, checker.elements(checker.resolve(ty))),
            Sig::Each(inner) => self.bind(checker, inner, checker.attributes(checker.resolve(ty))),
            Sig::Fields(fields, _) => {
                for (name, _, inner) in fields {
                    let ty = match checker.look_in(ty, Symbol::new(name)) {
                        Look::Has(ty) | Look::Maybe(ty) => ty,
                        Look::No => Ty::Dyn,
                    };
                    self.bind(checker, inner, ty);
                }
            }
            _ => {}
        }
    }

    /// The type that a signature's part is in this call.
    pub(super) fn apply(&self, checker: &Checker<'_, 'a>, sig: &Sig) -> Ty<'a> {
        match sig {
            Sig::Any | Sig::Shown => Ty::Dyn,
            Sig::Kind(kinds) => checker.of_kinds(*kinds),
            Sig::Text => Ty::Dyn,
            Sig::Never => Ty::Never,
            Sig::Fun(..) => Ty::Fun(super::ty::Fun::Any),
            Sig::Var(name) => {
                let types = self.types.borrow();
                let known: Vec<_> =
                    types.iter().filter(|(known, _)| known == name).map(|(_, ty)| *ty).collect();
                drop(types);
                match &known[..] {
                    [] => Ty::Dyn,
                    [one] => *one,
                    many => checker.union(many.iter().copied()),
                }
            }
            Sig::List(inner) => checker.list_of(self.apply(checker, inner), false),
            Sig::Each(inner) => checker.record(Vec::new(), Some(self.apply(checker, inner))),
            Sig::Fields(fields, open) => {
                let each = fields.iter().map(|(name, optional, inner)| super::ty::Field {
                    name: Symbol::new(name),
                    ty: self.apply(checker, inner),
                    optional: *optional,
                    key: Span::NONE,
                    at: Span::NONE,
                });
                checker.record(each.collect(), open.then_some(Ty::Dyn))
            }
            Sig::Either(all) => checker.union(all.iter().map(|one| self.apply(checker, one))),
        }
    }
}

/// A set that stands for a definition with a property, not for its own attributes.
pub(super) fn is_property<'a>(checker: &Checker<'_, 'a>, set: SetTy<'a>) -> bool {
    !matches!(checker.look(set, Symbol::new("_type")), Look::No)
}

/// The error of definitions of options that are no set.
pub(super) fn no_set(
    place: OptionPlace<'_>,
    ty: &Ty<'_>,
    at: Span,
) -> crate::diagnostic::Diagnostic {
    let path = place.path.to_string();
    let message = match path.is_empty() {
        true => format!("`config` holds options, and is no {}", ty.described()),
        false => format!("`{path}` holds options; found {}", ty.described()),
    };
    report::plain(message, at)
}
