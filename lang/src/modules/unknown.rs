//! Definitions for which no option is declared.

use crate::diagnostic::{Diagnostic, Result, nearest};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;

use super::definition::Definition;
use super::level::{Child, Level, Node};
use super::location::Location;
use super::tree::ModuleTree;

/// A definition without an option.
pub(crate) struct Unmatched<'a> {
    /// The names that lead to it from the tree's root.
    pub(crate) below: Vec<Symbol>,
    pub(crate) definition: Definition<'a>,
    level: &'a Level<'a>,
    name: Symbol,
}

/// All definitions under a level that no option takes, by place.
pub(crate) fn unmatched<'a>(
    eval: &Evaluator<'a>,
    root: &'a Level<'a>,
) -> Result<Vec<Unmatched<'a>>> {
    let mut out = Vec::new();
    gather(eval, root, &mut Vec::new(), &mut out)?;
    Ok(out)
}

fn gather<'a>(
    eval: &Evaluator<'a>,
    level: &'a Level<'a>,
    below: &mut Vec<Symbol>,
    out: &mut Vec<Unmatched<'a>>,
) -> Result<()> {
    // A level that nobody defines anything in needs no look.
    let mut inner: Vec<&'a Child<'a>> = Vec::new();
    for spread in level.spread(eval)? {
        let mut unknown = Vec::new();
        for attr in spread.set.iter().filter(|attr| !level.has_option(attr.name)) {
            match level.child(attr.name) {
                None => unknown.push(attr),
                Some(child) if inner.iter().any(|known| known.name == child.name) => {}
                Some(child) => inner.push(child),
            }
        }
        unknown.sort_unstable_by_key(|attr| attr.name.as_str());
        for attr in unknown {
            let definition = spread.whole.part(attr.value.get(), attr.span, Span::NONE);
            let mut below = below.clone();
            below.push(attr.name);
            out.push(Unmatched { below, definition, level, name: attr.name });
        }
    }
    inner.sort_unstable_by_key(|child| child.name.as_str());
    for child in inner {
        // A declaration that fails is reported as such.
        if let Ok(Node::Level(inner)) = child.node(eval) {
            below.push(child.name);
            let result = eval.deeper(child.span(), || gather(eval, inner, below, out));
            below.pop();
            result?;
        }
    }
    Ok(())
}

/// A diagnostic for each unknown option of a tree, unless it takes any.
pub(crate) fn unknown_options<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
) -> Result<Vec<Diagnostic>> {
    if tree.freeform(eval)?.is_some() || !tree.checks(eval)? {
        return Ok(Vec::new());
    }
    let unmatched = unmatched(eval, tree.root(eval)?)?;
    let each = unmatched
        .iter()
        .map(|one| unknown_option(eval, one.level, one.level.path, one.name, one.definition.key));
    each.collect()
}

/// The error of a definition of `name` in a level, at the path `above`, that has no such option.
pub(crate) fn unknown_option<'a>(
    eval: &Evaluator<'a>,
    level: &'a Level<'a>,
    above: Location<'a>,
    name: Symbol,
    span: Span,
) -> Result<Diagnostic> {
    let path = above.name(eval, name);
    let message = format!("there is no option `{path}`");
    let mut error = Diagnostic::error("option::unknown", span, message);
    let siblings: Vec<_> =
        level.children().into_iter().filter(|child| !is_own(child.name)).collect();
    let names = siblings.iter().map(|child| child.name.as_str());
    if let Some(near) = nearest(name.as_str(), names) {
        let near = Symbol::new(near);
        let mut declared = Span::NONE;
        if let Some(child) = level.child(near) {
            // Where an option stands is known once it has been looked at.
            drop(child.node(eval));
            declared = child.span();
        }
        let near = above.name(eval, near);
        error = error.with_help(format!("did you mean `{near}`?"));
        return Ok(error.with_related(declared, format!("`{near}` is declared here")));
    }
    if let Some(near) = elsewhere(eval, level.tree, &path.to_string(), name)? {
        return Ok(error.with_help(format!("did you mean `{near}`?")));
    }
    let Some(names) = level.some_names(eval) else { return Ok(error) };
    let above = above.to_string();
    let place = if above.is_empty() { "here".to_owned() } else { format!("in `{above}`") };
    Ok(error.with_help(format!("the options {place} are {names}")))
}

fn is_own(name: Symbol) -> bool {
    name.as_str().starts_with('_')
}

/// The option anywhere in the tree whose path is nearest, or that alone has this name.
fn elsewhere<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    path: &str,
    name: Symbol,
) -> Result<Option<String>> {
    let mut paths: Vec<(Symbol, Location<'a>)> = Vec::new();
    all_paths(eval, tree.root(eval)?, &mut paths)?;
    let shown: Vec<_> = paths.iter().map(|(name, path)| (*name, path.to_string())).collect();
    // A near path whose last name is another word is no typo: `x.bb` for `x.a`.
    let similar = shown
        .iter()
        .filter(|(other, _)| *other == name || nearest(name.as_str(), [other.as_str()]).is_some());
    if let Some(near) = nearest(path, similar.map(|(_, path)| path.as_str())) {
        return Ok(Some(near.to_owned()));
    }
    // A name that is at home in exactly one other place, near this one rather than anywhere.
    let above = path.rsplit_once('.').map(|(above, _)| format!("{above}.")).unwrap_or_default();
    let called = |other: &Symbol| other.as_str().eq_ignore_ascii_case(name.as_str());
    let same: Vec<_> = shown.iter().filter(|(other, _)| called(other)).collect();
    let near: Vec<_> = same.iter().filter(|(_, path)| path.starts_with(&above)).copied().collect();
    Ok(match (&near[..], &same[..]) {
        ([(_, path)], _) | (_, [(_, path)]) => Some(path.clone()),
        _ => None,
    })
}

fn all_paths<'a>(
    eval: &Evaluator<'a>,
    level: &'a Level<'a>,
    out: &mut Vec<(Symbol, Location<'a>)>,
) -> Result<()> {
    for child in level.children().into_iter().filter(|child| !is_own(child.name)) {
        out.push((child.name, level.path.name(eval, child.name)));
        if let Ok(Node::Level(inner)) = child.node(eval) {
            all_paths(eval, inner, out)?;
        }
    }
    Ok(())
}
