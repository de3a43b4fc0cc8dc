//! What a file's text says around a place. It is looked at again once an error is certain, so that
//! evaluation need not remember where each value was written.

use rnix::ast::{self, HasEntry};
use rnix::{NodeOrToken, SyntaxNode, TextRange};
use rowan::ast::AstNode;

use crate::lower;
use crate::source::{FileId, Sources, Span};

/// A name leads to a name no further than this.
const STEPS: usize = 8;

/// Longer files are not read again: the parser may be slow on what no person writes.
const LONGEST: usize = 100_000;

/// No builtin takes more arguments.
const ARGUMENTS: usize = 8;

/// An argument of a call.
pub(crate) struct Argument {
    /// Where it is.
    pub(crate) span: Span,
    /// Where the elements of the list are that it is, or is named after.
    pub(crate) elements: Vec<Span>,
    /// Whether the list itself is written in the call.
    pub(crate) written_here: bool,
    /// The type that its text shows, as [`Value::described`](crate::Value::described) says it.
    pub(crate) kind: &'static str,
    /// Where the result of the function is that it is, or is named after.
    pub(crate) result: Option<Span>,
    texts: Vec<String>,
}

impl Argument {
    /// An element with the one after it, as a call would be written.
    pub(crate) fn uncalled(&self, element: usize) -> Option<String> {
        let (function, next) = (self.texts.get(element)?, self.texts.get(element + 1)?);
        let short = function.len() + next.len() < 40;
        let name = function.chars().all(|c| c.is_alphanumeric() || "._-'".contains(c));
        (short && name && !function.starts_with(|c: char| c.is_numeric() || "._-'".contains(c)))
            .then(|| format!("({function} {next})"))
    }
}

/// The arguments of the call at a place, if what is called there goes by this name.
pub(crate) fn call(sources: &Sources, at: Span, name: &str) -> Option<Vec<Argument>> {
    look(sources, at, |expr| {
        let (function, arguments) = flat(expr)?;
        (arguments.len() <= ARGUMENTS && last_name(&function)? == name)
            .then(|| arguments.iter().map(|argument| described(argument, at.file)).collect())
    })
}

/// The set that the call at a place passes: the one that has an attribute written at `written`, or
/// else the call's only argument.
pub(crate) fn passed_set(sources: &Sources, at: Span, written: Span) -> Option<Span> {
    let around = |root: &rnix::Root, _: &str| {
        let range = within(root, written)?;
        let node = root.syntax().covering_element(range);
        let set = node.ancestors().find_map(ast::AttrSet::cast)?;
        Some(span(written.file, set.syntax().text_range()))
    };
    let only = || {
        look(sources, at, |expr| match flat(expr)?.1.as_slice() {
            [only] => Some(span(at.file, only.syntax().text_range())),
            _ => None,
        })
    };
    with_syntax(sources, written, around).or_else(only)
}

/// What is called by the call at a place, where that is a value with a name or is written there.
pub(crate) fn called(sources: &Sources, at: Span) -> Option<Span> {
    look(sources, at, |expr| {
        let (function, arguments) = flat(expr)?;
        let plain = match &function {
            // A builtin that calls what it is given has an argument at fault.
            ast::Expr::Ident(_) | ast::Expr::Select(_) => {
                crate::builtins::index(&last_name(&function)?).is_none()
                    && !matches!(resolve(&function), Some(ast::Expr::Lambda(_)))
            }
            ast::Expr::Lambda(_) => false,
            _ => arguments.len() == 1,
        };
        plain.then(|| span(at.file, function.syntax().text_range()))
    })
}

/// What the attribute whose name stands at a place is taken from: `a.b` for the `c` of `a.b.c`.
pub(crate) fn taken_from(sources: &Sources, at: Span) -> Option<Span> {
    with_syntax(sources, at, |root, text| {
        let range = within(root, at)?;
        let token = root.syntax().covering_element(range);
        let path = token.ancestors().find_map(ast::Attrpath::cast)?;
        let select = path.syntax().parent().and_then(ast::Select::cast)?;
        let first = path.attrs().next()?.syntax().text_range().start();
        let end = match range.start() == first {
            true => select.expr()?.syntax().text_range().end().into(),
            false => text[..at.start as usize].trim_end().trim_end_matches('.').len() as u32,
        };
        Some(Span { end, start: select.syntax().text_range().start().into(), ..at })
    })
}

