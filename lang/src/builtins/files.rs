//! Reading files, under the roots alone.

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::fs::FileKind;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("readFile", 1, read_file),
    builtin("readDir", 1, read_dir),
    builtin("readFileType", 1, read_file_type),
    builtin("pathExists", 1, path_exists),
    builtin("findFile", 2, find_file),
];

fn read_file<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    let text = e.world.text(&path, at)?;
    if text.contains('\0') {
        let message = format!("{path} holds the character 0, which no string can");
        return Err(Diagnostic::error("file::not-text", at, message)
            .with_help("what `readFile` reads is text")
            .into());
    }
    Ok(e.str(&text))
}

fn read_dir<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    let entries =
        e.world.roots.list(&path).map_err(|error| e.world.unreadable(&path, &error, at))?;
    let mut set = AttrsBuilder::with_capacity(entries.len());
    for (name, kind) in entries {
        set.set(name.as_str(), e.str_in(kind.as_str()));
    }
    Ok(set.finish(e))
}

fn read_file_type<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    match e.world.roots.kind(&path) {
        Ok(Some(kind)) => Ok(e.str_in(kind.as_str())),
        Ok(None) => Err(e.world.unreadable(&path, &crate::fs::FsError::NotFound, at).into()),
        Err(error) => Err(e.world.unreadable(&path, &error, at).into()),
    }
}

fn path_exists<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let value = e.force_at(args[0], at)?;
    let path = e.expect_path(value, at)?;
    // A text that ends in a slash asks for a folder.
    let folder = match value {
        Value::Str(text) => text.ends_with('/') || text.ends_with("/."),
        _ => false,
    };
    let roots = &e.world.roots;
    let kind = if folder { roots.resolved_kind(&path) } else { roots.kind(&path) };
    let kind = kind.map_err(|error| e.world.unreadable(&path, &error, at))?;
    Ok(Value::Bool(kind.is_some_and(|kind| !folder || kind == FileKind::Directory)))
}

/// The first of a search path's places that has the file; each is `{ path; prefix; }`.
fn find_file<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let places = e.expect_list(args[0], at)?;
    let name = e.expect_str(args[1], at)?;
    for place in places.iter() {
        let place = e.force_at(place, at)?;
        let set = e.expect_attrs(place, at)?;
        let prefix = match set.get_str("prefix") {
            Some(attr) => e.expect_str(e.force_attr(attr)?, attr.span.or(at))?,
            None => "",
        };
        let path = set.get_str("path").ok_or_else(|| e.missing(place, Symbol::new("path"), at))?;
        let path = e.expect_path(path.value.get(), path.span.or(at))?;
        let below = match (prefix, name.strip_prefix(prefix)) {
            ("", _) => Some(name),
            (_, Some(below)) if below.is_empty() || below.starts_with('/') => Some(below),
            _ => None,
        };
        let Some(found) = below.and_then(|below| path.join(below)) else { continue };
        let kind =
            e.world.roots.kind(&found).map_err(|error| e.world.unreadable(&found, &error, at))?;
        if kind.is_some() {
            return Ok(e.path(&found));
        }
    }
    let message = format!("there is no `{name}` in the search path");
    Err(Diagnostic::error("name::search-path", at, message)
        .with_help("each place of it is `{ path = ./folder; prefix = \"name\"; }`")
        .into())
}
