//! Which files are a fleet's own.

use cairn_lang::{Diagnostic, FileKind, FsError, Root, Roots, Span, VirtualPath};

/// Every `*.nix` of the fleet in `roots`, in order, and the folders that cannot be read. Hidden
/// folders are left out, and links; a folder with a `cairn.nix` of its own is another fleet.
pub fn nix_files(roots: &Roots) -> (Vec<VirtualPath>, Vec<Diagnostic>) {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    let mut folders = vec![VirtualPath { root: Root::Fleet, path: String::new() }];
    while let Some(folder) = folders.pop() {
        let entries = match roots.list(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(unreadable(&folder, &error));
                continue;
            }
        };
        if is_apart(&folder, &entries) {
            continue;
        }
        for (name, kind) in entries {
            let Some(path) = folder.join(&name) else { continue };
            match kind {
                _ if name.starts_with('.') => {}
                FileKind::Directory => folders.push(path),
                FileKind::Regular if name.ends_with(".nix") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    (files, problems)
}

/// Whether a folder below the fleet is none of its own: another fleet (examples lie so), or a cache
/// that says so by the customary tag.
fn is_apart(folder: &VirtualPath, entries: &[(String, FileKind)]) -> bool {
    let marks = ["cairn.nix", "CACHEDIR.TAG"];
    !folder.path.is_empty() && entries.iter().any(|(name, _)| marks.contains(&name.as_str()))
}

fn unreadable(folder: &VirtualPath, error: &FsError) -> Diagnostic {
    let message = format!("cannot read the folder {folder}: {error}");
    let help = "check its permissions";
    Diagnostic::error("file::unreadable", Span::NONE, message).with_help(help)
}
