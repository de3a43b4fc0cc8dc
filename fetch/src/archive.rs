//! Files out of downloads: the download itself, or members of an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Where a tar archive says that it is one, and how.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");

/// Why a download does not give a file.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is neither an archive nor compressed.
    #[error("the download is no archive, so nothing can be taken out of it")]
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
    /// It has what no release has: somebody means harm.
    #[error("the archive has `{member}`, which {why}")]
    Hostile {
        /// The member.
        member: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The bytes of each of these: of a member, or, for none, of the whole download. A compressed file that
/// is no archive is its own only member, whatever it is called. Nothing is ever unpacked to a path that
/// an archive names, and an archive with a member that would do harm unpacked is refused whole.
///
/// # Errors
/// When the download is no archive, has no such plain file, or is refused.
pub fn take(
    download: &Path,
    wanted: &BTreeSet<Option<&str>>,
) -> Result<BTreeMap<Option<String>, Vec<u8>>, ArchiveError> {
    let mut taken = BTreeMap::new();
    if wanted.contains(&None) {
        taken.insert(None, std::fs::read(download).map_err(ArchiveError::Damaged)?);
    }
    let members: BTreeSet<&str> = wanted.iter().copied().flatten().collect();
    if members.is_empty() {
        return Ok(taken);
    }
    let (mut content, compressed) = unpacked(download).map_err(ArchiveError::Damaged)?;
    let mut start = Vec::new();
    let (place, magic) = TAR_MAGIC;
    let read = content.by_ref().take((place + magic.len()) as u64).read_to_end(&mut start);
    read.map_err(ArchiveError::Damaged)?;
    let is_tar = start.get(place..) == Some(magic);
    let mut content = Cursor::new(start).chain(content);
    if is_tar {
        of_tar(content, &members, &mut taken)?;
    } else if compressed {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(ArchiveError::Damaged)?;
        taken.extend(members.iter().map(|name| (Some((*name).to_owned()), bytes.clone())));
    } else {
        return Err(ArchiveError::NotAnArchive);
    }
    Ok(taken)
}

/// What a download holds, uncompressed, and whether it was compressed.
fn unpacked(download: &Path) -> io::Result<(Box<dyn Read>, bool)> {
    let mut file = BufReader::new(File::open(download)?);
    let start = file.fill_buf()?;
    Ok(match start {
        [0x1f, 0x8b, ..] => (Box::new(MultiGzDecoder::new(file)), true),
        [b'B', b'Z', b'h', ..] => (Box::new(bzip2_rs::DecoderReader::new(file)), true),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => (Box::new(zstd::Decoder::new(file)?), true),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let mut bytes = Vec::new();
            let read = lzma_rs::xz_decompress(&mut file, &mut bytes);
            read.map_err(|error| io::Error::other(format!("{error:?}")))?;
            (Box::new(Cursor::new(bytes)), true)
        }
        _ => (Box::new(file), false),
    })
}

