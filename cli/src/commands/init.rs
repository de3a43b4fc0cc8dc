//! `cairn init`

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use crate::error::CommandError;
use crate::style::{GOOD, STRONG, paint};
use crate::ui::Ui;

/// The files of a fleet to start from.
const FILES: [(&str, &str); 3] = [
    ("cairn.nix", include_str!("init/cairn.nix")),
    ("groups/all.nix", include_str!("init/all.nix")),
    ("hosts/web.nix", include_str!("init/web.nix")),
];

/// Make a fleet to start from, with one host and comments
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing that is there is overwritten.

Examples:
  cairn init
  cairn init ~/fleet && cd ~/fleet && cairn switch web --into /tmp/web")]
pub(crate) struct InitArgs {
    /// The fleet's folder, made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

pub(crate) fn run(ui: &Ui, args: &InitArgs) -> Result<(), CommandError> {
    // All or nothing: half a fleet would be somebody's puzzle.
    if let Some((name, _)) = FILES.iter().find(|(name, _)| args.folder.join(name).exists()) {
        let message = format!("{} is there already", args.folder.join(name).display());
        return Err(CommandError::user(message).hint("name another folder"));
    }
    for (name, text) in FILES {
        let path = args.folder.join(name);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::File::create_new(&path)?.write_all(text.as_bytes())
        };
        write().map_err(|error| {
            CommandError::user(format!("{} cannot be written: {error}", path.display()))
        })?;
        ui.object(&json!({ "type": "written", "path": path }));
        ui.line(format_args!("{} {}", paint(GOOD, "+"), path.display()));
    }
    ui.line(format_args!(
        "next: {}",
        paint(STRONG, "cairn check && cairn switch web --into /tmp/web")
    ));
    Ok(())
}
