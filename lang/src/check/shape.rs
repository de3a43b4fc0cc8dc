//! What a caller knows of a file's form.

use crate::tree::{AttrsExpr, Expr, ExprKind, Param, Tree};

/// What an expression is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// A module for the options at hand.
    Module,
    /// A list of such modules.
    Modules,
    /// A set; what is not named is anything.
    Fields(Vec<(String, Shape)>),
    /// A set whose attributes are all the same.
    Each(Box<Shape>),
    /// A function, and what it gives.
    Result(Box<Shape>),
}

impl Shape {
    /// What the attribute of this name is.
    pub(super) fn field(&self, name: &str) -> Option<&Shape> {
        match self {
            Shape::Fields(fields) => {
                fields.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)
            }
            Shape::Each(each) => Some(each),
            _ => None,
        }
    }
}

/// Whether a file that nobody imports is surely a module: a function of the configuration with
/// others' names allowed, or a set that declares options.
pub fn is_module(tree: &Tree) -> bool {
    let has = |attrs: &AttrsExpr, names: &[&str]| {
        attrs.entries.iter().any(|entry| names.contains(&entry.name.as_str()))
    };
    match &body(&tree.root).kind {
        ExprKind::Lambda(lambda) => match &lambda.param {
            Param::Pattern(pattern) => {
                let asks = |name: &str| pattern.formals.iter().any(|one| one.name.as_str() == name);
                let is_set = match &body(&lambda.body).kind {
                    ExprKind::Attrs(attrs) => {
                        asks("config") || has(attrs, &["config", "options", "imports"])
                    }
                    _ => false,
                };
                pattern.ellipsis && is_set
            }
            Param::Names(_) => false,
        },
        ExprKind::Attrs(attrs) => has(attrs, &["options"]) && has(attrs, &["config", "imports"]),
        _ => false,
    }
}

/// What an expression gives, past the names that it binds.
fn body(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Let(_, body) | ExprKind::WithScope(_, body) | ExprKind::Assert(_, body) => {
            self::body(body)
        }
        _ => expr,
    }
}
