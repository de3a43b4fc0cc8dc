//! Files as editors name them, and as the fleet does.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cairn_lang::{Root, SourceFile, VirtualPath};
use lsp_types::Uri;

use crate::inputs::InputCache;

/// The folder of the fleet, and where the standard modules can be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// None where there is no fleet.
    pub(crate) fleet: Option<PathBuf>,
    /// Where files that lie in the command itself are written for editors to open.
    pub(crate) standard: PathBuf,
    pub(crate) inputs: InputCache,
}

impl Places {
    /// The path of a document: in the fleet, or else wherever it is.
    pub(crate) fn path(&self, uri: &Uri) -> VirtualPath {
        let Some(path) = path_of(uri) else {
            let text = uri.as_str().replace(':', "/");
            return outside(&text);
        };
        let below = |folder: &Path, root: Root| {
            let inside = real(&path).strip_prefix(folder).ok()?.to_str()?.to_owned();
            VirtualPath::new(root, &inside)
        };
        let fleet = self.fleet.as_deref().and_then(|folder| below(folder, Root::Fleet));
        let standard = || below(&real(&self.standard), Root::Cairn);
        fleet.or_else(standard).unwrap_or_else(|| outside(&path.to_string_lossy()))
    }

    /// Where an editor finds a source, which may have to be written for it.
    pub(crate) fn uri(&self, source: &SourceFile) -> Option<Uri> {
        let Some(name) = source.name.strip_prefix("<cairn>/") else {
            return self.uri_of_name(&source.name);
        };
        let path = self.standard.join(name);
        let known = std::fs::read_to_string(&path);
        if !known.is_ok_and(|known| known == source.text) {
            std::fs::create_dir_all(path.parent()?).ok()?;
            std::fs::write(&path, &source.text).ok()?;
        }
        uri_of(&path)
    }

    /// The document of a file of the fleet, or of one on the machine, by its name.
    pub(crate) fn uri_of_name(&self, name: &str) -> Option<Uri> {
        if name.starts_with('/') {
            return uri_of(Path::new(name));
        }
        if name.starts_with('<') {
            return uri_of(&self.inputs.file(name)?);
        }
        uri_of(&self.fleet.as_ref()?.join(name))
    }
}

fn outside(text: &str) -> VirtualPath {
    let nowhere = || VirtualPath { root: Root::Machine, path: "nowhere".to_owned() };
    VirtualPath::new(Root::Machine, text.trim_start_matches('/')).unwrap_or_else(nowhere)
}

/// A path without links, as far as there are folders.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The path of a `file:` address.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // Before the path there may be a machine's name, which is this one's.
    let path = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || (rest.next()? as char).to_digit(16);
        bytes.push(match byte {
            b'%' => (digit()? * 16 + digit()?) as u8,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The address of a path.
pub(crate) fn uri_of(path: &Path) -> Option<Uri> {
    let mut text = "file://".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                text.push(byte as char);
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths() {
        let path = Path::new("/tmp/a b/é.nix");
        let uri = uri_of(path).expect("an address");
        assert_eq!(uri.as_str(), "file:///tmp/a%20b/%C3%A9.nix");
        assert_eq!(path_of(&uri).as_deref(), Some(path));
        let broken = Uri::from_str("untitled:Untitled-1").expect("an address");
        assert_eq!(path_of(&broken), None);
    }
}
