//! `cairn init --from nixos`

use std::path::Path;

use cairn_compiler::{LeftOut, Takeover, take_over};
use cairn_lang::Sources;
use serde_json::json;

use super::{NewFile, copied, write};
use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::format::formatted;
use crate::report::plural;
use crate::style::{CHANGED, DIM, STRONG, paint};
use crate::ui::Ui;

/// Writes the fleet that is in a flake, and lists what is not in the fleet.
pub(super) fn run(
    ui: &Ui,
    global: &Global,
    folder: &Path,
    flake: &Path,
) -> Result<(), CommandError> {
    let takeover =
        take_over(flake, global.features()).map_err(|problems| fleets::failed(ui, &problems))?;
    write(ui, folder, &files(&takeover, flake)?)?;
    for (host, count) in &takeover.taken {
        ui.object(&json!({ "type": "taken", "host": host, "definitions": count }));
        ui.line(format_args!("{}: {}", paint(STRONG, host), plural(*count, "definition")));
    }
    list(ui, &takeover);
    ui.line(format_args!("next: {}", paint(STRONG, "cairn check")));
    Ok(())
}

fn files(takeover: &Takeover, flake: &Path) -> Result<Vec<NewFile>, CommandError> {
    let mut files = Vec::new();
    for (path, text) in &takeover.files {
        // What the formatter does not understand is right all the same.
        let text = formatted(&Sources::new(), path, text).unwrap_or_else(|_| text.clone());
        files.push(NewFile::text(path, &text));
    }
    for path in &takeover.copies {
        copied(&flake.join(path), &format!("files/{path}"), &mut files)?;
    }
    Ok(files)
}

/// What was left out, file by file.
fn list(ui: &Ui, takeover: &Takeover) {
    let mut last = None;
    let all = takeover.taken.len();
    for LeftOut { file, line, what, why, hosts } in &takeover.left_out {
        ui.object(&json!({
            "type": "left-out", "file": file, "line": line, "what": what, "why": why, "hosts": hosts,
        }));
        if last != Some(file) {
            last = Some(file);
            let name = if file.is_empty() { "made by nixpkgs" } else { file };
            ui.line(format_args!("{} left out of {}", paint(CHANGED, "!"), paint(STRONG, name)));
        }
        let whose = match hosts.len() < all {
            true => format!(" ({})", hosts.join(", ")),
            false => String::new(),
        };
        ui.line(format_args!("  {line:>4}  {what}: {}", paint(DIM, format!("{why}{whose}"))));
    }
}
