//! What a folder that stands for a host looks like to whoever uses it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Kind, mode and content at every path outside of Cairn's own state, through links.
pub type Outside = BTreeMap<String, String>;

/// Looks at the host whose root is `root`.
#[must_use]
pub fn outside(root: &Path) -> Outside {
    let mut seen = Outside::new();
    walk(root, root, &mut seen);
    seen
}

/// A short name for what was seen.
#[must_use]
pub fn digest(seen: &Outside) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, what) in seen {
        hasher.update(format!("{path}\0{what}\0").as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn walk(root: &Path, folder: &Path, seen: &mut Outside) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if name == "var" {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            seen.insert(name, "folder".to_owned());
            walk(root, &path, seen);
            continue;
        }
        let kind = if metadata.is_symlink() { "link" } else { "file" };
        let what = match (fs::metadata(&path), fs::read(&path)) {
            (Ok(metadata), Ok(content)) => {
                let mode = metadata.permissions().mode() & 0o7777;
                format!("{kind} {mode:o} {}", String::from_utf8_lossy(&content))
            }
            _ => format!("{kind} to {}", fs::read_link(&path).unwrap().display()),
        };
        seen.insert(name, what);
    }
}
