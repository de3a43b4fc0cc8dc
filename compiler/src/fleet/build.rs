//! From checked hosts to generations.

use std::collections::{BTreeMap, BTreeSet};

use cairn_fetch::{ArchiveError, Fetch, FetchError, Mirrors};
use cairn_generation::manifest::FetchedPackage;
use cairn_generation::{BlobId, GenerationId, Manifest, Store};
use cairn_lang::{Diagnostic, Result, Span};

use super::Fleet;
use super::deployment::{self, Deployment};
use super::job::Job;
use crate::manifest::{BlobSource, Draft, Recipe};
use crate::report::Report;

/// A host's generation, with its blobs in a store.
#[derive(Clone, Debug)]
pub struct Built {
    /// The host's name.
    pub host: String,
    /// The generation's name.
    pub id: GenerationId,
    /// What it holds.
    pub manifest: Manifest,
    /// The manifest's canonical text.
    pub text: String,
    /// Where the host is.
    pub deployment: Deployment,
}

impl Fleet {
    /// Builds the generations of these hosts, all or none, and puts their blobs into `store`.
    /// Warnings are in the report.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn build(
        &self,
        hosts: &[String],
        fetch: &dyn Fetch,
        store: &Store,
    ) -> std::result::Result<(Vec<Built>, Report), Report> {
        let mut built = Vec::new();
        let mut problems = Vec::new();
        let is_wrong = |(one, _): &(Option<Built>, _)| one.is_none();
        for (one, found) in self.each(hosts, is_wrong, |job| self.build_one(job, fetch, store)) {
            built.extend(one);
            problems.extend(found);
        }
        problems.extend(self.world.file_diagnostics());
        let report = self.report(problems);
        if report.has_errors() { Err(report) } else { Ok((built, report)) }
    }

    fn build_one<'w>(
        &self,
        job: Job<'w>,
        fetch: &dyn Fetch,
        store: &Store,
    ) -> (Option<Built>, Vec<Diagnostic>) {
        let (draft, mut problems) = super::check::draft(job);
        let Some(draft) = draft else { return (None, problems) };
        match self.finish(job, draft, fetch, store) {
            Ok(built) => (Some(built), problems),
            Err(errors) => {
                problems.extend(errors);
                (None, problems)
            }
        }
    }

    fn finish<'w>(
        &self,
        job: Job<'w>,
        mut draft: Draft,
        fetch: &dyn Fetch,
        store: &Store,
    ) -> Result<Built, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mirrors = super::fetched::mirrors(job).map_err(|error| vec![*error])?;
        for (name, recipe) in std::mem::take(&mut draft.recipes) {
            match fetched(&name, &recipe, &mirrors, fetch, store) {
                Ok(package) => drop(draft.manifest.packages.fetched.insert(name, package)),
                Err(error) => problems.push(*error),
            }
        }
        problems.extend(super::locked::put(job, &mut draft.manifest, fetch, store));
        for (id, source) in &draft.blobs {
            if let Err(error) = self.put(*id, source, store) {
                problems.push(*error);
            }
        }
        let deployment = deployment::of(job).map_err(|error| vec![*error])?;
        if !problems.is_empty() {
            return Err(problems);
        }
        let (id, bytes) = draft.manifest.encode().map_err(|error| vec![odd(&error)])?;
        let text = String::from_utf8(bytes).map_err(|error| vec![odd(&error)])?;
        let host = job.name().to_owned();
        Ok(Built { host, id, manifest: draft.manifest, text, deployment })
    }

    /// Not flushed: a cache may lose what a power cut takes, and verifies what it gives.
    fn put(&self, id: BlobId, source: &BlobSource, store: &Store) -> Result<()> {
        let unkept = |error: &dyn std::fmt::Display| {
            let message = format!("a blob cannot be kept: {error}");
            let help = "check the cache's folder ($XDG_CACHE_HOME/cairn) and the disk's free space";
            Box::new(Diagnostic::error("store::unwritable", Span::NONE, message).with_help(help))
        };
        match source {
            BlobSource::Bytes(bytes) => {
                store.put_unflushed(&id, &bytes[..]).map_err(|error| unkept(&error))
            }
            BlobSource::File(path) => {
                let bytes = self.world.roots.read(path).map_err(|error| {
                    let message = format!("cannot read {path}: {error}");
                    let help = "it was there a moment ago: do not change files during a build";
                    Box::new(
                        Diagnostic::error("file::unreadable", Span::NONE, message).with_help(help),
                    )
                })?;
                store.put_unflushed(&id, &bytes[..]).map_err(|error| unkept(&error))
            }
        }
    }
}

