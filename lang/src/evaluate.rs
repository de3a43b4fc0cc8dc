//! Evaluating a file or an expression to text: what `cairn eval` does.

use std::sync::Arc;

use crate::arena::Arena;
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::tree::Tree;
use crate::value::Value;
use crate::world::World;

/// How a value is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// In the language's own syntax.
    #[default]
    Nix,
    /// As JSON.
    Json,
    /// A string without quotes.
    Raw,
}

/// What to print of an evaluation.
#[derive(Clone, Debug, Default)]
pub struct EvalOptions {
    /// How to print it.
    pub format: Format,
    /// Print what is not evaluated yet as `<CODE>` instead of evaluating it.
    pub lazy: bool,
}

/// Evaluates a file and prints its value.
///
/// # Errors
/// Every syntax error and unbound name of the file, or the one error that evaluating it meets.
pub fn eval_file(
    world: &World,
    path: &VirtualPath,
    options: &EvalOptions,
) -> Result<String, Vec<Diagnostic>> {
    let tree = world.tree(path, Span::NONE)?;
    eval_tree(world, &tree, options)
}

/// Evaluates a text; relative paths in it start at `base`.
///
/// # Errors
/// As [`eval_file`].
pub fn eval_expr(
    world: &World,
    text: &str,
    base: Option<&VirtualPath>,
    options: &EvalOptions,
) -> Result<String, Vec<Diagnostic>> {
    let tree = world.tree_of_text("<expression>", text, base)?;
    eval_tree(world, &tree, options)
}

fn eval_tree(
    world: &World,
    tree: &Arc<Tree>,
    options: &EvalOptions,
) -> Result<String, Vec<Diagnostic>> {
    let arena = Arena::new();
    let evaluator = Evaluator::new(&arena, world);
    let printed = evaluator.eval_tree(tree).and_then(|value| evaluator.show(value, options));
    printed.map_err(|mut error| {
        error.settle(&world.sources);
        // A file that cannot be used: all that is wrong with such files is worth showing.
        let files = world.file_diagnostics();
        let known = |file: &Diagnostic| file.span == error.span && file.code == error.code;
        if files.iter().any(known) { files } else { vec![*error] }
    })
}

impl<'a> Evaluator<'a> {
    /// A value as text.
    ///
    /// # Errors
    /// What has no JSON or is no string, or whatever evaluating meets.
    pub fn show(&self, value: Value<'a>, options: &EvalOptions) -> Result<String> {
        self.roomy(|| self.shown(value, options))
    }

    fn shown(&self, value: Value<'a>, options: &EvalOptions) -> Result<String> {
        let at = Span::NONE;
        match options.format {
            Format::Json => self.json(value, at),
            Format::Raw => self.coerce_to_str(value, at).map(str::to_owned),
            Format::Nix if options.lazy => self.print(value),
            Format::Nix => self.print(self.force_deep(value, at)?),
        }
    }
}
