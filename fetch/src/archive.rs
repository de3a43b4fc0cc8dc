//! Programs out of downloads: the download itself, or a member of a gzipped tar archive.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

/// Why a download holds no such program.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is not a `.tar.gz`.
    #[error("the download is no gzipped tar archive, so nothing can be taken out of it")]
    NotAnArchive,
    /// It is damaged.
    #[error("the archive cannot be read: {0}")]
    Damaged(io::Error),
    /// Nothing in it has this name.
    #[error("the archive has no member `{member}`")]
    Missing {
        /// The name that was asked for.
        member: String,
        /// The names of the plain files in it.
        members: BTreeSet<String>,
    },
    /// The member is a folder, link or device.
    #[error("`{member}` in the archive is not a plain file")]
    NotAFile {
        /// The name that was asked for.
        member: String,
    },
}

/// The bytes of a program: of the whole download, or of `member` in it. Only that member is read;
/// nothing is ever unpacked to a path that an archive names.
///
/// # Errors
/// When the download is no archive, or has no such plain file.
pub fn program(download: &Path, member: Option<&str>) -> Result<Vec<u8>, ArchiveError> {
    let mut file = File::open(download).map_err(ArchiveError::Damaged)?;
    let Some(member) = member else {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(ArchiveError::Damaged)?;
        return Ok(bytes);
    };
    if !is_gzip(download).map_err(ArchiveError::Damaged)? {
        return Err(ArchiveError::NotAnArchive);
    }
    let wanted = normal(Path::new(member));
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let mut members = BTreeSet::new();
    for entry in archive.entries().map_err(ArchiveError::Damaged)? {
        let mut entry = entry.map_err(ArchiveError::Damaged)?;
        let path = normal(&entry.path().map_err(ArchiveError::Damaged)?);
        if path == wanted {
            if !entry.header().entry_type().is_file() {
                return Err(ArchiveError::NotAFile { member: member.to_owned() });
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(ArchiveError::Damaged)?;
            return Ok(bytes);
        }
        if entry.header().entry_type().is_file() {
            members.insert(path.display().to_string());
        }
    }
    Err(ArchiveError::Missing { member: member.to_owned(), members })
}

fn is_gzip(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(2).read_to_end(&mut start)?;
    Ok(start == [0x1f, 0x8b])
}

/// `./a//b` and `a/b` are one name.
fn normal(path: &Path) -> PathBuf {
    path.components().filter(|component| *component != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn archive(members: &[(&str, tar::EntryType, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut builder = tar::Builder::new(GzEncoder::new(
            file.reopen().expect("the file"),
            Compression::fast(),
        ));
        for (name, kind, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            // The safe setters refuse what a hostile archive would hold.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).expect("a member");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("an archive");
        file
    }

    #[test]
    fn takes_one_member() {
        use tar::EntryType::{Regular, Symlink};
        let file = archive(&[
            ("../evil", Regular, b"x"),
            ("./bin/k9s", Regular, b"program"),
            ("bin/link", Symlink, b""),
        ]);
        assert_eq!(program(file.path(), Some("bin/k9s")).expect("a program"), b"program");
        assert!(matches!(
            program(file.path(), Some("bin/link")),
            Err(ArchiveError::NotAFile { .. })
        ));
        match program(file.path(), Some("k9s")) {
            Err(ArchiveError::Missing { members, .. }) => assert!(members.contains("bin/k9s")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_archive() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "#!/bin/sh\n").expect("written");
        assert_eq!(program(file.path(), None).expect("a program"), b"#!/bin/sh\n");
        assert!(matches!(program(file.path(), Some("a")), Err(ArchiveError::NotAnArchive)));
        std::fs::write(file.path(), [0x1f, 0x8b, 0, 0]).expect("written");
        assert!(matches!(program(file.path(), Some("a")), Err(ArchiveError::Damaged(_))));
    }
}
