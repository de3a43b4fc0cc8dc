//! `disabledModules`: modules that are left out, by file, by key, or by a standard module's name.

use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::Evaluator;
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::{Attr, Value};

use super::collect::{Key, Node, file_of};
use super::tree::ModuleTree;
use crate::brief::found;

/// An entry of `disabledModules`.
pub(super) struct Disabled {
    /// What the module may be known by.
    pub(super) keys: Vec<Key>,
    shown: String,
    at: Span,
}

/// The entries of a list `disabledModules`.
pub(super) fn entries<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    attr: &'a Attr<'a>,
) -> Result<Vec<Disabled>> {
    let here = eval.value_span(attr.span);
    let list = eval.expect_list(eval.force_attr(attr)?, here)?;
    let spans = eval.element_spans(here).unwrap_or_default();
    let each = list
        .iter()
        .enumerate()
        .map(|(number, item)| entry(eval, tree, item, spans.get(number).copied().unwrap_or(here)));
    each.collect()
}

fn entry<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    item: Value<'a>,
    at: Span,
) -> Result<Disabled> {
    let file = |path: VirtualPath| Key::File(Rc::new(file_of(eval, path)));
    match eval.force_at(item, at)? {
        // The name of a standard module, or what a module calls itself by `key`.
        Value::Str(text) if !text.starts_with('/') => {
            let base = tree.special.iter().find(|(name, _)| name.as_str() == "modulesPath");
            let path = match base {
                Some((_, base)) => eval.expect_path(*base, at)?.join(text),
                None => VirtualPath::new(Root::Cairn, text),
            };
            let mut keys = vec![Key::Named((*text).to_owned())];
            keys.extend(path.map(file));
            Ok(Disabled { keys, shown: (*text).to_owned(), at })
        }
        value @ (Value::Path(_) | Value::Str(_)) => {
            let path = eval.expect_path(value, at)?;
            let shown = path.to_string();
            Ok(Disabled { keys: vec![file(path)], shown, at })
        }
        Value::Attrs(set) if set.get(symbol!("key")).is_some() => {
            let key = match set.get(symbol!("key")) {
                Some(attr) => eval.coerce_to_str(eval.force_attr(attr)?, attr.span)?.to_owned(),
                None => String::new(),
            };
            Ok(Disabled { shown: key.clone(), keys: vec![Key::Named(key)], at })
        }
        other => {
            let message = format!(
                "`disabledModules` names files and keys of modules, not {}",
                found(eval, other)
            );
            Err(Diagnostic::error("module::disabled", at, message)
                .with_help("give the module a `key`, and write `{ key = \"…\"; }` here")
                .into())
        }
    }
}

/// A warning for each entry that disables nothing: its module may have a new name.
pub(super) fn unknown(disabled: &[Disabled], nodes: &[Node<'_>]) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for entry in disabled {
        let is_known = |node: &Node<'_>| node.keys.iter().any(|key| entry.keys.contains(key));
        if nodes.iter().any(is_known) {
            continue;
        }
        let shown = |key: &Key| match key {
            Key::File(path) => match path.root {
                Root::Cairn => path.path.clone(),
                _ => path.to_string(),
            },
            Key::Named(name) => name.clone(),
        };
        let names: Vec<_> = nodes.iter().flat_map(|node| &node.keys).map(shown).collect();
        let message = format!("no module here is `{}`: there is nothing to disable", entry.shown);
        let mut warning = Diagnostic::warning("module::disabled", entry.at, message);
        warning.help = did_you_mean(&entry.shown, names.iter().map(String::as_str));
        out.push(warning);
    }
    out
}
