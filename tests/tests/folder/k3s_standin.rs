//! The stand-in for k3s refuses what it should, or the suites that rely on it show nothing.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use cairn_tests::{Case, Fleet};

pub(crate) const CASES: &[Case] =
    &[("accepts what k3s accepts", accepts), ("refuses what k3s refuses", refuses)];

const DUAL_STACK: &str = "cluster-init: true
cluster-cidr: 10.42.0.0/16,2001:cafe:42::/56
service-cidr: \"10.43.0.0/16,2001:cafe:43::/112\"
disable:
  - traefik
  - servicelb
disable-helm-controller: true
node-ip:
  - 10.0.0.1
  - fd00::1
node-label: [\"a=b\", c=d]
write-kubeconfig-mode: \"0644\"
etcd-snapshot-reconcile-interval: 10m0s
";

/// Runs the stand-in with this file and gives its last words, or `None` where it stays up.
fn run(role: &str, config: &str, arguments: &[&str]) -> Option<String> {
    let folder = Fleet::new();
    folder.write("config.yaml", config);
    folder.write("token", "secret\n");
    let place = folder.path().display().to_string();
    std::fs::write(folder.path().join("config.yaml"), config.replace("DIR", &place)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_k3s-standin"))
        .args([role, "--config", &format!("{place}/config.yaml")])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..20 {
        if child.try_wait().unwrap().is_some() {
            let mut words = String::new();
            child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
            return Some(words);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn accepts() {
    let agent = "server: https://10.0.0.1:6443\ntoken-file: DIR/token\nnode-ip: 10.0.0.2\n";
    for (role, config, arguments) in [
        ("server", "", &[][..]),
        ("server", DUAL_STACK, &[]),
        ("server", "write-kubeconfig-mode: 644\n", &["--disable=traefik", "--cluster-init"]),
        ("agent", agent, &["--node-label", "a=b"]),
    ] {
        assert_eq!(run(role, config, arguments), None, "{role} {arguments:?}\n{config}");
    }
}

fn refuses() {
    for (role, config, words) in [
        ("server", "cluster-cdr: 10.42.0.0/16", "k3s has no flag cluster-cdr"),
        ("server", "no-deploy: traefik", "use disable"),
        ("server", "cluster-cidr: 10.42.1.0/16", "is not a CIDR"),
        ("server", "cluster-cidr: 10.42.0.0", "is not a CIDR"),
        ("server", "write-kubeconfig-mode: 0644", "YAML reads 0644 as 420"),
        ("server", "cluster-init: maybe", "is not true or false"),
        ("server", "https-listen-port: \"64x3\"", "is not a whole number"),
        ("server", "flannel-backend: ipsec", "is not one of none, vxlan"),
        ("server", "node-ip: localhost", "is not an IP address"),
        ("server", "token-file: DIR/none", "No such file"),
        ("server", "data-dir: [a, b]", "one value, not a list"),
        (
            "server",
            "cluster-cidr: 10.42.0.0/16\nservice-cidr: 2001:cafe:43::/112",
            "not of the same families",
        ),
        ("agent", "token-file: DIR/token", "an agent needs server"),
        ("agent", "server: https://a:6443", "an agent needs token"),
        ("agent", "cluster-init: true", "no flag of k3s agent"),
    ] {
        let said = run(role, config, &[]).unwrap_or_default();
        assert!(said.contains(words), "{role} with\n{config}\nsaid {said:?}, not {words:?}");
    }
}
