//! What archives offer for one architecture, read from their indexes.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::control::{fields, paragraphs};
use super::relation::{Bound, relations};
use super::version::compare;

/// A package's name, by the order in which the indexes mention it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(u32);

/// A release of a package, by the order in which the indexes list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReleaseId(u32);

impl Name {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ReleaseId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How one package needs, or refuses, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    PreDepends,
    Depends,
    Recommends,
    Conflicts,
    Breaks,
}

impl Kind {
    /// The word for a sentence: `a depends on b`.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Kind::PreDepends | Kind::Depends => "depends on",
            Kind::Recommends => "recommends",
            Kind::Conflicts => "conflicts with",
            Kind::Breaks => "breaks",
        }
    }
}

/// One alternative of a relation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Atom<'t> {
    pub(crate) name: Name,
    pub(crate) bound: Bound<'t>,
    /// `:any`: whichever architecture, where the package allows that.
    any: bool,
}

/// A relation: one of its alternatives must hold, or, of those that refuse, none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    pub(crate) kind: Kind,
    from: u32,
    to: u32,
}

/// One release of a package in an archive.
#[derive(Clone, Debug)]
pub struct Release<'t> {
    /// The package.
    pub(crate) name: Name,
    /// Its version.
    pub version: &'t str,
    /// Which of the indexes lists it.
    pub source: usize,
    /// Where its file is, below the archive's root.
    pub file: &'t str,
    /// The file's length in bytes.
    pub size: u64,
    /// The file's SHA-256, in hex.
    pub sha256: &'t str,
    /// The first line of its description.
    pub summary: &'t str,
    /// Smaller is more important.
    pub(crate) priority: u8,
    pub(crate) essential: bool,
    any: bool,
    relations: (u32, u32),
}

/// A name: its releases, newest first, and what stands for it.
#[derive(Clone, Debug, Default)]
pub struct Package<'t> {
    pub(crate) releases: Vec<ReleaseId>,
    /// Releases of other packages that provide it, some at a version.
    pub(crate) provided_by: Vec<(ReleaseId, Option<&'t str>)>,
}

/// Everything that archives offer for one architecture.
#[derive(Debug, Default)]
pub struct Index<'t> {
    names: FxHashMap<&'t str, Name>,
    texts: Vec<&'t str>,
    packages: Vec<Package<'t>>,
    releases: Vec<Release<'t>>,
    relations: Vec<Relation>,
    atoms: Vec<Atom<'t>>,
    /// What stands for packages of other architectures: nothing that there is.
    foreign: Option<Name>,
}

