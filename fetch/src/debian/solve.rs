//! What must be installed for packages to work, chosen as apt chooses.
//!
//! A host is taken to have Debian's base: the essential packages, those of priority `required`, and
//! what these depend on, each at the newest version. Everything else is brought. Among alternatives
//! the first that works wins; among packages that provide one name, the named one itself, then the
//! essential, then the higher priority, then the one that the archive mentions later (apt's order,
//! however arbitrary: people who compare should find the same).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

mod finish;

use super::index::{Atom, Index, Kind, Name, Relation, Release, ReleaseId};
use super::trouble::{Cause, Trouble};

/// A package that is asked for, some at an exact version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// The version; none takes the newest.
    pub version: Option<String>,
}

/// What is to be installed beside the base.
#[derive(Debug)]
pub struct Solution<'i, 't> {
    /// By name.
    pub packages: BTreeMap<&'t str, Chosen<'i, 't>>,
}

/// One package of a solution.
#[derive(Debug)]
pub struct Chosen<'i, 't> {
    /// The release.
    pub release: &'i Release<'t>,
    /// Whether it was asked for itself.
    pub asked: bool,
    /// The packages of the solution that need it.
    pub needed_by: BTreeSet<&'t str>,
}

/// Whether a package will be on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Absent,
    Base(ReleaseId),
    Install(ReleaseId),
}

impl Mark {
    fn release(self) -> Option<ReleaseId> {
        match self {
            Mark::Absent => None,
            Mark::Base(id) | Mark::Install(id) => Some(id),
        }
    }
}

/// What is known of a name while solving.
#[derive(Clone, Copy, Debug)]
struct State {
    mark: Mark,
    /// The release that would be installed; none where it was found not to work.
    candidate: Option<ReleaseId>,
    /// Nothing may take it away: it was asked for, or is the only way to what was.
    protected: bool,
    /// Which package it was marked for.
    because: Option<Name>,
    /// The package whose conflict took the candidate away before anybody wanted it.
    taken: Option<(Name, Relation)>,
}

impl State {
    fn absent(candidate: Option<ReleaseId>) -> State {
        State { mark: Mark::Absent, candidate, protected: false, because: None, taken: None }
    }
}

struct Solver<'i, 't> {
    index: &'i Index<'t>,
    recommends: bool,
    states: Vec<State>,
    /// The first thing found that cannot be, with the package that needs it.
    trouble: Option<(Name, Relation, Option<Name>)>,
    /// How many packages are being marked, each for the one before.
    depth: usize,
}

/// Dependencies do not go deeper; a chain that does has lost its way.
const DEEPEST: usize = 3000;

/// Chooses what `asked` needs. `held` are versions that stay where they can: those of a lock.
///
/// # Errors
/// When they cannot be had together.
pub fn solve<'i, 't>(
    index: &'i Index<'t>,
    asked: &[Asked],
    held: &BTreeMap<String, String>,
    recommends: bool,
) -> Result<Solution<'i, 't>, Box<Trouble>> {
    let mut solver = Solver::new(index, held, recommends);
    solver.mark_base();
    let mut roots = Vec::new();
    for one in asked {
        roots.push(solver.root(one)?);
    }
    // As apt does: all that was asked for is there before the first dependency is looked at.
    for (name, release) in &roots {
        let state = solver.state(*name);
        let mark =
            if state.mark == Mark::Base(*release) { state.mark } else { Mark::Install(*release) };
        let candidate = Some(*release);
        solver.set(*name, State { mark, protected: true, ..State::absent(candidate) });
    }
    // And then it goes through them as they were asked for: what one needs may make another's choice.
    let mut seen = BTreeSet::new();
    let order: Vec<Name> =
        roots.iter().map(|(name, _)| *name).filter(|name| seen.insert(*name)).collect();
    for name in &order {
        solver.install(*name, None);
    }
    solver.finish(&order)
}

