//! Everything that is wrong with a fleet, in one run.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::modules::Configuration;
use cairn_lang::{Data, Diagnostic, Result, Root, Severity, Span, Value, VirtualPath};

use super::Fleet;
use super::job::Job;
use super::readers::{self, Reader};
use super::typing::Kin;
use crate::files::nix_files;
use crate::manifest::{self, Draft};
use crate::report::Report;

impl Fleet {
    /// Parses every file of the fleet, evaluates every option of these hosts, and infers types for
    /// every expression, evaluated or not.
    pub fn check(&self, hosts: &[String]) -> Report {
        self.survey(hosts).0
    }

    /// As [`Fleet::check`], and which of these hosts have the same options.
    pub fn survey(&self, hosts: &[String]) -> (Report, Vec<Kin>) {
        let (files, unparsed) = self.parse_all();
        let mut problems = self.problems.clone();
        problems.extend(unparsed);
        let mut outlines = Vec::new();
        let is_wrong = |((_, found), _): &((_, Vec<Diagnostic>), _)| found.iter().any(is_error);
        let work = |job: Job<'_>| {
            let (draft, found) = draft(job);
            let uses = draft.map(|draft| draft.secret_files).unwrap_or_default();
            ((Reader::new(job, uses), found), job.outline(Root::Fleet))
        };
        let mut readers = Vec::new();
        for ((reader, found), outline) in self.each(hosts, is_wrong, work) {
            readers.push(reader);
            problems.extend(found);
            outlines.extend(outline);
        }
        problems.extend(readers::needless(&readers));
        problems.extend(self.world.file_diagnostics());
        let found = self.check_types(&files, &outlines);
        let report = self.report(super::typing::join(problems, found));
        (report, super::typing::kinship(&outlines).into_values().collect())
    }

    /// Infers types for the standard modules, against the options of these hosts.
    pub fn check_standard(&self, hosts: &[String]) -> Report {
        let outlines = self.each(hosts, Option::is_none, |job| job.outline(Root::Cairn));
        let outlines: Vec<_> = outlines.into_iter().flatten().collect();
        self.report(self.check_types(&[], &outlines))
    }

    /// Every `*.nix` of the fleet, those that nobody imports too; syntax errors and unbound names.
    fn parse_all(&self) -> (Vec<VirtualPath>, Vec<Diagnostic>) {
        let (mut files, mut problems) = nix_files(&self.world.roots);
        files.retain(|path| match self.world.tree(path, Span::NONE) {
            Ok(_) => true,
            Err(errors) => {
                problems.extend(errors);
                false
            }
        });
        files.sort();
        (files, problems)
    }
}

/// The manifest of a job's host, and everything that there is to say about the host. There is a
/// manifest only where there is no error.
pub(super) fn draft<'w>(job: Job<'w>) -> (Option<Draft>, Vec<Diagnostic>) {
    let (draft, mut problems) = unlocked_draft(job);
    let Some(draft) = draft else { return (None, problems) };
    problems.extend(super::fetched::uncovered(&draft));
    problems.extend(super::locked::uncovered(job, &draft));
    ((!problems.iter().any(is_error)).then_some(draft), problems)
}

/// As [`draft`], whatever the lock has.
pub(super) fn unlocked_draft<'w>(job: Job<'w>) -> (Option<Draft>, Vec<Diagnostic>) {
    let config = match job.config() {
        Ok(config) => config,
        Err(error) => return (None, vec![*error]),
    };
    // Errors of a host that is not the first are not told: see [`Fleet::each`].
    let sound = if job.is_first() { None } else { config.warnings() };
    let mut problems = sound.unwrap_or_else(|| config.force_all());
    if problems.iter().any(is_error) {
        problems.extend(faults_beside_errors(job, config));
        return (None, problems);
    }
    problems.extend(said(job, config));
    match resources(config, false, &mut BTreeSet::new()) {
        Ok(resources) => match judged(job, resources, &BTreeSet::new()) {
            Ok(mut draft) => {
                problems.append(&mut draft.warnings);
                if !problems.iter().any(is_error) {
                    return (Some(draft), problems);
                }
            }
            Err(faults) => problems.extend(faults),
        },
        Err(error) => problems.push(*error),
    }
    (None, problems)
}

