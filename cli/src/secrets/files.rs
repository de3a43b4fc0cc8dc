//! Encrypted files on the disk: found, read, and replaced as a whole.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cairn_sops::{File, Format};

use crate::error::CommandError;
use crate::secrets::failed;

/// An encrypted file.
pub(crate) struct Found {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How people name it: as they gave it, or from the fleet's folder.
    pub(crate) name: String,
    /// Its content.
    pub(crate) file: File,
}

/// The bytes of a file; not more than are read of any.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = cairn_sops::MAX_SIZE as u64 + 1;
        fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| CommandError::user(format!("{}: {error}", path.display())))
}

/// Reads a file that somebody named.
pub(crate) fn read(path: &Path) -> Result<Found, CommandError> {
    let name = path.display().to_string();
    let file = File::parse(&bytes(path)?, Format::of_path(path));
    let file = file.map_err(|error| failed(&name, &error))?;
    Ok(Found { path: path.to_owned(), name, file })
}

/// Whether bytes look like a file of sops, whatever its format.
fn looks_encrypted(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    has(b"sops") && has(b"ENC[AES256_GCM,data:") && has(b"lastmodified")
}

/// All encrypted files below a folder, in order; a file that looks like one and cannot be read is
/// an error of its own.
pub(crate) fn below(folder: &Path) -> Result<Vec<Result<Found, CommandError>>, CommandError> {
    let mut found = Vec::new();
    walk(folder, folder, &mut found)?;
    Ok(found)
}

fn walk(
    root: &Path,
    folder: &Path,
    found: &mut Vec<Result<Found, CommandError>>,
) -> Result<(), CommandError> {
    let unreadable =
        |error: io::Error| CommandError::user(format!("{}: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(unreadable)?;
        let path = entry.path();
        // What version control, builds and editors keep; `.sops.yaml` has rules, not secrets.
        if name.starts_with('.') || path.join("CACHEDIR.TAG").exists() {
            continue;
        }
        if kind.is_dir() {
            walk(root, &path, found)?;
        } else if kind.is_file()
            && entry.metadata().is_ok_and(|about| about.len() <= cairn_sops::MAX_SIZE as u64)
        {
            let Ok(bytes) = fs::read(&path) else { continue };
            if looks_encrypted(&bytes) {
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                let file = File::parse(&bytes, Format::of_path(&path));
                found.push(match file {
                    Ok(file) => Ok(Found { path, name, file }),
                    // Text about such files, documentation say.
                    Err(cairn_sops::Error::NotEncrypted) => continue,
                    Err(_) if Format::of_path(&path) == Format::Binary => continue,
                    Err(error) => Err(failed(&name, &error)),
                });
            }
        }
    }
    Ok(())
}

/// Replaces a file, or makes it: afterwards there is the old content or the new one, whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let replace = || -> io::Result<()> {
        let mode = fs::metadata(&path).map_or(0o644, |about| about.permissions().mode());
        let mut new = tempfile::Builder::new()
            .prefix(".cairn-")
            .permissions(fs::Permissions::from_mode(mode & 0o777))
            .tempfile_in(folder)?;
        new.write_all(bytes)?;
        new.as_file().sync_all()?;
        new.persist(&path).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    };
    replace().map_err(|error| {
        CommandError::user(format!("{} cannot be written: {error}", path.display()))
            .hint("it is as it was")
    })
}
