//! A fleet written by a test, in a folder of its own.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with a `cairn.nix` and whatever it imports; gone when dropped.
pub struct Fleet {
    folder: TempDir,
}

impl Fleet {
    /// An empty folder.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A copy of the folder at `path`, which is relative to the project.
    #[must_use]
    pub fn copy(path: &str) -> Self {
        let fleet = Self::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        copy(&source, fleet.path());
        fleet
    }

    /// A copy of the sample fleet: `cairn.nix` and `hosts/` at the project's root.
    #[must_use]
    pub fn sample() -> Self {
        let fleet = Self::new();
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        fs::copy(project.join("cairn.nix"), fleet.path().join("cairn.nix")).unwrap();
        fs::create_dir(fleet.path().join("hosts")).unwrap();
        copy(&project.join("hosts"), &fleet.path().join("hosts"));
        fleet
    }

    /// A fleet with one host, `name` at `address`, whose module has these definitions.
    #[must_use]
    pub fn of(name: &str, address: std::net::Ipv4Addr, definitions: &str) -> Self {
        let fleet = Self::new();
        fleet.write("cairn.nix", "{ outputs = { ... }: { hosts.HOST = ./host.nix; }; }\n");
        fleet.edit("cairn.nix", "HOST", name);
        fleet.define(address, definitions);
        fleet
    }

    /// Writes the definitions of the host of [`Fleet::of`] anew.
    pub fn define(&self, address: std::net::Ipv4Addr, definitions: &str) {
        let module = format!(
            "{{ config, lib, pkgs, ... }}:\n{{\n  deployment.targetHost = \"{address}\";\n\
             {definitions}\n}}\n"
        );
        self.write("host.nix", &module);
    }

    /// Writes a file of the fleet.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces `old`, which must be there, by `new` in a file of the fleet.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path().join(path)).unwrap();
        assert!(text.contains(old), "{path} does not contain {old:?}:\n{text}");
        self.write(path, &text.replace(old, new));
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(from: &Path, to: &Path) {
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
