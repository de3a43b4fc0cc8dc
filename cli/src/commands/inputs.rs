//! `cairn inputs`

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cairn_fetch::input::{Inputs, Policy, Reference, Source};
use clap::Args;
use indicatif::HumanBytes;
use serde_json::json;

use crate::args::Global;
use crate::commands::lock::locked;
use crate::error::CommandError;
use crate::style::{CHANGED, DIM, STRONG, paint};
use crate::ui::Ui;
use crate::{fleets, inputs};

/// Show the fleet's inputs as a tree, with what each is pinned to, and its size
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn inputs
  cairn inputs --format json")]
pub(crate) struct InputsArgs {}

pub(crate) fn run(ui: &Ui, global: &Global, _: &InputsArgs) -> Result<(), CommandError> {
    let folder = fleets::folder(global)?;
    let policy = Policy { overrides: global.overrides(), ..Policy::default() };
    let lock = fleets::lock(&folder)?.inputs;
    let inputs = inputs::resolve(ui, global, &folder, &lock, &policy)?.inputs;
    if inputs.all.is_empty() {
        ui.line("the fleet has no inputs");
        return Ok(());
    }
    let sizes = inputs.all.iter().map(|(name, input)| (name.as_str(), size(&input.tree)));
    let shown = Shown { ui, inputs: &inputs, sizes: sizes.collect() };
    for input in inputs.all.values() {
        ui.object(&json!({
            "type": "input", "name": input.name, "locked": input.locked, "tree": input.tree,
            "size": shown.size(&input.name), "inputs": input.inputs,
        }));
    }
    shown.branch(&inputs.root, "", "");
    for (all, what) in twice(&inputs) {
        ui.object(&json!({ "type": "duplicate", "inputs": all }));
        let (mark, names) = (paint(CHANGED, "!"), all.join(", "));
        ui.line(format_args!("{mark} {what} is there more than once: {names}; {}", follow(&all)));
    }
    Ok(())
}

/// A tree of inputs on its way to the terminal.
struct Shown<'s> {
    ui: &'s Ui,
    inputs: &'s Inputs,
    /// The bytes of each, by its place in the tree.
    sizes: BTreeMap<&'s str, u64>,
}

impl Shown<'_> {
    fn size(&self, name: &str) -> u64 {
        self.sizes.get(name).copied().unwrap_or(0)
    }

    /// The inputs of one tree, each with its own below it.
    fn branch(&self, names: &BTreeMap<String, String>, place: &str, indent: &str) {
        for (number, (name, target)) in names.iter().enumerate() {
            let is_last = number + 1 == names.len();
            let (fork, below) =
                if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let own = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            let name = paint(STRONG, name);
            match self.inputs.all.get(target) {
                Some(input) if own == *target => {
                    let (locked, size) = (locked(&input.locked), HumanBytes(self.size(target)));
                    self.ui.line(format_args!("{indent}{fork}{name}  {locked}  {size}"));
                    self.branch(&input.inputs, target, &format!("{indent}{below}"));
                }
                _ => {
                    let follows = paint(DIM, format_args!("follows {target}"));
                    self.ui.line(format_args!("{indent}{fork}{name}  {follows}"));
                }
            }
        }
    }
}

/// Inputs of one name or of one source that are trees of their own, and what they have in common.
fn twice(inputs: &Inputs) -> BTreeMap<Vec<&str>, String> {
    let mut alike: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for input in inputs.all.values() {
        let last = input.name.rsplit('/').next().unwrap_or(&input.name);
        let source = match Reference::parse(&input.locked.url).map(|reference| reference.source) {
            Ok(Source::Git(url) | Source::Tarball(url)) => url,
            _ => input.tree.display().to_string(),
        };
        for key in [(false, source), (true, last.to_owned())] {
            alike.entry(key).or_default().push(&input.name);
        }
    }
    // What is alike in both is told by its name.
    alike.into_iter().filter(|(_, all)| all.len() > 1).map(|((_, what), all)| (all, what)).collect()
}

/// The line that has one input follow another of the fleet's own.
fn follow(all: &[&str]) -> String {
    let own = all.iter().find(|name| !name.contains('/'));
    match (own, all.iter().find(|name| name.contains('/'))) {
        (Some(own), Some(other)) => {
            let way = other.split('/').map(|name| format!("inputs.{name}")).collect::<Vec<_>>();
            format!("`{}.follows = \"{own}\";` has them be one", way.join("."))
        }
        _ => "one may follow another".to_owned(),
    }
}

/// The bytes of all files below a folder; what cannot be read counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
