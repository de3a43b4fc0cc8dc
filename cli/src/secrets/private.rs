//! A folder in memory, for plaintext that an editor needs as a file.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;

use crate::error::CommandError;
use crate::secrets::keys::variable;

/// Numbers of `statfs` for file systems that are never written to a disk as files.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// A folder of mode 0700 in memory. It is removed when this is dropped; signals that would end the
/// process before that are held back while it is there.
pub(crate) struct Private {
    folder: TempDir,
    signals: Vec<signal_hook::SigId>,
}

impl Private {
    /// A new folder, in the first place that is in memory.
    pub(crate) fn new() -> Result<Private, CommandError> {
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let places = runtime.into_iter().chain([PathBuf::from("/dev/shm"), PathBuf::from("/run")]);
        let mut signals = Vec::new();
        for signal in [
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGQUIT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ] {
            signals.push(signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?);
        }
        for place in places.filter(|place| in_memory(place)) {
            let made = tempfile::Builder::new()
                .prefix("cairn-secrets-")
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir_in(&place);
            if let Ok(folder) = made {
                return Ok(Private { folder, signals });
            }
        }
        Err(CommandError::user("there is no folder in memory for the plain text")
            .hint("mount a tmpfs and name it in XDG_RUNTIME_DIR, or use `cairn secrets set`"))
    }

    /// Writes a file of mode 0600.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(bytes)?;
        Ok(path)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        for signal in self.signals.drain(..) {
            signal_hook::low_level::unregister(signal);
        }
    }
}

fn in_memory(place: &Path) -> bool {
    rustix::fs::statfs(place).is_ok_and(|stat| IN_MEMORY.contains(&stat.f_type))
}
