//! Nix's hash of a tree: the SHA-256 of its Nix archive, so that a lock can be compared with a
//! `flake.lock`. The archive itself is never made.
//!
//! The format is that of figure 5.2 in Eelco Dolstra's thesis: texts with their length before them,
//! padded to eight bytes; entries in byte order; of permissions, only whether a file is executable.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What git keeps beside the tree; none of an input.
pub(super) const GIT_FOLDER: &str = ".git";

/// The hash of the tree at `path`, as `sha256-…` in base64. A `.git` at its root is left out.
///
/// # Errors
/// When something in it cannot be read, or is no file, folder or link.
pub fn hash(path: &Path) -> io::Result<String> {
    let mut archive = Archive(Sha256::new());
    archive.text(b"nix-archive-1");
    archive.node(path, true)?;
    Ok(format!("sha256-{}", STANDARD.encode(archive.0.finalize())))
}

struct Archive(Sha256);

impl Archive {
    fn node(&mut self, path: &Path, is_root: bool) -> io::Result<()> {
        let data = fs::symlink_metadata(path)?;
        self.text(b"(");
        self.text(b"type");
        if data.is_symlink() {
            self.text(b"symlink");
            self.text(b"target");
            self.text(fs::read_link(path)?.as_os_str().as_bytes());
        } else if data.is_dir() {
            self.text(b"directory");
            self.entries(path, is_root)?;
        } else if data.is_file() {
            self.text(b"regular");
            if data.permissions().mode() & 0o100 != 0 {
                self.text(b"executable");
                self.text(b"");
            }
            self.text(b"contents");
            self.contents(path, data.len())?;
        } else {
            let message = format!("{} is no file, folder or link", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.text(b")");
        Ok(())
    }

    fn entries(&mut self, folder: &Path, is_root: bool) -> io::Result<()> {
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name());
        }
        names.retain(|name| !is_root || name != GIT_FOLDER);
        names.sort();
        for name in names {
            self.text(b"entry");
            self.text(b"(");
            self.text(b"name");
            self.text(name.as_bytes());
            self.text(b"node");
            self.node(&folder.join(&name), false)?;
            self.text(b")");
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self.pad(bytes.len() as u64);
    }

    fn contents(&mut self, path: &Path, length: u64) -> io::Result<()> {
        self.0.update(length.to_le_bytes());
        let mut left = length;
        let mut file = File::open(path)?.take(length);
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                let message = format!("{} was cut short while it was read", path.display());
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
            self.0.update(buffer.get(..count).unwrap_or_default());
            left -= count as u64;
        }
        self.pad(length);
        Ok(())
    }

    fn pad(&mut self, length: u64) {
        let missing = (8 - length % 8) % 8;
        self.0.update(&[0; 8][..missing as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    use std::os::unix::fs::symlink;

    /// A tree with all that a tree can hold.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("empty")).expect("a folder");
        fs::create_dir_all(at("a.b/c")).expect("a folder");
        for (name, text) in [
            ("a", ""),
            ("a.b/c/x", "12345678"),
            ("a-b", "1"),
            ("Ünïcode \"name\"\n", "ü"),
            ("run", "#!/bin/sh\n"),
            ("read-only", "x"),
        ] {
            fs::write(at(name), text).expect("written");
        }
        fs::set_permissions(at("run"), fs::Permissions::from_mode(0o755)).expect("set");
        fs::set_permissions(at("read-only"), fs::Permissions::from_mode(0o400)).expect("set");
        symlink("a.b/c", at("link")).expect("linked");
        symlink("/nowhere", at("dangling")).expect("linked");
        folder
    }

    #[test]
    fn equals_nix() {
        let folder = tree();
        assert_eq!(hash(folder.path()).expect("hashed"), of_nix(folder.path()));
        // And every part of it, files included.
        for entry in fs::read_dir(folder.path()).expect("listed") {
            let path = entry.expect("an entry").path();
            assert_eq!(hash(&path).expect("hashed"), of_nix(&path), "{path:?}");
        }
    }

    fn of_nix(path: &Path) -> String {
        let words = ["--extra-experimental-features", "nix-command", "hash", "path"];
        let nix = Command::new("nix").args(words).arg(path).env("HOME", "/nonexistent").output();
        let hash = String::from_utf8(nix.expect("nix, of Debian's nix-bin").stdout);
        hash.expect("text").trim().to_owned()
    }

    #[test]
    fn git_is_no_part_of_it_and_a_socket_is_refused() {
        let folder = tree();
        let before = hash(folder.path()).expect("hashed");
        fs::create_dir(folder.path().join(".git")).expect("a folder");
        assert_eq!(hash(folder.path()).expect("hashed"), before);
        let socket = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        let error = hash(folder.path()).expect_err("a socket");
        assert!(error.to_string().ends_with("socket is no file, folder or link"), "{error}");
    }
}
