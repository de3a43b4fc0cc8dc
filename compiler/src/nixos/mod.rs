//! A fleet out of the NixOS configurations of a flake: what Cairn knows of them, and a list of what it
//! does not.
//!
//! nixpkgs is not there, and is not needed: definitions are read from the flake's own modules
//! (`reading`), with a stand-in for what they ask of nixpkgs. What is written is checked, and what does
//! not hold here is taken out again (`writing`).

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cairn_lang::{
    Arena, Attrs, AttrsBuilder, Diagnostic, DiskFs, Evaluator, Fallback, Features, Formals, Mode,
    Result, Root, Roots, Span, Value, VirtualPath, World,
};

mod known;
mod reading;
mod words;
mod writing;

use crate::fleet::{Fleet, packages};
use crate::report::Report;
use crate::standard::standard_modules;
use known::Known;
use reading::Host;

/// The outputs of a flake, with stand-ins for the inputs that are not there.
const STANDIN: &str = include_str!("standin.nix");

/// A fleet that was taken from a flake.
pub struct Takeover {
    /// Its texts, by their path; not formatted yet.
    pub files: BTreeMap<String, String>,
    /// Files of the flake that definitions name: copies of them belong below `files/`.
    pub copies: BTreeSet<String>,
    /// How many definitions were taken, by host.
    pub taken: BTreeMap<String, usize>,
    /// What was not taken, by its place in the flake.
    pub left_out: Vec<LeftOut>,
}

/// Something of the flake that Cairn does not have, or that cannot be told without nixpkgs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The file of the flake; empty where none says it.
    pub file: String,
    /// The line, from 1; 0 where the file is none of the flake.
    pub line: u32,
    /// The option's path, or what else it is.
    pub what: String,
    /// Why it was left out, without a full stop.
    pub why: String,
    /// The hosts that have it.
    pub hosts: Vec<String>,
}

/// Takes the NixOS hosts of the flake in a folder over.
///
/// # Errors
/// When its outputs cannot be evaluated, or have no hosts.
pub fn take_over(flake: &Path, features: Features) -> std::result::Result<Takeover, Report> {
    let files = DiskFs::new(flake).map_err(|error| {
        let message = format!("the folder {} cannot be read: {error}", flake.display());
        let error = Diagnostic::error("file::unreadable", Span::NONE, message);
        Report::new(vec![error.with_help("name the folder of a flake")], Default::default())
    })?;
    let roots = Roots::new().with(Root::Fleet, files).with(Root::Cairn, standard_modules());
    let mut world = World::new(roots, Mode::Build);
    world.features = features;
    let known = Known::of(&Fleet::standard(features)?.options().0);
    let heap = Arena::new();
    let eval = Evaluator::new(&heap, &world);
    cairn_lang::modules::install(&eval);
    let hosts = hosts(&eval, &known).map_err(|error| {
        let mut problems = vec![*error];
        problems.extend(
            world.file_diagnostics().into_iter().filter(|it| it.code.starts_with("syntax")),
        );
        Report::new(problems, world.sources.clone())
    })?;
    writing::write(&world, hosts, features)
}

/// What stands for what is not there.
struct Standins<'a> {
    nixpkgs: Value<'a>,
    lib: Value<'a>,
    pkgs: Value<'a>,
    modules_path: Value<'a>,
}

