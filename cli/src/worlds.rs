//! Evaluations outside of a fleet's hosts: what may be read, and where it lies.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use cairn_compiler::standard_modules;
use cairn_lang::{DiskFs, Features, Mode, Root, Roots, World};

use crate::args::Global;
use crate::error::CommandError;

/// A world whose files are those of `root`. What it traces goes to standard error.
pub(crate) fn new(root: &Path, features: Features) -> Result<World, CommandError> {
    let files = DiskFs::new(root).map_err(|error| {
        CommandError::user(format!("the folder {} cannot be read: {error}", root.display()))
    })?;
    let roots = Roots::new().with(Root::Fleet, files).with(Root::Cairn, standard_modules());
    let mut world = World::new(roots, Mode::Eval);
    world.features = features;
    world.trace = Some(Box::new(trace));
    Ok(world)
}

/// Takes the messages of `trace` and `warn`.
pub(crate) fn trace(message: &str) {
    // Where standard error is gone, there is nowhere left to say so.
    let _ = writeln!(anstream::stderr().lock(), "{message}");
}

/// What may be read: what the arguments say, the fleet around, or the folder itself.
pub(crate) fn root(said: Option<&Path>, global: &Global, near: &Path) -> PathBuf {
    let said = said.or(global.fleet.as_deref());
    let fleet = || near.ancestors().find(|folder| folder.join("cairn.nix").is_file());
    said.unwrap_or_else(|| fleet().unwrap_or(near)).to_owned()
}

/// The place of a file with its folder's links resolved; its own, if it is one, is the evaluator's
/// to follow or refuse. A folder stands for its `default.nix`.
pub(crate) fn absolute(file: &Path) -> Result<PathBuf, CommandError> {
    let unreadable = |error: io::Error| {
        CommandError::user(format!("{} cannot be read: {error}", file.display()))
    };
    if file.is_dir() {
        return Ok(file.canonicalize().map_err(unreadable)?.join("default.nix"));
    }
    let name = file
        .file_name()
        .ok_or_else(|| CommandError::user(format!("{} names no file", file.display())))?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(folder.canonicalize().map_err(unreadable)?.join(name))
}

/// The text on standard input.
pub(crate) fn stdin() -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| CommandError::user("standard input is not UTF-8 text"))
}
