//! `cairn diff`

use std::collections::{BTreeMap, BTreeSet};

use cairn_compiler::{Built, Fleet};
use cairn_deploy::Quiet;
use cairn_fetch::Cache;
use cairn_generation::diff::{Running, diff};
use cairn_generation::layout::{Entry, Layout, Source, layout};
use cairn_generation::{BlobId, Manifest};
use clap::Args;
use serde_json::json;

mod between;

use crate::args::{Global, HostArgs};
use crate::changes::Changes;
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::{Endings, Failure};
use crate::style::{STRONG, paint};
use crate::targets::ReachArgs;
use crate::texts;
use crate::ui::Ui;

/// Show what a switch would change on hosts: units, packages, and files line by line
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn diff demo
  cairn diff demo --into /tmp/demo
  cairn diff @agents --format json
  cairn diff --between staging prod")]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    hosts: HostArgs,

    /// Compare two hosts or groups of the fleet, option by option, instead; no host is asked
    #[arg(long, num_args = 2, value_names = ["ONE", "OTHER"], conflicts_with_all = ["hosts", "into"])]
    between: Vec<String>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// The generation that a host is in, and those blobs of it that will be others.
struct Current {
    manifest: Manifest,
    blobs: BTreeMap<BlobId, Vec<u8>>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &DiffArgs) -> Result<(), CommandError> {
    if let [one, other] = args.between.as_slice() {
        return between::run(ui, global, one, other);
    }
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let cache = fleets::cache()?;
    let built = fleets::build(ui, &fleet, &cache, &hosts)?;
    let current = current(ui, &fleet, args, &hosts, &built)?;
    let mut endings = Endings::new(ui);
    for ((host, current), built) in current.into_iter().zip(&built) {
        match current {
            Ok(current) => show(ui, built, &current, &cache)?,
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    endings.finish()
}

fn current(
    ui: &Ui,
    fleet: &Fleet,
    args: &DiffArgs,
    hosts: &[String],
    built: &[Built],
) -> Result<ask::Answers<Current>, CommandError> {
    if let Some(folder) = args.reach.folder(hosts)? {
        if !folder.exists() {
            // What a first switch would make is as good a question as any.
            let nothing = || Current { manifest: Manifest::empty(""), blobs: BTreeMap::new() };
            return Ok(hosts.iter().map(|host| (host.clone(), Ok(nothing()))).collect());
        }
        return ask::folder(hosts, folder, |node| {
            let text = node.current().map_err(Failure::from)?;
            let manifest = decode(text.as_deref())?;
            let store = node.store().map_err(Failure::from)?;
            let wanted = changed_blobs(&manifest, built);
            let blobs = wanted.into_iter().filter_map(|id| Some((id, store.get(&id).ok()?)));
            Ok::<_, Failure>(Current { manifest, blobs: blobs.collect() })
        });
    }
    let answers = ask::hosts(ui, fleet, &args.reach, hosts, |deployer, target| {
        let new = built.iter().find(|one| one.host == target.name).cloned();
        async move {
            let mut session = deployer.connect(&target, &Quiet).await?;
            let text = session.current().await?;
            let manifest = match decode(text.as_deref().map(str::as_bytes)) {
                Ok(manifest) => manifest,
                // Said below, where there is room for it.
                Err(failure) => return Ok(Err(failure)),
            };
            let mut blobs = BTreeMap::new();
            for id in changed_blobs(&manifest, new.as_slice()) {
                blobs.insert(id, session.blob(id).await?);
            }
            Ok(Ok(Current { manifest, blobs }))
        }
    })?;
    Ok(answers
        .into_iter()
        .map(|(host, answer)| (host, answer.and_then(|current| current)))
        .collect())
}

fn decode(text: Option<&[u8]>) -> Result<Manifest, Failure> {
    let Some(text) = text else { return Ok(Manifest::empty("")) };
    Manifest::decode(text).map(|(_, manifest)| manifest).map_err(|error| Failure {
        code: "diff::manifest".to_owned(),
        message: format!("the host's generation cannot be read: {error}"),
        help: Some("a newer cairn switched the host: use that one".to_owned()),
        unchanged: true,
    })
}

/// Blobs of files that will be others, small enough to be compared line by line.
fn changed_blobs(old: &Manifest, new: &[Built]) -> BTreeSet<BlobId> {
    let blob = |manifest: &Manifest, path: &str| match manifest.files.get(path)?.content {
        cairn_generation::manifest::Content::Blob(id) => Some(id),
        cairn_generation::manifest::Content::To(_) => None,
    };
    let new = new.first().map(|built| &built.manifest);
    let changed = old.files.keys().filter_map(|path| {
        let before = blob(old, path)?;
        (new.and_then(|new| blob(new, path)) != Some(before)).then_some(before)
    });
    changed.collect()
}

fn show(ui: &Ui, built: &Built, current: &Current, cache: &Cache) -> Result<(), CommandError> {
    let odd = |error: cairn_generation::layout::LayoutError| CommandError::user(error.to_string());
    let actions = diff(&current.manifest, &built.manifest, Running::AsWanted).map_err(odd)?;
    let (old, new) =
        (layout(&current.manifest).map_err(odd)?, layout(&built.manifest).map_err(odd)?);
    let store = cache.store().map_err(|error| CommandError::user(error.to_string()))?;
    let before = |id: &BlobId| current.blobs.get(id).cloned();
    let after = |id: &BlobId| store.get(id).ok();
    let mut texts = BTreeMap::new();
    let paths: BTreeSet<&str> = old.paths().chain(new.paths()).collect();
    for path in paths {
        let (one, other) = (content(&old, path, &before), content(&new, path, &after));
        if one != other && old.entry(path) != new.entry(path) {
            texts.insert(path, (one, other));
        }
    }
    let tables = tables(&current.manifest, &built.manifest);
    texts.extend(tables.iter().map(|(name, versions)| (name.as_str(), versions.clone())));
    let files: BTreeMap<&str, String> = texts
        .iter()
        .map(|(path, (one, other))| (*path, texts::unified(path, one, other)))
        .collect();
    ui.object(&json!({
        "type": "diff", "host": built.host, "id": built.id, "actions": actions, "files": files,
    }));
    let host = paint(STRONG, &built.host);
    let changes = Changes::of(&actions, ui.verbose() > 0);
    if changes.is_empty() {
        ui.line(format_args!("nothing to do: {host} is what the fleet says"));
        return Ok(());
    }
    ui.line(format_args!("{host} would change:"));
    ui.line(changes);
    for (path, (one, other)) in &texts {
        ui.line("");
        ui.line(texts::coloured(path, one, other));
    }
    Ok(())
}

/// A text before and after.
type Versions = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The rules of the firewall's tables that change.
fn tables(old: &Manifest, new: &Manifest) -> BTreeMap<String, Versions> {
    let names: BTreeSet<&String> = old.nftables.keys().chain(new.nftables.keys()).collect();
    let body = |manifest: &Manifest, name: &str| {
        manifest
            .nftables
            .get(name)
            .map(|table| table.body.trim_start_matches('\n').as_bytes().to_vec())
    };
    let versions = names.into_iter().map(|name| (name, (body(old, name), body(new, name))));
    let changed = versions.filter(|(_, (before, after))| before != after);
    changed.map(|(name, versions)| (format!("table {name}"), versions)).collect()
}

/// The bytes at a path of a tree; those of a link say where it leads.
fn content(
    layout: &Layout,
    path: &str,
    blob: &dyn Fn(&BlobId) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    match layout.entry(path)? {
        Entry::Link { to } => Some(format!("-> {to}\n").into_bytes()),
        Entry::File { source: Source::Text(text), .. } => Some(text.clone().into_bytes()),
        Entry::File { source: Source::Blob(id), .. } => blob(id),
    }
}
