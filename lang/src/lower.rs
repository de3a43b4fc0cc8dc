//! Lowering: a parsed file becomes a [`Tree`], once. Names are resolved to slots here, so every
//! unbound name of a file is found, in code that never runs too.

use rnix::ast::{self, AstToken, HasEntry};
use rowan::ast::AstNode;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::builtins;
use crate::diagnostic::Diagnostic;
use crate::fs::VirtualPath;
use crate::source::{FileId, Span};
use crate::symbol::Symbol;
use crate::tree::{Expr, ExprKind, Formal, Key, Lambda, Param, Part, Pattern, Tree};
use crate::world::World;

mod demand;
mod grammar;
mod measure;
mod names;
mod offsets;
mod operators;
mod parse;
mod paths;
mod scope;
mod sets;
mod strange;
mod text;

pub use names::{NoPath, attribute_path};
pub(crate) use offsets::offsets;
pub(crate) use parse::with_stack_for;
use scope::Scope;

/// Expressions nest no deeper than this; it bounds the stack that walking and dropping need.
const DEPTH_LIMIT: u32 = 4000;

/// Lowers a text. `path` is where it lies, for relative paths in it; `scope` are names that it
/// may use beside the builtins (slots of the environment that it is evaluated in).
///
/// # Errors
/// The first syntax error, or else every bad literal, and every mistake with names beside them.
/// Unbound names and duplicates alone leave a tree, which has them.
pub(crate) fn lower(
    world: &World,
    name: &str,
    text: &str,
    path: Option<&VirtualPath>,
    scope: &[Symbol],
) -> Result<Tree, Vec<Diagnostic>> {
    lower_as(world, name, text, path, scope, false)
}

/// As [`lower`], of a text that is being written: where it is broken, there is something that can
/// only fail, and nothing is said of it.
pub(crate) fn lower_roughly(
    world: &World,
    name: &str,
    text: &str,
    path: Option<&VirtualPath>,
) -> Option<Tree> {
    lower_as(world, name, text, path, &[], true).ok()
}

fn lower_as(
    world: &World,
    name: &str,
    text: &str,
    path: Option<&VirtualPath>,
    scope: &[Symbol],
    roughly: bool,
) -> Result<Tree, Vec<Diagnostic>> {
    let file = world.sources.add(name, text);
    parse::with_stack_for(file, text, || {
        let parse::Parsed { root, old_lets } = match roughly {
            true => parse::parse_roughly(text),
            false => parse::parse(file, text)?,
        };
        let mut lowerer = Lowerer {
            world,
            file,
            folder: path.map(VirtualPath::parent),
            old_lets,
            scopes: Vec::new(),
            diagnostics: Vec::new(),
            value_spans: FxHashMap::default(),
            element_spans: FxHashMap::default(),
            depth: 0,
            redefines: operators::may_redefine(text, scope),
        };
        if !scope.is_empty() {
            lowerer.scopes.push(Scope::names(scope.iter().copied()));
        }
        let root = match root.expr() {
            Some(root) => lowerer.expr(&root),
            None => return Err(vec![parse::empty(file)]),
        };
        lowerer.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        let is_fatal = |diagnostic: &Diagnostic| !diagnostic.code.starts_with("name::");
        if !roughly && lowerer.diagnostics.iter().any(is_fatal) {
            return Err(lowerer.diagnostics);
        }
        let Lowerer { value_spans, element_spans, diagnostics: problems, .. } = lowerer;
        Ok(Tree { file, root, value_spans, element_spans, problems })
    })
}

/// A tree without unbound names.
pub(crate) fn bound(tree: Tree) -> Result<Tree, Vec<Diagnostic>> {
    if tree.problems.is_empty() { Ok(tree) } else { Err(tree.problems) }
}

/// Runs `look` on the syntax of a text that was lowered before.
pub(crate) fn with_syntax<T>(
    file: FileId,
    text: &str,
    look: impl FnOnce(&rnix::Root) -> Option<T>,
) -> Option<T> {
    parse::with_stack_for(file, text, || Ok(look(&rnix::Root::parse(text).tree()))).ok().flatten()
}

/// Runs `look` on the syntax of any text, broken or not, on a stack that no walk through it can
/// overflow; nothing where it nests too deep to be read at all.
pub fn look_at_syntax<T>(
    text: &str,
    look: impl FnOnce(&rnix::Parse<rnix::Root>) -> T,
) -> Option<T> {
    parse::with_stack_for(Span::NONE.file, text, || Ok(look(&rnix::Root::parse(text)))).ok()
}

