//! Managed files.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::manifest::{Content, File, Method, STATE_DIR};

use super::{Work, raw};

/// Folders that are no place for managed files, and why.
const FOREIGN: [(&str, &str); 5] = [
    ("/proc", "the kernel makes its files"),
    ("/sys", "the kernel makes its files"),
    ("/dev", "the kernel makes its files"),
    ("/run", "it is empty after every boot: use `systemd.tmpfiles`"),
    (STATE_DIR, "Cairn keeps its own state there"),
];

pub(super) fn add(work: &mut Work<'_>, files: &BTreeMap<String, raw::File>) {
    for (path, file) in files {
        let at = ["files", path.as_str()];
        if !check_path(work, &at, path) | !check_mode(work, path, &file.mode) {
            continue;
        }
        if let Some(content) = content(work, path, file) {
            let mode = format!("{:0>4}", file.mode);
            let (user, group) = (file.user.clone(), file.group.clone());
            let file = File { content, mode, user, group, method: file.method };
            work.draft.manifest.files.insert(path.clone(), file);
        }
    }
    check_nesting(work);
}

fn check_path(work: &mut Work<'_>, at: &[&str], path: &str) -> bool {
    let mut parts = path.split('/');
    let absolute = parts.next() == Some("") && path.len() > 1;
    let plain = parts.all(|part| !matches!(part, "" | "." | ".."));
    if !absolute || !plain || path.contains(['\n', '\0']) {
        let message = format!("`{path}` is no path that a file can be at");
        let help = "write an absolute path without `.`, `..`, doubled or trailing slashes";
        work.fault("file::bad-path", at, message, help);
        return false;
    }
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    if let Some((folder, why)) = FOREIGN.into_iter().find(|(folder, _)| below(folder)) {
        let message = format!("`{path}` cannot be managed: {folder} is not for it, {why}");
        work.fault("file::foreign-path", at, message, "choose another path");
        return false;
    }
    true
}

fn check_mode(work: &mut Work<'_>, path: &str, mode: &str) -> bool {
    let octal = mode.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    if octal && (3..=4).contains(&mode.len()) {
        return true;
    }
    let message = format!("`{mode}` is no file mode");
    let help = "write four octal digits, such as \"0644\"";
    work.fault("file::bad-mode", &["files", path, "mode"], message, help);
    false
}

fn content(work: &mut Work<'_>, path: &str, file: &raw::File) -> Option<Content> {
    let at = ["files", path];
    match (&file.text, &file.source, &file.to) {
        (Some(text), None, None) => {
            work.scan(&["files", path, "text"], text);
            Some(Content::Blob(work.blob(text)))
        }
        (None, Some(source), None) => match work.stored(source) {
            Some(id) => Some(Content::Blob(id)),
            // A file of a package is on the host already: a link to it is enough.
            None => link(work, path, source, file.method),
        },
        (None, None, Some(to)) => link(work, path, to, file.method),
        (None, None, None) => {
            let message = format!("`{path}` has no content");
            work.fault("file::no-content", &at, message, "set `text`, `source` or `to`");
            None
        }
        _ => {
            let message = format!("`{path}` has more than one content");
            let help = "set exactly one of `text`, `source` and `to`";
            work.fault("file::two-contents", &at, message, help);
            None
        }
    }
}

fn link(work: &mut Work<'_>, path: &str, to: &str, method: Method) -> Option<Content> {
    let at = ["files", path];
    if to.is_empty() || to.contains(['\n', '\0']) {
        let message = format!("`{path}` cannot be a link to `{to}`");
        work.fault("file::bad-link", &at, message, "name the file that the link leads to");
        return None;
    }
    if method == Method::Copy && to.starts_with(STATE_DIR) {
        let message = format!("`{path}` cannot be a copy of `{to}`, which only the host has");
        work.fault("file::bad-link", &at, message, "leave `method` at \"link\"");
        return None;
    }
    work.scan(&at, to);
    Some(Content::To(to.to_owned()))
}

/// A path cannot be a file and a folder at once.
fn check_nesting(work: &mut Work<'_>) {
    let paths: BTreeSet<String> = work.draft.manifest.files.keys().cloned().collect();
    for path in &paths {
        let parents = path.match_indices('/').skip(1).filter_map(|(end, _)| path.get(..end));
        for parent in parents.filter(|parent| paths.contains(*parent)) {
            let message = format!("`{path}` is below `{parent}`, which is a file");
            let help = "a path is a file or a folder: rename one of them";
            work.clash("file::nested", &["files", path], message, &["files", parent], help);
        }
    }
}
