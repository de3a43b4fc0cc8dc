//! Looking at values from Rust: typed access with errors, functions' arguments, places.

use super::Evaluator;
use crate::brief;
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::tree::Param;
use crate::value::{Attrs, List, PathValue, Value};

/// What a function takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formals {
    /// One argument of any kind: `x: …`, or a function written in Rust.
    Any,
    /// `{ a, b ? 1, ... }: …`
    Set {
        /// The names, sorted.
        names: Vec<FormalInfo>,
        /// Whether other attributes are allowed.
        ellipsis: bool,
    },
}

/// One name of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormalInfo {
    /// The name.
    pub name: Symbol,
    /// Where it is written.
    pub span: Span,
    /// Whether it has a default.
    pub has_default: bool,
}

/// The error of a value of another type than was needed.
#[cold]
pub(crate) fn mismatch(expected: &'static str, value: Value<'_>, at: Span) -> Box<Diagnostic> {
    let message = format!("expected {expected}, found {}", brief::described(value));
    let error = Diagnostic::error("type::mismatch", at, message).about(value, expected);
    match brief::not_called(value).filter(|_| expected != "a function") {
        Some(help) => error.with_help(help),
        None => error,
    }
    .into()
}

impl<'a> Evaluator<'a> {
    /// What a function takes; `None` for what is no function. A set with `__functor` takes what
    /// its `__functionArgs` say, else anything.
    ///
    /// # Errors
    /// Whatever forcing the value meets.
    pub fn formals(&self, function: Value<'a>, at: Span) -> Result<Option<Formals>> {
        match self.force_at(function, at)? {
            Value::PrimOp(_) => Ok(Some(Formals::Any)),
            Value::Attrs(set) if set.get(symbol!("__functor")).is_some() => {
                let Some(attr) = set.get(symbol!("__functionArgs")) else {
                    return Ok(Some(Formals::Any));
                };
                let args = self.force_attr(attr)?;
                let args = self.expect_attrs(args, attr.span)?;
                let names = args.sorted().into_iter().map(|attr| {
                    let has_default = self.force_attr(attr)?;
                    let has_default = self.expect_bool(has_default, attr.span)?;
                    Ok(FormalInfo { name: attr.name, span: attr.span, has_default })
                });
                Ok(Some(Formals::Set { names: names.collect::<Result<_>>()?, ellipsis: true }))
            }
            Value::Lambda(closure) => Ok(Some(match &closure.lambda.param {
                Param::Names(_) => Formals::Any,
                Param::Pattern(pattern) => {
                    let mut names: Vec<_> = pattern
                        .formals
                        .iter()
                        .map(|formal| FormalInfo {
                            name: formal.name,
                            span: formal.span,
                            has_default: formal.default.is_some(),
                        })
                        .collect();
                    names.sort_by_key(|formal| formal.name.as_str());
                    Formals::Set { names, ellipsis: pattern.ellipsis }
                }
            })),
            _ => Ok(None),
        }
    }

    /// The names that `{ a, b, ... }:` takes; none for a function of another form.
    pub(crate) fn open_names(
        &self,
        function: Value<'a>,
    ) -> Option<impl Iterator<Item = Symbol> + 'a> {
        let Value::Lambda(closure) = function else { return None };
        match &closure.lambda.param {
            Param::Pattern(pattern) if pattern.ellipsis => {
                Some(pattern.formals.iter().map(|formal| formal.name))
            }
            _ => None,
        }
    }

    /// Where a function is written.
    pub fn function_span(&self, function: Value<'a>) -> Span {
        match function {
            Value::Lambda(closure) => closure.lambda.param_span,
            _ => Span::NONE,
        }
    }

    /// The expression that is an attribute's value, given the span of its name: what an error
    /// about the value points at.
    pub fn value_span(&self, name: Span) -> Span {
        self.tree_of(name)
            .and_then(|tree| tree.value_spans.get(&name.start).copied())
            .unwrap_or(name)
    }

    /// The expressions of a list's elements, given the span of the list's own expression.
    pub fn element_spans(&self, list: Span) -> Option<&'a [Span]> {
        self.tree_of(list)?.element_spans.get(&list).map(|spans| &**spans)
    }

    /// Forces a string (no coercion).
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_str(&self, value: Value<'a>, at: Span) -> Result<&'a str> {
        match self.force_at(value, at)? {
            Value::Str(text) => Ok(text),
            other => Err(mismatch("a string", other, at)),
        }
    }

    /// Forces an integer.
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_int(&self, value: Value<'a>, at: Span) -> Result<i64> {
        match self.force_at(value, at)? {
            Value::Int(value) => Ok(value),
            other => Err(mismatch("an integer", other, at)),
        }
    }

    /// Forces a boolean.
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_bool(&self, value: Value<'a>, at: Span) -> Result<bool> {
        match self.force_at(value, at)? {
            Value::Bool(value) => Ok(value),
            other => Err(mismatch("a boolean", other, at)),
        }
    }

    /// Forces a list.
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_list(&self, value: Value<'a>, at: Span) -> Result<&'a List<'a>> {
        match self.force_at(value, at)? {
            Value::List(list) => Ok(list),
            other => Err(mismatch("a list", other, at)),
        }
    }

    /// Forces an attribute set.
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_attrs(&self, value: Value<'a>, at: Span) -> Result<&'a Attrs<'a>> {
        match self.force_at(value, at)? {
            Value::Attrs(attrs) => Ok(attrs),
            other => Err(mismatch("an attribute set", other, at)),
        }
    }

    /// Forces a function, or a set with `__functor`.
    ///
    /// # Errors
    /// `type::mismatch` at `at`.
    pub fn expect_function(&self, value: Value<'a>, at: Span) -> Result<Value<'a>> {
        match self.force_at(value, at)? {
            function @ (Value::Lambda(_) | Value::PrimOp(_)) => Ok(function),
            Value::Attrs(set) if set.get(symbol!("__functor")).is_some() => Ok(Value::Attrs(set)),
            other => Err(mismatch("a function", other, at)),
        }
    }

    /// Forces a path: a path value, or a string that is an absolute path.
    ///
    /// # Errors
    /// `type::mismatch` at `at`, or `file::relative` for a string that is no absolute path.
    pub fn expect_path(&self, value: Value<'a>, at: Span) -> Result<VirtualPath> {
        match self.force_at(value, at)? {
            Value::Path(path) => Ok(virtual_path(path)),
            other if !matches!(other, Value::Str(_) | Value::Attrs(_)) => {
                Err(mismatch("a path", other, at))
            }
            other => {
                let text = self.coerce_to_str(other, at)?;
                if !text.starts_with('/') {
                    let message = format!("the string {text:?} is no path");
                    let simple = text.chars().all(|c| c.is_alphanumeric() || "._-/+".contains(c));
                    let path = text.trim_start_matches("./");
                    let path = if simple && !path.is_empty() { path } else { "file.nix" };
                    return Err(Diagnostic::error("file::relative", at, message)
                        .with_help(format!("write a path without quotes: `./{path}`"))
                        .into());
                }
                self.world.locate(text).ok_or_else(|| super::coerce::escapes(self.world, text, at))
            }
        }
    }
}

/// An owned copy of a path value.
pub(crate) fn virtual_path(path: &PathValue<'_>) -> VirtualPath {
    VirtualPath { root: path.root, path: path.path.to_owned() }
}
