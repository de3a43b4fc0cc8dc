//! `--set path=expression`: a definition that is stronger than any in the fleet.

use std::sync::Arc;

use cairn_lang::modules::priority;
use cairn_lang::{
    AttrsBuilder, Diagnostic, Evaluator, Result, Root, Span, Tree, Value, VirtualPath, World,
};

use super::places::option_path;

/// A definition from the command line.
pub(super) struct Setting {
    /// What it is called in messages.
    pub(super) name: String,
    path: Vec<String>,
    /// `{ path = expression; }`
    tree: Arc<Tree>,
}

/// Reads what was given to `--set`.
pub(super) fn parse(
    world: &World,
    settings: &[String],
) -> std::result::Result<Vec<Setting>, Vec<Diagnostic>> {
    let mut parsed = Vec::new();
    let mut problems = Vec::new();
    let base = VirtualPath { root: Root::Fleet, path: String::new() };
    for setting in settings {
        let name = format!("--set {setting}");
        let split = setting.split_once('=');
        let Some((path, value)) = split.and_then(|(path, value)| Some((option_path(path)?, value)))
        else {
            let message = format!("`--set {setting}` is no definition");
            let help = "write `--set option.path=expression`; a string needs its quotes: \
                        `--set 'networking.hostName=\"demo\"'`";
            let error = Diagnostic::error("set::no-definition", Span::NONE, message);
            problems.push(error.with_help(help));
            continue;
        };
        let key = setting.split_once('=').map_or("", |(key, _)| key);
        match world.tree_of_text(&name, &format!("{{ {key} = {value}; }}"), Some(&base)) {
            Ok(tree) => parsed.push(Setting { name, path, tree }),
            Err(errors) => problems.extend(errors),
        }
    }
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

impl Setting {
    /// The module that this is. Only the value at the end of the path is strong: what else its
    /// parents hold stays.
    pub(super) fn module<'a>(&self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
        let lib = eval.expect_attrs(eval.import(&lib, Span::NONE)?, Span::NONE)?;
        let stronger = lib.get_str("mkOverride").map_or(Value::Null, |attr| attr.value.get());
        strengthen(eval, eval.eval_tree(&self.tree)?, &self.path, stronger)
    }
}

fn strengthen<'a>(
    eval: &Evaluator<'a>,
    value: Value<'a>,
    path: &[String],
    stronger: Value<'a>,
) -> Result<Value<'a>> {
    let Some((name, below)) = path.split_first() else {
        return eval.call(stronger, &[Value::Int(priority::SET), value], Span::NONE);
    };
    let set = eval.expect_attrs(eval.force(value)?, Span::NONE)?;
    let mut out = AttrsBuilder::new();
    if let Some(attr) = set.get_str(name) {
        let value = strengthen(eval, attr.value.get(), below, stronger)?;
        out.insert(attr.name, value, attr.span);
    }
    Ok(out.finish(eval))
}
