//! `cairn init`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde_json::json;

mod nixos;
mod template;

use crate::args::Global;
use crate::error::CommandError;
use crate::style::{GOOD, STRONG, paint};
use crate::ui::Ui;

/// The files of a fleet to start from.
const FILES: [(&str, &str); 3] = [
    ("cairn.nix", include_str!("init/cairn.nix")),
    ("groups/all.nix", include_str!("init/all.nix")),
    ("hosts/web.nix", include_str!("init/web.nix")),
];

/// Make a fleet to start from: one host with comments, a template, or the hosts of a NixOS flake
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing that is there is overwritten.

A template is among the outputs of an input: `templates.<name> = { path; description; }`. Without
#NAME it is the one called `default`.

From a flake of NixOS comes what Cairn has options for: k3s, the firewall, users, sysctls,
packages, units and so on. What it has not is listed, with its place. nixpkgs is not needed.

Examples:
  cairn init
  cairn init ~/fleet && cd ~/fleet && cairn switch web --into /tmp/web
  cairn init ~/fleet --template github:OWNER/REPO#cluster
  cairn init ~/fleet --from nixos ~/nixos-config")]
pub(crate) struct InitArgs {
    /// The fleet's folder, made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    folder: PathBuf,

    /// Start from a template: of an input, named as in `inputs.<name>.url`, or of one that the fleet here has
    #[arg(long, value_name = "INPUT[#NAME]", conflicts_with = "from")]
    template: Option<String>,

    /// Take over the hosts of a flake; the only KIND is `nixos`
    #[arg(long, num_args = 2, value_names = ["KIND", "DIR"])]
    from: Vec<String>,
}

/// A file to be written.
struct NewFile {
    /// Its path in the fleet.
    path: String,
    content: Content,
}

enum Content {
    /// Bytes, and whether they can be run.
    Bytes(Vec<u8>, bool),
    /// A symbolic link, and where it leads.
    Link(PathBuf),
}

impl NewFile {
    fn text(path: &str, text: &str) -> NewFile {
        let content = Content::Bytes(text.as_bytes().to_vec(), false);
        NewFile { path: path.to_owned(), content }
    }
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &InitArgs) -> Result<(), CommandError> {
    if let [kind, flake] = args.from.as_slice() {
        if kind != "nixos" {
            let error = CommandError::usage(format!("nothing is known of fleets from `{kind}`"));
            return Err(error.hint("write `--from nixos DIR`"));
        }
        return nixos::run(ui, global, &args.folder, Path::new(flake));
    }
    let (files, next) = match &args.template {
        Some(template) => (template::files(ui, global, template)?, "cairn check"),
        None => {
            let files = FILES.map(|(name, text)| NewFile::text(name, text));
            (files.into(), "cairn check && cairn switch web --into /tmp/web")
        }
    };
    write(ui, &args.folder, &files)?;
    ui.line(format_args!("next: {}", paint(STRONG, next)));
    Ok(())
}

/// Writes the files of a new fleet.
fn write(ui: &Ui, folder: &Path, files: &[NewFile]) -> Result<(), CommandError> {
    // All or nothing: half a fleet would be somebody's puzzle.
    let is_there = |file: &&NewFile| folder.join(&file.path).symlink_metadata().is_ok();
    if let Some(file) = files.iter().find(is_there) {
        let message = format!("{} is there already", folder.join(&file.path).display());
        return Err(CommandError::user(message).hint("name another folder"));
    }
    for file in files {
        let path = folder.join(&file.path);
        write_one(&path, &file.content).map_err(|error| {
            CommandError::user(format!("{} cannot be written: {error}", path.display()))
        })?;
        ui.object(&json!({ "type": "written", "path": path }));
        ui.line(format_args!("{} {}", paint(GOOD, "+"), path.display()));
    }
    Ok(())
}

fn write_one(path: &Path, content: &Content) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    match content {
        Content::Link(to) => std::os::unix::fs::symlink(to, path),
        Content::Bytes(bytes, executable) => {
            let mut file = fs::File::create_new(path)?;
            file.write_all(bytes)?;
            if *executable {
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
            }
            Ok(())
        }
    }
}

/// Everything in a folder, or a file by itself, to be written below `place`.
fn copied(from: &Path, place: &str, files: &mut Vec<NewFile>) -> std::io::Result<()> {
    let data = from.symlink_metadata()?;
    if data.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(from)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let inside = if place.is_empty() { name } else { format!("{place}/{name}") };
            copied(&entry.path(), &inside, files)?;
        }
        return Ok(());
    }
    let content = match data.is_symlink() {
        true => Content::Link(fs::read_link(from)?),
        false => {
            let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
            Content::Bytes(fs::read(from)?, mode & 0o100 != 0)
        }
    };
    files.push(NewFile { path: place.to_owned(), content });
    Ok(())
}
