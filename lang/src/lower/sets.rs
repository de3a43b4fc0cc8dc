//! Attribute sets and `let`: nested paths merged into nested sets, as Nix does when it parses.

use rnix::ast::{self, HasEntry};
use rustc_hash::FxHashMap;

use super::scope::Scope;
use super::{Lowerer, without_parens};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, DynamicEntry, Entry, Expr, ExprKind, Key};

/// A set while its entries are collected.
#[derive(Default)]
struct Draft {
    recursive: bool,
    entries: Vec<DraftEntry>,
    places: FxHashMap<Symbol, usize>,
    dynamic: Vec<(ast::Attr, DraftValue)>,
    sources: Vec<ast::Expr>,
}

struct DraftEntry {
    name: Symbol,
    span: Span,
    value: DraftValue,
}

enum DraftValue {
    /// An expression that is no set.
    Expr(ast::Expr),
    /// A set, and where it is written.
    Set(Draft, Span),
    /// `inherit name;`
    Inherited,
    /// `inherit (source) name;`, by the source's number.
    From(usize),
}

impl Lowerer<'_> {
    /// Lowers a set's entries. Where the set has an environment, its scope stays open.
    pub(super) fn open_set(&mut self, node: &impl HasEntry, recursive: bool) -> AttrsExpr {
        let draft = self.draft(node, recursive);
        self.open_draft(draft)
    }

    fn draft(&mut self, node: &impl HasEntry, recursive: bool) -> Draft {
        let mut draft = Draft { recursive, ..Draft::default() };
        for entry in node.entries() {
            match entry {
                ast::Entry::Inherit(inherit) => self.inherit(&mut draft, &inherit),
                ast::Entry::AttrpathValue(entry) => {
                    let path = entry.attrpath().into_iter().flat_map(|path| path.attrs());
                    let path: Vec<ast::Attr> = path.collect();
                    let Some(value) = entry.value() else { continue };
                    let value = self.draft_value(value);
                    self.place(&mut draft, &path, value);
                }
            }
        }
        draft
    }

    fn draft_value(&mut self, node: ast::Expr) -> DraftValue {
        match without_parens(node.clone()) {
            ast::Expr::AttrSet(set) if !self.old_lets.contains(&self.span(&set).start) => {
                let draft = self.draft(&set, set.rec_token().is_some());
                DraftValue::Set(draft, self.span(&node))
            }
            _ => DraftValue::Expr(node),
        }
    }

    fn inherit(&mut self, draft: &mut Draft, inherit: &ast::Inherit) {
        let source = inherit.from().and_then(|from| from.expr());
        let source = source.map(|source| {
            draft.sources.push(source);
            draft.sources.len() - 1
        });
        for attr in inherit.attrs() {
            let span = self.span(&attr);
            let Some(name) = self.static_name(&attr) else {
                self.report(
                    Diagnostic::error("syntax::dynamic", span, "`inherit` needs plain names")
                        .with_help("write `${name} = …;` instead"),
                );
                continue;
            };
            let value = source.map_or(DraftValue::Inherited, DraftValue::From);
            self.put(draft, name, span, value);
        }
    }

    /// Puts a value at a path, through sets that exist or are made for it.
    fn place(&mut self, draft: &mut Draft, path: &[ast::Attr], value: DraftValue) {
        let [attr, rest @ ..] = path else { return };
        let span = self.span(attr);
        let name = self.static_name(attr);
        let Some(last) = rest.last() else {
            match name {
                Some(name) => self.put(draft, name, span, value),
                None => draft.dynamic.push((attr.clone(), value)),
            }
            return;
        };
        let known = name.and_then(|name| draft.places.get(&name).copied());
        if let Some(entry) = known.and_then(|index| draft.entries.get_mut(index)) {
            match &mut entry.value {
                DraftValue::Set(inner, _) => self.place(inner, rest, value),
                _ => {
                    let (name, first) = (entry.name, entry.span);
                    self.defined_twice(name, span, first);
                }
            }
            return;
        }
        let mut inner = Draft::default();
        let whole = Span { end: self.span(last).end, ..span };
        self.place(&mut inner, rest, value);
        let value = DraftValue::Set(inner, whole);
        match name {
            Some(name) => self.put(draft, name, span, value),
            None => draft.dynamic.push((attr.clone(), value)),
        }
    }

    /// Puts a value at a name. Two sets of one name are merged, but not what is in them.
    fn put(&mut self, draft: &mut Draft, name: Symbol, span: Span, value: DraftValue) {
        let Some(&index) = draft.places.get(&name) else {
            draft.places.insert(name, draft.entries.len());
            draft.entries.push(DraftEntry { name, span, value });
            return;
        };
        let Some(known) = draft.entries.get_mut(index) else { return };
        match (&mut known.value, value) {
            (DraftValue::Set(known, _), DraftValue::Set(new, _)) => self.merge(known, new),
            _ => self.defined_twice(name, span, known.span),
        }
    }

    fn defined_twice(&mut self, name: Symbol, span: Span, first: Span) {
        let message = format!("the attribute `{name}` is defined twice");
        self.report(
            Diagnostic::error("name::duplicate", span, message)
                .with_related(first, "it is defined here already")
                .with_help("keep one of them; two sets of one name would be merged"),
        );
    }

    fn merge(&mut self, into: &mut Draft, from: Draft) {
        let sources = into.sources.len();
        into.sources.extend(from.sources);
        into.dynamic.extend(from.dynamic);
        for DraftEntry { name, span, value } in from.entries {
            let value = match value {
                DraftValue::From(source) => DraftValue::From(source + sources),
                value => value,
            };
            match into.places.get(&name).and_then(|index| into.entries.get(*index)) {
                Some(known) => self.defined_twice(name, span, known.span),
                None => self.put(into, name, span, value),
            }
        }
    }

    fn open_draft(&mut self, mut draft: Draft) -> AttrsExpr {
        draft.entries.sort_by_key(|entry| entry.name);
        // `inherit name;` looks outside of the set, so before its scope opens.
        let inherited: Vec<Option<ExprKind>> = draft
            .entries
            .iter()
            .map(|entry| match entry.value {
                DraftValue::Inherited => Some(self.resolve(entry.name, entry.span)),
                _ => None,
            })
            .collect();
        let recursive = draft.recursive;
        if recursive {
            self.scopes.push(Scope::names(draft.entries.iter().map(|entry| entry.name)));
        } else if !draft.sources.is_empty() {
            self.scopes.push(Scope::names([]));
        }
        let first_source = if recursive { draft.entries.len() } else { 0 };
        let sources = draft.sources.iter().map(|source| self.expr(source)).collect();
        let mut entries = Vec::with_capacity(draft.entries.len());
        for (entry, inherited) in draft.entries.into_iter().zip(inherited) {
            let DraftEntry { name, span, value } = entry;
            let outer = inherited.is_some();
            let value = match (inherited, value) {
                (Some(kind), _) => Expr { kind, span },
                (None, value) => self.value(Some(name), span, value, first_source),
            };
            entries.push(Entry { name, span, value, outer });
        }
        let dynamic = draft.dynamic.into_iter().map(|(attr, value)| {
            let name = self.dynamic_name(&attr);
            let value = self.value(None, name.span, value, first_source);
            DynamicEntry { name, value }
        });
        let dynamic = dynamic.collect();
        let overrides = entries.iter().position(|entry| entry.name.as_str() == "__overrides");
        let overrides = overrides.filter(|_| recursive);
        AttrsExpr { recursive, entries: entries.into(), dynamic, sources, overrides }
    }

    fn value(
        &mut self,
        name: Option<Symbol>,
        at: Span,
        value: DraftValue,
        first_source: usize,
    ) -> Expr {
        match value {
            DraftValue::Expr(node) => {
                let value = self.named(&node, name);
                self.value_spans.insert(at.start, value.span);
                value
            }
            DraftValue::Set(_, span) if self.depth >= super::DEPTH_LIMIT => self.too_deep(span),
            DraftValue::Set(draft, span) => {
                self.value_spans.insert(at.start, span);
                self.depth += 1;
                let depth = self.scopes.len();
                let set = self.open_draft(draft);
                self.scopes.truncate(depth);
                self.depth -= 1;
                Expr { kind: ExprKind::Attrs(Box::new(set)), span }
            }
            DraftValue::From(source) => {
                let slot = (first_source + source) as u32;
                let name = name.unwrap_or_else(|| Symbol::new(""));
                let of = Box::new(Expr { kind: ExprKind::Var(0, slot), span: at });
                Expr { kind: ExprKind::Select(of, [Key::Static(name, at)].into(), None), span: at }
            }
            // Resolved before the scope opened.
            DraftValue::Inherited => Expr { kind: ExprKind::Null, span: at },
        }
    }
}
