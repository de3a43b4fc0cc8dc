//! The fleet that a command is about, and its hosts.

use std::env;
use std::path::{Path, PathBuf};

use cairn_compiler::{Built, Fleet, FleetFiles, FleetInputs, Report, SelectError};
use cairn_fetch::Cache;
use cairn_fetch::input::{Inputs, Policy};
use cairn_fetch::lock::Lock;
use cairn_lang::DiskFs;

use crate::args::Global;
use crate::error::CommandError;
use crate::git::{self, Staged};
use crate::inputs;
use crate::report;
use crate::ui::Ui;

/// The file that makes a folder a fleet.
const FLEET_FILE: &str = "cairn.nix";

/// The fleet that the arguments name, or the nearest one upward.
pub(crate) fn open(ui: &Ui, global: &Global) -> Result<Fleet, CommandError> {
    Fleet::load(files(ui, global)?, &global.set, global.features())
        .map_err(|problems| failed(ui, &problems))
}

/// As [`open`], of a fleet that may itself have mistakes: for `check`, which says them.
pub(crate) fn open_to_check(ui: &Ui, global: &Global) -> Result<Fleet, CommandError> {
    let files = files(ui, global)?;
    Fleet::load_to_check(files, &global.set, global.features())
        .map_err(|problems| failed(ui, &problems))
}

/// As [`open_to_check`], of what git's index holds.
pub(crate) fn open_staged(
    ui: &Ui,
    global: &Global,
    staged: &Staged,
) -> Result<Fleet, CommandError> {
    let folder = staged.fleet();
    if !folder.join(FLEET_FILE).is_file() {
        let message = format!("git's index has no {FLEET_FILE} of this fleet");
        return Err(CommandError::user(message).hint("`git add` the fleet first"));
    }
    let declared = FleetInputs::read(&folder, global.features())
        .map_err(|report| failed(ui, &report))?
        .copied(staged.top(), staged.original());
    let policy = Policy { overrides: global.overrides(), ..Policy::default() };
    let lock = lock(&folder)?.inputs;
    let inputs = inputs::resolve_declared(ui, &declared, &lock, &policy)?.inputs;
    Fleet::load_to_check(read_from(&folder, inputs)?, &global.set, global.features())
        .map_err(|problems| failed(ui, &problems))
}

/// As [`open`], or a fleet of the standard modules alone where there is none.
pub(crate) fn open_or_standard(ui: &Ui, global: &Global) -> Result<Fleet, CommandError> {
    if global.fleet.is_none() && nearest()?.is_none() {
        return Fleet::standard(global.features()).map_err(|problems| failed(ui, &problems));
    }
    open(ui, global)
}

fn files(ui: &Ui, global: &Global) -> Result<FleetFiles, CommandError> {
    let folder = folder(global)?;
    let policy = Policy { overrides: global.overrides(), ..Policy::default() };
    let inputs = inputs::resolve(ui, global, &folder, &lock(&folder)?.inputs, &policy)?.inputs;
    read_from(&folder, inputs)
}

/// The files of the fleet in a folder, with these inputs.
pub(crate) fn read_from(folder: &Path, inputs: Inputs) -> Result<FleetFiles, CommandError> {
    let files = DiskFs::new(folder).map_err(|error| unreadable(folder, &error))?;
    FleetFiles::from(files)
        .with_inputs(inputs)
        .map_err(|error| CommandError::user(format!("an input cannot be read: {error}")))
}

/// The lock of the fleet in a folder.
pub(crate) fn lock(folder: &Path) -> Result<Lock, CommandError> {
    Lock::read(folder).map_err(|error| CommandError::user(error.to_string()).hint(error.help()))
}