/// Debian's base, which every host is taken to have, by name.
pub fn base<'i, 't>(index: &'i Index<'t>) -> impl Iterator<Item = (&'t str, &'i Release<'t>)> {
    let mut solver = Solver::new(index, &BTreeMap::new(), false);
    solver.mark_base();
    let based = solver.states.into_iter().filter_map(|state| state.mark.release());
    let release = based.filter_map(|id| index.release(id));
    release.map(|release| (index.text(release.name), release))
}

impl<'i, 't> Solver<'i, 't> {
    fn new(index: &'i Index<'t>, held: &BTreeMap<String, String>, recommends: bool) -> Self {
        let newest = |name| index.package(name).and_then(|one| one.releases.first().copied());
        let states = index.all_names().map(|name| State::absent(newest(name))).collect();
        let mut solver = Solver { index, recommends, states, trouble: None, depth: 0 };
        for (name, version) in held {
            let name = index.name(name);
            let release = name.and_then(|name| index.release_at(name, version));
            if let (Some(name), Some(release)) = (name, release) {
                let state = solver.state(name);
                solver.set(name, State { candidate: Some(release), ..state });
            }
        }
        solver
    }

    fn state(&self, name: Name) -> State {
        self.states.get(name.index()).copied().unwrap_or(State::absent(None))
    }

    fn set(&mut self, name: Name, state: State) {
        if let Some(slot) = self.states.get_mut(name.index()) {
            *slot = state;
        }
    }

    /// Debian's base, and what it depends on.
    fn mark_base(&mut self) {
        for name in self.index.base() {
            self.install(name, None);
        }
        for state in &mut self.states {
            if let Mark::Install(id) = state.mark {
                state.mark = Mark::Base(id);
            }
        }
        self.trouble = None;
    }

    /// The package and release that stand for what was asked for.
    fn root(&self, asked: &Asked) -> Result<(Name, ReleaseId), Box<Trouble>> {
        let refuse = |cause| {
            let chain = vec![asked.name.clone()];
            Err(Box::new(Trouble { asked: asked.name.clone(), cause, chain }))
        };
        let Some(name) = self.index.name(&asked.name) else {
            return refuse(Cause::Unknown { near: self.near(&asked.name) });
        };
        let releases =
            self.index.package(name).map(|one| one.releases.as_slice()).unwrap_or_default();
        if let Some(version) = &asked.version {
            return match self.index.release_at(name, version) {
                Some(release) => Ok((name, release)),
                None if releases.is_empty() => {
                    refuse(Cause::Unknown { near: self.near(&asked.name) })
                }
                None => refuse(Cause::NoSuchVersion {
                    version: version.clone(),
                    there: self.versions(name),
                }),
            };
        }
        if let Some(release) = self.state(name).candidate {
            return Ok((name, release));
        }
        let mut providers: Vec<(Name, ReleaseId)> =
            self.providers(name).into_iter().map(|id| (self.named(id), id)).collect();
        providers.dedup();
        match providers.as_slice() {
            [] => refuse(Cause::Unknown { near: self.near(&asked.name) }),
            several => {
                let names: BTreeSet<_> =
                    several.iter().map(|(name, _)| self.index.text(*name)).collect();
                let providers = names.into_iter().map(str::to_owned).collect();
                refuse(Cause::Virtual { providers })
            }
        }
    }

    fn named(&self, id: ReleaseId) -> Name {
        self.index.release(id).map_or_else(Name::default, |release| release.name)
    }

    fn versions(&self, name: Name) -> Vec<String> {
        let releases =
            self.index.package(name).map(|one| one.releases.as_slice()).unwrap_or_default();
        let version = |id: &ReleaseId| Some(self.index.release(*id)?.version.to_owned());
        let mut versions: Vec<String> = releases.iter().filter_map(version).collect();
        versions.dedup();
        versions
    }

