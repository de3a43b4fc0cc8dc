//! Templates among the outputs of an input: folders to start a fleet from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cairn_fetch::input::Inputs;
use cairn_lang::{
    Arena, Attr, Diagnostic, Evaluator, Features, FileKind, MemoryFs, Mode, Result, Root, Span,
    Value, World,
};

use super::FleetFiles;
use super::inputs::InputValues;
use crate::report::Report;

/// A folder to start a fleet from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What it is for.
    pub description: Option<String>,
    /// The folder, on the disk.
    pub folder: PathBuf,
}

/// The templates that the input `name` has, by their names.
///
/// # Errors
/// When its outputs cannot be evaluated, or a template is none.
pub fn templates(
    inputs: Inputs,
    name: &str,
    features: Features,
) -> std::result::Result<BTreeMap<String, Template>, Report> {
    let files = FleetFiles::from(MemoryFs::default()).with_inputs(inputs).map_err(|error| {
        let message = format!("the input `{name}` cannot be read: {error}");
        let error = Diagnostic::error("file::unreadable", Span::NONE, message);
        Report::new(vec![error.with_help("check its permissions")], Default::default())
    })?;
    let FleetFiles { roots, inputs, .. } = files;
    let mut world = World::new(roots, Mode::Build);
    world.features = features;
    let heap = Arena::new();
    let eval = Evaluator::new(&heap, &world);
    cairn_lang::modules::install(&eval);
    let value = InputValues::new(&eval, &inputs).of(name);
    read(&eval, value).map_err(|error| Report::new(vec![*error], world.sources.clone()))
}

fn read<'a>(eval: &Evaluator<'a>, input: Value<'a>) -> Result<BTreeMap<String, Template>> {
    let input = eval.force(input)?;
    let Some(all) = eval.expect_attrs(input, Span::NONE)?.get_str("templates") else {
        return Ok(BTreeMap::new());
    };
    let value = eval.force_attr(all)?;
    let all = eval.expect_attrs(value, eval.value_span(all.span))?.sorted();
    all.into_iter().map(|attr| Ok((attr.name.to_string(), template(eval, attr)?))).collect()
}

fn template<'a>(eval: &Evaluator<'a>, attr: &'a Attr<'a>) -> Result<Template> {
    let at = eval.value_span(attr.span);
    let value = eval.force_attr(attr)?;
    let set = eval.expect_attrs(value, at)?;
    let description = match set.get_str("description") {
        Some(attr) => {
            let text = eval.force_attr(attr)?;
            Some(eval.expect_str(text, eval.value_span(attr.span))?.to_owned())
        }
        None => None,
    };
    let bad = |at: Span, why: &str| {
        let message = format!("the template `{}` {why}", attr.name);
        let help = "write `templates.<name> = { path = ./folder; description = \"…\"; };`";
        Diagnostic::error("input::bad-template", at, message).with_help(help)
    };
    let Some(path) = set.get_str("path") else {
        return Err(bad(attr.span, "has no `path`").into());
    };
    let at = eval.value_span(path.span);
    let value = eval.force_attr(path)?;
    let path = eval.expect_path(value, at)?;
    // A folder of the input, and nothing else of this machine.
    let folder = match (path.root, eval.world.roots.kind(&path)) {
        (Root::Input(_), Ok(Some(FileKind::Directory))) => eval.world.roots.real_path(&path),
        _ => None,
    };
    let folder = folder.ok_or_else(|| bad(at, "names no folder of its input"))?;
    Ok(Template { description, folder })
}
