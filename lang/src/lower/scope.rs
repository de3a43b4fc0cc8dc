//! Names in scope while lowering.

use rnix::ast;
use rustc_hash::FxHashMap;

use super::{Lowerer, symbol_of};
use crate::builtins;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::ExprKind;

/// What one environment brings into scope.
pub(super) enum Scope {
    /// Names with their slots.
    Names(FxHashMap<Symbol, u32>),
    /// The attributes of a set that is not known yet.
    With,
}

impl Scope {
    /// Names in the order of their slots.
    pub(super) fn names(names: impl IntoIterator<Item = Symbol>) -> Scope {
        Scope::Names(names.into_iter().zip(0..).collect())
    }
}

impl Lowerer<'_> {
    pub(super) fn variable(&mut self, ident: &ast::Ident, span: Span) -> ExprKind {
        self.resolve(symbol_of(ident), span)
    }

    /// The slot of a name: the innermost binding, else a builtin, else a `with` around it.
    pub(super) fn resolve(&mut self, name: Symbol, span: Span) -> ExprKind {
        let mut withs = Vec::new();
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            match scope {
                Scope::Names(names) => {
                    if let Some(slot) = names.get(&name) {
                        return ExprKind::Var(depth as u32, *slot);
                    }
                }
                Scope::With => withs.push(depth as u32),
            }
        }
        match name.as_str() {
            "true" => return ExprKind::Bool(true),
            "false" => return ExprKind::Bool(false),
            "null" => return ExprKind::Null,
            _ => {}
        }
        if let Some(index) = builtins::global(name.as_str()) {
            return ExprKind::Global(index);
        }
        if builtins::hidden_global(name.as_str())
            && let Some(error) = builtins::unavailable(name.as_str(), span)
        {
            // Only an error when it is evaluated: Nix files mention such names as fallbacks.
            return ExprKind::Fail(error);
        }
        if !withs.is_empty() {
            return ExprKind::With(name, withs.into());
        }
        if let Some(error) = builtins::unavailable(name.as_str(), span) {
            return ExprKind::Fail(error);
        }
        let error = self.unbound(name, span);
        self.report((*error).clone());
        ExprKind::Fail(error)
    }

    /// What to say of a name with an arrow after it, as functions have in other languages.
    fn arrow_after(&self, span: Span) -> Option<String> {
        let file = self.world.sources.get(self.file)?;
        let rest = file.text.get(span.end as usize..)?.trim_start();
        let name = file.text.get(span.start as usize..span.end as usize)?;
        rest.starts_with("->").then(|| {
            format!(
                "a function is written `{name}: …`; `->` is between two booleans, an implication"
            )
        })
    }

    fn unbound(&self, name: Symbol, span: Span) -> Box<Diagnostic> {
        let mut error = Diagnostic::error(UNBOUND, span, format!("`{name}` is not defined"));
        let bound = self.scopes.iter().flat_map(|scope| match scope {
            Scope::Names(names) => names.keys().map(|name| name.as_str()).collect(),
            Scope::With => Vec::new(),
        });
        let known = bound.chain(builtins::global_names()).chain(["true", "false", "null"]);
        error.help = self
            .arrow_after(span)
            .or_else(|| did_you_mean(name.as_str(), known))
            .or_else(|| advice(name.as_str()));
        error.into()
    }
}

/// The code of names that nothing binds.
const UNBOUND: &str = "name::unbound";

/// Names that people use before they bring them into scope.
fn advice(name: &str) -> Option<String> {
    match name {
        "lib" | "config" | "pkgs" | "options" | "name" | "nodes" => Some(format!(
            "name it among the module's arguments: `{{ {name}, ... }}:` at the top of the file"
        )),
        name if builtins::index(name).is_some() => Some(format!("write `builtins.{name}`")),
        name if name.chars().all(|c| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit()) => {
            Some(format!(
                "for a variable of the shell, write `''${{{name}}}` in a string between `''`, and \
                 `\\${{{name}}}` between `\"`"
            ))
        }
        _ => None,
    }
}