    fn near(&self, wanted: &str) -> Vec<String> {
        let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
        let mut near: Vec<(f64, &str)> = self
            .index
            .real_names()
            .map(|name| (likeness(name), name))
            .filter(|(likeness, _)| *likeness > 0.85)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }

    /// Releases of other packages that provide a name and would be installed.
    fn providers(&self, name: Name) -> Vec<ReleaseId> {
        let provided =
            self.index.package(name).map(|one| one.provided_by.as_slice()).unwrap_or_default();
        let current = |id: &ReleaseId| self.state(self.named(*id)).candidate == Some(*id);
        provided.iter().map(|(id, _)| *id).filter(current).collect()
    }

    /// Whether what will be on the host satisfies an alternative.
    fn is_satisfied(&self, atom: Atom<'t>) -> bool {
        self.satisfying(atom).next().is_some()
    }

    /// The packages that will be on the host and satisfy an alternative.
    fn satisfying(&self, atom: Atom<'t>) -> impl Iterator<Item = ReleaseId> {
        let own = self.state(atom.name).mark.release();
        let provided = self.index.package(atom.name);
        let provided = provided.map(|one| one.provided_by.as_slice()).unwrap_or_default();
        let marked = move |id: &ReleaseId| self.state(self.named(*id)).mark.release() == Some(*id);
        let others = provided.iter().map(|(id, _)| *id).filter(marked);
        own.into_iter().chain(others).filter(move |id| self.index.satisfies(*id, atom))
    }

    /// Candidates that satisfy a relation, best first; what the host has comes before all else.
    fn solutions(&self, relation: Relation) -> Vec<ReleaseId> {
        let (mut there, mut new) = (Vec::new(), Vec::new());
        for atom in self.index.alternatives(relation) {
            let mut all: Vec<ReleaseId> = self.state(atom.name).candidate.into_iter().collect();
            all.extend(self.providers(atom.name));
            all.retain(|id| self.index.satisfies(*id, *atom));
            all.sort_by_cached_key(|id| self.rank(*id, atom.name));
            for id in all {
                match self.state(self.named(id)).mark {
                    Mark::Base(_) => there.push(id),
                    _ => new.push(id),
                }
            }
        }
        there.append(&mut new);
        let mut seen = BTreeSet::new();
        there.retain(|id| seen.insert(*id));
        there
    }

    /// Smaller is better.
    fn rank(&self, id: ReleaseId, wanted: Name) -> (bool, bool, bool, bool, u8, Reverse<Name>) {
        let name = self.named(id);
        let state = self.state(name);
        let (essential, priority) =
            self.index.release(id).map_or((false, 9), |one| (one.essential, one.priority));
        let there = matches!(state.mark, Mark::Base(_));
        (!state.protected, !there, name != wanted, !essential, priority, Reverse(name))
    }

    /// Marks a package and what it needs. Whether that works.
    fn install(&mut self, name: Name, because: Option<Name>) -> bool {
        let before = self.state(name);
        let Some(candidate) = before.candidate else { return false };
        if !before.protected && before.mark != Mark::Absent {
            return true;
        }
        if self.depth > DEEPEST {
            return false;
        }
        let protected = before.protected;
        if !self.is_possible(candidate) {
            if !protected {
                self.set(name, State { candidate: None, ..before });
            }
            return false;
        }
        if !self.refuse_others(candidate, protected) && !protected {
            return false;
        }
        let mark = if before.mark == Mark::Absent { Mark::Install(candidate) } else { before.mark };
        let because = before.because.or(because);
        self.set(name, State { mark, protected: true, because, ..before });
        self.depth += 1;
        let works = self.install_needs(name, candidate, protected);
        self.depth -= 1;
        let after = self.state(name);
        self.set(name, State { protected, ..after });
        if !works && !protected {
            self.set(name, State::absent(None));
        }
        works
    }

