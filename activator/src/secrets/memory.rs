//! The file system that holds plaintext: a ramfs, which is never written to swap.

use std::path::Path;

use rustix::fs::statfs;
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::error::{Error, io};

const RAMFS_MAGIC: u64 = 0x8584_58f6;
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Makes sure that `folder`, which is there, is a ramfs. What is to be told where it cannot be.
///
/// # Errors
/// When what lies in `folder` could reach a disk other than by swapping.
pub(crate) fn make_sure(folder: &Path) -> Result<Option<String>, Error> {
    if kind(folder)? == RAMFS_MAGIC {
        return Ok(None);
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let refused = match mount("cairn-secrets", folder, "ramfs", flags, c"mode=0711") {
        Ok(()) => return Ok(None),
        Err(error) => error,
    };
    if kind(folder)? != TMPFS_MAGIC {
        return Err(Error::refused(format!(
            "secrets need a file system in memory: a ramfs cannot be mounted at {} ({refused}), and {} is not on \
             a tmpfs",
            folder.display(),
            folder.display()
        )));
    }
    Ok(Some(format!(
        "a ramfs cannot be mounted at {} ({refused}): secrets lie in a tmpfs, which may be swapped to disk",
        folder.display()
    )))
}

/// Takes the ramfs away, if there is one.
///
/// # Errors
/// When the kernel refuses; it is not busy, since nothing is left in it.
pub(crate) fn take_away(folder: &Path) -> Result<(), Error> {
    match unmount(folder, UnmountFlags::DETACH) {
        // Nothing is mounted there, or we may not: then it is a tmpfs.
        Ok(()) | Err(Errno::INVAL | Errno::NOENT | Errno::PERM) => Ok(()),
        Err(error) => Err(io("unmount", folder)(error.into())),
    }
}

fn kind(folder: &Path) -> Result<u64, Error> {
    let found = statfs(folder).map_err(|error| io("look at", folder)(error.into()))?;
    Ok(found.f_type.cast_unsigned() & 0xffff_ffff)
}
