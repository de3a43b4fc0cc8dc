//! A Debian host: a clone of the base image, booted under systemd-nspawn.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::disk::{self, Disk};
use crate::lab::{BRIDGE, Lab};
use crate::snapshot::Snapshot;
use crate::tool::{must, run};
use crate::{base, cgroup};

/// How long a host may take for what takes it a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Mounts the host's disk and runs the host until it is powered off. nspawn ends with 133 when
/// the host reboots and leaves it to its supervisor to start it again. Each run joins the
/// control groups anew, since nspawn moves itself below them. A killed host leaves the
/// overlay's work directory in a state that the next mount refuses.
const SUPERVISOR: &str = r#"
disk=$1 base=$2 machine=$3 bridge=$4 groups=$5
rm -rf "$disk/work" && mkdir "$disk/work" || exit
mount -t overlay -o "lowerdir=$base,upperdir=$disk/upper,workdir=$disk/work" overlay "$disk/root" || exit
code=133
while [ "$code" = 133 ]; do
    sh -c '
        for group in $1; do
            mkdir -p "$group" && echo $$ >"$group/cgroup.procs" || exit
        done
        shift
        exec "$@"' sh "$groups" \
    env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot \
        --directory="$disk/root" --machine="$machine" --network-bridge="$bridge" \
        --register=no --keep-unit --link-journal=no --console=read-only \
        --resolv-conf=off --timezone=off --kill-signal=SIGRTMIN+3
    code=$?
done
echo "the host ended with $code"
"#;

/// A host of a [`Lab`].
pub struct Host<'lab> {
    lab: &'lab Lab,
    name: String,
    address: Ipv4Addr,
    disk: PathBuf,
    supervisor: Mutex<Option<Child>>,
}

impl Lab {
    /// Makes a host at `address` and boots it. The lab's key opens `root`, `deploy` (who may
    /// become root) and `guest` (who may not), and its host key is in `known_hosts`.
    #[must_use]
    pub fn host(&self, name: &str, address: [u8; 4]) -> Host<'_> {
        self.host_on(Disk::Large, name, address)
    }

    /// Makes a host as [`Lab::host`] does, with a disk of this kind.
    #[must_use]
    pub fn host_on(&self, disk: Disk, name: &str, address: [u8; 4]) -> Host<'_> {
        let host = Host::create(self, name, Ipv4Addr::from(address), disk);
        host.start();
        host
    }

    /// Makes several hosts, which boot at the same time.
    #[must_use]
    pub fn hosts<const N: usize>(&self, hosts: [(&str, [u8; 4]); N]) -> [Host<'_>; N] {
        let hosts = hosts.map(|(name, address)| {
            let host = Host::create(self, name, Ipv4Addr::from(address), Disk::Large);
            host.spawn();
            host
        });
        hosts.iter().for_each(Host::wait);
        hosts
    }
}

impl<'lab> Host<'lab> {
    fn create(lab: &'lab Lab, name: &str, address: Ipv4Addr, disk: Disk) -> Self {
        // `vb-<name>` is the lab's end of the host's cable, and the kernel allows it 15.
        assert!(name.len() <= 12, "a test host's name has at most 12 characters: {name}");
        lab.join_subnet(address);
        Host {
            lab,
            name: name.to_owned(),
            address,
            disk: disk::make(lab, name, address, disk),
            supervisor: Mutex::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address on the lab's network.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }
}

/// Power.
impl Host<'_> {
    /// Switches the host on and waits until it is up.
    pub fn start(&self) {
        self.spawn();
        self.wait();
    }

    fn spawn(&self) {
        let group = self.group();
        let groups: Vec<String> =
            cgroup::directories(&group).iter().map(|path| path.display().to_string()).collect();
        let console = self.lab.directory().join(format!("{}.console", self.name));
        let console = File::options().create(true).append(true).open(console).unwrap();
        let supervisor = self
            .lab
            .enter("unshare")
            .args(["--mount", "sh", "-c", SUPERVISOR, "host"])
            .arg(&self.disk)
            .arg(base::image())
            .args([&self.name, BRIDGE, &groups.join(" ")])
            .stdin(Stdio::null())
            .stdout(console.try_clone().unwrap())
            .stderr(console)
            .spawn()
            .expect("nsenter starts");
        *self.supervisor.lock().unwrap() = Some(supervisor);
    }

    /// Waits until systemd has done its work and SSH answers.
    pub fn wait(&self) {
        self.until("it is up", || {
            self.greets() && {
                let state = run(&mut self.inside(&["systemctl", "is-system-running"]));
                ["running\n", "degraded\n"].contains(&&*String::from_utf8_lossy(&state.stdout))
            }
        });
    }

    /// Whether an SSH server answers at the host's address.
    #[must_use]
    pub fn greets(&self) -> bool {
        let address = SocketAddr::from((self.address, 22));
        let greeting = self.lab.within(|| -> std::io::Result<[u8; 4]> {
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(300))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            let mut greeting = [0; 4];
            stream.read_exact(&mut greeting).map(|()| greeting)
        });
        greeting.is_ok_and(|greeting| &greeting == b"SSH-")
    }

    /// Reboots the host in an orderly way and waits until it is up again.
    pub fn reboot(&self) {
        let before = self.leader();
        let _ = run(&mut self.inside(&["systemctl", "reboot"]));
        self.until("it reboots", || matches!(self.leader(), now if now.is_some() && now != before));
        self.wait();
    }

