//! Calls.

use crate::arguments::{self, Passed};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::tree::{Expr, ExprKind, Formal, Lambda, Param};

use super::demand::TEXT;
use super::lookup::Look;
use super::operators::comparable;
use super::report;
use super::scope::Cx;
use super::signature::{Sig, SigFun};
use super::ty::{Fun, Kinds, Mode, SetTy, Site, Ty};
use super::want::{Bindings, Want};
use super::{Checker, FUEL, Pending};

/// Of more functions than this, nothing is known of a call.
const SEVERAL: usize = 6;

/// Functions that are given what they gave before: the `_` in their signatures.
const FOLDS: [&str; 4] = ["foldl'", "foldl", "foldr", "foldlAttrs"];
/// After so many rounds a fold gathers anything.
const ROUNDS: usize = 4;

/// Functions whose result holds all that they are given: what is wanted of it is wanted of their
/// arguments. `filter` is none.
const FAITHFUL: [&str; 33] = [
    "attrValues",
    "concatLists",
    "concatMap",
    "concatMapAttrs",
    "const",
    "deepSeq",
    "forEach",
    "genAttrs",
    "genAttrs'",
    "genList",
    "id",
    "imap0",
    "imap1",
    "listToAttrs",
    "map",
    "mapAttrs",
    "mapAttrs'",
    "mapAttrsToList",
    "nameValuePair",
    "optional",
    "optionalAttrs",
    "optionalString",
    "optionals",
    "reverseList",
    "seq",
    "singleton",
    "sort",
    "throwIf",
    "throwIfNot",
    "trace",
    "warn",
    "warnIf",
    "zipListsWith",
];

/// Functions that may not come by their arguments beyond the first.
const GUARDED: [&str; 6] =
    ["and", "optional", "optionalAttrs", "optionalString", "optionals", "or"];

