//! Everything that is wrong with a fleet, in one run.

use cairn_lang::{Data, Diagnostic, FileKind, FsError, Root, Severity, Span, VirtualPath};

use super::Fleet;
use super::job::Job;
use crate::manifest::{self, Draft};
use crate::report::Report;

impl Fleet {
    /// Parses every file of the fleet, and evaluates every option of these hosts.
    pub fn check(&self, hosts: &[String]) -> Report {
        let mut problems = self.parse_all();
        for (_, found) in self.each(hosts, draft) {
            problems.extend(found);
        }
        problems.extend(self.world.file_diagnostics());
        self.report(problems)
    }

    /// Syntax errors and unbound names of every `*.nix`, of files that nobody imports too.
    fn parse_all(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut folders = vec![VirtualPath { root: Root::Fleet, path: String::new() }];
        while let Some(folder) = folders.pop() {
            let entries = match self.world.roots.list(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    problems.push(unreadable(&folder, &error));
                    continue;
                }
            };
            for (name, kind) in entries {
                let Some(path) = folder.join(&name) else { continue };
                match kind {
                    _ if name.starts_with('.') => {}
                    FileKind::Directory => folders.push(path),
                    FileKind::Regular if name.ends_with(".nix") => {
                        if let Err(errors) = self.world.tree(&path, Span::NONE) {
                            problems.extend(errors);
                        }
                    }
                    _ => {}
                }
            }
        }
        problems
    }
}

fn unreadable(folder: &VirtualPath, error: &FsError) -> Diagnostic {
    let message = format!("cannot read the folder {folder}: {error}");
    let help = "check its permissions";
    Diagnostic::error("file::unreadable", Span::NONE, message).with_help(help)
}

/// The manifest of a job's host, and everything that there is to say about the host. There is a
/// manifest only where there is no error.
pub(super) fn draft<'w>(job: &'w Job<'w>) -> (Option<Draft>, Vec<Diagnostic>) {
    let config = match job.config() {
        Ok(config) => config,
        Err(error) => return (None, vec![*error]),
    };
    let mut problems = config.force_all();
    // What follows reads single options: where those fail, the error is among the above.
    if let Ok(assertions) = config.data(&["assertions"]) {
        problems.extend(failed(job, &assertions));
    }
    if let Ok(warnings) = config.data(&["warnings"]) {
        problems.extend(warned(job, &warnings));
    }
    let is_error = |problem: &Diagnostic| problem.severity == Severity::Error;
    let resources = match config.data(&["resources"]) {
        Ok(resources) => resources,
        Err(error) => {
            if !problems.iter().any(is_error) {
                problems.push(*error);
            }
            return (None, problems);
        }
    };
    let known = job.eval().map(|eval| eval.blobs()).unwrap_or_default();
    let places = job.places();
    match manifest::draft(job.name(), &resources, &known, &places) {
        Ok(draft) if !problems.iter().any(is_error) => (Some(draft), problems),
        Ok(_) => (None, problems),
        Err(faults) => {
            problems.extend(faults);
            (None, problems)
        }
    }
}

fn failed<'w>(job: &'w Job<'w>, assertions: &Data) -> Vec<Diagnostic> {
    let assertions = assertions.as_list().unwrap_or_default().iter();
    let failed = assertions
        .filter(|item| item.get("assertion").and_then(Data::as_bool) == Some(false))
        .filter_map(|item| item.get("message").and_then(Data::as_str));
    failed
        .map(|message| {
            let span = job.places().mentioned(message);
            let help = format!("a module asks for this of the host `{}`", job.name());
            Diagnostic::error("assertion::failed", span, sentence(message)).with_help(help)
        })
        .collect()
}

fn warned<'w>(job: &'w Job<'w>, warnings: &Data) -> Vec<Diagnostic> {
    let warnings = warnings.as_list().unwrap_or_default().iter().filter_map(Data::as_str);
    warnings
        .map(|message| {
            let span = job.places().mentioned(message);
            Diagnostic::warning("assertion::warning", span, sentence(message))
        })
        .collect()
}

/// Messages of modules are sentences; ours have no full stop.
fn sentence(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}
