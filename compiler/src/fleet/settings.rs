//! `--set path=expression`: a definition that is stronger than any in the fleet.

use std::sync::Arc;

use cairn_lang::modules::priority;
use cairn_lang::{
    AttrsBuilder, Diagnostic, Evaluator, Result, Root, Span, Tree, Value, VirtualPath, World,
    attribute_path,
};

/// A definition from the command line.
pub(super) struct Setting {
    /// What it is called in messages.
    pub(super) name: String,
    path: Vec<String>,
    /// `lib: { path = expression; }`
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
        let Some((path, key, value)) = definition(setting) else {
            let message = format!("`--set {setting}` is no definition");
            let help = "write `--set option.path=expression`; a string needs its quotes: \
                        `--set 'networking.hostName=\"demo\"'`";
            let error = Diagnostic::error("set::no-definition", Span::NONE, message);
            problems.push(error.with_help(help));
            continue;
        };
        match world.tree_of_text(&name, &format!("lib: {{ {key} = {value}; }}"), Some(&base)) {
            Ok(tree) => parsed.push(Setting { name, path, tree }),
            Err(errors) => problems.extend(errors),
        }
    }
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

/// The names of the path, its text, and the expression. Names in quotes may hold a `=`.
fn definition(setting: &str) -> Option<(Vec<String>, &str, &str)> {
    setting.match_indices('=').find_map(|(at, _)| {
        let (key, value) = (setting.get(..at)?, setting.get(at + 1..)?);
        Some((attribute_path(key).ok()?, key, value))
    })
}

impl Setting {
    /// The module that this is. Only the value at the end of the path is strong: what else its
    /// parents hold stays.
    pub(super) fn module<'a>(&self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
        let lib = eval.import(&lib, Span::NONE)?;
        let names = eval.expect_attrs(lib, Span::NONE)?;
        let stronger = names.get_str("mkOverride").map_or(Value::Null, |attr| attr.value.get());
        let definition = eval.call(eval.eval_tree(&self.tree)?, &[lib], Span::NONE)?;
        strengthen(eval, definition, &self.path, stronger)
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
