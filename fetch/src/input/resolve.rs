//! From what a fleet says of its inputs to their trees: theirs included, each as the lock has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cache::{Had, InputCache};
use super::error::{InputError, Note};
use super::follow::Follower;
use super::lock::{Entry, Follows, InputLock, Locked};
use super::reference::{Reference, Source};
use super::{Declarations, Wish, Wishes};

/// The folder of a fleet that `cairn vendor` copies trees into.
pub const VENDOR: &str = "vendor";

/// Inputs of inputs are not nested deeper than this by anybody.
const DEEPEST: usize = 24;

/// What may be done about the lock.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Whether inputs that the lock lacks are added to it; an error otherwise.
    pub add: bool,
    /// Which inputs are looked up anew, by their place in the tree; with each, those below it.
    pub update: Update,
    /// Whether folders are taken as they were locked, as far as there are copies of them, wherever they are
    /// now: to look back at what was.
    pub as_locked: bool,
    /// Folders that stand for inputs, whatever the lock says.
    pub overrides: BTreeMap<String, PathBuf>,
}

/// Which inputs are looked up anew.
#[derive(Clone, Debug, Default)]
pub enum Update {
    /// None.
    #[default]
    None,
    /// These, and what is below them.
    These(Vec<String>),
    /// All.
    All,
}

impl Update {
    fn includes(&self, input: &str) -> bool {
        let covers = |name: &String| {
            input
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self {
            Update::None => false,
            Update::All => true,
            Update::These(names) => names.iter().any(covers),
        }
    }
}

/// An input, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its place in the tree of inputs: `common` or `common/base`.
    pub name: String,
    /// Its tree.
    pub tree: PathBuf,
    /// The folder in the tree that holds its `cairn.nix` or `flake.nix`; empty for the tree itself.
    pub dir: String,
    /// The file in the tree that has its outputs; none where it is files alone.
    pub file: Option<String>,
    /// What the lock says of it. Of an input that was overridden, its hash is empty.
    pub locked: Locked,
    /// Its own inputs: by the name that it has for each, the place in the tree of what stands for it.
    pub inputs: BTreeMap<String, String>,
}

/// All inputs of a fleet.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The fleet's own: by name, the place in the tree of what stands for it.
    pub root: BTreeMap<String, String>,
    /// Every input that something stands for, by its place in the tree.
    pub all: BTreeMap<String, Input>,
}

/// Inputs, and what there is to tell of them.
#[derive(Debug)]
pub struct Resolved {
    /// The inputs.
    pub inputs: Inputs,
    /// The lock that says the same.
    pub lock: InputLock,
    /// What there is to say.
    pub notes: Vec<Note>,
}

/// Who resolves inputs: with which files, and for which fleet.
pub struct Resolver<'r, D> {
    /// The folder of caches.
    pub cache: &'r Path,
    /// The fleet's folder.
    pub fleet: &'r Path,
    /// Who reads what a tree says of its inputs.
    pub declarations: &'r D,
    /// Is told of each input that is looked up or fetched.
    pub progress: &'r dyn Fn(&str),
}

impl<D: Declarations> Resolver<'_, D> {
    /// Finds the tree of every input in `wishes`, and of theirs.
    ///
    /// # Errors
    /// The first thing that stands in the way, with the input that it is about.
    pub fn resolve(
        &self,
        wishes: &Wishes,
        lock: &InputLock,
        policy: &Policy,
    ) -> Result<Resolved, D::Error> {
        let mut walk = Walk {
            resolver: self,
            cache: InputCache::new(self.cache),
            lock,
            policy,
            found: BTreeMap::new(),
            entries: InputLock::new(),
            notes: Vec::new(),
        };
        let fleet =
            Scope { key: "", base: self.fleet, within: None, is_remote: false, ancestors: &[] };
        let wanted = wishes.iter().map(|(name, wish)| (name.clone(), Wanted::of(wish, &fleet)));
        let names = walk.visit(&fleet, wanted.collect(), lock)?;
        Ok(walk.finish(names)?)
    }
}

