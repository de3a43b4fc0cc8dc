//! Modules: functions of the configuration, taken apart as the module system does.

use crate::modules::{Level, Place as OptionPlace, RESERVED, argument};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Formal, Lambda, Param};

use super::Checker;
use super::scope::Cx;
use super::ty::{Field, Fun, Kinds, Mode, SetTy, Ty};
use super::want::{Want, is_property};

impl<'a> Checker<'_, 'a> {
    /// A module that is a function: its arguments are the configuration's.
    pub(super) fn check_module_function(
        &self,
        lambda: &'a Lambda,
        cx: Cx<'a>,
        (level, place): (&'a Level<'a>, OptionPlace<'a>),
    ) -> Ty<'a> {
        self.check_module_formals(lambda, level);
        let given = |formal: &'a Formal| self.module_argument(level, formal.name);
        let known = ["config", "lib", "options"].map(Symbol::new).map(|name| Field {
            name,
            ty: self.module_argument(level, name),
            optional: false,
            key: Span::NONE,
            at: Span::NONE,
        });
        let whole = self.record(known.to_vec(), Some(Ty::Dyn));
        let scope = self.params(lambda, cx, given, &[whole]);
        self.check(&lambda.body, Cx { scope, ..cx }, Want::Module(level, place))
    }

    fn module_argument(&self, level: &'a Level<'a>, name: Symbol) -> Ty<'a> {
        match name.as_str() {
            "config" => Ty::Set(SetTy::Config { level, open: self.is_open(level.tree) }),
            "options" => Ty::Set(SetTy::Options(level)),
            "lib" => self.library(),
            _ => self.special_argument(level, name),
        }
    }

    pub(super) fn check_module_set(
        &self,
        attrs: &'a AttrsExpr,
        cx: Cx<'a>,
        (level, place): (&'a Level<'a>, OptionPlace<'a>),
    ) {
        let named = |name: &str| attrs.entries.iter().any(|entry| entry.name.as_str() == name);
        let long = named("config") || named("options");
        self.each_entry(attrs, cx, |name, key, value, cx| {
            let want = match name.as_str() {
                "imports" => {
                    let each = self.eval.alloc(Want::Module(level, place));
                    Want::List(each)
                }
                "options" => Want::Declarations(level, place),
                "config" => Want::Level(level, place),
                other if long || RESERVED.contains(&other) => Want::Any,
                _ => {
                    return self.check_entry((level, place), name, key, value, cx);
                }
            };
            self.check(value, cx, want);
        });
    }

    /// A module that is no expression of its own here: what a function gave.
    pub(super) fn compare_module(
        &self,
        ty: Ty<'a>,
        (level, place): (&'a Level<'a>, OptionPlace<'a>),
        at: Span,
    ) {
        let ty = self.force(ty);
        if ty.is_vague() {
            return;
        }
        let kinds = Kinds::SET.or(Kinds::FUN).or(Kinds::PATH).or(Kinds::STR).or(Kinds::LIST);
        if !ty.kinds().meets(kinds) {
            let message = format!(
                "a module is a function, an attribute set or a path, not {}",
                ty.described()
            );
            let error = crate::diagnostic::Diagnostic::error("module::not-a-module", at, message);
            self.report(error.with_help("a module looks like `{ config, lib, ... }: { … }`"));
            return;
        }
        if let Ty::Fun(Fun::Closure(lambda, cx, [])) = ty {
            self.compare_module_function(lambda, cx, (level, place));
        }
        let Ty::Set(set @ SetTy::Record(record)) = ty else { return };
        if is_property(self, set) {
            self.define_level(ty, level, place, at);
            return;
        }
        let (config, options) = (Symbol::new("config"), Symbol::new("options"));
        if record.rest.is_some() || record.get(options).is_some() {
            return;
        }
        match record.get(config) {
            Some(field) => self.define_level(field.ty, level, place, field.at.or(at)),
            None => {
                let own = |field: &&Field<'a>| !RESERVED.contains(&field.name.as_str());
                let fields: Vec<_> = record.fields.iter().filter(own).copied().collect();
                self.define_level(self.record(fields, None), level, place, at);
            }
        }
    }

    /// A module that a function made: what it surely defines is compared for this call of it.
    fn compare_module_function(
        &self,
        lambda: &'a Lambda,
        cx: Cx<'a>,
        options: (&'a Level<'a>, OptionPlace<'a>),
    ) {
        if self.mode.get() != Mode::All {
            return;
        }
        self.instance.set(true);
        let faults = self.faults_of(|| self.check_module_function(lambda, cx, options)).1;
        self.instance.set(false);
        if let Some(fault) = faults.into_iter().next() {
            self.report(fault);
        }
    }

    /// Reports an argument that no module can have.
    fn check_module_formals(&self, lambda: &'a Lambda, level: &'a Level<'a>) {
        let Param::Pattern(pattern) = &lambda.param else { return };
        // Submodules have others, and arguments may be defined under a condition.
        let own = level.definitions_of(self.eval, Symbol::new("_module"));
        let is_root = self.root.is_some_and(|root| std::ptr::eq(root, level));
        if !is_root || !own.is_ok_and(|own| own.is_empty()) {
            return;
        }
        for formal in pattern.formals.iter().filter(|formal| formal.default.is_none()) {
            let known = ["config", "lib", "options"].contains(&formal.name.as_str())
                || level.tree.special.iter().any(|(name, _)| *name == formal.name);
            if !known && let Err(error) = argument(self.eval, level.tree, formal.name, formal.span)
            {
                self.report(*error);
            }
        }
    }
}
