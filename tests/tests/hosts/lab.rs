//! The hosts themselves: the other suites are worth nothing unless these hold.

use cairn_tests::{Case, Disk, Lab};

pub(crate) const CASES: &[Case] = &[
    ("a host is Debian with systemd and ssh", a_host_is_debian),
    ("a host survives reboot, kill and power off", a_host_survives),
    ("hosts reach each other and nothing else", hosts_reach_each_other),
    ("apt installs from the lab alone", apt_installs),
    ("a small disk fills", a_small_disk_fills),
    ("a snapshot sees each kind of change", a_snapshot_sees),
];

fn a_host_is_debian() {
    let lab = Lab::start();
    let host = lab.host("alpha", [10, 77, 0, 11]);
    assert_eq!(host.sh(". /etc/os-release; echo $ID $VERSION_ID"), "debian 12");
    assert_eq!(host.sh("systemctl --failed --no-legend --plain"), "");
    assert_eq!(host.sh("hostname"), "alpha");
    for (user, id) in [("root", "0\n"), ("deploy", "1000\n"), ("guest", "1001\n")] {
        let answer = host.ssh(user, "id -u");
        assert_eq!(String::from_utf8_lossy(&answer.stdout), id, "{answer:?}");
    }
    assert_eq!(String::from_utf8_lossy(&host.ssh("deploy", "sudo -n id -u").stdout), "0\n");
    assert!(!host.ssh("guest", "sudo -n true").status.success());
}

fn a_host_survives() {
    let lab = Lab::start();
    let host = lab.host("alpha", [10, 77, 0, 11]);
    let boot = || host.sh("cat /proc/sys/kernel/random/boot_id >/dev/null; cat /var/mark");
    host.sh("echo 1 >/var/mark; sync");
    host.reboot();
    assert_eq!(boot(), "1");
    host.kill();
    assert!(!host.greets());
    host.start();
    assert_eq!(boot(), "1");
    host.power_off();
    assert!(host.leader().is_none());
    host.start();
    assert_eq!(boot(), "1");
}

fn hosts_reach_each_other() {
    let lab = Lab::start();
    let [left, right] = lab.hosts([("left", [10, 77, 0, 11]), ("right", [10, 77, 0, 12])]);
    let knock = "timeout 2 bash -c '</dev/tcp/10.77.0.12/22'";
    assert!(left.holds(knock));
    right.cut();
    assert!(!right.greets());
    right.heal();
    right.until("the cable is in", || left.holds(knock));
    assert_eq!(left.sh("ip route show default"), "");
    // Units of one host are none of the other's.
    left.sh("systemd-run --unit=mine sleep 100");
    assert!(!right.holds("systemctl is-active mine"));
}

fn apt_installs() {
    let lab = Lab::start();
    let host = lab.host("alpha", [10, 77, 0, 11]);
    host.sh("apt-get -q update && apt-get -qy install hello-cairn=1.0");
    assert_eq!(host.sh("hello-cairn"), "hello 1.0");
    assert_eq!(host.unit("hello-cairn", "ActiveState"), "active");
    host.sh("apt-get -qy install hello-cairn");
    assert_eq!(host.sh("hello-cairn"), "hello 1.1");
    let url = lab.publish("greeting", b"from the mirror");
    assert_eq!(lab.within(|| fetch(&url)), "from the mirror");
}

fn fetch(url: &str) -> String {
    use std::io::{Read, Write};
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect((host, 80)).unwrap();
    write!(stream, "GET /{path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn a_small_disk_fills() {
    let lab = Lab::start();
    let host = lab.host_on(Disk::Small(48), "alpha", [10, 77, 0, 11]);
    assert!(!host.holds("head -c 60M /dev/zero >/var/big"));
    host.sh("rm /var/big");
}

fn a_snapshot_sees() {
    let lab = Lab::start();
    let host = lab.host("alpha", [10, 77, 0, 11]);
    let before = host.snapshot();
    before.assert_same(&host.snapshot());
    host.sh("
        echo x >/etc/new; chmod 600 /etc/hosts; echo '# edited' >>/etc/bash.bashrc
        useradd someone
        sysctl -qw net.ipv4.ip_forward=1
        nft add table inet mine
        systemctl stop ssh.socket 2>/dev/null; systemctl mask --quiet rsync.service
        systemd-run --quiet --unit=mine sleep 100");
    let differences = before.differences(&host.snapshot()).join("\n");
    for expected in [
        "file /etc/new: (absent) -> f 644 0:0",
        "file /etc/hosts: f 644 0:0  -> f 600 0:0",
        "content /etc/bash.bashrc",
        "content /etc/passwd",
        "sysctl net.ipv4.ip_forward: 0 -> 1",
        "nftables:  -> table inet mine",
        "unit file rsync.service: (absent) -> masked",
        "unit mine.service: (absent) -> loaded active running",
    ] {
        assert!(differences.contains(expected), "{expected} is not in\n{differences}");
    }
}
