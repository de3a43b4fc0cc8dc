//! `cairn fmt`

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use cairn_compiler::{Report, nix_files};
use cairn_lang::{Diagnostic, DiskFs, Root, Roots, Sources, Span, VirtualPath};
use clap::{Args, ValueHint};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::format::formatted;
use crate::report::plural;
use crate::style::{GOOD, paint};
use crate::texts;
use crate::ui::Ui;
use crate::worlds;

/// Format files as nixfmt does
///
/// The layout is that of RFC 166, which nixpkgs is written in. Files that are no valid expression are
/// told and left as they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Without paths, all *.nix of the fleet; a folder stands for all of its own. With -v, what changes is
shown.

Examples:
  cairn fmt
  cairn fmt --check hosts
  cairn fmt - < draft.nix")]
pub(crate) struct FmtArgs {
    /// Files and folders, or `-` for standard input, written formatted to standard output
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,

    /// Write nothing, list what would change, and fail where anything would
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &FmtArgs) -> Result<(), CommandError> {
    if args.paths == [Path::new("-")] {
        return from_stdin(ui, args.check);
    }
    let (files, problems) = match args.paths.as_slice() {
        [] => of_folder(&fleets::folder(global)?, "")?,
        paths => of_paths(paths)?,
    };
    let sources = Sources::new();
    let mut run = Run { ui, check: args.check, changed: 0, problems, sources };
    for file in &files {
        run.file(file)?;
    }
    run.end(files.len())
}

/// A file to format.
struct Target {
    /// What it is called in messages.
    name: String,
    path: PathBuf,
}

/// What the arguments name. A file counts whatever it is called.
fn of_paths(paths: &[PathBuf]) -> Result<(Vec<Target>, Vec<Diagnostic>), CommandError> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let name = path.to_string_lossy();
            let (found, unreadable) = of_folder(path, name.trim_end_matches('/'))?;
            files.extend(found);
            problems.extend(unreadable);
        } else {
            files.push(Target { name: path.display().to_string(), path: path.clone() });
        }
    }
    Ok((files, problems))
}

/// The files of a folder, by the rule that `cairn check` goes by; `name` stands before theirs.
fn of_folder(folder: &Path, name: &str) -> Result<(Vec<Target>, Vec<Diagnostic>), CommandError> {
    let disk = DiskFs::new(folder).map_err(|error| unreadable(folder, &error))?;
    let (found, problems) = nix_files(&Roots::new().with(Root::Fleet, disk));
    let target = |file: VirtualPath| Target {
        name: if name.is_empty() { file.to_string() } else { format!("{name}/{file}") },
        path: folder.join(&file.path),
    };
    Ok((found.into_iter().map(target).collect(), problems))
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    CommandError::user(format!("{} cannot be read: {error}", path.display()))
}

/// The work on many files, and what came of it so far.
struct Run<'u> {
    ui: &'u Ui,
    check: bool,
    changed: usize,
    problems: Vec<Diagnostic>,
    sources: Sources,
}

impl Run<'_> {
    fn file(&mut self, file: &Target) -> Result<(), CommandError> {
        let text = match read(file) {
            Ok(text) => text,
            Err(problem) => {
                self.problems.push(*problem);
                return Ok(());
            }
        };
        match formatted(&self.sources, &file.name, &text) {
            Ok(new) if new == text => {}
            Ok(new) => self.change(file, text, new)?,
            Err(problems) => self.problems.extend(problems),
        }
        Ok(())
    }

    fn change(&mut self, file: &Target, old: String, new: String) -> Result<(), CommandError> {
        self.changed += 1;
        if !self.check {
            replace(&file.path, &new).map_err(|error| {
                CommandError::user(format!("{} cannot be written: {error}", file.name))
            })?;
        }
        let kind = if self.check { "unformatted" } else { "formatted" };
        self.ui.object(&json!({ "type": kind, "file": file.name }));
        if self.ui.verbose() > 0 {
            let (old, new) = (Some(old.into_bytes()), Some(new.into_bytes()));
            self.ui.line(texts::coloured(&file.name, &old, &new));
        } else {
            self.ui.line(&file.name);
        }
        Ok(())
    }

    fn end(self, files: usize) -> Result<(), CommandError> {
        if !self.problems.is_empty() {
            return Err(fleets::failed(self.ui, &Report::new(self.problems, self.sources)));
        }
        let changed = plural(self.changed, "file");
        match (self.check, self.changed) {
            (_, 0) => {
                let mark = paint(GOOD, "✓");
                let them = if files == 1 { "is" } else { "are" };
                self.ui.note(format_args!("{mark} {} {them} formatted", plural(files, "file")));
                Ok(())
            }
            (true, changes) => {
                let verb = if changes == 1 { "is" } else { "are" };
                let error =
                    CommandError::user(format!("{changed} of {files} {verb} not formatted"));
                Err(error.hint("`cairn fmt` formats them; -v shows what would change"))
            }
            (false, _) => {
                self.ui.note(format_args!("{changed} of {files} formatted"));
                Ok(())
            }
        }
    }
}

fn read(file: &Target) -> Result<String, Box<Diagnostic>> {
    let error = |code, why: String, help| {
        let message = format!("cannot read {}: {why}", file.name);
        Box::new(Diagnostic::error(code, Span::NONE, message).with_help(help))
    };
    let io = |failure: io::Error| match failure.kind() {
        io::ErrorKind::NotFound => {
            error("file::not-found", "there is no such file".to_owned(), "check the name")
        }
        _ => error("file::unreadable", failure.to_string(), "check the file's permissions"),
    };
    if !fs::metadata(&file.path).map_err(io)?.is_file() {
        let why = "it is not a plain file".to_owned();
        return Err(error("file::not-a-file", why, "name a file, not a device"));
    }
    String::from_utf8(fs::read(&file.path).map_err(io)?).map_err(|_| {
        error("file::not-text", "it is not UTF-8 text".to_owned(), "convert the file to UTF-8")
    })
}

/// Puts a text in a file's place at once: whoever reads it meanwhile sees the old or the new. A link
/// stays one, to a file that has changed.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let metadata = fs::metadata(&path)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    // Only root can give files away; anybody else's becomes that of whoever formats it.
    let _ = keep_owner(new.as_file(), &metadata);
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    Ok(())
}

fn keep_owner(file: &File, like: &fs::Metadata) -> io::Result<()> {
    fchown(file, Some(like.uid()), Some(like.gid()))
}

fn from_stdin(ui: &Ui, check: bool) -> Result<(), CommandError> {
    let name = "<stdin>";
    let text = worlds::stdin()?;
    let sources = Sources::new();
    let new = formatted(&sources, name, &text)
        .map_err(|problems| fleets::failed(ui, &Report::new(problems, sources)))?;
    if check && new != text {
        ui.object(&json!({ "type": "unformatted", "file": name }));
        return Err(CommandError::user("standard input is not formatted"));
    }
    match (check, ui.is_json()) {
        (true, _) => {}
        (false, true) => ui.object(&json!({ "type": "formatted", "file": name, "text": new })),
        (false, false) => ui.raw(new),
    }
    Ok(())
}
