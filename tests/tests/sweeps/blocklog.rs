//! A disk that remembers every write and every flush, so that it can be rebuilt as a power cut would
//! have left it.
//!
//! ext4 lies on a loop device over a file that `qemu-storage-daemon` exports by FUSE; its driver
//! `blklogwrites` appends what it is asked to write to a log, in the format of Linux' dm-log-writes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::world::folder;

const SIZE: u64 = 48 << 20;
const BLOCK: usize = 4096;

/// The mounted file system whose writes are logged.
pub(crate) struct Logged {
    folder: TempDir,
    daemon: Child,
    fresh: Image,
    end: Option<u64>,
}

/// One write or flush.
struct Entry {
    /// Where in the disk.
    at: u64,
    /// Where in the log.
    data: usize,
    length: usize,
    flags: u64,
    /// Where in the log the entry begins.
    begins: u64,
}

const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;

impl Logged {
    /// Makes an empty file system and mounts it, in the mount namespace of this thread alone.
    pub(crate) fn mount() -> Self {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("this needs root");
        must(Command::new("mount").args(["--make-rprivate", "/"]));
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        let disk = at("disk");
        File::create(&disk).unwrap().set_len(SIZE).unwrap();
        let eager = "lazy_itable_init=0,lazy_journal_init=0";
        must(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4", "-E", eager]).arg(&disk));
        let fresh = Image::read(&disk);
        File::create(at("log")).unwrap();
        File::create(at("export")).unwrap();
        fs::create_dir(at("mounted")).unwrap();
        let show = |path: PathBuf| path.display().to_string();
        let daemon = Command::new("qemu-storage-daemon")
            .args([
                "--blockdev",
                &format!("driver=file,node-name=disk,filename={},locking=off", show(disk)),
            ])
            .args([
                "--blockdev",
                &format!("driver=file,node-name=log,filename={}", show(at("log"))),
            ])
            .args(["--blockdev", "driver=blklogwrites,node-name=both,file=disk,log=log"])
            .arg("--export")
            .arg(format!(
                "type=fuse,id=export,node-name=both,mountpoint={},writable=on",
                show(at("export"))
            ))
            .stdin(Stdio::null())
            .spawn()
            .expect("qemu-storage-daemon starts");
        for _ in 0..500 {
            if fs::metadata(at("export")).is_ok_and(|found| found.len() == SIZE) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // The journal is committed every second, as a busy host's is every few.
        let how = "loop,noatime,commit=1";
        must(Command::new("mount").args(["-o", how]).args([at("export"), at("mounted")]));
        Self { folder, daemon, fresh, end: None }
    }

    /// Where it is mounted.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// How long the log is by now.
    pub(crate) fn length(&self) -> u64 {
        fs::metadata(self.folder.path().join("log")).unwrap().len()
    }

    /// Ends the life of the disk. What is written from here on is none of it.
    pub(crate) fn unmount(mut self) -> Log {
        let end = self.length();
        self.end = Some(end);
        must(Command::new("umount").arg(self.root()));
        let daemon = rustix::process::Pid::from_child(&self.daemon);
        rustix::process::kill_process(daemon, rustix::process::Signal::TERM).unwrap();
        self.daemon.wait().unwrap();
        let bytes = fs::read(self.folder.path().join("log")).unwrap();
        let entries = parse(&bytes, end);
        Log { bytes, entries, fresh: self.fresh.clone() }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        if self.end.is_none() {
            let _ = Command::new("umount").args(["--lazy"]).arg(self.root()).status();
            let _ = self.daemon.kill();
            let _ = self.daemon.wait();
        }
    }
}

/// Everything that was written to a disk.
pub(crate) struct Log {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    fresh: Image,
}

impl Log {
    /// How many writes and flushes there were, and how many of them flushes.
    pub(crate) fn count(&self) -> (usize, usize) {
        let flushes = self.entries.iter().filter(|entry| entry.flags & FLUSH != 0).count();
        (self.entries.len(), flushes)
    }

    /// The number of the first entry that begins at or after `length`.
    pub(crate) fn entry_after(&self, length: u64) -> usize {
        self.entries.partition_point(|entry| entry.begins < length)
    }

    /// Cuts the power just before each of these entries, which are in ascending order: everything
    /// up to the flush before is on the disk, and of later writes a random half, some of it torn.
    pub(crate) fn cut(
        &self,
        points: &[usize],
        random: &mut Random,
        mut look: impl FnMut(usize, &Image),
    ) {
        let (mut durable, mut applied) = (self.fresh.clone(), 0);
        for &point in points {
            let flushed = self.entries[..point].iter().rposition(|entry| entry.flags & FLUSH != 0);
            let flushed = flushed.unwrap_or(0).max(applied);
            for entry in &self.entries[applied..flushed] {
                self.put(&mut durable, entry, entry.length);
            }
            applied = flushed;
            let mut disk = durable.clone();
            for entry in &self.entries[flushed..point] {
                let whole = entry.flags & FUA != 0;
                match random.below(8) {
                    _ if whole => self.put(&mut disk, entry, entry.length),
                    0..4 => {}
                    4 => self.put(&mut disk, entry, random.below(entry.length / 512 + 1) * 512),
                    _ => self.put(&mut disk, entry, entry.length),
                }
            }
            look(point, &disk);
        }
    }

    fn put(&self, image: &mut Image, entry: &Entry, length: usize) {
        if entry.flags & DISCARD == 0 {
            image.write(entry.at as usize, &self.bytes[entry.data..entry.data + length]);
        }
    }
}

fn parse(bytes: &[u8], end: u64) -> Vec<Entry> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(number(0), 0x006a_7366_7773_6872, "no log of dm-log-writes");
    let (count, sector) = (number(16), 512);
    let (mut entries, mut at) = (Vec::new(), sector);
    while entries.len() < count as usize && (at as u64) < end {
        let (begins, length) = (at as u64, number(at + 8) as usize * sector);
        let entry = Entry {
            at: number(at) * sector as u64,
            data: at + sector,
            length,
            flags: number(at + 16),
            begins,
        };
        at += sector;
        if entry.flags & DISCARD == 0 {
            at += length;
        }
        entries.push(entry);
    }
    entries
}

/// A disk's content, with the blocks that are not all zero.
#[derive(Clone)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    used: BTreeSet<usize>,
}