fn odd(error: &dyn std::fmt::Display) -> Diagnostic {
    let message = format!("the manifest has no canonical text: {error}");
    Diagnostic::error("resource::shape", Span::NONE, message)
}

/// Downloads a package and takes its programs and files out.
fn fetched(
    name: &str,
    recipe: &Recipe,
    mirrors: &Mirrors,
    fetch: &dyn Fetch,
    store: &Store,
) -> Result<FetchedPackage> {
    let sha256 = recipe.sha256.clone().unwrap_or_default();
    let download = fetch.fetch(&mirrors.place(&recipe.url), &sha256).map_err(|error| {
        let help = match &error {
            FetchError::Hash { .. } if recipe.locked => {
                "it is not what was locked: somebody has changed it. If that was its publisher, delete \
                 its entry in cairn.lock, and run `cairn lock`"
                    .to_owned()
            }
            error => error.help(),
        };
        let message = format!("the package `{name}` cannot be had: {error}");
        Box::new(Diagnostic::error("package::fetch", recipe.span, message).with_help(help))
    })?;
    let members = recipe.bin.values().chain(recipe.files.values());
    let members: BTreeSet<Option<&str>> = members.map(Option::as_deref).collect();
    let contents =
        cairn_fetch::take(&download, &members).map_err(|error| unpacked(name, recipe, &error))?;
    let mut blobs = BTreeMap::new();
    for (member, bytes) in contents {
        let id = BlobId::of(&bytes);
        store.put_unflushed(&id, &bytes[..]).map_err(|error| {
            let message = format!("the package `{name}` cannot be kept: {error}");
            let help = "check the cache's folder ($XDG_CACHE_HOME/cairn) and the disk's free space";
            Box::new(Diagnostic::error("store::unwritable", Span::NONE, message).with_help(help))
        })?;
        blobs.insert(member, id);
    }
    let taken = |members: &BTreeMap<String, Option<String>>| {
        let all = members.iter();
        all.filter_map(|(name, member)| Some((name.clone(), *blobs.get(member)?))).collect()
    };
    Ok(FetchedPackage {
        folder: recipe.folder.clone(),
        version: recipe.version.clone(),
        bin: taken(&recipe.bin),
        files: taken(&recipe.files),
        sha256,
    })
}

fn unpacked(name: &str, recipe: &Recipe, error: &ArchiveError) -> Box<Diagnostic> {
    let message = format!("the package `{name}` cannot be taken out of its download: {error}");
    let help = match error {
        ArchiveError::Missing { member, members } => {
            cairn_lang::did_you_mean(member, members.iter().map(String::as_str)).unwrap_or_else(
                || {
                    let some: Vec<&str> = members.iter().take(12).map(String::as_str).collect();
                    format!("the archive has: {}", some.join(", "))
                },
            )
        }
        ArchiveError::NotAnArchive => {
            "if the download is the program itself, write `null` for the member".to_owned()
        }
        ArchiveError::Hostile { .. } => "no release has that: do not use it".to_owned(),
        _ => "look at the archive with `tar -tzf`".to_owned(),
    };
    Box::new(Diagnostic::error("package::archive", recipe.span, message).with_help(help))
}