/// The tree whose inputs are looked at.
struct Scope<'s> {
    /// Its place in the tree of inputs; empty for the fleet.
    key: &'s str,
    /// The folder of its `cairn.nix`: where relative folders start.
    base: &'s Path,
    /// Of a tree that somebody else wrote: what its relative folders must stay in.
    within: Option<&'s Path>,
    /// Whether it came over a network: such a one names nothing of this machine.
    is_remote: bool,
    /// What is fetched on the way to it, by URL and revision.
    ancestors: &'s [Locked],
}

impl Scope<'_> {
    fn place(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}/{name}", self.key) }
    }
}

/// A wish, with the folder and place that it was written at.
#[derive(Clone)]
struct Wanted {
    url: Option<Reference>,
    base: PathBuf,
    within: Option<PathBuf>,
    is_remote: bool,
    has_outputs: Option<bool>,
    follows: Option<String>,
    inputs: BTreeMap<String, Wanted>,
}

impl Wanted {
    fn of(wish: &Wish, scope: &Scope<'_>) -> Wanted {
        let below = |(name, wish): (&String, &Wish)| (name.clone(), Wanted::of(wish, scope));
        Wanted {
            url: wish.url.clone(),
            base: scope.base.to_owned(),
            within: scope.within.map(Path::to_owned),
            is_remote: scope.is_remote,
            has_outputs: wish.has_outputs,
            follows: wish.follows.as_ref().map(|path| scope.place(path)),
            inputs: wish.inputs.iter().map(below).collect(),
        }
    }

    /// What whoever takes an input says of that input's own inputs comes first.
    fn overruled_by(mut self, other: Wanted) -> Wanted {
        if other.url.is_some() || other.follows.is_some() {
            return Wanted { inputs: merge(self.inputs, other.inputs), ..other };
        }
        self.has_outputs = other.has_outputs.or(self.has_outputs);
        self.inputs = merge(self.inputs, other.inputs);
        self
    }
}

fn merge(
    mut own: BTreeMap<String, Wanted>,
    others: BTreeMap<String, Wanted>,
) -> BTreeMap<String, Wanted> {
    for (name, other) in others {
        let merged = match own.remove(&name) {
            Some(wanted) => wanted.overruled_by(other),
            None => other,
        };
        own.insert(name, merged);
    }
    own
}

struct Walk<'w, D> {
    resolver: &'w Resolver<'w, D>,
    cache: InputCache<'w>,
    lock: &'w InputLock,
    policy: &'w Policy,
    found: BTreeMap<String, Input>,
    entries: InputLock,
    notes: Vec<Note>,
}