/// The fields of a paragraph that are looked at.
#[derive(Default)]
struct Stanza<'t> {
    package: &'t str,
    version: &'t str,
    architecture: &'t str,
    file: &'t str,
    size: &'t str,
    sha256: &'t str,
    priority: &'t str,
    description: &'t str,
    multi_arch: &'t str,
    essential: bool,
    provides: &'t str,
    /// Pre-Depends, Depends, Conflicts, Breaks, Recommends: in the order in which apt reads them,
    /// which decides between packages that are equal in everything else.
    relations: [(Option<Kind>, &'t str); 7],
}

impl<'t> Index<'t> {
    /// Reads indexes (`Packages`), as one archive after the other lists them, for `architecture`.
    pub fn read(texts: &[&'t str], architecture: &str) -> Index<'t> {
        let mut index = Index::default();
        for (source, text) in texts.iter().enumerate() {
            for paragraph in paragraphs(text) {
                let stanza = Stanza::read(paragraph);
                if [architecture, "all"].contains(&stanza.architecture) {
                    index.add(&stanza, source, architecture);
                }
            }
        }
        let Index { packages, releases, .. } = &mut index;
        let version = |id: &ReleaseId| releases.get(id.index()).map_or("", |one| one.version);
        for package in packages {
            package.releases.sort_by(|a, b| compare(version(b), version(a)).then(a.cmp(b)));
        }
        index
    }

    fn add(&mut self, stanza: &Stanza<'t>, source: usize, architecture: &str) {
        let name = self.intern(stanza.package);
        let id = ReleaseId(u32::try_from(self.releases.len()).unwrap_or(u32::MAX));
        let start = length(&self.relations);
        for (kind, field) in stanza.relations {
            self.relate(kind, field, architecture);
        }
        let release = Release {
            name,
            version: stanza.version,
            source,
            file: stanza.file,
            size: stanza.size.parse().unwrap_or(0),
            sha256: stanza.sha256,
            summary: stanza.description.lines().next().unwrap_or_default(),
            priority: match stanza.priority {
                "required" => 1,
                "important" => 2,
                "standard" => 3,
                "extra" => 5,
                _ => 4,
            },
            essential: stanza.essential,
            any: stanza.multi_arch == "allowed",
            relations: (start, length(&self.relations)),
        };
        self.releases.push(release);
        for provided in relations(stanza.provides).flatten() {
            let name = self.intern(provided.name);
            let version = match provided.bound {
                Bound::Exactly(version) => Some(version),
                _ => None,
            };
            if let Some(package) = self.packages.get_mut(name.index()) {
                package.provided_by.push((id, version));
            }
        }
        if let Some(package) = self.packages.get_mut(name.index()) {
            package.releases.push(id);
        }
    }

    fn relate(&mut self, kind: Option<Kind>, field: &'t str, architecture: &str) {
        for relation in relations(field) {
            let from = length(&self.atoms);
            for one in relation {
                let foreign = one.qualifier.is_some_and(|q| q != "any" && q != architecture);
                let name = match foreign {
                    true => self.foreign(),
                    false => self.intern(one.name),
                };
                let any = one.qualifier == Some("any");
                if kind.is_some() {
                    self.atoms.push(Atom { name, bound: one.bound, any });
                }
            }
            if let Some(kind) = kind {
                self.relations.push(Relation { kind, from, to: length(&self.atoms) });
            }
        }
    }

    fn foreign(&mut self) -> Name {
        let name = self.foreign.unwrap_or_else(|| self.intern(":foreign"));
        self.foreign = Some(name);
        name
    }

    fn intern(&mut self, text: &'t str) -> Name {
        if let Some(name) = self.names.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.names.insert(text, name);
        self.texts.push(text);
        self.packages.push(Package::default());
        name
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn all_names(&self) -> impl Iterator<Item = Name> + use<'t> {
        (0..length(&self.packages)).map(Name)
    }

    /// A name's release of exactly this version.
    pub(crate) fn release_at(&self, name: Name, version: &str) -> Option<ReleaseId> {
        let releases = &self.package(name)?.releases;
        let same = |id: &&ReleaseId| {
            let release = self.release(**id);
            release.is_some_and(|one| compare(one.version, version).is_eq())
        };
        releases.iter().find(same).copied()
    }

    /// The names that have a release, in no order.
    pub fn real_names(&self) -> impl Iterator<Item = &'t str> + '_ {
        let all = self.texts.iter().zip(&self.packages);
        all.filter(|(_, package)| !package.releases.is_empty()).map(|(text, _)| *text)
    }

    pub(crate) fn name(&self, text: &str) -> Option<Name> {
        self.names.get(text).copied()
    }

    pub(crate) fn text(&self, name: Name) -> &'t str {
        self.texts.get(name.index()).copied().unwrap_or_default()
    }

    pub(crate) fn package(&self, name: Name) -> Option<&Package<'t>> {
        self.packages.get(name.index())
    }

    /// A name's releases, newest first.
    pub fn releases(&self, name: &str) -> impl Iterator<Item = &Release<'t>> {
        let package = self.name(name).and_then(|name| self.package(name));
        let ids = package.map(|package| package.releases.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.release(*id))
    }

    pub(crate) fn release(&self, id: ReleaseId) -> Option<&Release<'t>> {
        self.releases.get(id.index())
    }

    /// A release's relations, in the order in which they are looked at.
    pub(crate) fn relations_of(&self, id: ReleaseId) -> &[Relation] {
        let range = self.release(id).map(|one| one.relations.0 as usize..one.relations.1 as usize);
        range.and_then(|range| self.relations.get(range)).unwrap_or_default()
    }

    pub(crate) fn alternatives(&self, relation: Relation) -> &[Atom<'t>] {
        let range = relation.from as usize..relation.to as usize;
        self.atoms.get(range).unwrap_or_default()
    }

    /// Whether a release stands for what an atom names, itself or by providing it.
    pub(crate) fn satisfies(&self, id: ReleaseId, atom: Atom<'t>) -> bool {
        let Some(release) = self.release(id) else { return false };
        if release.name == atom.name {
            return atom.bound.admits(release.version) && (!atom.any || release.any);
        }
        let Some(package) = self.package(atom.name) else { return false };
        package.provided_by.iter().any(|(provider, version)| {
            *provider == id
                && match version {
                    Some(version) => atom.bound.admits(version),
                    None => atom.bound == Bound::Any,
                }
        })
    }

    /// `a (>= 1) | b`
    pub(crate) fn written(&self, relation: Relation) -> String {
        let one = |atom: &Atom<'t>| match atom.bound.written() {
            Some(bound) => format!("{} ({bound})", self.text(atom.name)),
            None => self.text(atom.name).to_owned(),
        };
        self.alternatives(relation).iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    /// The essential packages and those of priority `required`: what every Debian has.
    pub(crate) fn base(&self) -> Vec<Name> {
        let names = self.all_names();
        let newest = |name: &Name| self.package(*name)?.releases.first().copied();
        let mut base: Vec<Name> = names
            .filter(|name| {
                let release = newest(name).and_then(|id| self.release(id));
                release.is_some_and(|one| one.essential || one.priority == 1)
            })
            .collect();
        let essential = |name: &Name| {
            newest(name).and_then(|id| self.release(id)).is_some_and(|one| one.essential)
        };
        base.sort_by_key(|name| (Reverse(essential(name)), *name));
        base
    }
}

fn length<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

impl<'t> Stanza<'t> {
    fn read(paragraph: &'t str) -> Stanza<'t> {
        let mut stanza = Stanza::default();
        for (name, value) in fields(paragraph) {
            match name {
                "Package" => stanza.package = value,
                "Version" => stanza.version = value,
                "Architecture" => stanza.architecture = value,
                "Filename" => stanza.file = value,
                "Size" => stanza.size = value,
                "SHA256" => stanza.sha256 = value,
                "Priority" => stanza.priority = value,
                "Description" => stanza.description = value,
                "Multi-Arch" => stanza.multi_arch = value,
                "Essential" => stanza.essential = value == "yes",
                "Provides" => stanza.provides = value,
                _ => stanza.relate(name, value),
            }
        }
        stanza
    }

    fn relate(&mut self, name: &str, value: &'t str) {
        let (place, kind) = match name {
            "Pre-Depends" => (0, Some(Kind::PreDepends)),
            "Depends" => (1, Some(Kind::Depends)),
            "Conflicts" => (2, Some(Kind::Conflicts)),
            "Breaks" => (3, Some(Kind::Breaks)),
            "Recommends" => (4, Some(Kind::Recommends)),
            "Suggests" => (5, None),
            "Replaces" => (6, None),
            _ => return,
        };
        if let Some(slot) = self.relations.get_mut(place) {
            *slot = (kind, value);
        }
    }
}
