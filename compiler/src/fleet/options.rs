//! The options that there are: what documentation, completion and searches are made of.

use std::collections::BTreeMap;

use cairn_lang::check::is_module;
use cairn_lang::modules::{Layer, ModuleSource, OptionDoc, Reference};
use cairn_lang::{
    Arena, Diagnostic, Evaluator, Features, MemoryFs, Result, Root, Span, VirtualPath,
};

use super::Fleet;
use super::job::declarations;
use super::outline::FleetValue;
use crate::files::nix_files;
use crate::report::Report;

/// A fleet of one host that says nothing: it has the standard modules alone.
const EMPTY: &str = "{ outputs = { self, ... }: { hosts.host = { }; }; }\n";

/// An option, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOption {
    /// The option.
    pub doc: OptionDoc,
    /// The hosts that have it, where not all have: none for a module that nobody uses yet.
    pub hosts: Option<Vec<String>>,
}

/// The options of one declaration: two hosts may declare one name each for itself.
type Declared = (Vec<String>, Vec<Span>);

impl Fleet {
    /// A fleet that declares nothing besides the standard modules.
    ///
    /// # Errors
    /// When those cannot be read.
    pub fn standard(features: Features) -> std::result::Result<Fleet, Report> {
        Fleet::load(MemoryFs::new([("cairn.nix", EMPTY)]), &[], features)
    }

    /// All options of all hosts, and those of modules that no host uses yet, by path; internal and
    /// hidden ones too. Defaults are those of the declarations, whatever hosts define: where one
    /// follows from other options it is the expression that says how. The report holds what could
    /// not be read, and hides nothing of the rest.
    pub fn options(&self) -> (Vec<FleetOption>, Report) {
        let mut problems = Vec::new();
        let outlines = self.each(&self.hosts(), Result::is_err, |job| {
            let outline = job.config().and_then(|config| config.outline());
            outline.map(|outline| (job.name().to_owned(), outline))
        });
        // Hosts with the same options, and the files that any host uses.
        let mut kin: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let mut used: Vec<VirtualPath> = Vec::new();
        for outline in outlines {
            let (host, (files, options)) = match outline {
                Ok(outline) => outline,
                Err(error) => {
                    problems.push(*error);
                    continue;
                }
            };
            kin.entry(options).or_default().push(host);
            used.extend(files.into_iter().filter(|file| file.root == Root::Fleet));
        }
        used.sort();
        used.dedup();
        let all = kin.values().flatten().count();
        let first: Vec<String> = kin.values().filter_map(|hosts| hosts.first().cloned()).collect();
        let mut found: BTreeMap<Declared, (OptionDoc, Vec<String>)> = BTreeMap::new();
        let each = self.each(
            &first,
            |_| false,
            |job| {
                let reference = job.declarations().map(|config| config.reference());
                (job.name().to_owned(), reference.unwrap_or_else(|error| failed(*error)))
            },
        );
        for (first, reference) in each {
            let hosts = kin.values().find(|hosts| hosts.first() == Some(&first));
            problems.extend(reference.problems);
            for doc in reference.options {
                let key = (doc.loc.clone(), doc.declared.clone());
                let (_, having) = found.entry(key).or_insert((doc, Vec::new()));
                having.extend(hosts.into_iter().flatten().cloned());
            }
        }
        for doc in self.of_others(&used).unwrap_or_else(|error| failed(*error)).options {
            let key = (doc.loc.clone(), doc.declared.clone());
            found.entry(key).or_insert((doc, Vec::new()));
        }
        let options = found.into_values().map(|(doc, mut hosts)| {
            hosts.sort();
            FleetOption { doc, hosts: (hosts.len() < all).then_some(hosts) }
        });
        (options.collect(), self.report(problems))
    }

    /// The options of the fleet's modules that no host uses, beside those that hosts use.
    fn of_others(&self, used: &[VirtualPath]) -> Result<Reference> {
        let (files, _) = nix_files(&self.world.roots);
        let others = files.into_iter().filter(|file| {
            let tree = self.world.tree(file, Span::NONE);
            !used.contains(file) && tree.is_ok_and(|tree| is_module(&tree))
        });
        let others: Vec<_> = others.collect();
        if others.is_empty() && !self.outline.hosts.is_empty() {
            return Ok(Reference::default());
        }
        let heap = Arena::new();
        let eval = Evaluator::new(&heap, &self.world);
        cairn_lang::modules::install(&eval);
        let standard = VirtualPath { root: Root::Cairn, path: "default.nix".to_owned() };
        let mut sources = vec![ModuleSource::file(standard, Layer::Standard)];
        let all = used.iter().chain(&others);
        sources.extend(all.map(|file| ModuleSource::file(file.clone(), Layer::Host)));
        let fleet = FleetValue::load(&eval, &self.inputs)?;
        Ok(declarations(&eval, &fleet, "host", &sources)?.reference())
    }
}

fn failed(error: Diagnostic) -> Reference {
    Reference { options: Vec::new(), problems: vec![error] }
}
