//! A network for test hosts, with nothing else on it, that no packet leaves.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::apt::Repository;
use crate::releases::Releases;
use crate::ssh::Home;
use crate::tool::must;
use crate::{cache, cgroup, mirror};

/// Where the apt repository and the file mirror answer, on every lab.
pub(crate) const SERVICES: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The bridge that the hosts hang on.
pub(crate) const BRIDGE: &str = "lab0";

/// The first process of a lab. It waits on a pipe that only the test holds.
const INIT: &str = r#"
set -e
mkdir -p "$1"
# An overlay cannot be the writable side of another.
[ "$(stat -f -c %T "$1")" != overlayfs ] || mount -t tmpfs -o mode=755 lab "$1"
ip link set lo up
ip link add lab0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip address add 198.51.100.1/32 dev lab0
# A host that boots answers no ARP at first; the kernel's own pace would cost a second.
sysctl -qw net.ipv4.neigh.lab0.retrans_time_ms=50
ip link set lab0 up
echo ready
exec cat >/dev/null
"#;

/// A bridge in a network namespace of its own, and the hosts on it.
pub struct Lab {
    name: String,
    directory: PathBuf,
    home: Home,
    /// The process whose end is the end of the lab.
    init: Child,
    /// The lab's first process, as this machine numbers it.
    pid: u32,
    subnets: Mutex<BTreeSet<Ipv4Addr>>,
    /// Tells later runs that this lab is alive.
    _lock: File,
}

impl Lab {
    /// Makes a lab, and clears away what killed runs have left behind.
    #[must_use]
    pub fn start() -> Self {
        let (name, directory, lock) = claim();
        let home = Home::create(directory.join("home"));
        let (init, pid) = start_init(&directory.join("hosts"));
        let lab = Self {
            name,
            home,
            init,
            pid,
            subnets: Mutex::default(),
            _lock: lock,
            directory: directory.clone(),
        };
        let mirror = directory.join("mirror");
        fs::create_dir_all(&mirror).unwrap();
        std::os::unix::fs::symlink(Repository::standard().path(), mirror.join("debian")).unwrap();
        mirror::serve(lab.within(|| TcpListener::bind((SERVICES, 80)).unwrap()), mirror);
        lab
    }

    /// The name that its control groups start with.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The home directory of the user who deploys: `.ssh` is there.
    #[must_use]
    pub fn home_directory(&self) -> &Path {
        self.home.path()
    }

    /// A directory of the test's own, gone with the lab.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `path` as the lab's processes see it: their mounts are invisible to the test.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        let below = path.strip_prefix("/").unwrap_or(path);
        Path::new(&format!("/proc/{}/root", self.pid)).join(below)
    }

    /// A command that will run inside the lab's network.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid)).arg("--").arg(program);
        command
    }

    /// A command that will run among the lab's processes, with its mounts and its network.
    pub(crate) fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid.to_string(), "--net", "--mount", "--pid", "--"]);
        command.arg(program);
        command
    }

    /// Calls `f` in a thread inside the lab's network. A socket made there stays there.
    pub fn within<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/proc/{}/ns/net", self.pid)).unwrap();
        let enter = move || {
            use std::os::fd::AsFd;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            f()
        };
        thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Puts the bridge into the /24 of `address`, as its first host, where it is not yet.
    pub(crate) fn join_subnet(&self, address: Ipv4Addr) {
        let [a, b, c, _] = address.octets();
        let gateway = Ipv4Addr::new(a, b, c, 1);
        if self.subnets.lock().unwrap().insert(gateway) {
            self.ip(&["address", "add", &format!("{gateway}/24"), "dev", BRIDGE]);
        }
    }

    pub(crate) fn ip(&self, arguments: &[&str]) {
        must(self.command("ip").args(arguments));
    }

    /// What publishers release, on the mirror, and the setting that makes a fleet download it there.
    #[must_use]
    pub fn releases(&self) -> (Releases, String) {
        let releases = Releases::in_folder(&self.directory.join("mirror"));
        (releases, Releases::setting(&format!("http://{SERVICES}")))
    }

    /// Puts a file on the mirror and gives its URL.
    #[must_use]
    pub fn publish(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.directory.join("mirror").join(name), content).unwrap();
        format!("http://{SERVICES}/{name}")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.init.stdin.take());
        let _ = self.init.wait();
        clear(&self.directory, &self.name);
        let _ = fs::remove_file(self.directory.with_extension("lock"));
    }
}

/// Takes a name that no living lab has, after removing the remains of dead ones.
fn claim() -> (String, PathBuf, File) {
    let labs = cache::root().join("labs");
    fs::create_dir_all(&labs).unwrap();
    let _claiming = cache::lock(&labs.join("claim"));
    for entry in fs::read_dir(&labs).unwrap().flatten() {
        let path = entry.path();
        if path.extension() != Some(OsStr::new("lock")) {
            continue;
        }
        let Ok(lock) = File::open(&path) else { continue };
        if lock.try_lock().is_ok() {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            clear(&path.with_extension(""), &name);
            let _ = fs::remove_file(&path);
        }
    }
    for number in 0.. {
        let name = format!("cairn-lab-{}-{number}", std::process::id());
        let directory = labs.join(&name);
        if !directory.exists() {
            let lock = cache::lock(&directory.with_extension("lock"));
            fs::create_dir(&directory).unwrap();
            return (name, directory, lock);
        }
    }
    unreachable!("some number is free");
}

/// Removes a dead lab's files and control groups.
fn clear(directory: &Path, name: &str) {
    cgroup::remove_all(name);
    let _ = fs::remove_dir_all(directory);
}

/// Starts the lab's namespaces. Gives the process to wait for, and the first one inside.
fn start_init(hosts: &Path) -> (Child, u32) {
    let mut init = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", INIT, "lab"])
        .arg(hosts)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare starts");
    let mut line = String::new();
    BufReader::new(init.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "the lab's network could not be made");
    let children = format!("/proc/{0}/task/{0}/children", init.id());
    let children = fs::read_to_string(children).unwrap();
    let pid = children.trim().parse().expect("unshare has one child");
    (init, pid)
}
