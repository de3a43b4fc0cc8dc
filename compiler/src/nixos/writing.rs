//! A fleet's texts, out of what was read; what does not hold is taken out again.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::{Diagnostic, Features, MemoryFs, Root, Severity, Span, VirtualPath, World};

use super::reading::{Definition, Host, Left, dotted};
use super::words::quoted;
use super::{LeftOut, Takeover};
use crate::fleet::Fleet;
use crate::report::Report;

/// How often what is wrong with the fleet is taken out of it, at most.
const ROUNDS: usize = 12;

pub(super) fn write(
    world: &World,
    mut hosts: Vec<Host<'_>>,
    features: Features,
) -> Result<Takeover, Report> {
    for _ in 0..ROUNDS {
        let written = Texts::of(world, &hosts);
        let problems = written.problems(world, features);
        if !remove(&mut hosts, &written, &problems) {
            break;
        }
    }
    let Texts { files, copies, .. } = Texts::of(world, &hosts);
    let taken = hosts.iter().map(|host| (host.name.clone(), host.taken.len())).collect();
    Ok(Takeover { files, copies, taken, left_out: left_out(world, &hosts) })
}

/// The texts of a fleet.
struct Texts {
    files: BTreeMap<String, String>,
    copies: BTreeSet<String>,
    /// Which definition of a host each line of its file is of.
    lines: BTreeMap<String, Vec<Option<usize>>>,
}

impl Texts {
    fn of(world: &World, hosts: &[Host<'_>]) -> Texts {
        let mut texts =
            Texts { files: BTreeMap::new(), copies: BTreeSet::new(), lines: BTreeMap::new() };
        let mut names = String::new();
        for host in hosts {
            let file = format!("hosts/{}.nix", host.name);
            names += &format!("hosts.{} = ./{file};\n", quoted(&host.name));
            let (text, lines) = module(world, host);
            texts.files.insert(file.clone(), text);
            texts.lines.insert(file, lines);
            let named = host.taken.iter().flat_map(|one| one.files.iter().cloned());
            texts.copies.extend(named);
        }
        let fleet = format!(
            "# What Cairn knows of the hosts of a flake.\n{{\noutputs = {{ self, ... }}: {{\n{names}}};\n}}\n"
        );
        texts.files.insert("cairn.nix".to_owned(), fleet);
        texts
    }

    /// What is wrong with them.
    fn problems(&self, world: &World, features: Features) -> Report {
        let texts = self.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes()));
        let copies = self.copies.iter().filter_map(|path| {
            let bytes = world.roots.read(&VirtualPath::new(Root::Fleet, path)?).ok()?;
            Some((format!("files/{path}"), bytes))
        });
        match Fleet::load_to_check(MemoryFs::new(texts.chain(copies)), &[], features) {
            Ok(fleet) => fleet.check(&fleet.hosts()),
            Err(report) => report,
        }
    }
}

/// A host's module, and which definition each of its lines is of.
fn module(world: &World, host: &Host<'_>) -> (String, Vec<Option<usize>>) {
    let mut text = Lines::default();
    text.add(None, "# Taken from a NixOS configuration; what Cairn does not have is not here.");
    text.add(None, "{ lib, pkgs, ... }:");
    text.add(None, "{");
    text.add(None, "# Where `cairn switch` finds the host.");
    text.add(None, &format!("# deployment.targetHost = \"{}\";", host.name));
    text.add(None, "imports = [");
    for (file, definitions) in blocks(world, host) {
        text.add(None, &format!("# {file}"));
        text.add(None, "{");
        for (number, one) in definitions {
            let wrapped = one.wraps.iter().rev().fold(one.text.clone(), |text, wrap| {
                match text.starts_with("lib.") || text.starts_with('-') {
                    true => format!("{wrap} ({text})"),
                    false => format!("{wrap} {text}"),
                }
            });
            let line = format!("{} = {wrapped};", dotted(&one.path));
            text.add(Some(number), &line);
        }
        text.add(None, "}");
    }
    text.add(None, "];");
    let has = |path: &str| host.taken.iter().any(|one| dotted(&one.path) == path);
    if has("services.k3s.enable") && !has("services.k3s.package") {
        text.add(
            None,
            "# The /usr/local/bin/k3s that is on the host; docs/k3s.md says how to bring another.",
        );
        text.add(None, "services.k3s.package = lib.mkDefault null;");
    }
    let lacks_token = host.left_out.iter().any(|left| left.what == "services.k3s.token");
    if has("services.k3s.enable") && lacks_token && !has("services.k3s.tokenFile") {
        text.add(
            None,
            "# The token, which has to be there; docs/k3s.md says how to keep it as a secret.",
        );
        text.add(None, "services.k3s.tokenFile = lib.mkDefault \"/etc/rancher/k3s/token\";");
    }
    text.add(None, "}");
    (text.text, text.owners)
}