/// Whether the name at a place is that of the very definition it is used in.
pub(crate) fn defines_itself(sources: &Sources, at: Span) -> Option<String> {
    look(sources, at, |expr| {
        let ast::Expr::Ident(ident) = &expr else { return None };
        let value = bound(ident.syntax(), ident.ident_token()?.text())?;
        let within = value.syntax().text_range().contains_range(ident.syntax().text_range());
        within.then(|| expr.syntax().text().to_string())
    })
}

/// Where the value of the name, or of the attribute, at a place is written: the name as it stands
/// there, and its value.
pub(crate) fn definition(sources: &Sources, at: Span) -> Option<(String, Span)> {
    look(sources, at, |expr| {
        let value = resolve(&expr)?;
        let text = expr.syntax().text().to_string();
        let range = value.syntax().text_range();
        let lines = value.syntax().text().to_string().contains('\n');
        // Of a long value its name is enough.
        let shown = if lines { named(&value).unwrap_or(range) } else { range };
        Some((text, span(at.file, shown)))
    })
}

fn with_syntax<T>(
    sources: &Sources,
    at: Span,
    with: impl FnOnce(&rnix::Root, &str) -> Option<T>,
) -> Option<T> {
    let file = sources.get(at.file).filter(|file| file.text.len() <= LONGEST)?;
    lower::with_syntax(at.file, &file.text, |root| with(root, &file.text))
}

/// Runs `with` on the expression at a place.
fn look<T>(sources: &Sources, at: Span, with: impl FnOnce(ast::Expr) -> Option<T>) -> Option<T> {
    with_syntax(sources, at, |root, _| {
        let range = within(root, at)?;
        let mut node = match root.syntax().covering_element(range) {
            NodeOrToken::Node(node) => node,
            NodeOrToken::Token(token) => token.parent()?,
        };
        while let Some(parent) = node.parent().filter(|parent| parent.text_range() == range) {
            node = parent;
        }
        (node.text_range() == range).then_some(())?;
        with(unwrapped(node.descendants().find_map(ast::Expr::cast)?))
    })
}

fn within(root: &rnix::Root, at: Span) -> Option<TextRange> {
    let range = (at.start <= at.end).then(|| TextRange::new(at.start.into(), at.end.into()))?;
    root.syntax().text_range().contains_range(range).then_some(range)
}

fn span(file: FileId, range: TextRange) -> Span {
    Span { file, start: range.start().into(), end: range.end().into() }
}

/// An expression without the parentheses around it.
fn unwrapped(mut expr: ast::Expr) -> ast::Expr {
    loop {
        let inner = match &expr {
            ast::Expr::Paren(paren) => paren.expr(),
            ast::Expr::Root(root) => root.expr(),
            _ => None,
        };
        match inner {
            Some(inner) => expr = inner,
            None => return expr,
        }
    }
}

/// A call as its function and all its arguments.
fn flat(expr: ast::Expr) -> Option<(ast::Expr, Vec<ast::Expr>)> {
    let mut arguments = Vec::new();
    let mut expr = expr;
    while let ast::Expr::Apply(apply) = &expr {
        arguments.push(apply.argument()?);
        expr = apply.lambda()?;
    }
    arguments.reverse();
    Some((unwrapped(expr), arguments))
}