impl<'a> Standins<'a> {
    fn new(eval: &Evaluator<'a>) -> Result<Standins<'a>> {
        let pkgs = packages::with(eval, None);
        let tree = eval.world.tree_of_text("<nixpkgs>", STANDIN, None).map_err(first)?;
        let function = eval.eval_tree(&tree)?;
        let set = eval.call(function, &[eval.attrs([("pkgs", pkgs)])], Span::NONE)?;
        let set = eval.expect_attrs(set, Span::NONE)?;
        let part = |name| set.get_str(name).map_or(Value::Null, |attr| attr.value.get());
        let imported = VirtualPath { root: Root::Machine, path: "nixpkgs".to_owned() };
        eval.provide(imported, part("imported"));
        let (nixpkgs, lib, modules_path) = (part("nixpkgs"), part("lib"), part("modulesPath"));
        Ok(Standins { nixpkgs, lib, pkgs, modules_path })
    }
}

fn first(problems: Vec<Diagnostic>) -> Box<Diagnostic> {
    let none = || Diagnostic::error("nixos::no-hosts", Span::NONE, "nothing can be read");
    Box::new(problems.into_iter().next().unwrap_or_else(none))
}

/// The hosts of the flake, read.
fn hosts<'a>(eval: &Evaluator<'a>, known: &Known) -> Result<Vec<Host<'a>>> {
    let standins = Standins::new(eval)?;
    let outputs = outputs(eval, &standins)?;
    let Some(configurations) = outputs.get_str("nixosConfigurations") else {
        let help = "name the folder of a flake whose outputs have `nixosConfigurations.<host>`";
        let error =
            Diagnostic::error("nixos::no-hosts", Span::NONE, "the flake has no NixOS hosts");
        return Err(error.with_help(help).into());
    };
    let at = configurations.span;
    let configurations = eval.force_attr(configurations)?;
    let mut hosts = Vec::new();
    for attr in eval.expect_attrs(configurations, at)?.sorted() {
        let value = eval.force_attr(attr)?;
        let said = eval.expect_attrs(value, attr.span)?;
        hosts.push(reading::read(eval, known, &standins, attr.name.as_str(), said)?);
    }
    Ok(hosts)
}

/// An input that is not there, which is said where something is asked of it.
fn absent<'a>(eval: &Evaluator<'a>, name: &str) -> Value<'a> {
    let name = eval.alloc_str(name);
    let ask = eval.primop("ask", 1, move |_, _, at| {
        let message = format!("the input `{name}` is not there");
        let help = "of inputs, nixpkgs alone has something that stands for it";
        Err(Diagnostic::error("name::missing-attribute", at, message).with_help(help).into())
    });
    let mut known = AttrsBuilder::new();
    known.set("outPath", eval.str(&format!("/{name}")));
    known.finish_with(eval, Fallback, &[ask])
}

/// What the flake's `outputs` gives.
fn outputs<'a>(eval: &Evaluator<'a>, standins: &Standins<'a>) -> Result<&'a Attrs<'a>> {
    let path = VirtualPath { root: Root::Fleet, path: "flake.nix".to_owned() };
    let file = eval.import(&path, Span::NONE)?;
    let flake = eval.expect_attrs(file, Span::NONE)?;
    let Some(outputs) = flake.get_str("outputs") else {
        let help = "name the folder of a flake";
        let error = Diagnostic::error("nixos::no-hosts", Span::NONE, "flake.nix has no `outputs`");
        return Err(error.with_help(help).into());
    };
    let at = eval.value_span(outputs.span);
    let function = eval.force_attr(outputs)?;
    let mut names: BTreeSet<&str> = BTreeSet::new();
    if let Some(inputs) = flake.get_str("inputs") {
        let inputs = eval.force_attr(inputs)?;
        names.extend(eval.expect_attrs(inputs, at)?.names());
    }
    if let Some(Formals::Set { names: formals, ellipsis }) = eval.formals(function, at)? {
        let formals: BTreeSet<&str> = formals.iter().map(|formal| formal.name.as_str()).collect();
        if !ellipsis {
            names.retain(|name| formals.contains(name));
        }
        names.extend(formals);
    }
    let result: &'a OnceCell<Value<'a>> = eval.alloc(OnceCell::new());
    let this = eval.thunk(move |eval| match result.get() {
        Some(result) => eval.force(*result),
        None => Ok(Value::Null),
    });
    let input = |name: &str| match name {
        "self" => this,
        name if name.contains("nixpkgs") || name == "nixos" => standins.nixpkgs,
        name => absent(eval, name),
    };
    let arguments = names.into_iter().map(|name| (name, input(name)));
    let arguments = eval.attrs(arguments.chain([("self", this)]).collect::<BTreeMap<_, _>>());
    let call = eval.thunk(move |eval| eval.call(function, &[arguments], at));
    let _ = result.set(call);
    let value = eval.force_at(call, at)?;
    eval.expect_attrs(value, at)
}
