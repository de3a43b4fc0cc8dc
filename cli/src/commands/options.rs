//! `cairn options`

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cairn_compiler::Fleet;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::reference::search::{Found, search};
use crate::reference::{Entry, entries, html, markdown, terminal};
use crate::report::plural;
use crate::style::{DIM, GOOD, paint};
use crate::ui::Ui;

/// The file that a page is written to.
const PAGE: &str = "index.html";

/// Look options up: what they are called, what they take, and what they are for
#[derive(Debug, Args)]
#[command(after_help = "\
PATTERN is an option's path, a part of one, or words that its name or description has. Options of
the fleet's own modules are found too; without a fleet there are those of the standard modules.

Examples:
  cairn options firewall
  cairn options networking.firewall.allowedTCPPorts
  cairn options users.users.alice.uid
  cairn options ssh keys
  cairn options --html ./reference")]
pub(crate) struct OptionsArgs {
    /// A path, a part of one, or words
    #[arg(value_name = "PATTERN")]
    pattern: Vec<String>,

    /// Write one page for browsers, DIR/index.html, which searches as one types
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "pattern")]
    html: Option<PathBuf>,

    /// Print one page of Markdown
    #[arg(long, conflicts_with_all = ["pattern", "html"])]
    markdown: bool,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &OptionsArgs) -> Result<(), CommandError> {
    let fleet = fleets::open_or_standard(ui, global)?;
    let (entries, unread) = entries(&fleet);
    if unread > 0 {
        let them = plural(unread, "declaration");
        ui.note(format_args!("{them} cannot be read and may be missing: `cairn check` says why"));
    }
    let listed: Vec<&Entry> = entries.iter().filter(|entry| entry.is_listed()).collect();
    if let Some(folder) = &args.html {
        return write_page(ui, folder, &html::page(&listed, &name(&fleet)), listed.len());
    }
    if args.markdown {
        ui.raw(markdown::page(&listed));
        return Ok(());
    }
    let pattern = args.pattern.join(" ");
    if pattern.trim().is_empty() {
        show_list(ui, &listed);
        return Ok(());
    }
    match search(&entries, &pattern) {
        Found::Option(itself, inside) => show_whole(ui, &itself, &inside),
        Found::Some(found) => match &found[..] {
            [only] => show_whole(ui, &[only], &[]),
            _ => show_list(ui, &found),
        },
        Found::Nothing(near) => {
            let error = CommandError::user(format!("no option has `{pattern}` in it"));
            let all = "`cairn options` without a pattern lists all";
            return Err(error.hint(near.unwrap_or_else(|| all.to_owned())));
        }
    }
    Ok(())
}

/// Whose options they are.
fn name(fleet: &Fleet) -> String {
    let description = fleet.description().map(str::trim).filter(|text| !text.is_empty());
    description.map_or_else(|| "Cairn".to_owned(), |text| text.trim_end_matches('.').to_owned())
}

fn show_list(ui: &Ui, found: &[&Entry]) {
    found.iter().for_each(|entry| ui.object(&entry.json()));
    terminal::list(ui, found, "");
    if !ui.is_json() {
        ui.note(paint(DIM, plural(found.len(), "option")));
    }
}

fn show_whole(ui: &Ui, itself: &[&Entry], inside: &[&Entry]) {
    for (number, entry) in itself.iter().enumerate() {
        ui.object(&entry.json());
        if number > 0 {
            ui.line("");
        }
        terminal::whole(ui, entry);
    }
    inside.iter().for_each(|entry| ui.object(&entry.json()));
    if !inside.is_empty() {
        ui.line("");
        ui.line(format_args!("  {}", paint(DIM, "with these inside")));
        terminal::list(ui, inside, "  ");
    }
}

fn write_page(ui: &Ui, folder: &Path, page: &str, options: usize) -> Result<(), CommandError> {
    let path = folder.join(PAGE);
    put(folder, &path, page).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        CommandError::user(message)
            .hint("give a folder that you may write to, or a name for a new one")
    })?;
    ui.object(&json!({ "type": "page", "path": path, "options": options }));
    let count = plural(options, "option");
    ui.line(format_args!("{} {count} in {}", paint(GOOD, "✓"), path.display()));
    Ok(())
}

/// Puts a text in a file's place at once: whoever reads it meanwhile sees the old or the new.
fn put(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // As any new file has it: what the umask leaves of 0666.
    let everybody = fs::Permissions::from_mode(0o666);
    let mut new = tempfile::Builder::new().permissions(everybody).tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}
