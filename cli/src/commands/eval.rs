//! `cairn eval`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cairn_compiler::{Report, standard_modules};
use cairn_lang::modules::install;
use cairn_lang::{
    Arena, Diagnostic, DiskFs, EvalOptions, Evaluator, Format, Mode, Root, Roots, Span, World,
};
use clap::{Args, ValueHint};
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::ui::Ui;

/// Evaluate a file or an expression, and print its value
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn eval --expr '1 + 1'
  cairn eval data.nix -A servers.0.name --raw
  cairn eval --json --expr 'builtins.map (n: n * n) [ 1 2 3 ]'")]
pub(crate) struct EvalArgs {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "expr")]
    file: Option<PathBuf>,

    /// Evaluate this expression instead of a file
    #[arg(long, short = 'E', value_name = "EXPR", conflicts_with = "file")]
    expr: Option<String>,

    /// Print this part of the value
    #[arg(long, short = 'A', value_name = "PATH", default_value = "", hide_default_value = true)]
    attr: String,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print a string without quotes
    #[arg(long, conflicts_with = "json")]
    raw: bool,

    /// Only parse, and say what is wrong
    #[arg(long)]
    parse: bool,

    /// What may be read [default: the fleet's folder, or the file's]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    root: Option<PathBuf>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &EvalArgs) -> Result<(), CommandError> {
    let file = args.file.as_deref().map(absolute).transpose()?;
    let here = std::env::current_dir()?;
    let near = file.as_deref().and_then(Path::parent).unwrap_or(&here);
    let root = root(global, args, near);
    let world = world(&root)?;
    let tree = match (&file, &args.expr) {
        (Some(file), _) => world.tree(&world.roots.locate(&file.to_string_lossy()), Span::NONE),
        (None, expr) => {
            let base = world.roots.locate(&here.to_string_lossy());
            let text = expr.as_deref().unwrap_or_default();
            world.tree_of_text("<expression>", text, Some(&base))
        }
    };
    let failed = |problems: Vec<Diagnostic>| {
        let problems = Report::new(problems, world.sources.clone());
        fleets::failed(ui, &problems)
    };
    let tree = tree.map_err(failed)?;
    if args.parse {
        return Ok(());
    }
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, &world);
    install(&eval);
    let options = EvalOptions { attr: args.attr.clone(), format: args.format(ui), lazy: false };
    let printed = eval.eval_tree(&tree).and_then(|value| eval.show(value, &options));
    let printed = printed.map_err(|error| match error.code.starts_with("syntax::") {
        // All that is wrong with an imported file, not only the first of it.
        true => failed(world.file_diagnostics()),
        false => failed(vec![*error]),
    })?;
    if ui.is_json() {
        ui.object(&json!({ "type": "value", "value": parsed(&printed) }));
    } else if args.raw {
        ui.raw(printed);
    } else {
        ui.line(printed);
    }
    Ok(())
}

impl EvalArgs {
    fn format(&self, ui: &Ui) -> Format {
        match (self.raw, self.json || ui.is_json()) {
            (true, _) => Format::Raw,
            (false, true) => Format::Json,
            (false, false) => Format::Nix,
        }
    }
}

fn parsed(printed: &str) -> Json {
    // A raw string is no JSON, and stands for itself.
    serde_json::from_str(printed).unwrap_or_else(|_| Json::from(printed))
}

/// The place of a file with its folder's links resolved; its own, if it is one, is the evaluator's
/// to follow or refuse.
fn absolute(file: &Path) -> Result<PathBuf, CommandError> {
    let unreadable = |error: std::io::Error| {
        CommandError::user(format!("{} cannot be read: {error}", file.display()))
    };
    let name = file
        .file_name()
        .ok_or_else(|| CommandError::user(format!("{} names no file", file.display())))?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(folder.canonicalize().map_err(unreadable)?.join(name))
}

/// What may be read: what the arguments say, the fleet around, or the folder itself.
fn root(global: &Global, args: &EvalArgs, near: &Path) -> PathBuf {
    let said = args.root.as_ref().or(global.fleet.as_ref());
    let fleet = || near.ancestors().find(|folder| folder.join("cairn.nix").is_file());
    said.cloned().unwrap_or_else(|| fleet().unwrap_or(near).to_owned())
}

fn world(root: &Path) -> Result<World, CommandError> {
    let files = DiskFs::new(root).map_err(|error| {
        CommandError::user(format!("the folder {} cannot be read: {error}", root.display()))
    })?;
    let roots = Roots::new().with(Root::Fleet, files).with(Root::Cairn, standard_modules());
    let mut world = World::new(roots, Mode::Eval);
    world.trace = Some(Box::new(|message| {
        // Where standard error is gone, there is nowhere left to say so.
        let _ = writeln!(anstream::stderr().lock(), "{message}");
    }));
    Ok(world)
}
