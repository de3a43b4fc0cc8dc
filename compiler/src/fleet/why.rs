//! Why a host has a package: who asked for it, and what needs it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cairn_fetch::lock::{FLEET, Locked, name_of};
use cairn_lang::modules::Explained;
use cairn_lang::{Diagnostic, Result, Span, Value, did_you_mean};

use super::Fleet;
use super::job::Job;
use crate::manifest::Recipe;
use crate::report::Report;

/// The options that packages are asked for in.
const OPTIONS: [&[&str]; 2] = [&["environment", "systemPackages"], &["environment", "packages"]];

/// The module that makes the second of the first.
const HANDED: &str = "<cairn>/environment.nix";

/// Why a host has a package.
#[derive(Clone, Debug)]
pub struct Why {
    /// Its name.
    pub name: String,
    /// The version that the host gets, where it is known before.
    pub version: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// What leads to it: each package that is asked for, and those between.
    pub chains: Vec<Chain>,
}

/// Where a package comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Its publisher: the URL, and how its hash was checked when it was locked.
    Fetched {
        /// The download.
        url: String,
        /// The publisher's list, or `first use`; none where the fleet has the hash, or nobody.
        checked: Option<String>,
    },
    /// Debian's archive: the lock's part and the file; none where the host's own apt decides.
    Debian(Option<(String, String)>),
}

/// From a definition to the package.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The package that is asked for first, the package itself last.
    pub packages: Vec<String>,
    /// The definitions that ask for it, each with its option.
    pub asked: Vec<(String, Explained)>,
}

impl Fleet {
    /// Why a host has a package, by the package's name or that of one of its programs.
    ///
    /// # Errors
    /// When it has none of that name, or is wrong itself.
    pub fn why(&self, host: &str, package: &str) -> std::result::Result<Why, Report> {
        let hosts = [host.to_owned()];
        let found = self.each(&hosts, std::result::Result::is_err, |job| why(job, package));
        match found.into_iter().next() {
            Some(Ok(why)) => Ok(why),
            Some(Err(problems)) => Err(self.report(problems)),
            None => Err(self.report(Vec::new())),
        }
    }
}

fn why<'w>(job: Job<'w>, wanted: &str) -> std::result::Result<Why, Vec<Diagnostic>> {
    let (draft, problems) = super::check::unlocked_draft(job);
    let Some(draft) = draft else { return Err(problems) };
    let one = |error: Box<Diagnostic>| vec![*error];
    let has = |(name, recipe): &(&String, &Recipe)| {
        name.as_str() == wanted || recipe.bin.contains_key(wanted) || is_called(job, wanted, name)
    };
    if let Some((name, recipe)) = draft.recipes.iter().find(has) {
        let known = job.fleet().lock().fetched.get(&recipe.url);
        return Ok(Why {
            name: name.clone(),
            version: recipe.version.clone(),
            source: Source::Fetched {
                url: recipe.url.clone(),
                checked: known.filter(|_| recipe.locked).map(|known| known.checked.clone()),
            },
            chains: vec![chain(job, vec![name.clone()]).map_err(one)?],
        });
    }
    let asked: BTreeSet<String> = draft.manifest.packages.debian.keys().cloned().collect();
    let locked = super::locked::of(job, &draft.manifest).map_err(one)?;
    let Some((part, locked)) = locked else {
        if let Some(package) = draft.manifest.packages.debian.get(wanted) {
            return Ok(Why {
                name: wanted.to_owned(),
                version: package.version.clone(),
                source: Source::Debian(None),
                chains: vec![chain(job, vec![wanted.to_owned()]).map_err(one)?],
            });
        }
        return Err(vec![unknown(job, wanted, draft.recipes.keys().chain(&asked))]);
    };
    let Some(found) = locked.get(wanted) else {
        let names: Vec<String> = locked.keys().map(|name| (*name).to_owned()).collect();
        return Err(vec![unknown(job, wanted, draft.recipes.keys().chain(&names))]);
    };
    let chains = chains(&locked, wanted).into_iter().map(|packages| chain(job, packages));
    Ok(Why {
        name: wanted.to_owned(),
        version: Some(found.version.clone()),
        source: Source::Debian(Some((part, found.file.clone()))),
        chains: chains.collect::<Result<_>>().map_err(one)?,
    })
}

/// Whether `pkgs` has the package under this name.
fn is_called<'w>(job: Job<'w>, attribute: &str, name: &str) -> bool {
    let eval = job.eval();
    let found = job.pkgs().and_then(|pkgs| eval.expect_attrs(pkgs, Span::NONE)).ok();
    let Some(attr) = found.and_then(|pkgs| pkgs.get_str(attribute)) else { return false };
    matches!(eval.force_attr(attr), Ok(package) if is_named(job, package, name))
}

fn is_named<'w>(job: Job<'w>, package: Value<'w>, name: &str) -> bool {
    let eval = job.eval();
    let Ok(Value::Attrs(set)) = eval.force(package) else { return false };
    let known = set.get_str("name").and_then(|attr| eval.force_attr(attr).ok());
    known.is_some_and(|known| eval.expect_str(known, Span::NONE).is_ok_and(|known| known == name))
}

/// The definitions that ask for the first of these.
fn chain<'w>(job: Job<'w>, packages: Vec<String>) -> Result<Chain> {
    let mut asked = Vec::new();
    let first = packages.first().map_or("", String::as_str);
    for option in OPTIONS {
        let found = job.config()?.explain_elements(option, &|value| is_named(job, value, first))?;
        // One option hands all that it has to the other.
        let handed = |one: &Explained| one.file == HANDED;
        asked.extend(
            found.into_iter().filter(|one| !handed(one)).map(|one| (option.join("."), one)),
        );
    }
    Ok(Chain { packages, asked })
}

/// For each package that is asked for and leads here, the shortest way.
fn chains(locked: &BTreeMap<&str, &Locked>, wanted: &str) -> Vec<Vec<String>> {
    let mut ways = BTreeMap::from([(wanted.to_owned(), vec![wanted.to_owned()])]);
    let mut open = VecDeque::from([wanted.to_owned()]);
    let mut chains = Vec::new();
    while let Some(name) = open.pop_front() {
        let Some(package) = locked.get(name.as_str()) else { continue };
        let way = ways.get(&name).cloned().unwrap_or_default();
        for why in &package.why {
            let above = name_of(why);
            if above == FLEET {
                chains.push(way.clone());
            } else if locked.contains_key(above) && !ways.contains_key(above) {
                let longer = [vec![above.to_owned()], way.clone()].concat();
                ways.insert(above.to_owned(), longer);
                open.push_back(above.to_owned());
            }
        }
    }
    chains
}

fn unknown<'n, 'w>(
    job: Job<'w>,
    wanted: &str,
    names: impl Iterator<Item = &'n String>,
) -> Diagnostic {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let message = format!("`{}` has no package `{wanted}`", job.name());
    let help =
        did_you_mean(wanted, names.iter().copied()).unwrap_or_else(|| match names.as_slice() {
            [] => "it asks for none".to_owned(),
            names => format!("it has {}", names.join(", ")),
        });
    Diagnostic::error("package::unknown", job.span(), message).with_help(help)
}