    /// Whether each thing that a release needs could be had at all, looked at by itself.
    fn is_possible(&mut self, id: ReleaseId) -> bool {
        for relation in self.index.relations_of(id) {
            let needs = matches!(relation.kind, Kind::PreDepends | Kind::Depends);
            let atoms = self.index.alternatives(*relation);
            let met = |atom: &Atom<'t>| self.is_satisfied(*atom);
            if needs && !atoms.iter().any(met) && self.solutions(*relation).is_empty() {
                let name = self.named(id);
                self.trouble.get_or_insert((name, *relation, None));
                return false;
            }
        }
        true
    }

    /// Takes away what a release conflicts with. Whether that may be.
    fn refuse_others(&mut self, id: ReleaseId, protected: bool) -> bool {
        let mut may = true;
        let own = self.named(id);
        for relation in self.index.relations_of(id) {
            if !matches!(relation.kind, Kind::Conflicts | Kind::Breaks) {
                continue;
            }
            for atom in self.index.alternatives(*relation) {
                let marked: Vec<ReleaseId> = self.satisfying(*atom).collect();
                if let Some(hit) =
                    marked.into_iter().map(|id| self.named(id)).find(|hit| *hit != own)
                {
                    self.trouble.get_or_insert((own, *relation, Some(hit)));
                    may = false;
                    if !protected {
                        return false;
                    }
                }
                if protected {
                    self.discard(*atom, own, *relation);
                }
            }
        }
        may
    }

    /// What a package that stays conflicts with is no candidate any more.
    fn discard(&mut self, atom: Atom<'t>, own: Name, conflict: Relation) {
        let mut all: Vec<ReleaseId> = self.state(atom.name).candidate.into_iter().collect();
        all.extend(self.providers(atom.name));
        for id in all {
            let name = self.named(id);
            let state = self.state(name);
            if name != own && state.mark == Mark::Absent && self.index.satisfies(id, atom) {
                self.set(name, State { candidate: None, taken: Some((own, conflict)), ..state });
            }
        }
    }

    fn install_needs(&mut self, name: Name, id: ReleaseId, protected: bool) -> bool {
        let mut works = true;
        // What is missing now: a package that one dependency brings may satisfy the next.
        let relations = self.index.relations_of(id);
        let wanted = |kind| match kind {
            Kind::PreDepends | Kind::Depends => true,
            Kind::Recommends => self.recommends,
            Kind::Conflicts | Kind::Breaks => false,
        };
        let missing: Vec<Relation> =
            relations.iter().copied().filter(|relation| wanted(relation.kind)).collect();
        for relation in missing {
            let critical = relation.kind != Kind::Recommends;
            let met = self.index.alternatives(relation).iter().any(|atom| self.is_satisfied(*atom));
            if met && !protected {
                continue;
            }
            let solutions = self.solutions(relation);
            let only = match solutions.as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            if met {
                self.protect(only.filter(|_| critical), name);
                continue;
            }
            if !self.install_one(&solutions, only.is_some() && protected && critical, name)
                && critical
            {
                self.trouble.get_or_insert((name, relation, None));
                works = false;
                if !protected {
                    break;
                }
            }
        }
        works
    }

    /// The only way to something that must be must be, too.
    fn protect(&mut self, only: Option<ReleaseId>, because: Name) {
        let Some(only) = only else { return };
        let name = self.named(only);
        let state = self.state(name);
        if !state.protected && matches!(state.mark, Mark::Install(_)) {
            self.set(name, State { protected: true, ..state });
            self.install(name, Some(because));
        }
    }

    fn install_one(&mut self, solutions: &[ReleaseId], protect: bool, because: Name) -> bool {
        for id in solutions {
            let name = self.named(*id);
            let state = self.state(name);
            if state.candidate != Some(*id) {
                continue;
            }
            if protect && state.mark == Mark::Absent {
                if !self.is_possible(*id) {
                    continue;
                }
                let mark = Mark::Install(*id);
                let because = Some(because);
                self.set(name, State { mark, protected: true, because, ..state });
            }
            if self.install(name, Some(because)) {
                return true;
            }
        }
        false
    }
}