/// The folder of that fleet.
pub(crate) fn folder(global: &Global) -> Result<PathBuf, CommandError> {
    if let Some(folder) = &global.fleet {
        if folder.join(FLEET_FILE).is_file() {
            return Ok(folder.clone());
        }
        let message = format!("there is no fleet in {}: it has no {FLEET_FILE}", folder.display());
        return Err(CommandError::user(message).hint("give the folder that holds the cairn.nix"));
    }
    nearest()?.ok_or_else(|| {
        let message = format!("there is no {FLEET_FILE} here or in any folder above");
        CommandError::user(message).hint("go to a fleet's folder, or name it with --fleet DIR")
    })
}

/// The nearest folder upward that holds a fleet.
fn nearest() -> Result<Option<PathBuf>, CommandError> {
    let here = env::current_dir()?;
    Ok(here.ancestors().find(|folder| folder.join(FLEET_FILE).is_file()).map(Path::to_owned))
}

fn unreadable(folder: &Path, error: &std::io::Error) -> CommandError {
    CommandError::user(format!("the fleet's folder {} cannot be read: {error}", folder.display()))
}

/// Shows what is wrong; the error that it leaves behind has nothing more to say.
pub(crate) fn failed(ui: &Ui, problems: &Report) -> CommandError {
    report::show(ui, &problems.diagnostics, &problems.sources);
    CommandError::told()
}

/// The hosts that the arguments name.
pub(crate) fn select(
    ui: &Ui,
    fleet: &Fleet,
    wanted: &[String],
) -> Result<Vec<String>, CommandError> {
    if wanted.is_empty() {
        let error = CommandError::usage("no host was named");
        let hosts = fleet.hosts();
        return Err(match hosts.is_empty() {
            true => error.hint("the fleet has no hosts yet: define `outputs.hosts.<name>`"),
            false => error.hint(format!("the hosts are: {}", hosts.join(", "))),
        });
    }
    let hosts = fleet.select(wanted).map_err(|error| match error {
        SelectError::Unknown { wanted, help } => CommandError::user(wanted).hint(help),
        SelectError::Report(problems) => failed(ui, &problems),
    })?;
    if hosts.is_empty() {
        return Err(CommandError::user("what was named has no hosts"));
    }
    Ok(hosts)
}

/// The hosts that the arguments name; without any, all.
pub(crate) fn all_or(
    ui: &Ui,
    fleet: &Fleet,
    wanted: &[String],
) -> Result<Vec<String>, CommandError> {
    if wanted.is_empty() { Ok(fleet.hosts()) } else { select(ui, fleet, wanted) }
}

/// The one host that a command is about.
pub(crate) fn select_one(ui: &Ui, fleet: &Fleet, wanted: &str) -> Result<String, CommandError> {
    let mut hosts = select(ui, fleet, &[wanted.to_owned()])?;
    match (hosts.pop(), hosts.is_empty()) {
        (Some(host), true) => Ok(host),
        _ => Err(CommandError::usage(format!("`{wanted}` is more than one host")))
            .map_err(|error| error.hint("name one of them")),
    }
}

/// The cache of this user.
pub(crate) fn cache() -> Result<Cache, CommandError> {
    let folder = cache_folder().ok_or_else(|| {
        CommandError::user("there is no place for a cache: neither XDG_CACHE_HOME nor HOME is set")
    })?;
    Ok(Cache::new(folder))
}

/// Where that cache is, if there is a place for it.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    folder.map(|folder| folder.join("cairn"))
}

/// Builds hosts, all or none, showing what is wrong or may be.
pub(crate) fn build(
    ui: &Ui,
    fleet: &Fleet,
    cache: &Cache,
    hosts: &[String],
) -> Result<Vec<Built>, CommandError> {
    let store = cache.store().map_err(|error| {
        let message = format!("the cache cannot be used: {error}");
        CommandError::user(message).hint("give another folder in XDG_CACHE_HOME")
    })?;
    let (built, warnings) =
        fleet.build(hosts, cache, &store).map_err(|problems| failed(ui, &problems))?;
    report::show(ui, &warnings.diagnostics, &warnings.sources);
    let untracked = git::untracked(fleet);
    report::show(ui, &untracked.diagnostics, &untracked.sources);
    Ok(built)
}