/// Lines of a text, each with whose it is.
#[derive(Default)]
struct Lines {
    text: String,
    owners: Vec<Option<usize>>,
}

impl Lines {
    fn add(&mut self, owner: Option<usize>, text: &str) {
        for line in text.split('\n') {
            self.text += line;
            self.text.push('\n');
            self.owners.push(owner);
        }
    }
}

/// Definitions with their numbers, by the file that they come from. What one file says twice of an option
/// is in two blocks.
fn blocks<'h, 'a>(
    world: &World,
    host: &'h Host<'a>,
) -> Vec<(String, Vec<(usize, &'h Definition<'a>)>)> {
    let mut blocks: Vec<(String, Vec<(usize, &Definition<'_>)>)> = Vec::new();
    for (number, one) in host.taken.iter().enumerate() {
        let file = place(world, one.at).0;
        let clashes = |(_, other): &(usize, &Definition<'_>)| {
            one.path.starts_with(&other.path) || other.path.starts_with(&one.path)
        };
        let block = blocks.iter_mut().find(|(name, all)| *name == file && !all.iter().any(clashes));
        match block {
            Some((_, all)) => all.push((number, one)),
            None => blocks.push((file, vec![(number, one)])),
        }
    }
    blocks
}

/// The file and line of a place in the flake.
fn place(world: &World, at: Span) -> (String, u32) {
    let place = world.sources.place(at).filter(|_| world.sources.is_own(at));
    place.map(|place| (place.file, place.start.line)).unwrap_or_default()
}

/// Takes out what is wrong; whether that was anything.
fn remove(hosts: &mut [Host<'_>], written: &Texts, found: &Report) -> bool {
    let mut wrong: BTreeMap<(String, usize), &Diagnostic> = BTreeMap::new();
    for problem in found.diagnostics.iter().filter(|it| it.severity == Severity::Error) {
        let Some(place) = found.sources.place(problem.span) else { continue };
        let line = usize::try_from(place.start.line).unwrap_or_default().saturating_sub(1);
        let owner = written.lines.get(&place.file).and_then(|lines| *lines.get(line)?);
        if let Some(owner) = owner {
            wrong.entry((place.file, owner)).or_insert(problem);
        }
    }
    for host in hosts.iter_mut() {
        let file = format!("hosts/{}.nix", host.name);
        let mut number = 0;
        let left_out = &mut host.left_out;
        host.taken.retain(|one| {
            let problem = wrong.get(&(file.clone(), number));
            number += 1;
            left_out.extend(problem.map(|problem| Left {
                at: one.at,
                what: dotted(&one.path),
                why: problem.message.clone(),
            }));
            problem.is_none()
        });
    }
    !wrong.is_empty()
}

/// Everything that was left out, each thing once for all hosts that share it.
fn left_out(world: &World, hosts: &[Host<'_>]) -> Vec<LeftOut> {
    let mut all: BTreeMap<(String, u32, String, String), Vec<String>> = BTreeMap::new();
    for host in hosts {
        for left in &host.left_out {
            let (file, line) = place(world, left.at);
            let key = (file, line, left.what.clone(), left.why.clone());
            let having = all.entry(key).or_default();
            if !having.contains(&host.name) {
                having.push(host.name.clone());
            }
        }
    }
    let each = all.into_iter();
    each.map(|((file, line, what, why), hosts)| LeftOut { file, line, what, why, hosts }).collect()
}