impl<D: Declarations> Walk<'_, D> {
    /// Finds every input of one tree; `inherited` is the tree's own lock. Gives their names.
    fn visit(
        &mut self,
        scope: &Scope<'_>,
        wanted: BTreeMap<String, Wanted>,
        inherited: &InputLock,
    ) -> Result<Vec<String>, D::Error> {
        let names: Vec<String> = wanted.keys().cloned().collect();
        if scope.ancestors.len() > DEEPEST {
            let message = format!("inputs are nested more than {DEEPEST} deep at `{}`", scope.key);
            let help = "have one follow another: `inputs.<a>.inputs.<b>.follows = \"<b>\";`";
            return Err(InputError::new("input::cycle", message, help).of(scope.key).into());
        }
        for (name, wanted) in wanted {
            let key = scope.place(&name);
            check_name(&name).map_err(|error| error.of(&key))?;
            let overridden = self.policy.overrides.get(&key);
            match (&wanted.follows, overridden) {
                (Some(follows), None) => {
                    let follows = Follows { follows: follows.clone() };
                    self.entries.insert(key, Entry::Follows(follows));
                }
                _ => {
                    let kept = inherited.get(&name);
                    self.take(scope, &key, wanted, kept, below(inherited, &name))?;
                }
            }
        }
        Ok(names)
    }

    /// Finds one input, and then its own.
    fn take(
        &mut self,
        scope: &Scope<'_>,
        key: &str,
        wanted: Wanted,
        inherited: Option<&Entry>,
        lock_below: InputLock,
    ) -> Result<(), D::Error> {
        let (had, reference) = match self.policy.overrides.get(key) {
            Some(folder) => (overridden(folder), None),
            None => (self.had(key, &wanted, inherited), wanted.url.as_ref()),
        };
        let had = had.map_err(|error| error.of(key))?;
        let dir = reference.map(|reference| reference.dir.clone()).unwrap_or_default();
        check_ancestors(scope, key, &had.locked).map_err(|error| error.of(key))?;
        let base = had.tree.join(&dir);
        let is_own = reference.is_none_or(|it| matches!(it.source, Source::Path(_)));
        let mut ancestors = scope.ancestors.to_vec();
        ancestors.push(had.locked.clone());
        let within = match (scope.within, is_own) {
            (within @ Some(_), true) => within,
            (None, true) => None,
            (_, false) => Some(had.tree.as_path()),
        };
        let is_remote = scope.is_remote || reference.is_some_and(|it| !it.source.is_local());
        let inner = Scope { key, base: &base, within, is_remote, ancestors: &ancestors };
        let (mut own, mut file) = (BTreeMap::new(), None);
        if wanted.has_outputs != Some(false) {
            let described = self.resolver.declarations.wishes(&had.tree, &dir, key)?;
            let wishes = described.wishes.iter();
            own = wishes.map(|(name, wish)| (name.clone(), Wanted::of(wish, &inner))).collect();
            file = Some(described.file);
        }
        if let Some(name) = wanted.inputs.keys().find(|name| !own.contains_key(*name)) {
            return Err(no_such_input(key, name, own.keys()).of(key).into());
        }
        // What the fleet's own lock says of them comes before what the input's says.
        let mut locked = own_lock(&base).map_err(|error| error.of(key))?;
        locked.extend(lock_below);
        let names = self.visit(&inner, merge(own, wanted.inputs), &locked)?;
        let inputs =
            names.into_iter().map(|name| (name.clone(), format!("{key}/{name}"))).collect();
        self.notes.extend(had.notes.into_iter().map(|note| Note { input: key.to_owned(), ..note }));
        if reference.is_some() {
            self.entries.insert(key.to_owned(), Entry::Locked(had.locked.clone()));
        }
        let name = key.to_owned();
        let (tree, locked) = (had.tree, had.locked);
        self.found.insert(name.clone(), Input { name, tree, dir, file, locked, inputs });
        Ok(())
    }

    /// The tree of an input: as it is locked, or as it is now. Of folders that are locked a copy is kept.
    fn had(
        &self,
        key: &str,
        wanted: &Wanted,
        inherited: Option<&Entry>,
    ) -> Result<Had, InputError> {
        let had = self.found(key, wanted, inherited)?;
        let is_folder = |url: &Reference| matches!(url.source, Source::Path(_));
        if self.policy.add && wanted.url.as_ref().is_some_and(is_folder) {
            self.cache.remember(&had);
        }
        Ok(had)
    }

    fn found(
        &self,
        key: &str,
        wanted: &Wanted,
        inherited: Option<&Entry>,
    ) -> Result<Had, InputError> {
        let Some(reference) = &wanted.url else {
            let message = format!("the input `{key}` has no `url`");
            let help = "write `inputs.<name>.url = \"…\";`, or have it follow another";
            return Err(InputError::new("input::no-url", message, help));
        };
        stays_inside(reference, wanted)?;
        let of_fleet = match self.lock.get(key) {
            Some(Entry::Locked(locked)) if locked.is_of(reference) => Some(locked),
            _ => None,
        };
        if self.policy.update.includes(key) {
            (self.resolver.progress)(key);
            return self.cache.latest(reference, &wanted.base);
        }
        if let Some(locked) = of_fleet {
            if let Some(had) = vendored(self.resolver.fleet, key, locked)? {
                return Ok(had);
            }
            if self.policy.as_locked
                && let Some(had) = self.cache.remembered(locked)
            {
                return Ok(had);
            }
            return self.cache.locked(reference, locked, &wanted.base);
        }
        if !self.policy.add {
            return Err(not_covered(key, reference, self.lock.get(key)));
        }
        (self.resolver.progress)(key);
        match inherited {
            Some(Entry::Locked(locked)) if locked.is_of(reference) => {
                self.cache.locked(reference, locked, &wanted.base)
            }
            _ => self.cache.latest(reference, &wanted.base),
        }
    }

    fn finish(mut self, names: Vec<String>) -> Result<Resolved, InputError> {
        let follower = Follower::new(&self.entries, &self.found);
        let mut root = BTreeMap::new();
        for name in names {
            let target = follower.target(&name)?;
            root.insert(name, target);
        }
        let mut targets = BTreeMap::new();
        for (key, input) in &self.found {
            let mut inputs = BTreeMap::new();
            for (name, place) in &input.inputs {
                inputs.insert(name.clone(), follower.target(place)?);
            }
            targets.insert(key.clone(), inputs);
        }
        for (key, inputs) in targets {
            if let Some(input) = self.found.get_mut(&key) {
                input.inputs = inputs;
            }
        }
        if let Some(unknown) =
            self.policy.overrides.keys().find(|key| !self.found.contains_key(*key))
        {
            let known: Vec<&str> = self.found.keys().map(String::as_str).collect();
            let message = format!("there is no input `{unknown}` to override");
            let help = format!("the inputs are: {}", known.join(", "));
            return Err(InputError::new("input::unknown", message, help));
        }
        // Content that the lock has of an overridden input stays there.
        for (key, entry) in self.lock {
            let is_overridden = |name: &String| Update::These(vec![name.clone()]).includes(key);
            if self.policy.overrides.keys().any(is_overridden) {
                self.entries.entry(key.clone()).or_insert_with(|| entry.clone());
            }
        }
        let inputs = Inputs { root, all: self.found };
        Ok(Resolved { inputs, lock: self.entries, notes: self.notes })
    }
}