    /// Powers the host off in an orderly way. [`Host::start`] brings it back.
    pub fn power_off(&self) {
        let _ = run(&mut self.inside(&["systemctl", "poweroff"]));
        self.until("it is off", || self.ended());
        self.bury();
    }

    /// Ends all of the host's processes at once. [`Host::start`] brings it back.
    pub fn kill(&self) {
        let mut left = cgroup::processes(&self.group());
        // The first process of a PID namespace takes all the others with it.
        if let Some(leader) = self.leader() {
            left = vec![leader];
        }
        for process in left {
            if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        self.until("it is dead", || self.ended());
        self.bury();
    }

    fn ended(&self) -> bool {
        let mut supervisor = self.supervisor.lock().unwrap();
        supervisor.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Clears what a host that has ended leaves: its cable and its control groups.
    fn bury(&self) {
        let _ = run(self.lab.command("ip").args(["link", "delete", &self.cable()]));
        cgroup::remove(&self.group());
    }

    /// The host's first process, as this machine numbers it, while it lives.
    #[must_use]
    pub fn leader(&self) -> Option<u32> {
        cgroup::processes(&self.group()).into_iter().find(|process| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            let zombie = status.lines().any(|line| line.starts_with("State:\tZ"));
            // Numbered by the machine, by the lab and by the host, where it is the first.
            let own = numbers.map(|line| line.split_whitespace().collect::<Vec<_>>());
            !zombie && own.is_some_and(|own| own.len() >= 3 && own.last() == Some(&"1"))
        })
    }

    fn group(&self) -> String {
        format!("{}-{}", self.lab.name(), self.name)
    }

    /// Waits until `condition` holds; panics with the end of the console when it never does.
    pub fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition() {
            if Instant::now() > deadline {
                let console = self.lab.directory().join(format!("{}.console", self.name));
                let console = fs::read_to_string(console).unwrap_or_default();
                let lines: Vec<&str> = console.lines().collect();
                let end = lines[lines.len().saturating_sub(15)..].join("\n");
                panic!("host {}: waited {PATIENCE:?} until {what}\n{end}", self.name);
            }
            thread::sleep(Duration::from_millis(30));
        }
    }
}

/// Network.
impl Host<'_> {
    /// Pulls the host's cable out.
    pub fn cut(&self) {
        self.lab.ip(&["link", "set", &self.cable(), "down"]);
    }

    /// Puts the host's cable back in.
    pub fn heal(&self) {
        self.lab.ip(&["link", "set", &self.cable(), "up"]);
    }

    fn cable(&self) -> String {
        format!("vb-{}", self.name)
    }

    /// Runs `command` on the host over SSH as `user`, with OpenSSH's client.
    #[must_use]
    pub fn ssh(&self, user: &str, command: &str) -> Output {
        let to = format!("{user}@{}", self.address);
        run(self.lab.command("ssh").args(self.lab.home().options()).args([&to, command]))
    }
}

/// The inside, seen without the network and without `cairn`.
impl Host<'_> {
    /// A command that will run on the host as root, without SSH.
    #[must_use]
    pub fn inside(&self, command: &[&str]) -> Command {
        let leader = self.leader().map_or_else(|| "0".to_owned(), |leader| leader.to_string());
        let mut inside = Command::new("nsenter");
        inside.args([
            "--target",
            &leader,
            "--all",
            "--",
            "env",
            "-i",
            "HOME=/root",
            "LANG=C.UTF-8",
        ]);
        inside.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        inside.args(command);
        inside
    }

    /// Runs a shell script on the host as root and gives what it printed, without the last
    /// line's end. Panics when it fails.
    pub fn sh(&self, script: &str) -> String {
        must(&mut self.inside(&["sh", "-c", script])).trim_end_matches('\n').to_owned()
    }

    /// Whether a shell script succeeds on the host.
    #[must_use]
    pub fn holds(&self, script: &str) -> bool {
        run(&mut self.inside(&["sh", "-c", script])).status.success()
    }

    /// What a file on the host holds, links followed as the host follows them.
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        must(&mut self.inside(&["cat", path]))
    }

    /// A path of the host, as this machine reaches it. Links in it must be relative.
    #[must_use]
    pub fn outside(&self, path: &str) -> PathBuf {
        let leader = self.leader().expect("the host is up");
        Path::new(&format!("/proc/{leader}/root")).join(path.trim_start_matches('/'))
    }

    /// A property of a systemd unit, as `systemctl show` gives it.
    #[must_use]
    pub fn unit(&self, unit: &str, property: &str) -> String {
        self.sh(&format!("systemctl show --value --property={property} {unit}"))
    }

    /// The nftables rules, without counters' values.
    #[must_use]
    pub fn nft(&self) -> String {
        self.sh("nft --stateless list ruleset")
    }

    /// Everything of the host that a switch might change.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(self)
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.tell();
        }
        if self.leader().is_some() {
            self.kill();
        }
    }
}

impl Host<'_> {
    /// Shows what a failed test's reader will ask for first.
    fn tell(&self) {
        let journal = run(&mut self.inside(&["journalctl", "--no-pager", "-n", "15"]));
        eprintln!(
            "---- end of the journal of {}\n{}",
            self.name,
            String::from_utf8_lossy(&journal.stdout)
        );
    }
}
