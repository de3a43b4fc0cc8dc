//! Strings. Lengths and offsets are bytes, as in Nix; a cut never splits a character.

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{Evaluator, virtual_path};
use crate::fs::Root;
use crate::source::Span;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("toString", 1, to_string),
    builtin("stringLength", 1, string_length),
    builtin("substring", 3, substring),
    builtin("concatStringsSep", 2, concat_strings_sep),
    builtin("replaceStrings", 3, replace_strings),
    builtin("baseNameOf", 1, base_name_of),
    builtin("dirOf", 1, dir_of),
    builtin("toPath", 1, to_path),
    // Contexts are always empty: strings refer to files by their content.
    builtin("hasContext", 1, has_context),
    builtin("getContext", 1, get_context),
    builtin("appendContext", 2, append_context),
    builtin("unsafeDiscardStringContext", 1, plain),
    builtin("unsafeDiscardOutputDependency", 1, plain),
    builtin("addDrvOutputDependencies", 1, add_drv_output_dependencies),
];

fn to_string<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(e.str_in(e.to_str(args[0], at)?))
}

fn string_length<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(Value::Int(e.coerce_to_str(args[0], at)?.len() as i64))
}

fn plain<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(e.str_in(e.coerce_to_str(args[0], at)?))
}

fn has_context<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.expect_str(args[0], at)?;
    Ok(Value::Bool(false))
}

fn add_drv_output_dependencies<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let text = e.coerce_to_str(args[0], at)?;
    let message = format!("{text:?} refers to no derivation: there is no Nix store");
    Err(Diagnostic::error("type::mismatch", at, message)
        .with_help("strings have no context here")
        .into())
}

fn append_context<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = e.expect_str(args[0], at)?;
    match e.expect_attrs(args[1], at)?.sorted().first() {
        None => Ok(e.str_in(text)),
        Some(attr) => {
            let message = format!("`{}` is no store path: there is no Nix store", attr.name);
            Err(Diagnostic::error("type::mismatch", attr.span.or(at), message)
                .with_help("strings have no context here; `{ }` is the only one")
                .into())
        }
    }
}

fn get_context<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    e.expect_str(args[0], at)?;
    Ok(e.attrs::<&str>([]))
}

fn substring<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let (start, length) = (e.expect_int(args[0], at)?, e.expect_int(args[1], at)?);
    let text = e.coerce_to_str(args[2], at)?;
    let Ok(start) = usize::try_from(start) else {
        return Err(Diagnostic::error("type::range", at, "`substring` starts before the string")
            .with_help("the first character is number 0")
            .into());
    };
    let start = text.floor_char_boundary(start.min(text.len()));
    // A negative length means the rest.
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let end = text.floor_char_boundary(start.saturating_add(length).min(text.len()));
    Ok(e.str_in(&text[start..end.max(start)]))
}

fn concat_strings_sep<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let separator = e.expect_str(args[0], at)?;
    let list = e.expect_list(args[1], at)?;
    let mut parts = Vec::with_capacity(list.len() * 2);
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            parts.push(separator);
        }
        parts.push(e.coerce_to_str(item, at)?);
    }
    e.join_strs(&parts, at)
}

fn replace_strings<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let (from, to) = (e.expect_list(args[0], at)?, e.expect_list(args[1], at)?);
    if from.len() != to.len() {
        let message = format!(
            "`replaceStrings` got {} texts to replace and {} replacements",
            from.len(),
            to.len()
        );
        return Err(Diagnostic::error("type::range", at, message).into());
    }
    let from = from.iter().map(|item| e.expect_str(item, at)).collect::<Result<Vec<_>>>()?;
    let text = e.coerce_to_str(args[2], at)?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        e.tick(at)?;
        let found = from.iter().zip(to.cells()).find(|(pattern, _)| rest.starts_with(**pattern));
        if let Some((pattern, replacement)) = found {
            let replacement = e.expect_str(e.force_cell(replacement, at)?, at)?;
            e.check_text(out.len() + replacement.len(), at)?;
            out.push_str(replacement);
            rest = &rest[pattern.len()..];
            if !pattern.is_empty() {
                // A match at the very end leaves room for an empty pattern there, as in Nix.
                if rest.is_empty() && !from.iter().any(|pattern| pattern.is_empty()) {
                    break;
                }
                continue;
            }
        }
        let Some(c) = rest.chars().next() else { break };
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Ok(e.str(&out))
}

fn base_name_of<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = match e.force_at(args[0], at)? {
        Value::Path(path) => e.path_text(path),
        other => e.coerce_to_str(other, at)?,
    };
    // One slash at the end does not count.
    let text = text.strip_suffix('/').unwrap_or(text);
    Ok(e.str_in(text.rsplit('/').next().unwrap_or("")))
}

fn dir_of<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let value = e.force_at(args[0], at)?;
    if let Value::Path(path) = value {
        let path = virtual_path(path);
        // The folder around a root: only `cairn eval` can name it.
        if path.path.is_empty() && path.root != Root::Machine {
            return e.append_to_path(&path, "/..", at);
        }
        return Ok(e.path(&path.parent()));
    }
    let text = e.coerce_to_str(value, at)?;
    Ok(e.str_in(match text.rsplit_once('/') {
        None => ".",
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }))
}

fn to_path<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    let Value::Path(path) = e.path(&path) else { return Ok(Value::Null) };
    Ok(e.str_in(e.path_text(path)))
}
