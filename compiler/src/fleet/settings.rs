//! `--set path=expression`: a definition that is stronger than any in the fleet.

use std::sync::Arc;

use cairn_lang::{Diagnostic, Root, Span, Tree, VirtualPath, World};

/// Each setting as a module: its name for people, and its tree.
pub(super) fn parse(
    world: &World,
    settings: &[String],
) -> Result<Vec<(String, Arc<Tree>)>, Vec<Diagnostic>> {
    let mut trees = Vec::new();
    let mut problems = Vec::new();
    let base = VirtualPath { root: Root::Fleet, path: String::new() };
    for setting in settings {
        let name = format!("--set {setting}");
        let Some((path, value)) = setting.split_once('=') else {
            let message = format!("`--set {setting}` has no value");
            let help = "write `--set option.path=expression`; a string needs its quotes: \
                        `--set 'networking.hostName=\"demo\"'`";
            let error = Diagnostic::error("set::no-value", Span::NONE, message);
            problems.push(error.with_help(help));
            continue;
        };
        match world.tree_of_text(&name, &format!("{{ {path} = {value}; }}"), Some(&base)) {
            Ok(tree) => trees.push((name, tree)),
            Err(errors) => problems.extend(errors),
        }
    }
    if problems.is_empty() { Ok(trees) } else { Err(problems) }
}
