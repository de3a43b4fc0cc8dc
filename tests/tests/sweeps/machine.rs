//! A real kernel that loses its power: a machine with one program, under qemu, killed at random
//! moments of its life and booted again. By hand alone: `CAIRN_SWEEP_DEPTH=whole`, with
//! qemu-system-x86 and a kernel of Debian's cloud images (`CAIRN_SWEEP_KERNEL`, or in /boot).

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use cairn_tests::{Case, digest, outside};

use crate::blocklog::Random;
use crate::depth;
use crate::world::{Name, Order, World, folder, lay_out_host, node};

pub(crate) const CASES: &[Case] = &[("a machine killed at random moments", killed)];

fn kernel() -> PathBuf {
    if let Some(named) = std::env::var_os("CAIRN_SWEEP_KERNEL") {
        return named.into();
    }
    let boot = fs::read_dir("/boot").unwrap().flatten().map(|entry| entry.path());
    let mut kernels = boot.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("vmlinuz-") && name.contains("cloud")
    });
    kernels.next().expect("a kernel: install linux-image-cloud-amd64, or set CAIRN_SWEEP_KERNEL")
}

/// The machine while it has power.
struct Machine {
    process: Child,
    lines: Receiver<String>,
}

impl Machine {
    fn start(kernel: &Path, initrd: &Path, disk: &Path) -> Self {
        let drive = format!("file={},if=none,id=disk,format=raw", disk.display());
        let mut process = Command::new("qemu-system-x86_64")
            .args(["-M", "q35", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot"])
            .args(["-serial", "stdio", "-append", "console=ttyS0 quiet panic=-1"])
            .args(["-drive", &drive, "-device", "nvme,drive=disk,serial=disk"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("qemu-system-x86_64 starts");
        let output = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            // A line that a kill has cut is none.
            for line in output.split(b'\n').map_while(Result::ok) {
                let whole = line.last() == Some(&b'\r');
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if whole && send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { process, lines }
    }

    /// What it says next, within `patience`.
    fn says(&self, patience: Duration) -> Option<Vec<String>> {
        let end = Instant::now() + patience;
        loop {
            let line =
                self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            assert!(!line.contains("of no use"), "{line}");
            if ["up ", "begin ", "done "].iter().any(|word| line.starts_with(word)) {
                return Some(line.splitn(4, ' ').map(str::to_owned).collect());
            }
        }
    }

    /// Takes its power, and gives all that it had said.
    fn kill(mut self) -> Vec<Vec<String>> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::iter::from_fn(|| self.says(Duration::from_secs(5))).collect()
    }
}

fn killed() {
    let (world, place, kernel) = (World::new(), folder(), kernel());
    let host = place.path().join("found/host");
    lay_out_host(&host);
    let (disk, initrd) = (place.path().join("disk"), place.path().join("initrd"));
    let made = Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d"])
        .arg(place.path().join("found"))
        .arg(&disk)
        .arg("64M")
        .status();
    assert!(made.unwrap().success());
    let mut digests = BTreeMap::from([("0".to_owned(), digest(&outside(&host)))]);
    for (number, name) in [("1", Name::One), ("2", Name::Two)] {
        world.must(&host, Order::Switch(name));
        digests.insert(number.to_owned(), digest(&outside(&host)));
    }
    fs::write(&initrd, archive(&world)).unwrap();

    let (mut random, mut allowed) = (Random(11), vec!["0".to_owned()]);
    let (mut old, mut new, mut early, mut amid) = (0, 0, 0, 0);
    let count = depth(3, 40);
    for kill in 0..=count {
        let machine = Machine::start(&kernel, &initrd, &disk);
        if kill % 8 == 7 {
            // While it boots, or recovers.
            thread::sleep(Duration::from_millis(random.below(4000) as u64));
            early += 1;
        }
        let said = if kill % 8 == 7 {
            machine.says(Duration::ZERO)
        } else {
            machine.says(Duration::from_secs(300))
        };
        if let Some(said) = said {
            let [word, generation, seen, state] = said.as_slice() else { panic!("{said:?}") };
            assert_eq!(word, "up", "{said:?}");
            assert!(allowed.contains(generation), "kill {kill}: {said:?}, allowed {allowed:?}");
            assert_eq!(Some(seen), digests.get(generation), "kill {kill}: mixed: {said:?}");
            assert_eq!(state, "whole", "kill {kill}");
            if kill > 0 && *generation == allowed[0] {
                old += 1;
            } else if kill > 0 {
                new += 1;
            }
            allowed = vec![generation.clone()];
        }
        thread::sleep(Duration::from_millis(random.below(3000) as u64));
        for said in machine.kill() {
            match said.as_slice() {
                [word, from, to] if word == "begin" => allowed = vec![from.clone(), to.clone()],
                [word, to] if word == "done" => allowed = vec![to.clone()],
                other => assert_eq!(other[0], "up", "{other:?}"),
            }
        }
        amid += usize::from(kill < count && allowed.len() > 1);
    }
    println!(
        "a machine without power: {count} kills ({amid} amid a switch, {early} while it booted), {old} old, {new} new, 0 mixed"
    );
}

/// The machine's first file system: the program as `/init`, its libraries, and the world.
fn archive(world: &World) -> Vec<u8> {
    let mut archive = Vec::new();
    for folder in ["dev", "proc", "disk", "lib64", "lib", "world", "world/blobs", "tmp"] {
        entry(&mut archive, folder, 0o040_755, &[]);
    }
    entry(&mut archive, "dev/console", 0o020_600, &[]);
    let program = folder();
    let stripped = program.path().join("init");
    let strip = Command::new("strip").arg("-o").args([&stripped, node()]).status().unwrap();
    assert!(strip.success());
    entry(&mut archive, "init", 0o100_755, &fs::read(stripped).unwrap());
    let libraries = Command::new("ldd").arg(node()).output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    for file in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        let place = if name.starts_with("ld-") { "lib64" } else { "lib" };
        entry(&mut archive, &format!("{place}/{name}"), 0o100_755, &fs::read(file).unwrap());
    }
    for name in ["one.json", "two.json"] {
        let content = fs::read(world.folder().join(name)).unwrap();
        entry(&mut archive, &format!("world/{name}"), 0o100_644, &content);
    }
    for blob in fs::read_dir(world.blobs()).unwrap().flatten() {
        let name = format!("world/blobs/{}", blob.file_name().to_string_lossy());
        let mode = 0o100_000 | (blob.metadata().unwrap().permissions().mode() & 0o777);
        entry(&mut archive, &name, mode, &fs::read(blob.path()).unwrap());
    }
    entry(&mut archive, "TRAILER!!!", 0, &[]);
    archive
}

/// One file in the "new ASCII" format of cpio.
fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) {
    let inode = archive.len();
    // Only the console is a device: 5, 1.
    let (major, minor) = if mode >> 12 == 0o02 { (5, 1) } else { (0, 0) };
    let numbers =
        [inode, mode as usize, 0, 0, 1, 0, content.len(), 0, 0, major, minor, name.len() + 1, 0];
    archive.extend(b"070701");
    for number in numbers {
        archive.extend(format!("{number:08x}").bytes());
    }
    archive.extend(name.bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}
