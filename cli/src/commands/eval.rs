//! `cairn eval`

use std::env;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use cairn_compiler::Report;
use cairn_lang::modules::install;
use cairn_lang::{
    Arena, Diagnostic, EvalOptions, Evaluator, Format, Span, Symbol, Value, VirtualPath,
};
use clap::{ArgAction, Args, ValueHint};
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::ui::Ui;
use crate::worlds;

/// Evaluate a file or an expression, and print its value
///
/// Everything in the value is computed and printed as `nix-instantiate --eval --strict` prints it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn eval --expr '1 + 1'
  cairn eval data.nix -A servers.0.name --raw
  cairn eval function.nix --arg count 3 --argstr name web
  cairn eval --json --expr 'builtins.map (n: n * n) [ 1 2 3 ]'")]
pub(crate) struct EvalArgs {
    /// The file, `default.nix` in a folder, or `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required_unless_present = "expr")]
    file: Option<PathBuf>,

    /// Evaluate this expression instead of a file
    #[arg(long, short = 'E', value_name = "EXPR", conflicts_with = "file")]
    expr: Option<String>,

    /// Print this part of the value: names and numbers of list elements, such as `a.0."b.c"`
    #[arg(long, short = 'A', value_name = "PATH", default_value = "", hide_default_value = true)]
    attr: String,

    /// Call functions with this expression as an argument of this name
    #[arg(long, num_args = 2, value_names = ["NAME", "EXPR"], action = ArgAction::Append)]
    arg: Vec<String>,

    /// Call functions with this string as an argument of this name
    #[arg(long, num_args = 2, value_names = ["NAME", "TEXT"], action = ArgAction::Append)]
    argstr: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print a string without quotes
    #[arg(long, conflicts_with = "json")]
    raw: bool,

    /// Only parse, and say what is wrong
    #[arg(long, conflicts_with_all = ["json", "raw", "attr", "arg", "argstr"])]
    parse: bool,

    /// What may be read [default: the fleet's folder, or the file's]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    root: Option<PathBuf>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &EvalArgs) -> Result<(), CommandError> {
    let here = env::current_dir()?;
    let source = source(args, &here)?;
    let root = worlds::root(args.root.as_deref(), global, source.folder());
    let world = ManuallyDrop::new(worlds::new(&root, global.features())?);
    let failed = |problems: Vec<Diagnostic>| {
        let problems = Report::new(problems, world.sources.clone());
        fleets::failed(ui, &problems)
    };
    let base = world.roots.locate(&here.to_string_lossy());
    let tree = match &source {
        Source::File(file) => world.tree(&world.roots.locate(&file.to_string_lossy()), Span::NONE),
        Source::Text { name, text, .. } => world.tree_of_text(name, text, Some(&base)),
    };
    let tree = tree.map_err(failed)?;
    if args.parse {
        return Ok(());
    }
    // The command ends with the evaluation, and the system takes all its memory back at once.
    let arena = ManuallyDrop::new(Arena::new());
    let eval = ManuallyDrop::new(Evaluator::new(&arena, &world));
    install(&eval);
    let options = EvalOptions { format: args.format(ui), lazy: false };
    let given = args.given(&eval, &base).map_err(failed)?;
    let value = eval.eval_tree(&tree).and_then(|value| eval.walk(value, &args.attr, &given));
    let printed = value.and_then(|value| eval.show(value, &options));
    let printed = printed.map_err(|mut error| {
        error.settle(&world.sources);
        match error.code.starts_with("syntax::") {
            // All that is wrong with an imported file, not only the first of it.
            true if !world.file_diagnostics().is_empty() => failed(world.file_diagnostics()),
            _ => failed(vec![*error]),
        }
    })?;
    if ui.is_json() {
        ui.object(&json!({ "type": "value", "value": args.parsed(&printed) }));
    } else if args.raw {
        ui.raw(printed);
    } else {
        ui.line(printed);
    }
    Ok(())
}

/// What is evaluated.
enum Source {
    File(PathBuf),
    Text { name: &'static str, text: String, folder: PathBuf },
}

impl Source {
    /// The folder that it is in.
    fn folder(&self) -> &Path {
        match self {
            Source::File(file) => file.parent().unwrap_or(file),
            Source::Text { folder, .. } => folder,
        }
    }
}

fn source(args: &EvalArgs, here: &Path) -> Result<Source, CommandError> {
    let text = |name, text| Ok(Source::Text { name, text, folder: here.to_owned() });
    match (&args.file, &args.expr) {
        (Some(file), _) if file == Path::new("-") => text("<stdin>", worlds::stdin()?),
        (Some(file), _) => worlds::absolute(file).map(Source::File),
        (None, expr) => text("<expression>", expr.clone().unwrap_or_default()),
    }
}

impl EvalArgs {
    fn format(&self, ui: &Ui) -> Format {
        match (self.raw, self.json || ui.is_json()) {
            (true, _) => Format::Raw,
            (false, true) => Format::Json,
            (false, false) => Format::Nix,
        }
    }

    /// The arguments of `--arg` and `--argstr`. An expression is evaluated where it is used.
    fn given<'a>(
        &self,
        eval: &Evaluator<'a>,
        base: &VirtualPath,
    ) -> Result<Vec<(Symbol, Value<'a>)>, Vec<Diagnostic>> {
        let mut given = Vec::new();
        for (name, text) in pairs(&self.arg) {
            let tree = eval.world.tree_of_text(&format!("--arg {name}"), text, Some(base))?;
            given.push((Symbol::new(name), eval.tree_later(tree)));
        }
        given.extend(pairs(&self.argstr).map(|(name, text)| (Symbol::new(name), eval.str(text))));
        Ok(given)
    }

    /// What was printed, for `--format json`.
    fn parsed(&self, printed: &str) -> Json {
        match self.raw {
            true => Json::from(printed),
            false => serde_json::from_str(printed).unwrap_or_else(|_| Json::from(printed)),
        }
    }
}

/// Names and values, which clap gives one after the other.
fn pairs(args: &[String]) -> impl Iterator<Item = (&str, &str)> {
    args.chunks(2).filter_map(|pair| match pair {
        [name, value] => Some((name.as_str(), value.as_str())),
        _ => None,
    })
}