/// A folder that stands for an input.
fn overridden(folder: &Path) -> Result<Had, InputError> {
    let tree = folder.canonicalize().map_err(|error| InputError::io(folder, &error))?;
    let url = format!("path:{}", folder.display());
    let locked = Locked { url, rev: None, date: None, hash: String::new() };
    Ok(Had { tree, locked, notes: Vec::new() })
}

/// The tree of an input in the fleet's own folder of copies, verified.
fn vendored(fleet: &Path, key: &str, locked: &Locked) -> Result<Option<Had>, InputError> {
    let tree = fleet.join(VENDOR).join(vendor_name(key));
    if !tree.is_dir() {
        return Ok(None);
    }
    let hash = super::nar::hash(&tree).map_err(|error| InputError::io(&tree, &error))?;
    if hash != locked.hash {
        let message = format!(
            "{VENDOR}/{} is not as it was locked: its hash is {hash}, not {}",
            vendor_name(key),
            locked.hash
        );
        let help = "copy the input again with `cairn vendor`; to change it, copy it elsewhere and name \
                    that folder in its `url`";
        return Err(InputError::new("input::changed", message, help));
    }
    Ok(Some(Had { tree, locked: locked.clone(), notes: Vec::new() }))
}

/// The folder's name for an input among the fleet's copies.
pub(super) fn vendor_name(key: &str) -> String {
    key.replace('/', "+")
}