impl Image {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let blocks = bytes.chunks(BLOCK).enumerate();
        let used = blocks.filter(|(_, block)| block.iter().any(|byte| *byte != 0));
        let used = used.map(|(number, _)| number).collect();
        Self { bytes, used }
    }

    fn write(&mut self, at: usize, content: &[u8]) {
        self.bytes[at..at + content.len()].copy_from_slice(content);
        self.used.extend(at / BLOCK..(at + content.len()).div_ceil(BLOCK));
    }

    /// Calls `look` with this disk mounted; what it does there stays there.
    pub(crate) fn mounted<T>(&self, look: impl FnOnce(&Path) -> T) -> Result<T, String> {
        let folder = folder();
        let (disk, root) = (folder.path().join("disk"), folder.path().join("mounted"));
        fs::create_dir(&root).unwrap();
        let file = File::create(&disk).unwrap();
        file.set_len(SIZE).unwrap();
        for block in &self.used {
            let at = block * BLOCK;
            file.write_all_at(&self.bytes[at..at + BLOCK], at as u64).unwrap();
        }
        let mount =
            Command::new("mount").args(["-o", "loop,noatime"]).args([&disk, &root]).output();
        let mount = mount.unwrap();
        if !mount.status.success() {
            return Err(String::from_utf8_lossy(&mount.stderr).into_owned());
        }
        let seen = look(&root);
        must(Command::new("umount").arg(&root));
        Ok(seen)
    }
}

/// Numbers that are the same at every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit` (splitmix64).
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % limit
    }
}

fn must(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