struct Lowerer<'w> {
    world: &'w World,
    file: FileId,
    folder: Option<VirtualPath>,
    /// Where sets start that are written `let { … }`.
    old_lets: FxHashSet<u32>,
    /// Innermost last; each is one environment when the tree is evaluated.
    scopes: Vec<Scope>,
    diagnostics: Vec<Diagnostic>,
    value_spans: FxHashMap<u32, Span>,
    element_spans: FxHashMap<Span, Box<[Span]>>,
    depth: u32,
    /// Whether the file may bind `__sub` or its like, which operators stand for.
    redefines: bool,
}

impl Lowerer<'_> {
    fn span(&self, node: &impl AstNode<Language = rnix::NixLanguage>) -> Span {
        let range = node.syntax().text_range();
        Span { file: self.file, start: range.start().into(), end: range.end().into() }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn expr(&mut self, node: &ast::Expr) -> Expr {
        self.named(node, None)
    }

    /// An expression that is the value of `name`.
    fn named(&mut self, node: &ast::Expr, name: Option<Symbol>) -> Expr {
        let span = self.span(node);
        if self.depth >= DEPTH_LIMIT {
            return self.too_deep(span);
        }
        self.depth += 1;
        let kind = self.kind(node, name, span);
        self.depth -= 1;
        Expr { kind, span }
    }

    /// `let { …; body = …; }`
    fn old_let(&mut self, node: &impl HasEntry, span: Span) -> ExprKind {
        let set = self.set(node, true);
        let of = Box::new(Expr { kind: ExprKind::Attrs(Box::new(set)), span });
        ExprKind::Select(of, [Key::Static(Symbol::new("body"), span)].into(), None)
    }

    fn too_deep(&mut self, span: Span) -> Expr {
        let message = format!("expressions nest more than {DEPTH_LIMIT} deep here");
        self.report(Diagnostic::error("syntax::too-deep", span, message));
        Expr { kind: ExprKind::Null, span }
    }

    /// A part that the grammar demands. It is missing only where the parser let an error pass.
    fn part(&mut self, node: Option<ast::Expr>, whole: Span) -> Box<Expr> {
        match node {
            Some(node) => Box::new(self.expr(&node)),
            None => {
                let message = "an expression is missing here";
                self.report(Diagnostic::error("syntax::error", whole, message));
                Box::new(Expr { kind: ExprKind::Null, span: whole })
            }
        }
    }

    fn kind(&mut self, node: &ast::Expr, name: Option<Symbol>, span: Span) -> ExprKind {
        match node {
            ast::Expr::Paren(paren) => match paren.expr() {
                Some(inner) => {
                    self.closed(paren, span);
                    self.named(&inner, name).kind
                }
                None => self.part(None, span).kind,
            },
            ast::Expr::Root(root) => self.part(root.expr(), span).kind,
            ast::Expr::Ident(ident) => self.variable(ident, span),
            ast::Expr::Literal(literal) => self.literal(literal, span),
            ast::Expr::Str(string) => self.string(string),
            ast::Expr::PathAbs(_)
            | ast::Expr::PathRel(_)
            | ast::Expr::PathHome(_)
            | ast::Expr::PathSearch(_) => self.path(node, span),
            ast::Expr::Lambda(lambda) => {
                self.may_be_function(lambda, span);
                self.lambda(lambda, name, span)
            }
            ast::Expr::Apply(apply) => self.apply(apply, span),
            ast::Expr::List(list) => self.list(list, span),
            ast::Expr::LegacyLet(node) => self.old_let(node, span),
            ast::Expr::AttrSet(node) if self.old_lets.contains(&span.start) => {
                self.old_let(node, span)
            }
            ast::Expr::AttrSet(set) => {
                ExprKind::Attrs(Box::new(self.set(set, set.rec_token().is_some())))
            }
            ast::Expr::LetIn(node) => {
                let bindings = self.open_set(node, true);
                for entry in &bindings.dynamic {
                    let message = "a `let` needs plain names";
                    let error = Diagnostic::error("syntax::dynamic", entry.name.span, message);
                    self.report(error.with_help("a set can have computed names: `{ ${x} = …; }`"));
                }
                let body = self.part(node.body(), span);
                self.scopes.pop();
                ExprKind::Let(Box::new(bindings), body)
            }
            ast::Expr::With(node) => {
                let scope = self.part(node.namespace(), span);
                self.scopes.push(Scope::With);
                let body = self.part(node.body(), span);
                self.scopes.pop();
                ExprKind::WithScope(scope, body)
            }
            ast::Expr::IfElse(node) => ExprKind::If(
                self.part(node.condition(), span),
                self.part(node.body(), span),
                self.part(node.else_body(), span),
            ),
            ast::Expr::Assert(node) => {
                ExprKind::Assert(self.part(node.condition(), span), self.part(node.body(), span))
            }
            ast::Expr::Select(node) => {
                let of = self.part(node.expr(), span);
                let path = self.keys(node.attrpath());
                if let Some(builtin) = builtin(&of, &path) {
                    return builtin;
                }
                let default = node.default_expr().map(|default| Box::new(self.expr(&default)));
                ExprKind::Select(of, path, default)
            }
            ast::Expr::HasAttr(node) => {
                self.asks_once(node, span);
                let of = self.part(node.expr(), span);
                ExprKind::HasAttr(of, self.keys(node.attrpath()))
            }
            ast::Expr::BinOp(node) => self.binary(node, span),
            ast::Expr::UnaryOp(node) => self.unary(node, span),
            ast::Expr::CurPos(_) => ExprKind::CurPos,
            ast::Expr::Error(_) => self.part(None, span).kind,
        }
    }

    fn literal(&mut self, literal: &ast::Literal, span: Span) -> ExprKind {
        match literal.kind() {
            ast::LiteralKind::Integer(token) => match token.value() {
                Ok(value) => ExprKind::Int(value),
                Err(_) => {
                    let message = "this integer does not fit 64 bits";
                    self.report(
                        Diagnostic::error("syntax::integer", span, message)
                            .with_help("the largest integer is 9223372036854775807"),
                    );
                    ExprKind::Null
                }
            },
            ast::LiteralKind::Float(token) => match grammar::float(token.syntax().text()) {
                Ok(value) => ExprKind::Float(value),
                Err(help) => {
                    let error = Diagnostic::error("syntax::float", span, "this is no float");
                    self.report(error.with_help(help));
                    ExprKind::Null
                }
            },
            ast::LiteralKind::Uri(token) => ExprKind::Str(Symbol::new(token.syntax().text())),
        }
    }

    fn apply(&mut self, apply: &ast::Apply, span: Span) -> ExprKind {
        let mut args = Vec::new();
        let mut node = Some(apply.clone());
        let mut function = None;
        while let Some(apply) = node.take() {
            args.push(*self.part(apply.argument(), span));
            match apply.lambda() {
                Some(ast::Expr::Apply(inner)) => node = Some(inner),
                other => function = other,
            }
        }
        args.reverse();
        ExprKind::Apply(self.part(function, span), args.into())
    }

    fn list(&mut self, list: &ast::List, span: Span) -> ExprKind {
        let items: Box<[Expr]> = list.items().map(|item| self.expr(&item)).collect();
        self.element_spans.insert(span, items.iter().map(|item| item.span).collect());
        ExprKind::List(items)
    }

    fn lambda(&mut self, node: &ast::Lambda, name: Option<Symbol>, span: Span) -> ExprKind {
        let (param, param_span, body) = match node.param() {
            Some(ast::Param::IdentParam(param)) => {
                let (names, body) = self.curried(node);
                self.scopes.push(Scope::names(names.iter().map(|(name, _)| *name)));
                (Param::Names(names.into()), self.span(&param), body)
            }
            Some(ast::Param::Pattern(pattern)) => {
                let param_span = self.span(&pattern);
                (Param::Pattern(self.pattern(&pattern)), param_span, node.body())
            }
            None => {
                let message = "this function has no parameter";
                self.report(Diagnostic::error("syntax::error", span, message));
                return ExprKind::Null;
            }
        };
        let body = match body {
            Some(body) => self.named(&body, name),
            None => *self.part(None, span),
        };
        self.scopes.pop();
        let asks_first = match &param {
            Param::Names(_) => demand::asks_first(&body),
            Param::Pattern(_) => Box::default(),
        };
        ExprKind::Lambda(Box::new(Lambda { param, body, name, param_span, asks_first }))
    }

    /// A pattern; its scope stays open for the body.
    fn pattern(&mut self, node: &ast::Pattern) -> Pattern {
        let mut names: Vec<(Symbol, Span, Option<ast::Expr>)> = Vec::new();
        let at = node.pat_bind().and_then(|bind| bind.ident());
        let at = at.map(|ident| (symbol_of(&ident), self.span(&ident)));
        for entry in node.pat_entries() {
            let Some(ident) = entry.ident() else { continue };
            let (symbol, span) = (symbol_of(&ident), self.span(&ident));
            let known = names.iter().map(|(name, span, _)| (*name, *span)).chain(at);
            if let Some((_, first)) = known.into_iter().find(|(name, _)| *name == symbol) {
                let message = format!("the argument `{symbol}` is declared twice");
                self.report(
                    Diagnostic::error("name::duplicate", span, message)
                        .with_related(first, "it is declared here already"),
                );
                continue;
            }
            // The default may itself be an identifier: `{ a ? b }`.
            names.push((symbol, span, entry.default()));
        }
        names.sort_by_key(|(name, ..)| *name);
        let slots = names.iter().map(|(name, ..)| *name).chain(at.map(|(name, _)| name));
        self.scopes.push(Scope::names(slots.collect::<Vec<_>>()));
        let formals = names.into_iter().map(|(name, span, default)| {
            let default = default.map(|default| self.named(&default, Some(name)));
            Formal { name, span, default }
        });
        Pattern { formals: formals.collect(), ellipsis: node.ellipsis_token().is_some(), at }
    }

    /// The names of functions directly within one another, and the body of the innermost.
    fn curried(&self, node: &ast::Lambda) -> (Vec<(Symbol, Span)>, Option<ast::Expr>) {
        let mut names = Vec::new();
        let mut node = node.clone();
        loop {
            if let Some(ast::Param::IdentParam(param)) = node.param() {
                let name = param.ident().map_or(Symbol::new("_"), |ident| symbol_of(&ident));
                names.push((name, self.span(&param)));
            }
            match node.body() {
                Some(ast::Expr::Lambda(inner))
                    if matches!(inner.param(), Some(ast::Param::IdentParam(_))) =>
                {
                    node = inner;
                }
                body => return (names, body),
            }
        }
    }

    fn keys(&mut self, path: Option<ast::Attrpath>) -> Box<[Key]> {
        path.into_iter()
            .flat_map(|path| path.attrs().collect::<Vec<_>>())
            .map(|attr| self.key(&attr))
            .collect()
    }

    fn key(&mut self, attr: &ast::Attr) -> Key {
        let span = self.span(attr);
        match self.static_name(attr) {
            Some(name) => Key::Static(name, span),
            None => Key::Dynamic(self.dynamic_name(attr)),
        }
    }

    fn static_name(&mut self, attr: &ast::Attr) -> Option<Symbol> {
        if let ast::Attr::Str(string) = attr {
            self.plain_quotes(string);
        }
        static_name(attr)
    }

    fn dynamic_name(&mut self, attr: &ast::Attr) -> Expr {
        let span = self.span(attr);
        match attr {
            ast::Attr::Dynamic(dynamic) => *self.part(dynamic.expr(), span),
            ast::Attr::Str(string) => Expr { kind: self.string(string), span },
            ast::Attr::Ident(ident) => Expr { kind: ExprKind::Str(symbol_of(ident)), span },
        }
    }

    fn string(&mut self, string: &ast::Str) -> ExprKind {
        let pieces = text::pieces(string);
        let mut parts: Vec<Part> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                text::Piece::Text(text) => parts.push(Part::Text(text.into())),
                text::Piece::Interpolation(node) => {
                    let span = self.span(&node);
                    parts.push(Part::Expr(*self.part(node.expr(), span)));
                }
            }
        }
        match parts.pop() {
            None => ExprKind::Str(Symbol::new("")),
            Some(Part::Text(text)) if parts.is_empty() => ExprKind::Str(Symbol::new(&text)),
            Some(last) => {
                parts.push(last);
                ExprKind::Interpolation(parts.into())
            }
        }
    }

    fn set(&mut self, node: &impl HasEntry, recursive: bool) -> crate::tree::AttrsExpr {
        let (set, opened) = {
            let depth = self.scopes.len();
            let set = self.open_set(node, recursive);
            (set, self.scopes.len() > depth)
        };
        if opened {
            self.scopes.pop();
        }
        set
    }
}

