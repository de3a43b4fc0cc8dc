//! The end of solving: what is needed is kept, and must fit together; or it is said why it does not.

use std::collections::{BTreeMap, BTreeSet};

use super::super::index::{Kind, Name, Relation};
use super::super::trouble::{Cause, Trouble};
use super::{Chosen, Mark, Solution, Solver};

impl<'i, 't> Solver<'i, 't> {
    /// Keeps what is needed, and makes sure that all of it fits together.
    pub(super) fn finish(&self, roots: &[Name]) -> Result<Solution<'i, 't>, Box<Trouble>> {
        let mut packages: BTreeMap<&'t str, Chosen<'i, 't>> = BTreeMap::new();
        let mut queue: Vec<(Name, Option<Name>)> = roots.iter().map(|name| (*name, None)).collect();
        while let Some((name, needed_by)) = queue.pop() {
            let asked = needed_by.is_none();
            let id = match self.state(name).mark {
                Mark::Install(id) => id,
                // What was asked for is held at its version, of the base or not.
                Mark::Base(id) if asked => id,
                _ => continue,
            };
            let Some(release) = self.index.release(id) else { continue };
            let known = packages.contains_key(self.index.text(name));
            let chosen = packages.entry(self.index.text(name)).or_insert_with(|| Chosen {
                release,
                asked: false,
                needed_by: BTreeSet::new(),
            });
            chosen.asked |= asked;
            chosen.needed_by.extend(needed_by.map(|name| self.index.text(name)));
            if known {
                continue;
            }
            for relation in self.index.relations_of(id) {
                queue.extend(self.met(name, *relation)?.into_iter().map(|one| (one, Some(name))));
            }
        }
        Ok(Solution { packages })
    }

    /// The packages that a relation of `name` leads to; or what is wrong with it.
    fn met(&self, name: Name, relation: Relation) -> Result<Vec<Name>, Box<Trouble>> {
        let atoms = self.index.alternatives(relation);
        let hits = atoms.iter().flat_map(|atom| self.satisfying(*atom)).map(|id| self.named(id));
        let hits: Vec<Name> = hits.collect();
        match relation.kind {
            Kind::Conflicts | Kind::Breaks => match hits.iter().find(|hit| **hit != name) {
                Some(hit) => Err(self.conflict(name, relation, *hit, self.chain(*hit))),
                None => Ok(Vec::new()),
            },
            Kind::Recommends => Ok(if self.recommends { hits } else { Vec::new() }),
            _ if hits.is_empty() => Err(self.unmet(name, relation)),
            _ => Ok(hits),
        }
    }

    /// `hit`, to which `other_chain` leads, is in conflict with `name`.
    fn conflict(
        &self,
        name: Name,
        relation: Relation,
        hit: Name,
        other_chain: Vec<String>,
    ) -> Box<Trouble> {
        let chain = self.chain(name);
        let cause = Cause::Conflict {
            verb: relation.kind.verb(),
            with: self.index.written(relation),
            other: self.index.text(hit).to_owned(),
            other_chain,
        };
        Box::new(Trouble { asked: chain.first().cloned().unwrap_or_default(), cause, chain })
    }

    /// A package that was to satisfy this may itself have been in trouble: that is what matters.
    fn unmet(&self, name: Name, relation: Relation) -> Box<Trouble> {
        let (at, cause_of) = match self.trouble {
            Some((at, cause, _)) if self.state(at).mark == Mark::Absent => (at, cause),
            _ => (name, relation),
        };
        if let Some((_, _, Some(hit))) = self.trouble.filter(|(found, ..)| *found == at) {
            let mut trouble = self.conflict(at, cause_of, hit, self.chain(hit));
            trouble.chain = self.chain(name);
            trouble.asked = trouble.chain.first().cloned().unwrap_or_default();
            trouble.chain.push(self.index.text(at).to_owned());
            return trouble;
        }
        let mut chain = self.chain(name);
        if at != name {
            chain.push(self.index.text(at).to_owned());
        }
        let mut atoms = self.index.alternatives(cause_of).iter();
        let taken = atoms.find_map(|atom| Some((atom.name, self.state(atom.name).taken?)));
        if let Some((hit, (by, conflict))) = taken {
            chain.push(self.index.text(hit).to_owned());
            return self.conflict(by, conflict, hit, chain);
        }
        let there = self.index.alternatives(cause_of).iter().map(|atom| {
            let (text, versions) = (self.index.text(atom.name), self.versions(atom.name));
            match versions.as_slice() {
                [] => format!("no archive has {text}"),
                versions if versions.iter().any(|version| atom.bound.admits(version)) => {
                    format!("{text} cannot be installed")
                }
                versions => format!("there is {text} {}", versions.join(", ")),
            }
        });
        let cause = Cause::Unmet {
            verb: cause_of.kind.verb(),
            needs: self.index.written(cause_of),
            there: there.collect(),
        };
        Box::new(Trouble { asked: chain.first().cloned().unwrap_or_default(), cause, chain })
    }

    /// From what was asked for to `name`.
    fn chain(&self, name: Name) -> Vec<String> {
        let mut chain = vec![self.index.text(name).to_owned()];
        let mut here = name;
        while let Some(up) = self.state(here).because {
            // A cycle of dependencies has been gone round once.
            if chain.len() > self.index.len() || chain.iter().any(|one| one == self.index.text(up))
            {
                break;
            }
            chain.push(self.index.text(up).to_owned());
            here = up;
        }
        chain.reverse();
        chain
    }
}
