//! What evaluators share: sources, files, lowered trees, limits. One for a fleet, for all hosts
//! and threads.

use std::string::FromUtf8Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Result, nearest};
use crate::fs::{FsError, Root, Roots, VirtualPath};
use crate::lower::{self, bound};
use crate::source::{Sources, Span};
use crate::symbol::Symbol;
use crate::tree::Tree;

/// What an evaluation of a host takes at most, many times what any should.
const TIME_LIMIT: Duration = Duration::from_secs(60);
const MEMORY_LIMIT: usize = 2 << 30;
/// A chain of links is no longer than this.
const LINK_LIMIT: usize = 64;

/// What a path becomes in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The place where a node has the file, `/var/lib/cairn/store/<blake3>`; the blob is recorded.
    Build,
    /// The file's real path, as in Nix.
    Eval,
}

/// Where an evaluation stops with a diagnostic.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep calls and values may nest.
    pub depth: u32,
    /// Bytes that one evaluator's heap may take.
    pub memory: usize,
    /// How long one evaluator may work, from when it was made.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 250_000, memory: MEMORY_LIMIT, time: Some(TIME_LIMIT) }
    }
}

/// Parts of the language that Nix calls experimental: off unless somebody asks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `|>` and `<|`; Nix's feature `pipe-operators`.
    pub pipe_operators: bool,
}

impl Features {
    /// The features that exist, by the names that Nix gives them.
    pub const NAMES: [&str; 1] = ["pipe-operators"];

    /// Switches a feature on, by its name. Whether there is such a one.
    pub fn enable(&mut self, name: &str) -> bool {
        let known = name == "pipe-operators";
        self.pipe_operators |= known;
        known
    }
}

/// Takes the messages of `trace` and `warn`.
pub type TraceSink = Box<dyn Fn(&str) + Send + Sync>;

type Lowered = Result<Arc<Tree>, Arc<Vec<Diagnostic>>>;

/// What evaluators share.
pub struct World {
    /// The texts that spans refer to.
    pub sources: Sources,
    /// What may be read.
    pub roots: Roots,
    /// What a path becomes in a string.
    pub mode: Mode,
    /// Where an evaluation stops.
    pub limits: Limits,
    /// Experimental parts of the language that are switched on.
    pub features: Features,
    /// Takes the messages of `trace` and `warn`.
    pub trace: Option<TraceSink>,
    /// Set from outside to stop whatever is being evaluated.
    pub interrupt: Arc<AtomicBool>,
    trees: Mutex<FxHashMap<VirtualPath, Lowered>>,
    /// The files that paths mean, as far as they have been looked at: see [`World::module_path`].
    places: RwLock<FxHashMap<VirtualPath, VirtualPath>>,
}

impl World {
    /// A world of these files.
    pub fn new(roots: Roots, mode: Mode) -> World {
        World {
            sources: Sources::new(),
            roots,
            mode,
            limits: Limits::default(),
            features: Features::default(),
            trace: None,
            interrupt: Arc::default(),
            trees: Mutex::default(),
            places: RwLock::default(),
        }
    }

    /// The lowered tree of a file (`default.nix` of a folder), read once.
    ///
    /// # Errors
    /// Every syntax error and unbound name of the file, or one diagnostic at `at` where the file
    /// cannot be read. While building, a file whose only fault is unbound names has a tree, so that
    /// what else is wrong is found in the same run: they are in [`World::file_diagnostics`].
    pub fn tree(&self, path: &VirtualPath, at: Span) -> Result<Arc<Tree>, Vec<Diagnostic>> {
        let unreadable = |error| vec![self.unreadable(path, &error, at)];
        let path = &self.module_path(path).map_err(unreadable)?;
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trees.get(path) {
            return known.clone().map_err(|diagnostics| diagnostics.to_vec());
        }
        let bytes = self.roots.read(path).map_err(unreadable)?;
        let lowered = match String::from_utf8(bytes) {
            Ok(text) => lower::lower(self, &path.to_string(), &text, Some(path), &[]),
            Err(error) => Err(vec![self.not_source(path, &error)]),
        };
        let lowered = match self.mode {
            Mode::Build => lowered,
            Mode::Eval => lowered.and_then(bound),
        };
        let lowered = lowered.map(Arc::new).map_err(Arc::new);
        trees.insert(path.clone(), lowered.clone());
        lowered.map_err(|diagnostics| diagnostics.to_vec())
    }