/// What else is wrong with a host that has errors. What an error spoiled must not be found wrong
/// again: where something seems to be missing, only values are judged that no error has a part in.
fn faults_beside_errors<'w>(job: Job<'w>, tolerant: &Configuration<'w, 'w>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if let Ok(strict) = job.strict() {
        faults.extend(said(job, strict));
        let mut partial = BTreeSet::new();
        if let Ok(resources) = resources(strict, true, &mut partial) {
            faults.extend(judged(job, resources, &partial).err().unwrap_or_default());
        }
    }
    if let Ok(resources) = resources(tolerant, true, &mut BTreeSet::new()) {
        let found = judged(job, resources, &BTreeSet::new()).err().unwrap_or_default();
        faults.extend(found.into_iter().filter(|fault| !manifest::is_about_absence(&fault.code)));
    }
    faults
}

fn judged<'w>(
    job: Job<'w>,
    mut resources: Data,
    partial: &BTreeSet<String>,
) -> std::result::Result<Draft, Vec<Diagnostic>> {
    super::fetched::settle(job, &mut resources)?;
    let known = job.eval().blobs();
    let places = job.places();
    manifest::draft(job.name(), &resources, &known, (&places, &places), partial)
}

fn is_error(problem: &Diagnostic) -> bool {
    problem.severity == Severity::Error
}

/// `config.resources` as plain data. Of a broken host, those alone that can be computed; kinds of
/// which some cannot are noted as `partial`.
fn resources(
    config: &Configuration<'_, '_>,
    broken: bool,
    partial: &mut BTreeSet<String>,
) -> Result<Data> {
    if !broken {
        return config.data(&["resources"]);
    }
    config.data(&["resources"]).or_else(|_| part(config, &["resources"], partial))
}

/// The attributes of a set that can be computed, sets inside of it likewise.
fn part(
    config: &Configuration<'_, '_>,
    path: &[&str],
    partial: &mut BTreeSet<String>,
) -> Result<Data> {
    let Value::Attrs(set) = config.value(path)? else { return config.data(path) };
    let mut out = BTreeMap::new();
    for attr in set.sorted() {
        let mut below = path.to_vec();
        below.push(attr.name.as_str());
        // Two levels: kinds, and entries of a kind; an entry is computed whole or left out.
        let data = config.data(&below).or_else(|error| {
            partial.extend(below.get(1).map(|kind| (*kind).to_owned()));
            if path.len() == 1 { part(config, &below, partial) } else { Err(error) }
        });
        if let Ok(data) = data {
            out.insert(attr.name.to_string(), data);
        }
    }
    Ok(Data::Attrs(out))
}

/// What modules have to say about the host: assertions that fail, and warnings.
fn said<'w>(job: Job<'w>, config: &Configuration<'w, 'w>) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for assertion in items(job, config, "assertions") {
        let message = assertion.get("message").and_then(Data::as_str);
        if let (Some(false), Some(message)) =
            (assertion.get("assertion").and_then(Data::as_bool), message)
        {
            let span = job.places().mentioned(message);
            let help = format!("a module asks for this of the host `{}`", job.name());
            let error = Diagnostic::error("assertion::failed", span, sentence(message));
            said.push(error.with_help(help));
        }
    }
    for warning in items(job, config, "warnings") {
        if let Some(message) = warning.as_str() {
            let span = job.places().mentioned(message);
            said.push(Diagnostic::warning("assertion::warning", span, sentence(message)));
        }
    }
    said
}

/// The elements of a list option, each computed by itself: an error is among the host's others.
fn items<'w>(job: Job<'w>, config: &Configuration<'w, 'w>, option: &str) -> Vec<Data> {
    let Ok(Value::List(list)) = config.value(&[option]) else { return Vec::new() };
    let eval = job.eval();
    list.iter().filter_map(|item| eval.to_data(item, Span::NONE).ok()).collect()
}

/// Messages of modules are sentences; ours have no full stop.
fn sentence(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}
