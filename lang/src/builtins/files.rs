//! Reading files, under the roots alone.

use super::{Builtin, builtin};
use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::value::Value;
use crate::world::unreadable;

pub(super) const TABLE: &[Builtin] = &[
    builtin("readFile", 1, read_file),
    builtin("readDir", 1, read_dir),
    builtin("readFileType", 1, read_file_type),
    builtin("pathExists", 1, path_exists),
];

fn read_file<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(e.str(&e.world.text(&e.expect_path(args[0], at)?, at)?))
}

fn read_dir<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    let entries = e.world.roots.list(&path).map_err(|error| unreadable(&path, &error, at))?;
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
        Ok(None) => Err(unreadable(&path, &crate::fs::FsError::NotFound, at).into()),
        Err(error) => Err(unreadable(&path, &error, at).into()),
    }
}

fn path_exists<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = e.expect_path(args[0], at)?;
    let kind = e.world.roots.kind(&path).map_err(|error| unreadable(&path, &error, at))?;
    Ok(Value::Bool(kind.is_some()))
}
