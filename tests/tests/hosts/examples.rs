//! The fleets to copy from, on as many hosts as they have. k3s is the stand-in.

use cairn_tests::{Cairn, Case, Fleet, Host, Lab, encrypted};

use crate::the_path::last;

pub(crate) const CASES: &[Case] = &[
    ("devboard, three hosts in one command", devboard),
    ("dual-stack, a first server", dual_stack),
    ("homelab, three environments from two inputs", homelab),
    ("secrets, from the file to the service", secrets),
    ("the sample host, and back", sample),
];

/// Puts the stand-in for k3s where publishers have theirs, and locks the fleet. The setting that makes it
/// download from there.
fn locked(lab: &Lab, cairn: &Cairn<'_>) -> String {
    let (releases, mirror) = lab.releases();
    releases.k3s(&std::fs::read(env!("CARGO_BIN_EXE_k3s-standin")).unwrap());
    let _ = cairn.run(&["lock", "--set", &mirror]).ok();
    mirror
}

fn devboard() {
    let lab = Lab::start();
    let fleet = Fleet::copy("examples/devboard");
    let hosts = lab.hosts([
        ("board0", [192, 168, 1, 40]),
        ("board1", [192, 168, 1, 41]),
        ("board2", [192, 168, 1, 42]),
    ]);
    for host in &hosts {
        host.sh("mkdir -p /etc/rancher/k3s && echo hush >/etc/rancher/k3s/token");
    }
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let mirror = locked(&lab, &cairn);
    let all = ["switch", "board0", "board1", "board2", "--set", &mirror];
    let _ = cairn.run(&all).ok();
    for (host, role) in hosts.iter().zip(["server", "agent", "agent"]) {
        let unit = if role == "server" { "k3s" } else { "k3s-agent" };
        assert_eq!(host.unit(unit, "ActiveState"), "active", "{} is {role}", host.name());
        let pid = host.unit(unit, "MainPID");
        let command = host.sh(&format!("tr '\\0' ' ' </proc/{pid}/cmdline"));
        assert!(command.contains(role), "{}: {command}", host.name());
        let said = host.sh(&format!("journalctl -u {unit} --no-pager -o cat"));
        assert!(said.contains("the configuration is accepted"), "{said}");
        let rules = host.nft();
        for port in ["80", "443", "8472"] {
            assert!(rules.contains(port), "{} opens {port}:\n{rules}", host.name());
        }
    }
    // The second time there is nothing to do on any of them.
    let again = cairn.run(&[&all[..], &["--format", "json"]].concat()).ok();
    assert_eq!(last(&again.json(), "changed"), false);
    let names = hosts.each_ref().map(|host| host.name());
    let _ = cairn.run(&["status"]).ok().says(&names);
}

fn dual_stack() {
    let lab = Lab::start();
    let fleet = Fleet::copy("examples/dual-stack");
    let host = lab.host("alpha", [192, 168, 1, 10]);
    host.sh("mkdir -p /etc/rancher/k3s && echo hush >/etc/rancher/k3s/token");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let mirror = locked(&lab, &cairn);
    let _ = cairn.run(&["switch", "alpha", "--set", &mirror]).ok();
    assert_eq!(host.unit("k3s", "ActiveState"), "active");
    let config = host.read("/etc/rancher/k3s/config.yaml");
    for words in ["2001:cafe:42::/56", "2001:cafe:43::/112", "traefik", "k8s.example.org"] {
        assert!(config.contains(words), "{words} is not in\n{config}");
    }
    let rules = host.nft();
    assert!(rules.contains("6443") && rules.contains("8472"), "{rules}");
    tools_are_found(&host);
    let _ = cairn.run(&["rollback", "alpha", "0", "--set", &mirror]).ok();
    for (tool, _) in TOOLS {
        assert!(!host.holds(&format!("bash -lc 'command -v {tool}'")), "{tool} is gone");
    }
    assert!(!host.holds("test -e /usr/local/share/bash-completion/completions/istioctl"));
}

/// What examples/dual-stack puts on the path, and what each says.
const TOOLS: [(&str, &str); 6] = [
    ("k9s", "k9s v0.32.7"),
    ("kubectl", "kubectl v1.31.4"),
    ("kubecolor", "kubecolor v0.5.0"),
    ("istioctl", "istioctl 1.24.2"),
    ("helm", "helm v3.16.4"),
    ("clusterctl", "clusterctl v1.9.3"),
];

/// By name: in a login shell, under sudo, in a unit.
fn tools_are_found(host: &Host<'_>) {
    for (tool, says) in TOOLS {
        for way in ["bash -lc", "sudo -n sh -c", "systemd-run --quiet --pipe --wait sh -c"] {
            assert_eq!(host.sh(&format!("{way} {tool}")), says, "{way} {tool}");
        }
    }
    let completions = host.read("/usr/local/share/bash-completion/completions/istioctl");
    assert!(completions.starts_with("complete"), "{completions}");
}

