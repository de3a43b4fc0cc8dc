//! `cairn repl`

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;

use cairn_lang::modules::install;
use cairn_lang::{Arena, Evaluator, Root, Span, VirtualPath};
use clap::{Args, ValueHint};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::repl::{End, Kept, Lines, Script, Session, Terminal};
use crate::ui::Ui;
use crate::worlds;

/// Try out expressions, and look around in a fleet or a host
///
/// In a fleet, `fleet` is what it gives, and `nodes.<host>.config` the configuration of each host. With a
/// host, `config`, `options`, `pkgs`, `name` and `nodes` are what its modules see. `lib` is always there.
#[derive(Debug, Args)]
#[command(after_help = "\
Input that is no terminal is a script: one input a line, or several for one that is not whole yet.

Examples:
  cairn repl
  cairn repl demo
  echo 'config.networking.hostName' | cairn repl demo")]
pub(crate) struct ReplArgs {
    /// A host of the fleet
    #[arg(value_name = "HOST")]
    host: Option<String>,

    /// Use the attributes of this file's value as names, as `:l` does
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Vec<String>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &ReplArgs) -> Result<(), CommandError> {
    let at_terminal = io::stdin().is_terminal();
    let kept = Kept::default();
    kept.files.borrow_mut().extend(args.file.iter().cloned());
    if at_terminal {
        // The second Ctrl-C ends what does not heed the first.
        flag::register_conditional_shutdown(SIGINT, 130, kept.interrupt.clone())?;
        flag::register(SIGINT, kept.interrupt.clone())?;
        let version = env!("CARGO_PKG_VERSION");
        ui.note(format_args!("cairn {version}: `:?` for help, Ctrl-D to end"));
    }
    let here = env::current_dir()?;
    while session(ui, global, args, &here, &kept, at_terminal)? == End::Reload {}
    if kept.failed.get() && !at_terminal { Err(CommandError::told()) } else { Ok(()) }
}

/// One session, to its end or a reload.
fn session(
    ui: &Ui,
    global: &Global,
    args: &ReplArgs,
    here: &Path,
    kept: &Kept,
    at_terminal: bool,
) -> Result<End, CommandError> {
    let folder = match args.host.is_some() || global.fleet.is_some() {
        true => Some(fleets::folder(global)?),
        false => fleets::folder(global).ok(),
    };
    if let Some(folder) = &folder {
        match in_fleet(ui, global, args, here, kept, at_terminal) {
            Ok(Some(end)) => return Ok(end),
            Ok(None) => {}
            // A fleet that is broken can be mended, and `:r` brings it back.
            Err(error) if error.message.is_none() && at_terminal => {}
            Err(error) => return Err(error),
        }
        return alone(ui, global, folder, here, kept, at_terminal);
    }
    alone(ui, global, here, here, kept, at_terminal)
}

/// A session in a fleet; none where it has no hosts to look at.
fn in_fleet(
    ui: &Ui,
    global: &Global,
    args: &ReplArgs,
    here: &Path,
    kept: &Kept,
    at_terminal: bool,
) -> Result<Option<End>, CommandError> {
    let mut fleet = fleets::open(ui, global)?;
    let host = args.host.as_deref().map(|host| fleets::select_one(ui, &fleet, host)).transpose()?;
    if fleet.hosts().is_empty() {
        return Ok(None);
    }
    fleet.attend(Box::new(worlds::trace), kept.interrupt.clone());
    let ended = fleet.explore(host.as_deref(), |eval, names| {
        talk(&Session::new(ui, eval, here, names, kept), at_terminal)
    });
    ended.map_err(|problems| fleets::failed(ui, &problems))?.map(Some)
}

/// A session without a fleet: the language and its library.
fn alone(
    ui: &Ui,
    global: &Global,
    root: &Path,
    here: &Path,
    kept: &Kept,
    at_terminal: bool,
) -> Result<End, CommandError> {
    let mut world = worlds::new(root, global.features())?;
    world.interrupt = kept.interrupt.clone();
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, &world);
    install(&eval);
    let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
    let lib = eval.thunk(move |eval| eval.import(&lib, Span::NONE));
    talk(&Session::new(ui, &eval, here, [("lib", lib)], kept), at_terminal)
}

fn talk(session: &Session<'_, '_>, at_terminal: bool) -> Result<End, CommandError> {
    let mut lines: Box<dyn Lines + '_> = match at_terminal {
        true => Box::new(Terminal::new(session).map_err(|error| {
            CommandError::user(format!("the terminal cannot be used: {error}"))
        })?),
        false => Box::new(Script),
    };
    Ok(session.run(&mut *lines))
}
