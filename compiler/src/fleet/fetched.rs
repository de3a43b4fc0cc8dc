//! Fetched packages: which download a host gets, and what `cairn.lock` says of it.

use std::collections::BTreeMap;

use cairn_fetch::lock::Download;
use cairn_fetch::{Mirrors, Wanted};
use cairn_generation::manifest::STATE_DIR;
use cairn_lang::modules::{ANY_PLATFORM, Members, package_folder};
use cairn_lang::{Data, Diagnostic, Result, Span};

use super::job::Job;
use crate::manifest::{Draft, Places as _};

type Attrs = BTreeMap<String, Data>;

/// The kind of machine that a host is.
pub(super) fn platform<'w>(job: Job<'w>) -> Result<String> {
    let platform = job.config()?.data(&["nixpkgs", "hostPlatform"])?;
    Ok(platform.as_str().unwrap_or_default().to_owned())
}

/// Where a host's downloads come from instead.
pub(super) fn mirrors<'w>(job: Job<'w>) -> Result<Mirrors> {
    let Data::Attrs(mirrors) = job.config()?.data(&["packages", "mirrors"])? else {
        return Ok(Mirrors::default());
    };
    let text = |to: &Data| to.as_str().unwrap_or_default().to_owned();
    Ok(Mirrors(mirrors.iter().map(|(from, to)| (from.clone(), text(to))).collect()))
}

/// Puts the download for the host's platform, and the hash that the lock has of it, into each fetched
/// package. A package's folder is named by that hash: whatever names the folder follows.
///
/// # Errors
/// Packages that have no download for the platform.
pub(super) fn settle<'w>(
    job: Job<'w>,
    resources: &mut Data,
) -> std::result::Result<(), Vec<Diagnostic>> {
    let Some(packages) = packages(resources).filter(|packages| !packages.is_empty()) else {
        return Ok(());
    };
    let platform = platform(job).map_err(|error| vec![*error])?;
    let mut moved = Vec::new();
    let mut problems = Vec::new();
    for (name, package) in packages.iter_mut() {
        let Data::Attrs(package) = package else { continue };
        let Some(Data::Attrs(mut platforms)) = package.remove("platforms") else { continue };
        let chosen = platforms.remove(&platform).or_else(|| platforms.remove(ANY_PLATFORM));
        let Some(Data::Attrs(source)) = chosen else {
            let span = job.places().place(&["packages", "fetched", name]);
            let message = format!("the package `{name}` has no download for {platform}");
            let all: Vec<&str> = platforms.keys().map(String::as_str).collect();
            let help = format!("it has downloads for: {}", all.join(", "));
            problems.push(Diagnostic::error("package::no-platform", span, message).with_help(help));
            continue;
        };
        package.extend(source);
        moved.extend(settle_hash(job, package));
    }
    if !moved.is_empty() {
        rename(resources, &moved);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn packages(resources: &mut Data) -> Option<&mut Attrs> {
    let Data::Attrs(resources) = resources else { return None };
    let Data::Attrs(packages) = resources.get_mut("packages")? else { return None };
    match packages.get_mut("fetched")? {
        Data::Attrs(fetched) => Some(fetched),
        _ => None,
    }
}

/// The place that the package had while evaluating, and the one that it has on the host.
fn settle_hash<'w>(job: Job<'w>, package: &mut Attrs) -> Option<(String, String)> {
    let text = |field: &str| package.get(field).and_then(Data::as_str).map(str::to_owned);
    let (own, url, name) = (text("sha256"), text("url")?, text("name")?);
    let known = job.fleet().lock().fetched.get(&url);
    let sha256 = own.clone().or_else(|| Some(known?.sha256.clone()))?;
    let (bin, files) = (members(package, "bin"), members(package, "files"));
    let old = text("outPath")?;
    let new = format!("{STATE_DIR}/store/{}", package_folder(&name, &sha256, &bin, &files));
    package.insert("locked".to_owned(), Data::Bool(own.is_none()));
    package.insert("sha256".to_owned(), Data::Str(sha256));
    (old != new).then_some((old, new))
}

fn members(package: &Attrs, field: &str) -> Members {
    let Some(Data::Attrs(members)) = package.get(field) else { return Members::new() };
    let member = |data: &Data| data.as_str().map(str::to_owned);
    members.iter().map(|(name, data)| (name.clone(), member(data))).collect()
}

fn rename(data: &mut Data, moved: &[(String, String)]) {
    match data {
        Data::Str(text) if text.contains(STATE_DIR) => {
            for (old, new) in moved {
                *text = text.replace(old, new);
            }
        }
        Data::List(items) => items.iter_mut().for_each(|item| rename(item, moved)),
        Data::Attrs(attrs) => attrs.values_mut().for_each(|item| rename(item, moved)),
        _ => {}
    }
}

/// Downloads of a host without a hash in the fleet, each with the place that it is asked for.
pub(super) fn downloads<'w>(job: Job<'w>, draft: &Draft) -> Result<Vec<(Download, Span)>> {
    let mirrors = mirrors(job)?;
    let recipes = draft.recipes.values().filter(|recipe| recipe.locked || recipe.sha256.is_none());
    let downloads = recipes.map(|recipe| {
        let (url, checksums) = (recipe.url.clone(), recipe.checksums.clone());
        (Download { url, checksums, mirrors: mirrors.clone() }, recipe.span)
    });
    Ok(downloads.collect())
}

/// Downloads of a host whose hash nobody knows yet.
pub(super) fn uncovered(draft: &Draft) -> Vec<Diagnostic> {
    let mut unknown: Vec<(Span, Vec<String>)> = Vec::new();
    for (name, recipe) in draft.recipes.iter().filter(|(_, recipe)| recipe.sha256.is_none()) {
        let version = recipe.version.as_ref().map(|version| format!(" {version}"));
        let name = format!("{name}{}", version.unwrap_or_default());
        // One list has many packages: they are one mistake.
        match unknown.iter_mut().find(|(span, _)| *span == recipe.span) {
            Some((_, names)) => names.push(name),
            None => unknown.push((recipe.span, vec![name])),
        }
    }
    let problems = unknown.into_iter().map(|(span, names)| {
        let message = format!("cairn.lock does not have {}", names.join(", "));
        let help = "run `cairn lock`, and keep the file with the fleet";
        Diagnostic::error("lock::missing", span, message).with_help(help)
    });
    problems.collect()
}

/// What a host's packages are made of, where its mirrors have it.
pub(super) fn wanted<'w>(job: Job<'w>, draft: &Draft) -> Vec<Wanted> {
    let mirrors = mirrors(job).unwrap_or_default();
    let wanted = draft.recipes.values().filter_map(|recipe| {
        Some(Wanted { url: mirrors.place(&recipe.url), sha256: recipe.sha256.clone()? })
    });
    wanted.collect()
}