fn homelab() {
    let lab = Lab::start();
    let fleet = Fleet::copy("examples/homelab");
    let hosts = lab.hosts([
        ("dev", [192, 168, 10, 10]),
        ("stage0", [192, 168, 20, 10]),
        ("stage1", [192, 168, 20, 11]),
        ("prod0", [192, 168, 30, 10]),
        ("prod1", [192, 168, 30, 11]),
    ]);
    for host in &hosts {
        host.sh("mkdir -p /etc/rancher/k3s && echo hush >/etc/rancher/k3s/token");
    }
    let cairn = Cairn::new(fleet.path()).within(&lab);
    // The lock that comes with it has its inputs, and not what nobody has downloaded yet.
    let _ = cairn.run(&["lock", "--check"]).expect(1).says(&["k3s-io/k3s", "lacks 1 thing"]);
    locked(&lab, &cairn);
    let _ = cairn.run(&["switch", "dev", "@staging", "@prod"]).ok();
    let [dev, stage0, stage1, prod0, prod1] = &hosts;
    let config = |host: &Host<'_>| host.read("/etc/rancher/k3s/config.yaml");
    for (host, server) in
        [(dev, dev), (stage0, stage0), (stage1, stage0), (prod0, prod0), (prod1, prod0)]
    {
        let is_server = host.name() == server.name();
        let unit = if is_server { "k3s" } else { "k3s-agent" };
        assert_eq!(host.unit(unit, "ActiveState"), "active", "{}", host.name());
        let joins = config(host).contains(&format!("https://{}:6443", server.address()));
        assert_eq!(joins, !is_server, "{} joins its own server", host.name());
        // What the input `lan` knows.
        assert_eq!(host.sh("getent hosts prod1.home.arpa | cut -d ' ' -f 1"), "192.168.30.11");
        assert!(host.holds("systemctl is-active cluster-backup.timer"), "{}", host.name());
        host.sh("systemctl start cluster-backup");
        assert!(host.holds("id -nG admin | grep -qw sudo"));
    }
    // What is on its way is where it has come to.
    let quiet =
        |host: &Host<'_>| host.holds("/usr/sbin/sshd -T | grep -qx 'clientaliveinterval 300'");
    assert!(config(dev).contains("embedded-registry") && !config(stage0).contains("registry"));
    assert!(quiet(dev) && quiet(stage0) && quiet(stage1) && !quiet(prod0));
    let said = cairn.run(&["diff", "--between", "staging", "prod"]).ok();
    let said = said.says(&["services.openssh.settings.ClientAliveInterval", "tls-san"]).stdout();
    assert!(!said.contains("debug") && !said.contains("time.timeZone"), "{said}");

    // Promoted, and nothing else moves.
    fleet.edit(
        "cairn.nix",
        "module.imports = [ ./groups/prod.nix ];",
        "module.imports = [ ./groups/prod.nix ./overlays/quiet-ssh.nix ];",
    );
    let switched = cairn.run(&["switch", "@staging", "@prod", "--format", "json"]).ok().json();
    let changed: Vec<&str> = switched
        .iter()
        .filter(|object| object["changed"] == true)
        .filter_map(|object| object["host"].as_str())
        .collect();
    assert_eq!(changed, ["prod0", "prod1"]);
    assert!(quiet(prod0) && quiet(prod1));
    let said = cairn.run(&["diff", "--between", "staging", "prod"]).ok().stdout();
    assert!(!said.contains("openssh"), "{said}");
}

fn secrets() {
    let lab = Lab::start();
    let fleet = Fleet::copy("examples/secrets");
    let host = lab.host("web", [192, 168, 1, 50]);
    let key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").trim().to_owned();
    let module = std::fs::read_to_string(fleet.path().join("hosts/web.nix")).unwrap();
    let known = module.split("hostKey = \"").nth(1).unwrap().split('"').next().unwrap();
    fleet.edit("hosts/web.nix", known, &key);
    let plain = "app:\n    token: token\n    database: word\nusers:\n    ada: $6$x$y\n";
    fleet.write("secrets/web.yaml", &encrypted(plain, &[&key]));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "web"]).ok();
    host.until("the service has what it needs", || {
        host.holds("journalctl -u app --no-pager -o cat | grep -q 'all there'")
    });
    assert_eq!(host.sh("getent shadow ada | cut -d: -f2"), "$6$x$y");
}

fn sample() {
    let lab = Lab::start();
    let fleet = Fleet::sample();
    let host = lab.host("demo", [10, 77, 0, 11]);
    host.sh("mkdir -p /etc/rancher/k3s && echo hush >/etc/rancher/k3s/token");
    std::fs::copy(env!("CARGO_BIN_EXE_k3s-standin"), host.outside("/usr/local/bin/k3s")).unwrap();
    let before = host.snapshot();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let switched = cairn.run(&[
        "switch",
        "demo",
        "--set",
        "deployment.targetHost=\"10.77.0.11\"",
        // Debian has a motd of its own.
        "--set",
        "deployment.adopt=[ \"/etc/motd\" ]",
        // No container may set what is the machine's.
        "--set",
        "boot.kernel.sysctl={ \"net.ipv4.ip_forward\" = true; }",
    ]);
    let _ = switched.ok();
    assert_eq!(host.sh("systemctl is-active beacon@north k3s ssh"), "active\nactive\nactive");
    assert!(host.read("/etc/motd").starts_with("demo: "));
    assert!(host.holds("id -nG alice | grep -qw sudo"));
    let _ = cairn.run(&["rollback", "demo", "--set", "deployment.targetHost=\"10.77.0.11\""]).ok();
    before.assert_same(&host.snapshot());
}