/// What parentheses hold: they mean nothing by themselves.
fn without_parens(mut node: ast::Expr) -> ast::Expr {
    while let ast::Expr::Paren(paren) = &node {
        match paren.expr() {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// `builtins.name`, which needs no set.
fn builtin(of: &Expr, path: &[Key]) -> Option<ExprKind> {
    match (&of.kind, path) {
        (ExprKind::Global(index), [Key::Static(name, _)])
            if Some(*index) == builtins::index("builtins") =>
        {
            builtins::index(name.as_str()).map(ExprKind::Global)
        }
        _ => None,
    }
}

/// The name of an attribute that can be read off the text: `x`, `"x"` and `${"x"}` are the same.
pub fn static_name(attr: &ast::Attr) -> Option<Symbol> {
    let string = match attr {
        ast::Attr::Ident(ident) => return Some(symbol_of(ident)),
        ast::Attr::Str(string) => string.clone(),
        ast::Attr::Dynamic(dynamic) => match without_parens(dynamic.expr()?) {
            ast::Expr::Str(string) => string,
            _ => return None,
        },
    };
    text::plain(&string).map(|text| Symbol::new(&text))
}

fn symbol_of(ident: &ast::Ident) -> Symbol {
    // The token's own text: a node's would include comments around it.
    match ident.ident_token() {
        Some(token) => Symbol::new(token.text()),
        None => Symbol::new(ident.syntax().text().to_string().trim()),
    }
}
