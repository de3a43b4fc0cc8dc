//! Trees out of tar archives.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use tar::EntryType;

use super::error::InputError;
use super::tree::{LARGEST_TREE, TreeWriter, check_name};

/// Writes the tree in an archive (`.tar`, compressed by gzip, xz or zstd), and gives when its newest entry was
/// made, in seconds since 1970. Archives of repositories hold one folder with everything: that
/// folder is the tree.
pub(super) fn unpack(archive: &Path, tree: &mut TreeWriter) -> Result<i64, InputError> {
    let top = common_folder(archive)?;
    let mut newest = 0;
    each(archive, |name, entry| {
        let name = match &top {
            Some(top) if name == *top => return Ok(()),
            Some(top) => name.strip_prefix(top).unwrap_or(name).trim_start_matches('/'),
            None => name,
        };
        newest = newest.max(entry.header().mtime().unwrap_or(0));
        write(tree, name, entry)
    })?;
    Ok(i64::try_from(newest).unwrap_or(0))
}

fn write<R: Read>(
    tree: &mut TreeWriter,
    name: &str,
    entry: &mut tar::Entry<'_, R>,
) -> Result<(), InputError> {
    let mode = entry.header().mode().unwrap_or(0o644);
    if mode & 0o6000 != 0 {
        let message = format!("`{name}` in the archive has a set-user-ID or set-group-ID bit");
        return Err(InputError::new(
            "input::bad-entry",
            message,
            "no input needs one: do not use it",
        ));
    }
    match entry.header().entry_type() {
        EntryType::Directory => tree.folder(name.trim_end_matches('/')),
        EntryType::Regular | EntryType::Continuous => tree.file(name, mode & 0o100 != 0, entry),
        EntryType::Symlink => {
            let to = entry.link_name().ok().flatten();
            let to = to.as_deref().and_then(Path::to_str).map(str::to_owned);
            let to = to.ok_or_else(|| not_utf8(name))?;
            tree.link(name, &to)
        }
        kind => {
            let message = format!("`{name}` in the archive is no file, folder or link ({kind:?})");
            let help = "an archive of a repository has none such: do not use it";
            Err(InputError::new("input::bad-entry", message, help))
        }
    }
}

/// The one folder that everything in an archive is in.
fn common_folder(archive: &Path) -> Result<Option<String>, InputError> {
    let mut top: Option<String> = None;
    let mut is_common = true;
    each(archive, |name, entry| {
        let (first, below) = name.split_once('/').unwrap_or((name, ""));
        is_common &= !below.is_empty() || entry.header().entry_type().is_dir();
        is_common &= top.get_or_insert_with(|| first.to_owned()) == first;
        Ok(())
    })?;
    Ok(top.filter(|_| is_common))
}

/// Hands `work` every entry with its name; what only describes others is left out.
fn each(
    archive: &Path,
    mut work: impl FnMut(&str, &mut tar::Entry<'_, Box<dyn Read>>) -> Result<(), InputError>,
) -> Result<(), InputError> {
    let damaged = |error: io::Error| {
        let message = format!("the archive cannot be read: {error}");
        InputError::new("input::bad-archive", message, "check what the URL leads to")
    };
    let mut archive = tar::Archive::new(open(archive).map_err(damaged)?);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if matches!(entry.header().entry_type(), EntryType::XGlobalHeader) {
            continue;
        }
        let path = entry.path().map_err(damaged)?.into_owned();
        let name = path.to_str().ok_or_else(|| not_utf8(&path.display().to_string()))?;
        let name = name.trim_start_matches("./").trim_end_matches('/').to_owned();
        if !matches!(name.as_str(), "" | ".") {
            // Before the common folder is taken off: that may be `..` as well.
            name.split('/').try_for_each(|part| check_name(&name, part))?;
            work(&name, &mut entry)?;
        }
    }
    Ok(())
}

/// The archive's own bytes, by what its first bytes say that it is.
fn open(archive: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(archive)?;
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(6).read_to_end(&mut start)?;
    file.rewind()?;
    let file = BufReader::new(file);
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(GzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(file)?),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(unpacked_xz(file)?),
        _ => Box::new(file),
    })
}

/// What xz has packed, in a file without a name: it cannot be read bit by bit.
fn unpacked_xz(mut packed: BufReader<File>) -> io::Result<BufReader<File>> {
    let mut unpacked = Limited { file: tempfile::tempfile()?, room: LARGEST_TREE };
    lzma_rs::xz_decompress(&mut packed, &mut unpacked).map_err(io::Error::other)?;
    unpacked.file.rewind()?;
    Ok(BufReader::new(unpacked.file))
}

/// A file that takes so many bytes and no more.
struct Limited {
    file: File,
    room: u64,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let room = self.room.checked_sub(length);
        self.room =
            room.ok_or_else(|| io::Error::other("what it holds is larger than any input"))?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn not_utf8(name: &str) -> InputError {
    let message = format!("a name in the archive is not UTF-8: {name}");
    InputError::new("input::bad-entry", message, "have it renamed")
}