/// `elem` of `builtins.elem`, `lib.lists.elem` and `elem`.
fn last_name(function: &ast::Expr) -> Option<String> {
    match function {
        ast::Expr::Ident(ident) => {
            let name = ident.ident_token()?.text().to_owned();
            Some(name.strip_prefix("__").map_or(name.clone(), str::to_owned))
        }
        ast::Expr::Select(select) => match select.attrpath()?.attrs().last()? {
            ast::Attr::Ident(ident) => Some(ident.ident_token()?.text().to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn described(argument: &ast::Expr, file: FileId) -> Argument {
    let direct = unwrapped(argument.clone());
    let value = resolve(&direct);
    let written_here = value.is_none();
    let value = value.unwrap_or(direct);
    let items: Vec<ast::Expr> = match &value {
        ast::Expr::List(list) => list.items().collect(),
        _ => Vec::new(),
    };
    let kind = match &value {
        ast::Expr::List(_) => "a list",
        ast::Expr::AttrSet(_) => "an attribute set",
        ast::Expr::Str(_) => "a string",
        ast::Expr::Lambda(_) => "a function",
        _ => "",
    };
    let mut result = None;
    let mut of = Some(value);
    while let Some(ast::Expr::Lambda(lambda)) = of {
        of = lambda.body().map(unwrapped);
        result = of.as_ref().map(|body| span(file, body.syntax().text_range()));
    }
    Argument {
        span: span(file, argument.syntax().text_range()),
        elements: items.iter().map(|item| span(file, item.syntax().text_range())).collect(),
        written_here,
        kind,
        result,
        texts: items.iter().map(|item| item.syntax().text().to_string()).collect(),
    }
}

/// The expression that a name or a selection (`a.b.c`) stands for, if the file says which.
fn resolve(expr: &ast::Expr) -> Option<ast::Expr> {
    let mut found = None;
    let mut expr = expr.clone();
    for _ in 0..STEPS {
        let next = match &expr {
            ast::Expr::Ident(ident) => bound(ident.syntax(), ident.ident_token()?.text()),
            ast::Expr::Select(select) if select.default_expr().is_none() => selected(select),
            _ => None,
        };
        let Some(next) = next.map(unwrapped) else { break };
        found = Some(next.clone());
        expr = next;
    }
    found
}

fn selected(select: &ast::Select) -> Option<ast::Expr> {
    let of = unwrapped(select.expr()?);
    let set = if let ast::Expr::AttrSet(_) = of { of } else { resolve(&of)? };
    let ast::Expr::AttrSet(set) = set else { return None };
    entry(&set, &names(&select.attrpath()?)?)
}

/// The value that a set's text gives a path of names.
fn entry(set: &ast::AttrSet, path: &[String]) -> Option<ast::Expr> {
    set.attrpath_values().find_map(|entry| {
        let key = names(&entry.attrpath()?)?;
        let rest = path.strip_prefix(key.as_slice())?;
        let value = unwrapped(entry.value()?);
        match (rest, &value) {
            ([], _) => Some(value),
            (rest, ast::Expr::AttrSet(inner)) => self::entry(inner, rest),
            _ => None,
        }
    })
}

fn names(path: &ast::Attrpath) -> Option<Vec<String>> {
    path.attrs()
        .map(|attr| match attr {
            ast::Attr::Ident(ident) => Some(ident.ident_token()?.text().to_owned()),
            _ => None,
        })
        .collect()
}

/// What binds a name that is used at a node, innermost first. A function's parameter hides what
/// lies around it, and has no value here.
fn bound(used: &SyntaxNode, name: &str) -> Option<ast::Expr> {
    for node in used.ancestors().skip(1) {
        if let Some(lambda) = ast::Lambda::cast(node.clone()) {
            if binds(&lambda.param()?, name) {
                return None;
            }
        } else if let Some(of) = ast::LetIn::cast(node.clone()) {
            if let Some(value) = value_of(&of, name) {
                return Some(value);
            }
        } else if let Some(set) = ast::AttrSet::cast(node).filter(|set| set.rec_token().is_some())
            && let Some(value) = value_of(&set, name)
        {
            return Some(value);
        }
    }
    None
}

fn value_of(node: &impl HasEntry, name: &str) -> Option<ast::Expr> {
    node.attrpath_values().find_map(|entry| {
        (names(&entry.attrpath()?)?.as_slice() == [name]).then(|| entry.value()).flatten()
    })
}

fn binds(param: &ast::Param, name: &str) -> bool {
    let is = |ident: Option<ast::Ident>| {
        ident.and_then(|ident| ident.ident_token()).is_some_and(|token| token.text() == name)
    };
    match param {
        ast::Param::IdentParam(param) => is(param.ident()),
        ast::Param::Pattern(pattern) => {
            is(pattern.pat_bind().and_then(|bind| bind.ident()))
                || pattern.pat_entries().any(|entry| is(entry.ident()))
        }
    }
}

/// The name that a value is given.
fn named(value: &ast::Expr) -> Option<TextRange> {
    let entry = value.syntax().ancestors().skip(1).find_map(ast::AttrpathValue::cast)?;
    Some(entry.attrpath()?.syntax().text_range())
}
