//! The program on the node: which one a host needs, whether it is there, how it gets there.
//!
//! One command line asks for the architecture, looks for the activator of that architecture under
//! the SHA-256 of its content, checks it, and becomes it. So a host that was deployed to before costs
//! one round trip. Where it is missing, the line says so with [`MISSING`] and the architecture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Cause;

/// Where activators are kept on a host.
const FOLDER: &str = "/var/lib/cairn/activator";
/// Exit code of the start line when there is no such activator on the host.
pub(crate) const MISSING: u32 = 42;
/// What the start line says before the architecture when it exits with [`MISSING`].
const MISSING_WORDS: &str = "cairn-activator is missing for ";
/// Nothing of the login's environment decides which programs the activator finds.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH";

/// The activators that can be sent, by architecture as `uname -m` names it.
#[derive(Debug, Clone)]
pub struct Activators {
    folder: String,
    binaries: BTreeMap<String, Binary>,
}

/// One static binary.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    sha256: String,
}

impl Activators {
    /// None, for what sends none.
    pub fn none() -> Self {
        Self { folder: FOLDER.to_owned(), binaries: BTreeMap::new() }
    }

    /// The files `cairn-activator-<architecture>` of a folder.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn in_folder(folder: &Path) -> Result<Self, Cause> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| Cause::ActivatorUnreadable {
                path,
                message: error.to_string(),
            }
        };
        let mut binaries = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(architecture) = name.and_then(|name| name.strip_prefix("cairn-activator-"))
                && is_architecture(architecture)
            {
                let content = std::fs::read(&path).map_err(unreadable(&path))?;
                let sha256 = Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
                let binary = Binary { size: content.len() as u64, path: path.clone(), sha256 };
                binaries.insert(architecture.to_owned(), binary);
            }
        }
        Ok(Self { folder: FOLDER.to_owned(), binaries })
    }

    /// Keeps activators in another folder of the host than `/var/lib/cairn/activator`: a test's.
    #[must_use]
    pub fn kept_in(self, folder: &str) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// The architectures that there is an activator for.
    pub fn architectures(&self) -> Vec<String> {
        self.binaries.keys().cloned().collect()
    }

    /// SHA-256 of each, in hex, by architecture.
    pub(crate) fn hashes(&self) -> BTreeMap<String, String> {
        let each = self.binaries.iter();
        each.map(|(architecture, binary)| (architecture.clone(), binary.sha256.clone())).collect()
    }

    pub(crate) fn binary(&self, architecture: &str) -> Option<&Binary> {
        self.binaries.get(architecture)
    }

    /// The line that becomes the activator, or exits with [`MISSING`].
    pub(crate) fn start_line(&self, user: &str) -> String {
        let hashes: String = self
            .binaries
            .iter()
            .map(|(architecture, binary)| format!("{architecture}) h={};; ", binary.sha256))
            .collect();
        let folder = &self.folder;
        as_root(
            user,
            &format!(
                "{PATH}; m=$(uname -m); case \"$m\" in {hashes}*) h=none;; esac; \
                 a={folder}/$h/cairn-activator; \
                 if [ -x \"$a\" ] && [ -O \"$a\" ] && echo \"$h  $a\" | sha256sum -c --status; \
                 then exec \"$a\" serve; fi; \
                 echo \"{MISSING_WORDS}$m\" >&2; exit {MISSING}"
            ),
        )
    }

    /// The line that takes an activator from its standard input, checks it, and keeps it. What is
    /// above the folder stays open to everybody: managed files are links through there.
    pub(crate) fn install_line(&self, user: &str, binary: &Binary) -> String {
        let (folder, sha256) = (&self.folder, &binary.sha256);
        as_root(
            user,
            &format!(
                "{PATH}; set -e; umask 022; mkdir -p {folder}; \
                 umask 077; d={folder}/{sha256}; mkdir -p \"$d\"; chmod 0700 {folder} \"$d\"; t=$(mktemp \"$d/new.XXXXXX\"); \
                 trap \"rm -f $t\" EXIT; cat > \"$t\"; \
                 echo \"{sha256}  $t\" | sha256sum -c --status || \
                 {{ echo \"it arrived damaged\" >&2; exit 1; }}; \
                 chmod 0700 \"$t\"; sync \"$t\"; mv -f \"$t\" \"$d/cairn-activator\"; sync \"$d\""
            ),
        )
    }
}

/// The architecture that a start line named when it ended with [`MISSING`].
pub(crate) fn missing_architecture(stderr: &str) -> Option<&str> {
    let (_, rest) = stderr.rsplit_once(MISSING_WORDS)?;
    rest.split_whitespace().next().filter(|architecture| is_architecture(architecture))
}

/// A script for `sh`, whatever the login's shell is. `script` has no single quotes.
fn as_root(user: &str, script: &str) -> String {
    let sudo = if user == "root" { "" } else { "sudo -n " };
    format!("{sudo}sh -c '{script}'")
}

/// Names become parts of a shell line: nothing but what `uname -m` says anywhere.
fn is_architecture(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
