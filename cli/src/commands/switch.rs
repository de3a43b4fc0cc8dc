//! `cairn switch`, and the commands that go less far: `test`, `boot`, `dry-activate`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_compiler::Built;
use cairn_deploy::{Deployer, Generation, Here, Switch, Target, bundle};
use cairn_fetch::Cache;
use cairn_generation::wire::{Mode, SwitchOptions};
use clap::{Args, ValueHint};

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::fleets;
use crate::live::Live;
use crate::outcome::{Asked, Endings};
use crate::targets::{self, ReachArgs};
use crate::ui::Ui;

/// What a switch is about; the same for all that go less far.
#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    #[command(flatten)]
    hosts: HostArgs,

    /// Say what would be done, after trying everything that can fail: as `dry-activate`
    #[arg(long)]
    dry_run: bool,

    /// Take the generation from a file of `cairn bundle`, for the machine that this runs on
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["into", "activator"])]
    bundle: Option<PathBuf>,

    #[command(flatten)]
    reach: ReachArgs,
}

/// Builds all hosts before any is touched; then switches each.
pub(crate) fn run(
    ui: &Ui,
    global: &Global,
    args: &SwitchArgs,
    mode: Mode,
) -> Result<(), CommandError> {
    let mode = if args.dry_run { Mode::DryActivate } else { mode };
    if let Some(file) = &args.bundle {
        return from_bundle(ui, file, &args.hosts.hosts, mode);
    }
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let folder = args.reach.folder(&hosts)?;
    let cache = fleets::cache()?;
    let built = fleets::build(ui, &fleet, &cache, &hosts)?;
    match folder {
        Some(folder) => into(ui, folder, &built, &cache, mode),
        None => over_ssh(ui, &args.reach, &built, &cache, mode),
    }
}

fn into(
    ui: &Ui,
    folder: &Path,
    built: &[Built],
    cache: &Cache,
    mode: Mode,
) -> Result<(), CommandError> {
    let mut endings = Endings::new(ui);
    for one in built {
        let mut node = targets::node(folder)?;
        let live = Live::new(ui, std::slice::from_ref(&one.host));
        let generation = targets::generation(one, cache)?;
        let options = SwitchOptions {
            mode,
            // A folder confirms itself: there is no connection to lose.
            nonce: None,
            confirm_timeout: one.deployment.confirm_timeout,
            adopt: targets::adopted(one),
            deployer: targets::deployer_name(),
            login: None,
            port: None,
            allow_lockout: one.deployment.allow_lockout,
        };
        let mut tell = |event| live.wire(&one.host, &event);
        let result = node.switch(one.text.as_bytes(), &generation.store, &options, &mut tell);
        let seen = live.end(&one.host);
        endings.switch(&one.host, Asked::Switch(mode), &seen, &result.map_err(Into::into));
    }
    endings.finish()
}

fn over_ssh(
    ui: &Ui,
    reach: &ReachArgs,
    built: &[Built],
    cache: &Cache,
    mode: Mode,
) -> Result<(), CommandError> {
    let mut hosts = Vec::new();
    for one in built {
        let how = Switch {
            mode,
            confirm_timeout: one.deployment.confirm_timeout,
            adopt: targets::adopted(one),
            allow_lockout: one.deployment.allow_lockout,
        };
        let target = targets::target(&one.host, &one.deployment);
        hosts.push((target, (targets::generation(one, cache)?, how)));
    }
    each(ui, reach, &reach.deployer()?, hosts, mode)
}

/// Switches the machine that this runs on to what a bundle has for it.
fn from_bundle(ui: &Ui, file: &Path, wanted: &[String], mode: Mode) -> Result<(), CommandError> {
    let folder = tempfile::tempdir()?;
    let mut bundle = bundle::read(file, folder.path(), mode)
        .map_err(|error| CommandError::user(error.to_string()).hint(error.help()))?;
    let names: Vec<String> = bundle.hosts.keys().cloned().collect();
    let host = match (wanted, names.as_slice()) {
        ([], [only]) => only.clone(),
        ([], _) => targets::machine(),
        ([wanted], _) => wanted.clone(),
        _ => return Err(CommandError::usage("this machine is one host").hint("name that")),
    };
    let Some((generation, how)) = bundle.hosts.remove(&host) else {
        let error = CommandError::user(format!("{} has no host `{host}`", file.display()));
        return Err(error.hint(format!("it has: {}", names.join(", "))));
    };
    let target = Target { name: host, ..Target::default() };
    let deployer = Deployer::new(Arc::new(Here), bundle.activators, &targets::deployer_name());
    each(ui, &ReachArgs::alone(), &deployer, vec![(target, (generation, how))], mode)
}

/// Switches each host, some at a time.
fn each(
    ui: &Ui,
    reach: &ReachArgs,
    deployer: &Deployer,
    hosts: Vec<(Target, (Generation, Switch))>,
    mode: Mode,
) -> Result<(), CommandError> {
    let names: Vec<String> = hosts.iter().map(|(target, _)| target.name.clone()).collect();
    let live = Live::new(ui, &names);
    let results = reach.each(hosts, |target, (generation, how)| {
        let (deployer, live) = (deployer.clone(), live.clone());
        async move { deployer.switch(&target, &generation, &how, &live).await }
    })?;
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        let seen = live.end(&host);
        endings.switch(&host, Asked::Switch(mode), &seen, &result.map_err(Into::into));
    }
    endings.finish()
}
