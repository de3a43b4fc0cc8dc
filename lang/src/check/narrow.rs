//! What a condition says of the places that it looks at, where it holds and where it does not.

use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind, Key, Param};

use super::Checker;
use super::lookup::Look;
use super::scope::{Cx, Fact, Place};
use super::ty::{Field, Fun, Kinds, Mode, Record, SetTy, State, Ty};

/// Facts, the innermost first.
type Facts<'a> = Option<&'a Fact<'a>>;

/// What holds where a condition does, and where it does not; none where that cannot be, because
/// of the types that it asks for.
type Split<'a> = (Option<Facts<'a>>, Option<Facts<'a>>);

impl<'a> Checker<'_, 'a> {
    /// Infers a condition, and gives the contexts of both its branches; none for a branch that the
    /// types exclude.
    pub(super) fn condition(&self, expr: &'a Expr, cx: Cx<'a>) -> (Option<Cx<'a>>, Option<Cx<'a>>) {
        self.expect_bool(expr, cx);
        let (yes, no) = self.in_mode(Mode::Silent, || self.split(expr, cx));
        let with = |facts: Option<Facts<'a>>| facts.map(|facts| Cx { facts, ..cx });
        (with(yes), with(no))
    }

    fn split(&self, expr: &'a Expr, cx: Cx<'a>) -> Split<'a> {
        let unknown = (Some(cx.facts), Some(cx.facts));
        match &expr.kind {
            ExprKind::Not(of) => {
                let (yes, no) = self.split(of, cx);
                (no, yes)
            }
            ExprKind::Binary(BinaryOp::And, left, right) => self.both(left, right, cx),
            ExprKind::Binary(BinaryOp::Or, left, right) => {
                // `a || b` holds unless neither does.
                let (yes, no) = self.split(left, cx);
                let Some(facts) = no else { return (yes, None) };
                let (right_yes, right_no) = self.split(right, Cx { facts, ..cx });
                let yes = if yes.is_none() { right_yes } else { Some(cx.facts) };
                (yes, right_no)
            }
            ExprKind::Binary(BinaryOp::Implies, left, right) => {
                let Some(facts) = self.split(left, cx).0 else { return (Some(cx.facts), None) };
                (Some(cx.facts), self.split(right, Cx { facts, ..cx }).1)
            }
            ExprKind::Binary(BinaryOp::Equal, left, right) => self.equality(left, right, cx),
            ExprKind::Binary(BinaryOp::NotEqual, left, right) => {
                let (yes, no) = self.equality(left, right, cx);
                (no, yes)
            }
            ExprKind::HasAttr(of, path) => match self.names_of_path(path, cx) {
                Some(names) => self.has(of, &names, cx),
                None => unknown,
            },
            ExprKind::Apply(function, args) => self.test(function, args, cx),
            // `x.enable or false`: where it holds, the attribute is there.
            ExprKind::Select(of, path, Some(default)) => {
                match (&default.kind, self.names_of_path(path, cx)) {
                    (ExprKind::Bool(false), Some(names)) => {
                        (self.has(of, &names, cx).0, Some(cx.facts))
                    }
                    _ => unknown,
                }
            }
            ExprKind::Var(depth, slot) => self.named(*depth, *slot, cx),
            _ => unknown,
        }
    }

    fn both(&self, left: &'a Expr, right: &'a Expr, cx: Cx<'a>) -> Split<'a> {
        let (yes, no) = self.split(left, cx);
        let Some(facts) = yes else { return (None, no) };
        let (right_yes, right_no) = self.split(right, Cx { facts, ..cx });
        let no = if no.is_none() { right_no } else { Some(cx.facts) };
        (right_yes, no)
    }

    /// A condition that has a name: what it was bound to.
    fn named(&self, depth: u32, slot: u32, cx: Cx<'a>) -> Split<'a> {
        let unknown = (Some(cx.facts), Some(cx.facts));
        let slot = cx.scope.outer(depth).and_then(|scope| scope.slots.get(slot as usize));
        let Some(Ty::Later(thunk)) = slot.map(std::cell::Cell::get) else { return unknown };
        if matches!(thunk.state.get(), State::Busy) || matches!(thunk.expr.kind, ExprKind::Var(..))
        {
            return unknown;
        }
        self.split(thunk.expr, Cx { scope: thunk.cx.scope, facts: cx.facts })
    }

    fn equality(&self, left: &'a Expr, right: &'a Expr, cx: Cx<'a>) -> Split<'a> {
        for (of, other) in [(left, right), (right, left)] {
            match self.infer(other, cx) {
                Ty::Null => return self.null_test(of, cx),
                Ty::Str(Some(text)) => {
                    if let ExprKind::Apply(function, args) = &of.kind
                        && self.library_name(function, cx) == Some("typeOf")
                        && let [arg] = &args[..]
                    {
                        return self.kind_test(arg, kinds_named(text), cx);
                    }
                    return self.text_test(of, &[text], cx);
                }
                _ => {}
            }
        }
        (Some(cx.facts), Some(cx.facts))
    }

    fn null_test(&self, of: &'a Expr, cx: Cx<'a>) -> Split<'a> {
        if let ExprKind::Select(set, path, Some(default)) = &of.kind
            && matches!(default.kind, ExprKind::Null)
        {
            let Some(names) = self.names_of_path(path, cx) else {
                return (Some(cx.facts), Some(cx.facts));
            };
            // Not null: it is there, and is something.
            let Some(facts) = self.has(set, &names, cx).0 else { return (Some(cx.facts), None) };
            let inner = Cx { facts, ..cx };
            let place = self.place(set, cx).and_then(|place| self.place_below(place, path, cx));
            let no = match place {
                Some(place) => {
                    let ty = inner.fact(&place).unwrap_or(Ty::Dyn);
                    self.put(place, ty, self.without(ty, Kinds::NULL), facts)
                }
                None => Some(facts),
            };
            return (Some(cx.facts), no);
        }
        self.kind_test(of, Kinds::NULL, cx)
    }

    /// A test whether a value is of these kinds.
    fn kind_test(&self, of: &'a Expr, kinds: Kinds, cx: Cx<'a>) -> Split<'a> {
        let Some(place) = self.place(of, cx) else { return (Some(cx.facts), Some(cx.facts)) };
        let ty = self.infer(of, cx);
        let yes = self.put(place, ty, self.only(ty, kinds), cx.facts);
        let no = self.put(place, ty, self.without(ty, kinds), cx.facts);
        (yes, no)
    }

    /// A test whether a value is one of these texts.
    fn text_test(&self, of: &'a Expr, texts: &[&'a str], cx: Cx<'a>) -> Split<'a> {
        let Some(place) = self.place(of, cx) else { return (Some(cx.facts), Some(cx.facts)) };
        let ty = self.infer(of, cx);
        let is_one = |member: &Ty<'a>| match member {
            Ty::Str(Some(text)) => texts.contains(text),
            _ => false,
        };
        let may_be = ty.members().iter().any(|member| match member {
            Ty::Str(None) | Ty::Dyn => true,
            member => is_one(member),
        });
        let yes = match may_be || ty.is_vague() {
            true => {
                let known = ty.members().iter().copied().filter(is_one).collect::<Vec<_>>();
                let all = texts.iter().map(|text| Ty::Str(Some(text)));
                let new = match known.is_empty() || ty.is_vague() {
                    true => self.union(all),
                    false => self.union(known),
                };
                self.put(place, ty, new, cx.facts)
            }
            false => None,
        };
        let others = ty.members().iter().copied().filter(|member| !is_one(member));
        let others = self.union(others.collect::<Vec<_>>());
        (yes, self.put(place, ty, others, cx.facts))
    }

    /// `of ? a.b`
    fn has(&self, of: &'a Expr, names: &[Symbol], cx: Cx<'a>) -> Split<'a> {
        let mut ty = self.infer(of, cx);
        let mut place = self.place(of, cx);
        let (mut facts, mut always) = (cx.facts, true);
        for name in names {
            let below = place.map(|place| Place { path: self.symbols(place.path, *name), ..place });
            let known = below.as_ref().and_then(|place| cx.fact(place));
            let found = match (known, self.look_in(ty, *name)) {
                (Some(known), _) => known,
                (None, Look::Has(found)) => found,
                (None, Look::Maybe(found)) => {
                    always = false;
                    found
                }
                (None, Look::No) => return (None, Some(cx.facts)),
            };
            // Alternatives without the name are excluded, and then it is there.
            if let Some(place) = place {
                let with = ty
                    .members()
                    .iter()
                    .copied()
                    .filter(|member| !matches!(self.look_in(*member, *name), Look::No));
                let with = self.union(with.collect::<Vec<_>>());
                facts = self.put(place, ty, with, facts).unwrap_or(facts);
            }
            ty = self.resolve(found);
            if let Some(place) = below {
                facts = Some(self.eval.alloc(Fact { place, ty, others: facts }));
            }
            place = below;
        }
        (Some(facts), if always { None } else { Some(cx.facts) })
    }

    /// A call that is a test: `isString x`, `hasAttr "a" x`, `elem x [ … ]`.
    fn test(&self, function: &'a Expr, args: &'a [Expr], cx: Cx<'a>) -> Split<'a> {
        let unknown = (Some(cx.facts), Some(cx.facts));
        let Some(name) = self.library_name(function, cx) else { return unknown };
        match (name, args) {
            ("assertMsg", [condition, ..]) => self.split(condition, cx),
            ("hasAttr", [name, of]) => match self.infer(name, cx) {
                Ty::Str(Some(name)) => self.has(of, &[Symbol::new(name)], cx),
                _ => unknown,
            },
            ("hasAttrByPath", [path, of]) => match self.texts_of(path, cx) {
                Some(names) => {
                    let names: Vec<_> = names.into_iter().map(Symbol::new).collect();
                    self.has(of, &names, cx)
                }
                None => unknown,
            },
            ("elem", [of, list]) => match self.texts_of(list, cx) {
                Some(texts) => self.text_test(of, &texts, cx),
                None => self.name_test(of, list, cx),
            },
            ("isStringLike", [of]) => {
                let kinds = Kinds::STR.or(Kinds::PATH);
                let yes = self.kind_test(of, kinds.or(Kinds::SET), cx).0;
                (yes, self.kind_test(of, kinds, cx).1)
            }
            // A set may be one too.
            ("isFunction", [of]) => {
                let yes = self.kind_test(of, Kinds::FUN.or(Kinds::SET), cx).0;
                let Some(place) = self.place(of, cx) else { return unknown };
                let ty = self.infer(of, cx);
                let callable = |set| matches!(self.look(set, "__functor".into()), Look::Has(_));
                let others = ty.members().iter().copied().filter(|member| match member {
                    Ty::Set(set) => !callable(*set),
                    member => !matches!(member, Ty::Fun(_)),
                });
                let others = self.union(others.collect::<Vec<_>>());
                (yes, self.put(place, ty, others, cx.facts))
            }
            (name, [of]) => match kinds_tested(name) {
                Some(kinds) => self.kind_test(of, kinds, cx),
                None => unknown,
            },
            _ => unknown,
        }
    }

    /// `elem "a" (attrNames set)`
    fn name_test(&self, of: &'a Expr, list: &'a Expr, cx: Cx<'a>) -> Split<'a> {
        if let ExprKind::Apply(function, args) = &list.kind
            && self.library_name(function, cx) == Some("attrNames")
            && let ([set], Ty::Str(Some(name))) = (&args[..], self.infer(of, cx))
        {
            return self.has(set, &[Symbol::new(name)], cx);
        }
        (Some(cx.facts), Some(cx.facts))
    }

    /// What is left of an argument, by its number, where a function of the arguments holds.
    pub(super) fn passing(&self, test: Ty<'a>, args: &[Ty<'a>], number: usize) -> Ty<'a> {
        let ty = args.get(number).map_or(Ty::Dyn, |ty| self.resolve(*ty));
        match self.resolve(test) {
            Ty::Fun(Fun::Sig(fun, [Ty::Str(Some(name))])) if fun.name == "hasAttr" => {
                let name = Symbol::new(name);
                let has = |one: &Ty<'a>| !matches!(self.look_in(*one, name), Look::No);
                self.union(ty.members().iter().copied().filter(has).collect::<Vec<_>>())
            }
            Ty::Fun(Fun::Sig(fun, [])) => match kinds_tested(fun.name) {
                Some(kinds) if fun.name != "isFunction" => self.only(ty, kinds),
                _ => ty,
            },
            Ty::Fun(Fun::Closure(lambda, cx, [])) => {
                let named =
                    matches!(&lambda.param, Param::Names(names) if names.len() == args.len());
                if !named {
                    return ty;
                }
                let scope = self.params(lambda, cx, |_| Ty::Dyn, args);
                let inner = Cx { scope, ..cx };
                match self.in_mode(Mode::Silent, || self.split(&lambda.body, inner)).0 {
                    Some(facts) => {
                        let place = Place { scope, slot: number as u32, path: &[] };
                        self.refined(ty, place, Cx { facts, ..inner })
                    }
                    None => Ty::Never,
                }
            }
            _ => ty,
        }
    }

    /// A type with what is known of its place, and of the attributes there.
    fn refined(&self, ty: Ty<'a>, place: Place<'a>, cx: Cx<'a>) -> Ty<'a> {
        let ty = cx.fact(&place).unwrap_or(ty);
        let attribute = |field: &Field<'a>| {
            let below = Place { path: self.symbols(&[], field.name), ..place };
            cx.fact(&below).map_or(*field, |ty| Field { ty, optional: false, ..*field })
        };
        let each = ty.members().iter().map(|member| match member {
            Ty::Set(SetTy::Record(Record { fields, rest })) => {
                self.record(fields.iter().map(attribute).collect(), *rest)
            }
            member => *member,
        });
        let each: Vec<_> = each.collect();
        self.union(each)
    }

    /// The texts of a list that is written out.
    fn texts_of(&self, list: &'a Expr, cx: Cx<'a>) -> Option<Vec<&'a str>> {
        let ExprKind::List(items) = &list.kind else { return None };
        let each = items.iter().map(|item| match self.infer(item, cx) {
            Ty::Str(Some(text)) => Some(text),
            _ => None,
        });
        each.collect()
    }

    /// The name of the library's function that an expression is.
    fn library_name(&self, function: &'a Expr, cx: Cx<'a>) -> Option<&'static str> {
        match self.infer(function, cx) {
            Ty::Fun(Fun::Sig(fun, [])) => Some(fun.name),
            _ => None,
        }
    }

    /// The names of a path, where all are known.
    pub(super) fn names_of_path(&self, path: &'a [Key], cx: Cx<'a>) -> Option<Vec<Symbol>> {
        let silently = |expr: &'a Expr| self.in_mode(Mode::Silent, || self.infer(expr, cx));
        let name = |key: &'a Key| match key {
            Key::Static(name, _) => Some(*name),
            Key::Dynamic(expr) => match silently(expr) {
                Ty::Str(Some(name)) => Some(Symbol::new(name)),
                _ => None,
            },
        };
        path.iter().map(name).collect()
    }

    /// One more fact; none where a place can have no type at all.
    fn put(
        &self,
        place: Place<'a>,
        old: Ty<'a>,
        ty: Ty<'a>,
        others: Facts<'a>,
    ) -> Option<Facts<'a>> {
        match (old, ty) {
            (Ty::Never, _) => Some(others),
            (_, Ty::Never) => None,
            _ => Some(Some(self.eval.alloc(Fact { place, ty, others }))),
        }
    }

    /// The alternatives that are of these kinds.
    fn only(&self, ty: Ty<'a>, kinds: Kinds) -> Ty<'a> {
        let each = ty.members().iter().map(|member| match member {
            Ty::Dyn => self.of_kinds(kinds),
            member if member.kinds().meets(kinds) => *member,
            _ => Ty::Never,
        });
        self.union(each.collect::<Vec<_>>())
    }

    /// The alternatives that are not of these kinds.
    pub(super) fn without(&self, ty: Ty<'a>, kinds: Kinds) -> Ty<'a> {
        let each = ty
            .members()
            .iter()
            .copied()
            .filter(|member| matches!(member, Ty::Dyn) || !member.kinds().meets(kinds));
        self.union(each.collect::<Vec<_>>())
    }
}

fn kinds_tested(name: &str) -> Option<Kinds> {
    Some(match name {
        "isAttrs" => Kinds::SET,
        "isBool" => Kinds::BOOL,
        "isFloat" => Kinds::FLOAT,
        "isFunction" => Kinds::FUN,
        "isInt" => Kinds::INT,
        "isList" => Kinds::LIST,
        "isNull" => Kinds::NULL,
        "isPath" => Kinds::PATH,
        "isString" => Kinds::STR,
        _ => return None,
    })
}

/// The kind that `typeOf` calls so.
fn kinds_named(name: &str) -> Kinds {
    match name {
        "bool" => Kinds::BOOL,
        "float" => Kinds::FLOAT,
        "int" => Kinds::INT,
        "lambda" => Kinds::FUN,
        "list" => Kinds::LIST,
        "null" => Kinds::NULL,
        "path" => Kinds::PATH,
        "set" => Kinds::SET,
        "string" => Kinds::STR,
        _ => Kinds::NONE,
    }
}
