//! The git repository that a fleet lies in, by the user's own `git`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cairn_compiler::{Fleet, Report};
use cairn_lang::{Diagnostic, Sources, Span};
use tempfile::TempDir;

use crate::error::CommandError;

/// A repository, and a fleet in it.
struct Repository {
    top: PathBuf,
    /// The fleet's folder, from the top.
    inside: PathBuf,
}

/// What the index of a repository holds, in a folder that goes away.
pub(crate) struct Staged {
    copy: TempDir,
    repository: Repository,
}

impl Staged {
    /// The index of the repository that the fleet in `folder` lies in, the whole of it: a fleet may take
    /// inputs that lie beside it.
    pub(crate) fn around(folder: &Path) -> Result<Staged, CommandError> {
        let repository = Repository::around(folder)?.ok_or_else(|| {
            let message = format!("{} is in no git repository", folder.display());
            CommandError::user(message).hint("check the files as they are: leave `--staged` out")
        })?;
        let copy = tempfile::tempdir()?;
        let prefix = format!("--prefix={}/", copy.path().display());
        let written = git(&repository.top, &["checkout-index", "--all", &prefix])?;
        if !written.status.success() {
            return Err(failed(&written));
        }
        Ok(Staged { copy, repository })
    }

    /// The folder that everything is in.
    pub(crate) fn top(&self) -> &Path {
        self.copy.path()
    }

    /// The folder of the repository.
    pub(crate) fn original(&self) -> &Path {
        &self.repository.top
    }

    /// The fleet's folder.
    pub(crate) fn fleet(&self) -> PathBuf {
        self.copy.path().join(&self.repository.inside)
    }
}

impl Repository {
    /// The repository that a folder lies in; none where there is none.
    fn around(folder: &Path) -> Result<Option<Repository>, CommandError> {
        let folder = folder.canonicalize()?;
        if !folder.ancestors().any(|above| above.join(".git").exists()) {
            return Ok(None);
        }
        let said = git(&folder, &["rev-parse", "--show-toplevel"])?;
        if !said.status.success() {
            return Err(failed(&said));
        }
        let top = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim_end_matches('\n'));
        let inside = folder.strip_prefix(&top).map(Path::to_owned).unwrap_or_default();
        Ok(Some(Repository { top, inside }))
    }
}

/// Warnings about files that the fleet reads, and that git neither has nor is told to ignore: whoever
/// clones the fleet lacks them. A fleet that git has nothing of is nobody's to clone yet.
pub(crate) fn untracked(fleet: &Fleet) -> Report {
    let sources = Sources::new();
    let found = fleet.folder().and_then(|folder| {
        Repository::around(&folder).ok().flatten()?;
        let words = ["ls-files", "--others", "--exclude-standard", "--directory", "-z"];
        let listed = git(&folder, &words).ok().filter(|listed| listed.status.success())?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let others: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        let is_other = |path: &String| {
            others.iter().any(|other| match other.ends_with('/') {
                true => path.starts_with(other) || *other == "./",
                false => path == other,
            })
        };
        let mut files = fleet.files_read();
        files.retain(is_other);
        if files.iter().any(|path| path == "cairn.nix") {
            return None;
        }
        Some(files.iter().map(|path| warning(&sources, &folder, path)).collect())
    });
    Report::new(found.unwrap_or_default(), sources)
}

fn warning(sources: &Sources, folder: &Path, path: &str) -> Diagnostic {
    let text = fs::read_to_string(folder.join(path)).unwrap_or_default();
    let span = Span { file: sources.add(path, text), start: 0, end: 0 };
    let message = format!("the fleet reads {path}, and git does not have it");
    let help = format!("`git add {path}`: whoever clones the fleet lacks it");
    Diagnostic::warning("fleet::untracked", span, message).with_help(help)
}

fn git(folder: &Path, words: &[&str]) -> Result<Output, CommandError> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words).env("LC_ALL", "C");
    // A hook is told of its repository from the folder that it is run in.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        if let Some(path) = env::var_os(name) {
            command.env(name, env::current_dir()?.join(path));
        }
    }
    command.output().map_err(|error| {
        let message = format!("git cannot be run: {error}");
        CommandError::user(message).hint("install git")
    })
}

fn failed(output: &Output) -> CommandError {
    let said = String::from_utf8_lossy(&output.stderr);
    CommandError::user(format!("git fails: {}", said.trim()))
}