    /// The lowered tree of a file that is part of the program, lowered once.
    pub(crate) fn embedded(
        &self,
        path: &VirtualPath,
        text: &str,
    ) -> Result<Arc<Tree>, Vec<Diagnostic>> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trees.get(path) {
            return known.clone().map_err(|diagnostics| diagnostics.to_vec());
        }
        let lowered = lower::lower(self, &path.to_string(), text, Some(path), &[]);
        let lowered = lowered.map(Arc::new).map_err(Arc::new);
        trees.insert(path.clone(), lowered.clone());
        lowered.map_err(|diagnostics| diagnostics.to_vec())
    }

    /// The lowered tree of a text that stands for a file while it is being written; never shared.
    ///
    /// # Errors
    /// Every syntax error of the text. Unbound names leave a tree, which has them: see
    /// [`Tree::problems`].
    pub fn draft(&self, path: &VirtualPath, text: &str) -> Result<Arc<Tree>, Vec<Diagnostic>> {
        lower::lower(self, &path.to_string(), text, Some(path), &[]).map(Arc::new)
    }

    /// As [`World::draft`], of a text that may be broken anywhere: as much of it as can be read.
    pub fn rough_draft(&self, path: &VirtualPath, text: &str) -> Option<Arc<Tree>> {
        lower::lower_roughly(self, &path.to_string(), text, Some(path)).map(Arc::new)
    }

    /// The lowered tree of a text that is no file, such as `--expr`; relative paths in it start
    /// at `base`.
    ///
    /// # Errors
    /// Every syntax error and unbound name of the text.
    pub fn tree_of_text(
        &self,
        name: &str,
        text: &str,
        base: Option<&VirtualPath>,
    ) -> Result<Arc<Tree>, Vec<Diagnostic>> {
        let inside = base.and_then(|base| base.join("expression.nix"));
        lower::lower(self, name, text, inside.as_ref(), &[]).and_then(bound).map(Arc::new)
    }

    /// As [`World::tree`], with names that the file may use beside the builtins; never shared.
    pub(crate) fn scoped_tree(
        &self,
        path: &VirtualPath,
        names: &[Symbol],
        at: Span,
    ) -> Result<Tree, Vec<Diagnostic>> {
        let unreadable = |error| vec![self.unreadable(path, &error, at)];
        let path = &self.module_path(path).map_err(unreadable)?;
        let text = self.text(path, at).map_err(|error| vec![*error])?;
        lower::lower(self, &path.to_string(), &text, Some(path), names).and_then(bound)
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Every diagnostic of every file read so far, by file name and place.
    pub fn file_diagnostics(&self) -> Vec<Diagnostic> {
        let trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        let each = trees.iter().map(|(path, tree)| match tree {
            Ok(tree) => (path, &tree.problems),
            Err(diagnostics) => (path, &**diagnostics),
        });
        let mut files: Vec<_> = each.filter(|(_, problems)| !problems.is_empty()).collect();
        files.sort_by_key(|(path, _)| *path);
        files.into_iter().flat_map(|(_, diagnostics)| diagnostics.iter().cloned()).collect()
    }

    /// The text of a file.
    ///
    /// # Errors
    /// A diagnostic at `at` where it cannot be read or is not UTF-8.
    pub fn text(&self, path: &VirtualPath, at: Span) -> Result<String> {
        let bytes = self.roots.read(path).map_err(|error| self.unreadable(path, &error, at))?;
        String::from_utf8(bytes).map_err(|error| not_text(path, &error, at).into())
    }

    /// The diagnostic of a source file that is not text, at what is wrong in it: all who import the
    /// file are told the same.
    fn not_source(&self, path: &VirtualPath, error: &FromUtf8Error) -> Diagnostic {
        let text = String::from_utf8_lossy(error.as_bytes());
        let file = self.sources.add(path.to_string(), text);
        let start = error.utf8_error().valid_up_to() as u32;
        let end = start + char::REPLACEMENT_CHARACTER.len_utf8() as u32;
        not_text(path, error, Span { file, start, end })
    }

    /// The diagnostic of a file that cannot be read, with the nearest name of one that can.
    #[cold]
    pub(crate) fn unreadable(&self, path: &VirtualPath, error: &FsError, at: Span) -> Diagnostic {
        let (code, help) = match error {
            FsError::NotFound => {
                let near = self.nearest_file(path).unwrap_or_else(|| {
                    "check the name; paths start at the file they are written in".to_owned()
                });
                ("file::not-found", near)
            }
            FsError::Escapes(_) | FsError::Outside => ("file::outside", self.may_be_read()),
            FsError::NotAFile => ("file::not-a-file", "name a file, not a folder or device".into()),
            FsError::NotADirectory => ("file::not-a-folder", "name a folder".into()),
            FsError::Io(_) => ("file::unreadable", "check the file's permissions".into()),
        };
        Diagnostic::error(code, at, format!("cannot read {path}: {error}")).with_help(help)
    }

    /// What to do about a path that leads out of what may be read.
    pub(crate) fn may_be_read(&self) -> String {
        match self.mode {
            Mode::Build => {
                "only the fleet's folder and the standard modules can be read: copy the \
                            file into the fleet"
                    .to_owned()
            }
            Mode::Eval => {
                "only files of one folder can be read: the fleet's or the file's own, or \
                           that of `--root DIR`"
                    .to_owned()
            }
        }
    }

    fn nearest_file(&self, path: &VirtualPath) -> Option<String> {
        let folder = path.parent();
        match self.roots.list(&folder) {
            Ok(entries) => {
                // What comes after the dot is alike in many files, and no sign of a typo.
                let name = path.file_name();
                let dot = name.rfind('.').unwrap_or(name.len());
                let (stem, extension) = name.split_at(dot);
                let stems = entries.iter().filter_map(|(name, _)| name.strip_suffix(extension));
                nearest(stem, stems).map(|near| format!("did you mean `{near}{extension}`?"))
            }
            Err(_) if folder.path.is_empty() => None,
            Err(_) => Some(
                self.nearest_file(&folder)
                    .map(|near| format!("there is no folder {folder}: {near}"))
                    .unwrap_or_else(|| format!("there is no folder {folder}")),
            ),
        }
    }

    /// The virtual path of an absolute one. While building, none leads into the fleet: what a
    /// generation holds must not depend on where the fleet is checked out.
    pub(crate) fn locate(&self, absolute: &str) -> Option<VirtualPath> {
        match self.mode {
            Mode::Build => VirtualPath::new(Root::Machine, absolute),
            Mode::Eval => Some(self.roots.locate(absolute)),
        }
    }

    /// The file that importing `path` reads: `default.nix` of a folder. A path that is a link
    /// stands for what it leads to, so that relative paths in the file start there. Looked at once:
    /// each host of a fleet asks for every file.
    pub(crate) fn module_path(&self, path: &VirtualPath) -> Result<VirtualPath, FsError> {
        if let Some(known) = self.places.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(known.clone());
        }
        let found = self.find_module(path)?;
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        places.insert(path.clone(), found.clone());
        Ok(found)
    }

    fn find_module(&self, path: &VirtualPath) -> Result<VirtualPath, FsError> {
        let mut path = path.clone();
        for _ in 0..LINK_LIMIT {
            let Some(target) = self.roots.link_target(&path)? else { break };
            path = self.linked(&path, &target)?;
        }
        match self.roots.resolved_kind(&path)? {
            Some(crate::fs::FileKind::Directory) => {
                path.join("default.nix").ok_or(FsError::Outside)
            }
            _ => Ok(path),
        }
    }

    /// Where the link at `path` leads.
    fn linked(&self, path: &VirtualPath, target: &str) -> Result<VirtualPath, FsError> {
        let escapes = || FsError::Escapes(target.to_owned());
        let found = if target.starts_with('/') {
            Some(self.roots.locate(target)).filter(|found| found.root == path.root)
        } else {
            path.parent().join(target)
        };
        found.ok_or_else(escapes)
    }
}

fn not_text(path: &VirtualPath, error: &FromUtf8Error, at: Span) -> Diagnostic {
    let offset = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(offset).copied().unwrap_or_default();
    let message = format!("{path} is not UTF-8 text: byte 0x{byte:02X} at offset {offset}");
    Diagnostic::error("file::not-text", at, message)
        .with_help("source files and what `readFile` reads are UTF-8; convert the file")
}
