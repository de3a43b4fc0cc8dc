//! Functions of the library whose results say more than a signature can: the names of a set that
//! `mapAttrs` gives, an element of a list that is written out.

use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{ExprKind, Param};

use super::Checker;
use super::call::Arg;
use super::define::RANKS;
use super::lookup::Look;
use super::scope::Cx;
use super::ty::{Field, Fun, Item, Kinds, Mode, Record, SetTy, Ty};
use super::want::Want;

impl<'a> Checker<'_, 'a> {
    /// What a function gives for arguments of these types; `general` is what its signature says.
    pub(super) fn precise(&self, name: &str, args: &[Ty<'a>], general: Ty<'a>, at: Span) -> Ty<'a> {
        let known = match (name, args) {
            ("mapAttrs", [function, set]) => self.mapped(*function, *set),
            ("genAttrs", [names, function]) => self.generated(*names, *function),
            ("listToAttrs", [list]) => self.of_pairs(*list),
            ("attrNames", [set]) => self.names_of(*set),
            ("filterAttrs", [test, set]) => self.thinned(*test, *set),
            ("filter", [test, list]) => {
                let elem = self.elements(self.resolve(*list));
                Some(self.list_of(self.passing(*test, &[elem], 0), false))
            }
            ("findFirst", [test, default, list]) => {
                let elem = self.elements(self.resolve(*list));
                Some(self.union([self.passing(*test, &[elem], 0), *default]))
            }
            ("remove", [Ty::Null, list]) => {
                let elem = self.elements(self.resolve(*list));
                Some(self.list_of(self.without(elem, Kinds::NULL), false))
            }
            // What a condition guards is not looked at: it may be there for other calls.
            ("mkOverride" | "mkOrder", [_, content]) => Some(self.property("content", *content)),
            ("mkMerge", [contents]) => Some(self.property("contents", *contents)),
            (name, [content]) if RANKS.contains(&name) => Some(self.property("content", *content)),
            ("removeAttrs", [set, names]) => self.removed(*set, *names),
            ("head", [list]) => self.item(*list, 0),
            ("elemAt", [list, Ty::Int(Some(number))]) => {
                usize::try_from(*number).ok().and_then(|number| self.item(*list, number))
            }
            ("getAttr", [name, set]) => self.attribute(*name, *set, at),
            ("pipe", [value, functions]) => self.piped(*value, *functions, at),
            ("toList", [value]) => self.listed(*value),
            ("concat", [a, b]) => Some(self.concat(self.resolve(*a), self.resolve(*b))),
            ("mergeAttrs", [a, b]) => Some(self.update(self.resolve(*a), self.resolve(*b))),
            ("mkSecret", [_]) => Some(self.secret()),
            ("tryEval", [value]) => {
                // The value of what fails is `false`.
                let field = |name: &str, ty| {
                    let name = name.into();
                    Field { name, ty, optional: false, key: Span::NONE, at: Span::NONE }
                };
                let value = match self.resolve(*value) {
                    Ty::Never => Ty::Dyn,
                    value => self.union([value, Ty::Bool]),
                };
                Some(self.record(vec![field("success", Ty::Bool), field("value", value)], None))
            }
            _ => None,
        };
        known.unwrap_or(general)
    }

    fn attribute(&self, name: Ty<'a>, set: Ty<'a>, at: Span) -> Option<Ty<'a>> {
        let Ty::Str(Some(name)) = self.resolve(name) else {
            self.doubt_if(true, at);
            return None;
        };
        let (set, name) = (self.resolve(set), Symbol::new(name));
        match self.look_in(set, name) {
            Look::Has(ty) => Some(self.force(ty)),
            Look::Maybe(_) => {
                self.doubt_if(true, at);
                None
            }
            Look::No => {
                if set.kinds() == Kinds::SET {
                    self.report(self.missing(set, name, at));
                }
                None
            }
        }
    }

    /// A set of which the names were read off the text.
    fn as_record(&self, ty: Ty<'a>) -> Option<&'a Record<'a>> {
        match self.resolve(ty) {
            Ty::Set(SetTy::Record(record)) => Some(record),
            _ => None,
        }
    }

    /// The elements of a list that is written out.
    fn items(&self, ty: Ty<'a>) -> Option<&'a [Item<'a>]> {
        match self.resolve(ty) {
            Ty::List(list) => list.items,
            _ => None,
        }
    }

    fn item(&self, list: Ty<'a>, number: usize) -> Option<Ty<'a>> {
        Some(self.force(self.items(list)?.get(number)?.ty))
    }

    /// A value that is given to one function after the other.
    fn piped(&self, value: Ty<'a>, functions: Ty<'a>, at: Span) -> Option<Ty<'a>> {
        let functions = self.items(functions)?;
        Some(functions.iter().fold(value, |value, function| {
            let run = || self.call(function.ty, &[Arg::Ty(value)], function.at.or(at), Want::Any);
            self.in_mode(Mode::Silent, run)
        }))
    }

    fn listed(&self, value: Ty<'a>) -> Option<Ty<'a>> {
        let value = self.resolve(value);
        match value.kinds() {
            _ if value.is_vague() => None,
            Kinds::LIST => Some(value),
            kinds if kinds.meets(Kinds::LIST) => None,
            _ => Some(self.list_of_items(vec![Item { ty: value, at: Span::NONE }])),
        }
    }

    fn mapped(&self, function: Ty<'a>, set: Ty<'a>) -> Option<Ty<'a>> {
        let record = self.as_record(set)?;
        let each = record.fields.iter().map(|field| {
            let name = Ty::Str(Some(field.name.as_str()));
            Some(Field { ty: self.call_later(function, &[name, field.ty])?, ..*field })
        });
        let fields = each.collect::<Option<Vec<_>>>()?;
        let rest = match record.rest {
            Some(rest) => Some(self.call_later(function, &[Ty::Str(None), rest])?),
            None => None,
        };
        Some(self.record(fields, rest))
    }

    fn generated(&self, names: Ty<'a>, function: Ty<'a>) -> Option<Ty<'a>> {
        let each = self.items(names)?.iter().map(|name| match self.resolve(name.ty) {
            name @ Ty::Str(Some(text)) => {
                let ty = self.call_later(function, &[name])?;
                let name = Symbol::new(text);
                Some(Field { name, ty, optional: false, key: Span::NONE, at: Span::NONE })
            }
            _ => None,
        });
        Some(self.record(each.collect::<Option<Vec<_>>>()?, None))
    }

    fn of_pairs(&self, list: Ty<'a>) -> Option<Ty<'a>> {
        let each = self.items(list)?.iter().map(|pair| {
            let pair = self.as_record(pair.ty)?;
            let (name, value) = (pair.get("name".into())?, pair.get("value".into())?);
            let Ty::Str(Some(text)) = self.resolve(name.ty) else { return None };
            Some(Field { name: Symbol::new(text), ..*value })
        });
        Some(self.record(each.collect::<Option<Vec<_>>>()?, None))
    }

    fn names_of(&self, set: Ty<'a>) -> Option<Ty<'a>> {
        let record = self.as_record(set).filter(|record| record.rest.is_none())?;
        let names = record.fields.iter().map(|field| Ty::Str(Some(field.name.as_str())));
        let surely = record.fields.iter().any(|field| !field.optional);
        Some(self.list_of(self.union(names), surely))
    }

    /// A set that may lack any of its names, and surely those that do not pass a test.
    fn thinned(&self, test: Ty<'a>, set: Ty<'a>) -> Option<Ty<'a>> {
        let record = self.as_record(set)?;
        let left = |name: Ty<'a>, ty: Ty<'a>| match self.passing(test, &[name, ty], 1) {
            Ty::Never => None,
            ty => Some(ty),
        };
        let fields = record.fields.iter().filter_map(|field| {
            let ty = left(Ty::Str(Some(field.name.as_str())), field.ty)?;
            Some(Field { ty, optional: true, ..*field })
        });
        let rest = record.rest.and_then(|rest| left(Ty::Str(None), rest));
        Some(self.record(fields.collect(), rest))
    }

    /// `mkForce` and the like, of which only the content counts.
    fn property(&self, name: &str, content: Ty<'a>) -> Ty<'a> {
        let field = |name: &str, ty| {
            let name = name.into();
            Field { name, ty, optional: false, key: Span::NONE, at: Span::NONE }
        };
        let fields = vec![field("_type", Ty::Str(None)), field(name, content)];
        self.record(fields, Some(Ty::Dyn))
    }

    fn removed(&self, set: Ty<'a>, names: Ty<'a>) -> Option<Ty<'a>> {
        let record = self.as_record(set)?;
        let gone = self.items(names)?.iter().map(|name| match self.resolve(name.ty) {
            Ty::Str(Some(name)) => Some(name),
            _ => None,
        });
        let gone = gone.collect::<Option<Vec<_>>>()?;
        let stays = |field: &&Field<'a>| !gone.contains(&field.name.as_str());
        let rest = record.rest;
        Some(self.record(record.fields.iter().filter(stays).copied().collect(), rest))
    }

    /// What a function of the fleet gives for these arguments, looked at when it is needed.
    fn call_later(&self, function: Ty<'a>, args: &[Ty<'a>]) -> Option<Ty<'a>> {
        let Ty::Fun(Fun::Closure(mut lambda, mut cx, given)) = self.resolve(function) else {
            return None;
        };
        let args: Vec<_> = given.iter().chain(args).copied().collect();
        let mut rest = &args[..];
        loop {
            let (now, after) = rest.split_at_checked(lambda.param.count())?;
            if let (Param::Pattern(_), _) = (&lambda.param, now) {
                return None;
            }
            let scope = self.params(lambda, cx, |_| Ty::Dyn, now);
            cx = Cx { scope, ..cx };
            match (&lambda.body.kind, after) {
                (_, []) => break,
                (ExprKind::Lambda(next), _) => lambda = next,
                _ => return None,
            }
            rest = after;
        }
        let thunk = self.thunk(&lambda.body, cx, Mode::Silent);
        if self.is_to_be_sure(super::Pending::Thunk(thunk)) {
            self.pending.borrow_mut().push_back(super::Pending::Thunk(thunk));
        }
        Some(Ty::Later(thunk))
    }
}