/// What an input's own lock says of its inputs: ours, or that of flakes.
fn own_lock(folder: &Path) -> Result<InputLock, InputError> {
    let read = |name: &str| match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("its {name} cannot be read: {error}");
            let help = "what its inputs are pinned to stands there: tell whoever looks after it";
            Err(InputError::new("input::bad-lock", message, help))
        }
    };
    if let Some(text) = read("cairn.lock")? {
        return crate::lock::inputs(&text);
    }
    match read("flake.lock")? {
        Some(text) => super::lock::of_flake_lock(&text),
        None => Ok(InputLock::new()),
    }
}

/// The part of a lock that is below an input.
fn below(lock: &InputLock, name: &str) -> InputLock {
    let inside = |(key, entry): (&String, &Entry)| {
        let rest = key.strip_prefix(name)?.strip_prefix('/')?;
        Some((rest.to_owned(), entry.clone()))
    };
    lock.iter().filter_map(inside).collect()
}

fn check_name(name: &str) -> Result<(), InputError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !name.is_empty() && name != "self" && name.chars().all(fits) {
        return Ok(());
    }
    let message = format!("`{name}` is no name for an input");
    Err(InputError::new("input::bad-name", message, "names hold letters, digits, `-` and `_`"))
}

/// A tree that somebody else wrote names no folder of this machine; one from a network, nothing of it.
fn stays_inside(reference: &Reference, wanted: &Wanted) -> Result<(), InputError> {
    let stays = match (&reference.source, &wanted.within) {
        (Source::Path(path), Some(within)) => {
            let place = wanted.base.join(path).canonicalize();
            Path::new(path).is_relative() && place.is_ok_and(|place| place.starts_with(within))
        }
        (Source::Path(_), None) => true,
        (source, _) => !(wanted.is_remote && source.is_local()),
    };
    if stays {
        return Ok(());
    }
    let message = format!("`{reference}` leads out of the input that names it");
    let help = "what is fetched may name folders of its own tree alone; take another with \
                `inputs.<a>.inputs.<b>.follows`";
    Err(InputError::new("input::outside", message, help))
}

/// An input that is its own input, by whatever way, would never end.
fn check_ancestors(scope: &Scope<'_>, key: &str, locked: &Locked) -> Result<(), InputError> {
    let same = |other: &&Locked| !locked.hash.is_empty() && other.hash == locked.hash;
    if !scope.ancestors.iter().any(|other| same(&other)) {
        return Ok(());
    }
    let message =
        format!("the inputs go in a circle: `{key}` is the same tree as one that it is below");
    let help = "have it follow that one: `inputs.<a>.inputs.<b>.follows = \"<a>\";`";
    Err(InputError::new("input::cycle", message, help))
}

fn no_such_input<'n>(key: &str, name: &str, known: impl Iterator<Item = &'n String>) -> InputError {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let help = match known.is_empty() {
        true => "it has no inputs: leave the line out".to_owned(),
        false => format!("its inputs are: {}", known.join(", ")),
    };
    InputError::new("input::unknown", format!("`{key}` has no input `{name}`"), help)
}

fn not_covered(key: &str, reference: &Reference, entry: Option<&Entry>) -> InputError {
    let message = match entry {
        Some(Entry::Locked(locked)) => {
            format!("cairn.lock has `{key}` from {}, not from {reference}", locked.url)
        }
        _ => format!("cairn.lock does not have the input `{key}`"),
    };
    InputError::new("input::not-locked", message, "take it in with `cairn lock`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_over_a_network_names_nothing_of_this_machine() {
        let refused = |url: &str, is_remote: bool| {
            let reference = Reference::parse(url).expect("a reference");
            let folder = Path::new("/nowhere");
            let within = Some(folder);
            let scope = Scope { key: "a", base: folder, within, is_remote, ancestors: &[] };
            stays_inside(&reference, &Wanted::of(&Wish::default(), &scope)).is_err()
        };
        for url in ["git+file:///srv/x", "git+file:../x", "file:///srv/x.tar.gz", "path:/etc"] {
            assert!(refused(url, true), "{url}");
        }
        assert!(!refused("git+file:///srv/x", false));
        assert!(!refused("github:a/b", true));
    }
}