/// A function of the fleet, and the arguments that it has already.
type Closure<'a> = (&'a Lambda, Cx<'a>, &'a [Ty<'a>]);

/// An argument.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    Expr(&'a Expr, Cx<'a>),
    Ty(Ty<'a>),
}

impl<'a> Arg<'a> {
    fn span(self) -> Span {
        match self {
            Arg::Expr(expr, _) => expr.span,
            Arg::Ty(_) => Span::NONE,
        }
    }
}

impl<'a> Checker<'_, 'a> {
    pub(super) fn apply(
        &self,
        function: &'a Expr,
        args: &'a [Expr],
        cx: Cx<'a>,
        at: Span,
    ) -> Ty<'a> {
        self.apply_wanting(function, args, cx, at, Want::Any)
    }

    /// A call whose result is expected to be something.
    pub(super) fn apply_wanting(
        &self,
        function: &'a Expr,
        args: &'a [Expr],
        cx: Cx<'a>,
        at: Span,
        want: Want<'a>,
    ) -> Ty<'a> {
        let callee = function;
        let function = self.infer(callee, cx);
        self.demand(callee, cx, Kinds::FUN.or(Kinds::SET));
        let args: Vec<_> = args.iter().map(|arg| Arg::Expr(arg, cx)).collect();
        self.call(function, &args, at, want)
    }

    /// The result of calling a function with arguments, in whatever mode.
    pub(super) fn call(
        &self,
        function: Ty<'a>,
        args: &[Arg<'a>],
        at: Span,
        want: Want<'a>,
    ) -> Ty<'a> {
        let function = self.force(function);
        if args.is_empty() {
            return function;
        }
        if !self.is_callable(function) {
            self.report(report::not_a_function(&function, at));
        }
        match function {
            Ty::Fun(Fun::Closure(lambda, cx, given)) => {
                self.call_closure((lambda, cx, given), args, at)
            }
            Ty::Fun(Fun::Sig(fun, given)) => self.call_signature(fun, given, args, at, want),
            other => {
                let types: Vec<_> = args.iter().map(|arg| self.part_of(*arg)).collect();
                // What a set gives when it is called may be the set itself.
                self.inside(Ty::Dyn, || self.call_any(other, &types, at))
            }
        }
    }

    /// A call of a set that is a function too, or of one of several functions.
    fn call_any(&self, function: Ty<'a>, args: &[Ty<'a>], at: Span) -> Ty<'a> {
        let all = function.members();
        if function.is_vague() || all.len() > SEVERAL {
            self.doubt_if(!matches!(function, Ty::Never), at);
            return Ty::Dyn;
        }
        let each = all.iter().map(|member| match member {
            Ty::Fun(Fun::Closure(..) | Fun::Sig(..)) => {
                let args: Vec<_> = args.iter().copied().map(Arg::Ty).collect();
                self.aside(|| {
                    self.in_mode(Mode::Silent, || self.call(*member, &args, at, Want::Any))
                })
            }
            Ty::Set(set) => match self.look(*set, "__functor".into()) {
                Look::Has(functor) => {
                    let all = std::iter::once(*member).chain(args.iter().copied());
                    let args: Vec<_> = all.map(Arg::Ty).collect();
                    self.aside(|| {
                        self.in_mode(Mode::Silent, || self.call(functor, &args, at, Want::Any))
                    })
                }
                _ => self.given_up(at),
            },
            _ => self.given_up(at),
        });
        let each: Vec<_> = each.collect();
        self.union(each)
    }

    /// Whether a value may be called.
    fn is_callable(&self, function: Ty<'a>) -> bool {
        let callable = |member: &Ty<'a>| match member {
            Ty::Fun(_) | Ty::Dyn => true,
            Ty::Set(set) => !matches!(self.look(*set, "__functor".into()), Look::No),
            _ => false,
        };
        function.is_vague() || function.members().iter().any(callable)
    }

    /// An argument's type, perhaps not looked at yet.
    fn part_of(&self, arg: Arg<'a>) -> Ty<'a> {
        match arg {
            Arg::Expr(expr, cx) => self.part(expr, cx),
            Arg::Ty(ty) => ty,
        }
    }

    fn call_closure(&self, closure: Closure<'a>, args: &[Arg<'a>], at: Span) -> Ty<'a> {
        let types: Vec<_> = args.iter().map(|arg| self.part_of(*arg)).collect();
        if self.mode.get() != Mode::All {
            return self.run(closure, &types, at);
        }
        if let ([arg], (lambda, cx, [])) = (&types[..], closure)
            && cx.scope.up.is_none()
        {
            self.visit_file(lambda, cx, *arg);
        }
        let whole = match args {
            [only] => only.span().or(at),
            _ => at,
        };
        let site = self.eval.alloc(Site { lambda: closure.0, at: whole, call: at });
        let (result, faults) = self.faults_of_site(site, || self.run(closure, &types, at));
        let Some(fault) = faults.into_iter().next() else { return result };
        // What fails whatever it is given is no argument's fault.
        let unknown = vec![Ty::Dyn; types.len()];
        let fails =
            |types: &[Ty<'a>]| !self.faults_of(|| self.run(closure, types, at)).1.is_empty();
        if fails(&unknown) {
            self.report(fault);
            return result;
        }
        // The one argument that alone makes it fail.
        let guilty = (0..types.len()).find(|index| {
            let mut only = unknown.clone();
            only[*index] = types[*index];
            fails(&only)
        });
        let span = guilty.and_then(|index| args.get(index)).map_or(Span::NONE, |arg| arg.span());
        self.blame(&Site { at: span.or(at), ..*site }, fault);
        result
    }

    /// Reports what makes a call fail.
    pub(super) fn blame(&self, site: &Site<'a>, fault: Diagnostic) {
        let of_this_call =
            site.call.holds(fault.span) || fault.related.iter().any(|(span, _)| *span == site.call);
        self.report(match of_this_call {
            true => fault,
            false => report::call_fails(site, fault),
        });
    }

    fn faults_of_site<T>(
        &self,
        site: &'a Site<'a>,
        work: impl FnOnce() -> T,
    ) -> (T, Vec<Diagnostic>) {
        let around = self.site.replace(Some(site));
        let result = self.faults_of(work);
        self.site.set(around);
        result
    }

    /// Runs `work` as part of a call, and gives what makes that fail.
    pub(super) fn faults_of<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Diagnostic>) {
        let fuel = self.fuel.get();
        if self.mode.get() == Mode::All {
            self.fuel.set(FUEL);
        }
        let faults = self.faults.take();
        let result = self.in_mode(Mode::Call, work);
        if self.mode.get() == Mode::All {
            self.fuel.set(fuel);
        }
        (result, self.faults.replace(faults))
    }

    /// What a function gives for these arguments, and what that gives for the rest of them.
    fn run(&self, closure: Closure<'a>, args: &[Ty<'a>], at: Span) -> Ty<'a> {
        let (lambda, cx, given) = closure;
        let missing = lambda.param.count().saturating_sub(given.len());
        let (now, rest) = args.split_at(missing.min(args.len()));
        let all: Vec<_> = given.iter().chain(now).copied().collect();
        if now.len() < missing {
            return Ty::Fun(Fun::Closure(lambda, cx, self.slice(&all)));
        }
        let result = self.result(lambda, cx, &all, at);
        let rest: Vec<_> = rest.iter().map(|ty| Arg::Ty(*ty)).collect();
        self.call(result, &rest, at, Want::Any)
    }

    /// The context of a function's body; none where an argument cannot be bound.
    pub(super) fn bind_params(
        &self,
        lambda: &'a Lambda,
        cx: Cx<'a>,
        args: &[Ty<'a>],
        at: Span,
    ) -> Option<Cx<'a>> {
        let (Param::Pattern(pattern), [arg]) = (&lambda.param, args) else {
            return Some(Cx { scope: self.params(lambda, cx, |_| Ty::Dyn, args), ..cx });
        };
        let arg = self.force(*arg);
        self.sure_of_argument(pattern, arg, at);
        if !arg.is_vague() && !arg.kinds().meets(Kinds::SET) {
            self.report(report::not_a_set(lambda, &arg, at));
            return None;
        }
        let needed = pattern.formals.iter().filter(|formal| formal.default.is_none());
        let lacks = |formal: &Formal| matches!(self.look_in(arg, formal.name), Look::No);
        if needed.into_iter().any(lacks) {
            let sources = &self.eval.world.sources;
            self.report(arguments::missing(sources, lambda, pattern, &passed(arg, true), at));
            return None;
        }
        let known = |name| pattern.formals.iter().any(|formal| formal.name == name);
        let passed = passed(arg, false);
        if !pattern.ellipsis && passed.iter().any(|(name, _)| !known(*name)) {
            self.report(arguments::unexpected(lambda, pattern, &passed, at));
            return None;
        }
        let given = |formal: &'a crate::tree::Formal| match self.look_in(arg, formal.name) {
            Look::Has(ty) => ty,
            Look::No => Ty::Never,
            Look::Maybe(_) if formal.default.is_some() => Ty::Dyn,
            Look::Maybe(ty) => ty,
        };
        Some(Cx { scope: self.params(lambda, cx, given, &[arg]), ..cx })
    }

    fn call_signature(
        &self,
        fun: &'static SigFun,
        given: &'a [Ty<'a>],
        args: &[Arg<'a>],
        at: Span,
        want: Want<'a>,
    ) -> Ty<'a> {
        let missing = fun.params.len().saturating_sub(given.len());
        let (now, rest) = args.split_at(missing.min(args.len()));
        let all: Vec<_> = given.iter().map(|ty| Arg::Ty(*ty)).chain(now.iter().copied()).collect();
        if all.len() < fun.params.len() {
            let types: Vec<_> = all.iter().map(|arg| self.part_of(*arg)).collect();
            return Ty::Fun(Fun::Sig(fun, self.slice(&types)));
        }
        let want = if rest.is_empty() { want } else { Want::Any };
        let result = self.full_call(fun, all, at, want);
        self.call(result, rest, at, Want::Any)
    }

    fn full_call(
        &self,
        fun: &'static SigFun,
        mut args: Vec<Arg<'a>>,
        at: Span,
        want: Want<'a>,
    ) -> Ty<'a> {
        if fun.name == "import" {
            return self.import(args.first().copied());
        }
        self.guard(fun, &mut args);
        if let [a, b] = args[..]
            && fun.name == "lessThan"
        {
            let [a, b] = [a, b].map(|arg| self.force(self.part_of(arg)));
            self.sure_of_order(a, b, at);
            if !comparable(a, b) {
                self.report(report::not_comparable(&a, &b, at));
            }
            return Ty::Bool;
        }
        let bindings = Bindings::default();
        if FAITHFUL.contains(&fun.name) {
            bindings.expect(self, &fun.result, want);
        }
        let pairs = || fun.params.iter().zip(args.iter().copied()).enumerate();
        let mut types = vec![Ty::Dyn; args.len()];
        // What functions are given depends on the other arguments.
        for (number, (param, arg)) in pairs() {
            if !matches!(param, Sig::Fun(..)) {
                let look = || self.argument(param, arg, &bindings, at);
                let needed = number == 0 || !GUARDED.contains(&fun.name);
                types[number] = if needed { look() } else { self.aside(look) };
                bindings.bind(self, param, types[number]);
            }
        }
        for (number, (param, arg)) in pairs() {
            if let Sig::Fun(..) = param {
                let start = FOLDS.contains(&fun.name).then_some(&fun.result);
                types[number] = self.function_argument(param, arg, &bindings, start, at);
            }
        }
        let general = bindings.apply(self, &fun.result);
        self.precise(fun.name, &types, general, at)
    }

    /// Arguments that a condition guards stand in its branch.
    fn guard(&self, fun: &SigFun, args: &mut [Arg<'a>]) {
        let (guarded, holds) = match fun.name {
            "mkIf" | "optional" | "optionals" | "optionalAttrs" | "optionalString" => (1, true),
            "assertMsg" => (1, false),
            "throwIf" => (2, false),
            "throwIfNot" => (2, true),
            _ => return,
        };
        let Some(Arg::Expr(condition, cx)) = args.first().copied() else { return };
        let (yes, no) = self.condition(condition, cx);
        let Some(arg) = args.get_mut(guarded) else { return };
        *arg = match (*arg, if holds { yes } else { no }) {
            (Arg::Expr(expr, cx), Some(branch)) => {
                Arg::Expr(expr, Cx { facts: branch.facts, ..cx })
            }
            (Arg::Expr(..), None) => Arg::Ty(Ty::Never),
            (known, _) => known,
        };
        if let Some(first) = args.first_mut() {
            *first = Arg::Ty(Ty::Bool);
        }
    }

    fn argument(
        &self,
        param: &'static Sig,
        arg: Arg<'a>,
        bindings: &Bindings<'a>,
        at: Span,
    ) -> Ty<'a> {
        let want = bindings.want_of_part(self, param);
        match (param, arg) {
            (Sig::Any, arg) => self.part_of(arg),
            (Sig::Var(_), arg) if matches!(want, Want::Any) => self.part_of(arg),
            (_, Arg::Expr(expr, cx)) => {
                let ty = self.check(expr, cx, want);
                match param {
                    Sig::Kind(kinds) => self.demand(expr, cx, *kinds),
                    Sig::Text => self.demand(expr, cx, TEXT),
                    Sig::List(_) => self.demand(expr, cx, Kinds::LIST),
                    Sig::Each(_) | Sig::Fields(..) => self.demand(expr, cx, Kinds::SET),
                    _ => {}
                }
                ty
            }
            (_, Arg::Ty(ty)) => {
                self.in_mode_of_arg(|| self.compare(ty, want, at));
                ty
            }
        }
    }

    /// What was given before is at fault where it was given, if at all.
    fn in_mode_of_arg(&self, work: impl FnOnce()) {
        self.in_mode(Mode::Silent, work);
    }

    /// An argument that is a function: what it is called with, and what it should give, is known.
    ///
    /// Of a fold, `start` is what it starts with, and what it gives.
    fn function_argument(
        &self,
        param: &'static Sig,
        arg: Arg<'a>,
        bindings: &Bindings<'a>,
        start: Option<&'static Sig>,
        at: Span,
    ) -> Ty<'a> {
        let (mut params, mut gathers, mut called) = (Vec::new(), None, true);
        let mut result = param;
        while let Sig::Fun(param, rest) = result {
            if start.is_some() && matches!(**param, Sig::Any) {
                gathers = Some(params.len());
            }
            // What nothing is known of, such as the elements of an empty list, is anything.
            params.push(match self.resolve(bindings.apply(self, param)) {
                Ty::Never => {
                    called = false;
                    Ty::Dyn
                }
                ty => ty,
            });
            result = rest;
        }
        let want = bindings.want_of_part(self, result);
        let function = match arg {
            Arg::Expr(Expr { kind: ExprKind::Lambda(lambda), .. }, cx) => {
                Ty::Fun(Fun::Closure(lambda, cx, &[]))
            }
            Arg::Expr(expr, cx) => {
                let ty = self.infer(expr, cx);
                self.expect(ty, Kinds::FUN.or(Kinds::SET), "a function", expr.span);
                ty
            }
            Arg::Ty(ty) => ty,
        };
        if let (Some(start), Some(index)) = (start, gathers) {
            let start = bindings.apply(self, start);
            params[index] = self.gathered(function, &params, index, start, at);
        }
        let run = || match arg {
            Arg::Expr(Expr { kind: ExprKind::Lambda(lambda), .. }, cx) => {
                self.typed_body(lambda, cx, &params, want, at)
            }
            _ => {
                let args: Vec<_> = params.iter().copied().map(Arg::Ty).collect();
                let ty = self.in_mode(Mode::Silent, || self.call(function, &args, at, Want::Any));
                self.aside(|| self.compare(ty, want, arg.span().or(at)));
                ty
            }
        };
        let ty = if called { run() } else { self.not_known(run) };
        bindings.bind(self, result, ty);
        function
    }

    /// What a fold's function is given of what it gave before: the bound of all rounds.
    fn gathered(
        &self,
        function: Ty<'a>,
        params: &[Ty<'a>],
        index: usize,
        start: Ty<'a>,
        at: Span,
    ) -> Ty<'a> {
        let mut gathered = self.widen(start);
        for _ in 0..ROUNDS {
            let mut args: Vec<_> = params.iter().copied().map(Arg::Ty).collect();
            args[index] = Arg::Ty(gathered);
            let run = || self.call(function, &args, at, Want::Any);
            let (next, faults) = self.faults_of(run);
            // It fails for what it has so far: that is to be said.
            if !faults.is_empty() || self.fits(next, gathered) {
                return gathered;
            }
            gathered = self.join(gathered, self.widen(next));
        }
        Ty::Dyn
    }

    /// A function that is written where it is used: its body is checked with what it is given.
    pub(super) fn typed_body(
        &self,
        mut lambda: &'a Lambda,
        mut cx: Cx<'a>,
        params: &[Ty<'a>],
        want: Want<'a>,
        at: Span,
    ) -> Ty<'a> {
        let mut rest = params;
        loop {
            let (now, after) = rest.split_at(lambda.param.count().min(rest.len()));
            rest = after;
            let Some(inner) = self.bind_params(lambda, cx, now, at) else {
                self.later(Pending::Body(lambda, cx));
                return Ty::Dyn;
            };
            cx = inner;
            match (&lambda.body.kind, rest) {
                // A function that waits for more.
                _ if now.len() < lambda.param.count() => {
                    self.aside(|| self.infer(&lambda.body, cx));
                    let waiting = Ty::Fun(Fun::Any);
                    self.aside(|| self.compare(waiting, want, lambda.body.span));
                    return waiting;
                }
                (ExprKind::Lambda(next), [_, ..]) => lambda = next,
                (_, []) => return self.aside(|| self.check(&lambda.body, cx, want)),
                _ => {
                    let result = self.aside(|| self.infer(&lambda.body, cx));
                    if !self.is_callable(result) {
                        let error = report::too_few_params(&result, params.len(), lambda.body.span);
                        self.report(error);
                        return Ty::Dyn;
                    }
                    let rest: Vec<_> = rest.iter().map(|ty| Arg::Ty(*ty)).collect();
                    let call = || self.call(result, &rest, at, Want::Any);
                    let ty = self.in_mode(Mode::Silent, call);
                    self.aside(|| self.compare(ty, want, lambda.body.span));
                    return ty;
                }
            }
        }
    }

    /// The value of a file.
    fn import(&self, arg: Option<Arg<'a>>) -> Ty<'a> {
        let ty = match arg {
            Some(Arg::Expr(expr, cx)) => self.infer(expr, cx),
            Some(Arg::Ty(ty)) => self.force(ty),
            None => Ty::Dyn,
        };
        self.expect_text(ty, arg.map_or(Span::NONE, Arg::span));
        match ty {
            Ty::Path(Some(path)) => self.file(path),
            _ => Ty::Dyn,
        }
    }
}

/// What a set passes; of what it may or may not have, as told.
fn passed(ty: Ty<'_>, with_optional: bool) -> Vec<Passed> {
    let Ty::Set(SetTy::Record(record)) = ty else { return Vec::new() };
    let fields = record.fields.iter().filter(|field| with_optional || !field.optional);
    fields.map(|field| (field.name, field.key)).collect()
}
