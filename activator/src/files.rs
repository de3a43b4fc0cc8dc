//! Managed paths of the host: what stands there, and how it comes to show another generation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cairn_generation::layout::{Entry, Source};
use cairn_generation::wire::{Drift, DriftKind};

use crate::disk::{Disk, temporary};
use crate::error::{Error, io};
use crate::origin::{Origin, Original, kept_file};
use crate::state::{Generation, State};
use crate::tree::{self, Owners};

/// What a generation will meet at its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Somebody else's files that become ours.
    pub adopted: BTreeSet<String>,
    /// Our own files that somebody changed or replaced since, whether they stay or go.
    pub drifted: BTreeSet<String>,
    /// Folders that are not there yet.
    pub folders: BTreeSet<String>,
}

/// What stands at a managed path of the host.
enum Found {
    Nothing,
    /// A link into the current generation.
    OurLink,
    /// A file or link of somebody, or a copy of ours.
    Other,
}

/// The host's side of the disk.
pub(crate) struct Files<'a> {
    /// Where changes go.
    pub disk: &'a Disk,
    /// The node.
    pub state: &'a State,
    /// Numbers of owners.
    pub owners: Owners<'a>,
}

impl Files<'_> {
    /// Looks at every path of `to` before anything is done.
    ///
    /// # Errors
    /// When a path cannot be managed: an unmanaged file that may not be adopted, a folder, a link
    /// among the folders above it. All such paths are named at once.
    pub(crate) fn survey(
        &self,
        from: &Generation,
        to: &Generation,
        adopt: &BTreeSet<String>,
        origin: &Origin,
    ) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        let mut refused = Vec::new();
        let before: BTreeSet<&str> = from.layout.paths().collect();
        for path in to.layout.paths() {
            if let Err(why) = self.folders_above(path, &mut survey.folders) {
                refused.push(why);
                continue;
            }
            let place = self.state.host(path);
            match self.found(path)? {
                Found::Nothing | Found::OurLink => {}
                Found::Other if !is_file_or_link(&place) => {
                    refused.push(format!("{path} is neither a file nor a link: move it away"));
                }
                Found::Other if before.contains(path) => {
                    if !self.is_copy_of(path, from)? {
                        survey.drifted.insert(path.to_owned());
                    }
                }
                Found::Other => {
                    let known = origin.files.get(path);
                    if adopt.contains(path)
                        || self.is_copy_of(path, to)?
                        || known.is_some_and(|original| self.is_original(path, original))
                    {
                        survey.adopted.insert(path.to_owned());
                    } else {
                        refused.push(format!(
                            "{path} is there already and not managed by Cairn: adopt it, or move it away"
                        ));
                    }
                }
            }
        }
        survey.drifted.extend(self.edited_and_leaving(from, to, origin)?);
        if refused.is_empty() {
            return Ok(survey);
        }
        Err(Error::refused(refused.join("; ")))
    }

    /// Paths that only `from` manages and where somebody's edition of our file stands.
    fn edited_and_leaving(
        &self,
        from: &Generation,
        to: &Generation,
        origin: &Origin,
    ) -> Result<BTreeSet<String>, Error> {
        let stays: BTreeSet<&str> = to.layout.paths().collect();
        let mut edited = BTreeSet::new();
        for path in from.layout.paths().filter(|path| !stays.contains(path)) {
            let known = origin.files.get(path);
            if matches!(self.found(path)?, Found::Other)
                && is_file_or_link(&self.state.host(path))
                && !self.is_copy_of(path, from)?
                && !known.is_some_and(|original| self.is_original(path, original))
            {
                edited.insert(path.to_owned());
            }
        }
        Ok(edited)
    }

    /// Brings every path that one of `known` manages to what `to` says, and flips. What was kept of
    /// the paths in `drifted` may be lost there.
    ///
    /// Idempotent: what is right already is left alone, and it may have been stopped anywhere before.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn converge(
        &self,
        known: &[&Generation],
        to: &Generation,
        origin: &Origin,
        drifted: &BTreeSet<String>,
    ) -> Result<(), Error> {
        self.remove_temporaries(known, to)?;
        let mut touched = BTreeSet::new();
        self.bridge_in(to, origin)?;
        for (path, target) in &to.layout.links {
            self.put_link(path, target, &mut touched)?;
        }
        for path in &to.layout.copies {
            self.put_copy(path, to, &mut touched)?;
        }
        self.sync(&mut touched)?;
        let leaving = self.leaving(known, to, drifted)?;
        self.bridge_out(&leaving, to, origin)?;
        for path in &leaving {
            origin.restore(self.disk, self.state, path)?;
            touched.extend(self.state.host(path).parent().map(Path::to_owned));
        }
        self.flip(&to.folder())?;
        self.prune(to, origin)?;
        self.sync(&mut touched)?;
        for bridge in [BRIDGE_IN, BRIDGE_OUT] {
            self.disk.remove_tree(&self.state.tree(bridge))?;
        }
        Ok(())
    }

    /// Whether all links and copies of `generation` are in place; what links lead to is not read.
    ///
    /// # Errors
    /// When a path cannot be read.
    pub(crate) fn stand(&self, generation: &Generation) -> Result<bool, Error> {
        for path in generation.layout.links.keys() {
            if !matches!(self.found(path)?, Found::OurLink) {
                return Ok(false);
            }
        }
        Ok(generation.layout.copies.iter().all(|path| {
            let place = self.state.host(path);
            let entry = generation.layout.entry(path);
            entry.is_some_and(|entry| tree::differs(&place, entry, self.owners).is_none())
        }))
    }

    /// Managed paths that are not as `generation` says.
    ///
    /// # Errors
    /// When an owner is unknown.
    pub(crate) fn drift(&self, generation: &Generation) -> Result<Vec<Drift>, Error> {
        let mut drift = Vec::new();
        let inside = self.state.tree(&generation.folder());
        for path in generation.layout.paths() {
            let found = |what| Drift::new(DriftKind::File, path, what);
            let is_link = generation.layout.links.contains_key(path);
            let place = match self.found(path)? {
                Found::Nothing => {
                    drift.push(found("is gone"));
                    continue;
                }
                Found::Other if is_link => {
                    drift.push(found("was replaced"));
                    continue;
                }
                Found::OurLink if is_link => inside.join(path.trim_start_matches('/')),
                Found::OurLink | Found::Other => self.state.host(path),
            };
            if let Some(entry) = generation.layout.entry(path)
                && let Some(what) = tree::differs(&place, entry, self.owners)
            {
                drift.push(match tree::values(&place, entry) {
                    Some((expected, value)) => found(what).between(expected, value),
                    None => found(what),
                });
            }
        }
        Ok(drift)
    }

    /// Keeps what somebody made of our file, and says where.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn keep_drifted(&self, path: &str) -> Result<PathBuf, Error> {
        let kept = self.state.file("drift").join(path.trim_start_matches('/'));
        let place = self.state.host(path);
        if let Some(parent) = kept.parent() {
            self.disk.create_dirs(parent, 0o700)?;
        }
        match fs::read_link(&place) {
            Ok(to) if !leads_to_us(&to.to_string_lossy()) => {
                self.disk.replace_link(&kept, &to.to_string_lossy())?;
            }
            // Behind a link of ours stands what somebody wrote through it.
            _ => {
                let content = fs::read(&place).map_err(io("read", &place))?;
                self.disk.replace_file(&kept, &content, 0o600, None)?;
            }
        }
        Ok(kept)
    }

    /// Keeps what stands at `path`, where somebody made it and it is not what `generation` has there.
    /// Where it is kept then.
    ///
    /// # Errors
    /// When it is neither a file nor a link, or the file system refuses.
    pub(crate) fn keep(
        &self,
        path: &str,
        generation: &Generation,
    ) -> Result<Option<PathBuf>, Error> {
        let place = self.state.host(path);
        match fs::symlink_metadata(&place) {
            Err(error) if is_absent(&error) => return Ok(None),
            other => other.map_err(io("read", &place))?,
        };
        if !is_file_or_link(&place) {
            return Err(Error::refused(format!(
                "{path} is neither a file nor a link: move it away"
            )));
        }
        // What a link of ours led to is gone, or it holds what it should.
        let ours = matches!(self.found(path)?, Found::OurLink);
        let same = match generation.layout.entry(path) {
            Some(Entry::File { source, .. }) => tree::holds(&place, source),
            _ => false,
        };
        if same || (ours && !place.is_file()) {
            Ok(None)
        } else {
            self.keep_drifted(path).map(Some)
        }
    }

    fn found(&self, path: &str) -> Result<Found, Error> {
        let place = self.state.host(path);
        match fs::symlink_metadata(&place) {
            Err(error) if is_absent(&error) => Ok(Found::Nothing),
            Err(error) => Err(io("read", &place)(error)),
            Ok(metadata) if metadata.is_symlink() => {
                let to = fs::read_link(&place).map_err(io("read", &place))?;
                let ours = to.to_str().is_some_and(leads_to_us);
                Ok(if ours { Found::OurLink } else { Found::Other })
            }
            Ok(_) => Ok(Found::Other),
        }
    }

    /// A link above a managed path would bend our relative links, and lead out of a folder that is
    /// switched with `--into`.
    fn folders_above(&self, path: &str, missing: &mut BTreeSet<String>) -> Result<(), String> {
        let mut above = String::new();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        for part in parent.split('/').filter(|part| !part.is_empty()) {
            above = format!("{above}/{part}");
            let place = self.state.host(&above);
            match fs::symlink_metadata(&place) {
                Err(error) if is_absent(&error) => {
                    missing.insert(above.clone());
                }
                Err(error) => return Err(format!("{above} cannot be read: {error}")),
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(format!(
                        "{path} cannot be managed: {above} is a link; name the path that it leads to"
                    ));
                }
                Ok(metadata) if !metadata.is_dir() => {
                    return Err(format!("{path} cannot be managed: {above} is no folder"));
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the copy or file at `path` is what `generation` has there.
    ///
    /// # Errors
    /// When it cannot be read: taken for somebody else's, it would stay for ever.
    fn is_copy_of(&self, path: &str, generation: &Generation) -> Result<bool, Error> {
        let place = self.state.host(path);
        let is_link = match fs::symlink_metadata(&place) {
            Err(error) if is_absent(&error) => return Ok(false),
            other => other.map_err(io("read", &place))?.is_symlink(),
        };
        Ok(match generation.layout.entry(path) {
            Some(Entry::File { source, .. }) if !is_link => {
                let content = fs::read(&place).map_err(io("read", &place))?;
                tree::is_content(&content, source)
            }
            Some(Entry::Link { to }) if is_link => {
                fs::read_link(&place).map_err(io("read", &place))? == Path::new(to)
            }
            _ => false,
        })
    }

    fn is_original(&self, path: &str, original: &Original) -> bool {
        let place = self.state.host(path);
        match original {
            Original::Link { to } => {
                fs::read_link(&place).is_ok_and(|found| found == Path::new(to))
            }
            Original::File { .. } => match fs::read(kept_file(self.state, path)) {
                Ok(content) => fs::read(&place).is_ok_and(|found| found == content),
                Err(_) => false,
            },
        }
    }

    fn put_link(
        &self,
        path: &str,
        target: &str,
        touched: &mut BTreeSet<PathBuf>,
    ) -> Result<(), Error> {
        let place = self.state.host(path);
        match self.found(path)? {
            Found::OurLink => return Ok(()),
            Found::Nothing => {
                self.make_folders(&place, touched)?;
                self.disk.new_link(&place, target)?;
            }
            Found::Other => self.disk.replace_link(&place, target)?,
        }
        touched.extend(place.parent().map(Path::to_owned));
        Ok(())
    }

    fn put_copy(
        &self,
        path: &str,
        to: &Generation,
        touched: &mut BTreeSet<PathBuf>,
    ) -> Result<(), Error> {
        let place = self.state.host(path);
        let Some(entry) = to.layout.entry(path) else { return Ok(()) };
        if tree::differs(&place, entry, self.owners).is_none() {
            return Ok(());
        }
        self.make_folders(&place, touched)?;
        match entry {
            Entry::Link { to } => self.disk.replace_link(&place, to)?,
            Entry::File { source, mode, user, group } => {
                let content = match source {
                    Source::Text(text) => text.clone().into_bytes(),
                    Source::Blob(_) => {
                        let staged = self.state.tree(&to.folder()).join(&path[1..]);
                        fs::read(&staged).map_err(io("read", &staged))?
                    }
                };
                let ids = (self.owners)(user, group)?;
                self.disk.replace_file(&place, &content, *mode, ids)?;
            }
        }
        touched.extend(place.parent().map(Path::to_owned));
        Ok(())
    }

    fn make_folders(&self, place: &Path, touched: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
        let Some(parent) = place.parent() else { return Ok(()) };
        if parent.is_dir() {
            return Ok(());
        }
        self.disk.create_dirs(parent, 0o755)?;
        let above = parent.ancestors().take_while(|folder| *folder != self.state.root());
        touched.extend(above.map(Path::to_owned));
        touched.insert(self.state.root().to_owned());
        Ok(())
    }

    /// Paths of the other generations that still show something of ours.
    fn leaving(
        &self,
        known: &[&Generation],
        to: &Generation,
        drifted: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Error> {
        let stays: BTreeSet<&str> = to.layout.paths().collect();
        let mut leaving = BTreeSet::new();
        for generation in known {
            for path in generation.layout.paths().filter(|path| !stays.contains(path)) {
                let ours = match self.found(path)? {
                    Found::OurLink => true,
                    Found::Nothing => false,
                    Found::Other if drifted.contains(path) => true,
                    Found::Other => {
                        generation.layout.copies.contains(path)
                            && self.is_copy_of(path, generation)?
                    }
                };
                if ours {
                    leaving.insert(path.to_owned());
                }
            }
        }
        Ok(leaving)
    }

    /// Before links take the place of originals: `current` shows the originals behind the links.
    fn bridge_in(&self, to: &Generation, origin: &Origin) -> Result<(), Error> {
        let Some(current) = self.state.number_at(&self.state.current_link()) else {
            return Ok(());
        };
        let mut originals = BTreeMap::new();
        for path in to.layout.links.keys() {
            if let Some(original) = origin.files.get(path)
                && matches!(self.found(path)?, Found::Other)
            {
                originals.insert(path.as_str(), original);
            }
        }
        if originals.is_empty() {
            return Ok(());
        }
        let base = self.state.load(current)?;
        tree::bridge(self.disk, self.state, BRIDGE_IN, &base, &originals)?;
        self.flip(BRIDGE_IN)
    }

    /// Before originals take the place of links: `current` shows the new generation, and them.
    fn bridge_out(
        &self,
        leaving: &BTreeSet<String>,
        to: &Generation,
        origin: &Origin,
    ) -> Result<(), Error> {
        let originals: BTreeMap<&str, &Original> = leaving
            .iter()
            .filter_map(|path| Some((path.as_str(), origin.files.get(path)?)))
            .collect();
        let stands = fs::read_link(self.state.current_link())
            .is_ok_and(|target| target.ends_with(BRIDGE_OUT));
        if originals.is_empty() || stands {
            return self.flip(&to.folder());
        }
        tree::bridge(self.disk, self.state, BRIDGE_OUT, to, &originals)?;
        self.flip(BRIDGE_OUT)
    }

    /// THE flip: one rename, durable when it returns.
    fn flip(&self, folder: &str) -> Result<(), Error> {
        let link = self.state.current_link();
        let target = format!("generations/{folder}");
        if fs::read_link(&link).is_ok_and(|found| found == Path::new(&target)) {
            return Ok(());
        }
        self.disk.replace_link(&link, &target)?;
        self.disk.sync_dir(self.state.folder())
    }

    /// Folders that we made and that nobody needs any more.
    fn prune(&self, to: &Generation, origin: &Origin) -> Result<(), Error> {
        let mut needed: BTreeSet<&str> = to
            .layout
            .paths()
            .flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at]))
            .collect();
        for folder in to.manifest.directories.iter().filter_map(|line| folder_of(line)) {
            needed.extend(folder.match_indices('/').map(|(at, _)| &folder[..at]));
            needed.insert(folder);
        }
        for folder in origin.folders.iter().rev().filter(|path| !needed.contains(path.as_str())) {
            let place = self.state.host(folder);
            let is_there = match fs::symlink_metadata(&place) {
                Err(error) if is_absent(&error) => false,
                other => other.map_err(io("read", &place))?.is_dir(),
            };
            if is_there && self.disk.remove_empty_dir(&place)? {
                self.disk.sync_parent(&place)?;
            }
        }
        Ok(())
    }

    fn remove_temporaries(&self, known: &[&Generation], to: &Generation) -> Result<(), Error> {
        for generation in known.iter().copied().chain([to]) {
            for path in generation.layout.paths() {
                self.disk.remove_file(&temporary(&self.state.host(path)))?;
            }
        }
        self.disk.remove_file(&temporary(&self.state.current_link()))?;
        self.disk.remove_file(&temporary(&self.state.confirmed_link()))
    }

    fn sync(&self, touched: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
        for folder in std::mem::take(touched) {
            // A folder that is gone again has nothing to flush.
            match self.disk.sync_dir(&folder) {
                Err(Error::Io { source, .. }) if is_absent(&source) => {}
                other => other?,
            }
        }
        Ok(())
    }
}

const BRIDGE_IN: &str = ".bridge-in";
const BRIDGE_OUT: &str = ".bridge-out";

/// The folder that a tmpfiles line makes; none for other lines.
pub(crate) fn folder_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    let path = words.next()?;
    (kind.starts_with(['d', 'D']) && path.starts_with('/') && !path.contains('%'))
        .then(|| path.trim_end_matches('/'))
}

/// Our links are relative and lead through `current`; nobody else's do.
fn leads_to_us(target: &str) -> bool {
    target.trim_start_matches("../").starts_with("var/lib/cairn/current/")
}

/// Nothing is there, nor can be: a part of its path is missing or no folder.
fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

fn is_file_or_link(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_file() || metadata.is_symlink())
}
