//! `cairn bundle`

use std::env;
use std::path::{Path, PathBuf};

use cairn_deploy::{Switch, bundle};
use cairn_generation::wire::Mode;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::style::{GOOD, paint};
use crate::ui::Ui;
use crate::{fleets, targets};

/// Write all that hosts need into one file, for hosts that cannot be reached
#[derive(Debug, Args)]
#[command(after_help = "\
The file has the hosts' generations, with everything in them, and the activators. On a host,
`cairn switch --bundle FILE` switches to it, without a network. Who made a bundle cannot be told from
it: carry it as you would carry a key.

Examples:
  cairn bundle demo
  cairn bundle board0 board1 --output boards.bundle")]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    hosts: HostArgs,

    /// The file [default: HOST.bundle]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Folder of the activators to put in [default: beside this program]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    activator: Option<PathBuf>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &BundleArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let output = match (&args.output, hosts.as_slice()) {
        (Some(output), _) => output.clone(),
        (None, [host]) => PathBuf::from(format!("{host}.bundle")),
        (None, _) => {
            let error = CommandError::usage("several hosts need a name for their file");
            return Err(error.hint("name it with --output FILE"));
        }
    };
    let cache = fleets::cache()?;
    let built = fleets::build(ui, &fleet, &cache, &hosts)?;
    let mut all = Vec::new();
    for one in &built {
        let switch = Switch {
            mode: Mode::Switch,
            confirm_timeout: one.deployment.confirm_timeout,
            adopt: targets::adopted(one),
            allow_lockout: one.deployment.allow_lockout,
        };
        all.push((one.host.clone(), targets::generation(one, &cache)?, switch));
    }
    let activators = match &args.activator {
        Some(folder) => folder.clone(),
        None => env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default(),
    };
    bundle::write(&output, &all, &activators)
        .map_err(|error| CommandError::user(error.to_string()).hint(error.help()))?;
    let size = std::fs::metadata(&output)?.len();
    ui.object(&json!({ "type": "bundle", "path": output, "hosts": hosts, "size": size }));
    ui.line(format_args!(
        "{} {} has {} in {}",
        paint(GOOD, "✓"),
        output.display(),
        hosts.join(", "),
        indicatif::HumanBytes(size)
    ));
    Ok(())
}