fn of_tar(
    content: impl Read,
    wanted: &BTreeSet<&str>,
    taken: &mut BTreeMap<Option<String>, Vec<u8>>,
) -> Result<(), ArchiveError> {
    let paths: BTreeMap<PathBuf, &str> =
        wanted.iter().map(|name| (normal(Path::new(name)), *name)).collect();
    let mut archive = tar::Archive::new(content);
    let mut members = BTreeSet::new();
    for entry in archive.entries().map_err(ArchiveError::Damaged)? {
        let mut entry = entry.map_err(ArchiveError::Damaged)?;
        let path = entry.path().map_err(ArchiveError::Damaged)?.into_owned();
        let header = entry.header();
        let is_file = header.entry_type().is_file();
        if let Some(why) = harm(&path, header) {
            return Err(ArchiveError::Hostile { member: path.display().to_string(), why });
        }
        let path = normal(&path);
        if let Some(name) = paths.get(&path) {
            if !is_file {
                return Err(ArchiveError::NotAFile { member: (*name).to_owned() });
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(ArchiveError::Damaged)?;
            taken.insert(Some((*name).to_owned()), bytes);
        }
        if is_file {
            members.insert(path.display().to_string());
        }
    }
    match wanted.iter().find(|name| !taken.contains_key(&Some((**name).to_owned()))) {
        Some(missing) => Err(ArchiveError::Missing { member: (*missing).to_owned(), members }),
        None => Ok(()),
    }
}

/// What a member would do that no release's member does.
fn harm(path: &Path, header: &tar::Header) -> Option<&'static str> {
    use tar::EntryType::{Block, Char, Fifo};
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    let mode = header.mode().unwrap_or_default();
    if !path.components().all(inside) {
        Some("leaves the archive's own folder")
    } else if matches!(header.entry_type(), Block | Char | Fifo) {
        Some("is a device")
    } else if header.entry_type().is_file() && mode & 0o6000 != 0 {
        Some("runs as its owner (set-user-ID or set-group-ID)")
    } else {
        None
    }
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
    use tar::EntryType::{self, Regular, Symlink};

    fn archive(members: &[(&str, EntryType, u32, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut builder = tar::Builder::new(GzEncoder::new(
            file.reopen().expect("the file"),
            Compression::fast(),
        ));
        for (name, kind, mode, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(*mode);
            // The safe setters refuse what a hostile archive would hold.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).expect("a member");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("an archive");
        file
    }

    fn one(file: &Path, member: Option<&str>) -> Result<Vec<u8>, ArchiveError> {
        let mut taken = take(file, &BTreeSet::from([member]))?;
        Ok(taken.remove(&member.map(str::to_owned)).expect("what was asked for"))
    }

    #[test]
    fn takes_members() {
        let file = archive(&[
            ("./bin/k9s", Regular, 0o755, b"program"),
            ("bin/link", Symlink, 0o777, b""),
            ("LICENSE", Regular, 0o644, b"words"),
        ]);
        let wanted = BTreeSet::from([Some("bin/k9s"), Some("LICENSE")]);
        let taken = take(file.path(), &wanted).expect("members");
        let contents: Vec<&[u8]> = taken.values().map(Vec::as_slice).collect();
        assert_eq!(contents, [b"words".as_slice(), b"program"]);
        assert!(matches!(one(file.path(), Some("bin/link")), Err(ArchiveError::NotAFile { .. })));
        match one(file.path(), Some("k9s")) {
            Err(ArchiveError::Missing { members, .. }) => assert!(members.contains("bin/k9s")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn harm_is_refused_whatever_is_wanted() {
        let refused = |member: (&str, EntryType, u32, &[u8])| {
            let file = archive(&[("k9s", Regular, 0o755, b"program"), member]);
            one(file.path(), Some("k9s")).expect_err("refused").to_string()
        };
        let said = [
            refused(("../evil", Regular, 0o644, b"x")),
            refused(("/etc/evil", Regular, 0o644, b"x")),
            refused(("sh", Regular, 0o4755, b"x")),
            refused(("sda", EntryType::Block, 0o644, b"")),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        the archive has `../evil`, which leaves the archive's own folder
        the archive has `/etc/evil`, which leaves the archive's own folder
        the archive has `sh`, which runs as its owner (set-user-ID or set-group-ID)
        the archive has `sda`, which is a device
        ");
    }

    #[test]
    fn a_compressed_file_is_its_own_member() {
        // `printf hello | bzip2`
        const HELLO: [u8; 41] = [
            0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x19, 0x31, 0x65, 0x3d,
            0x00, 0x00, 0x00, 0x81, 0x00, 0x02, 0x44, 0xa0, 0x00, 0x21, 0x9a, 0x68, 0x33, 0x4d,
            0x07, 0x33, 0x8b, 0xb9, 0x22, 0x9c, 0x28, 0x48, 0x0c, 0x98, 0xb2, 0x9e, 0x80,
        ];
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), HELLO).expect("written");
        assert_eq!(one(file.path(), Some("restic_0.17.3")).expect("a program"), b"hello");
    }

    #[test]
    fn what_is_no_archive() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "#!/bin/sh\n").expect("written");
        assert_eq!(one(file.path(), None).expect("a program"), b"#!/bin/sh\n");
        assert!(matches!(one(file.path(), Some("a")), Err(ArchiveError::NotAnArchive)));
        std::fs::write(file.path(), [0x1f, 0x8b, 0, 0]).expect("written");
        assert!(matches!(one(file.path(), Some("a")), Err(ArchiveError::Damaged(_))));
    }
}
