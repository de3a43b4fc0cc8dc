//! `cairn init --from nixos`, on a flake as people have them.

use std::fs;

use crate::common::{cairn_in, fleet};

/// A flake whose hosts are put together by functions, with much that is nixpkgs' alone.
#[test]
fn what_depends_on_nixpkgs_is_listed_and_the_rest_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let flake = format!("{}-odd", flake());
    let output = cairn_in(folder.path(), &["init", "--from", "nixos", &flake]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
    insta::assert_snapshot!("from_nixos_odd", output.stdout);
    let module = fs::read_to_string(folder.path().join("hosts/node.nix")).expect("read");
    insta::assert_snapshot!("from_nixos_odd_node", module);
    let module = fs::read_to_string(folder.path().join("hosts/gate.nix")).expect("read");
    insta::assert_snapshot!("from_nixos_odd_gate", module);
    assert_eq!(cairn_in(folder.path(), &["check"]).code, 0);
    let output = cairn_in(folder.path(), &["build", "gate", "node"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
}

/// Two hosts: a server of k3s and its agent, with modules of their own and inputs that are not here.
fn flake() -> String {
    format!("{}/tests/nixos", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_hosts_of_a_flake_become_a_fleet_that_checks_and_builds() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = cairn_in(folder.path(), &["init", "--from", "nixos", &flake()]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
    insta::assert_snapshot!("from_nixos", output.stdout);
    let module = fs::read_to_string(folder.path().join("hosts/alpha.nix")).expect("read");
    insta::assert_snapshot!("from_nixos_alpha", module);
    let output = cairn_in(folder.path(), &["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(cairn_in(folder.path(), &["fmt", "--check"]).code, 0);
    let output = cairn_in(folder.path(), &["switch", "beta", "--into", "root"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let read = |path: &str| fs::read_to_string(folder.path().join("root").join(path)).expect(path);
    assert_eq!(read("etc/site.conf"), "domain = lab.example.org\nhost = beta\n");
    assert_eq!(read("etc/motd"), "Welcome.\n");
    let config = read("etc/rancher/k3s/config.yaml");
    assert!(
        config.contains("https://192.168.5.10:6443") && config.contains("disk=large"),
        "{config}"
    );
    // The same again, for programs.
    let output = cairn_in(
        folder.path(),
        &["init", "again", "--from", "nixos", &flake(), "--format", "json"],
    );
    let objects = output.objects();
    let of = |kind: &str| objects.iter().filter(|object| object["type"] == kind).count();
    assert_eq!(of("taken"), 2);
    let boot = objects.iter().find(|it| it["what"] == "boot.initrd.availableKernelModules");
    let boot = boot.expect("what hardware-configuration.nix says");
    let place = (&boot["file"], &boot["line"]);
    assert_eq!(place, (&"hosts/alpha/hardware-configuration.nix".into(), &7.into()));
}

#[test]
fn what_is_no_flake_with_hosts_is_refused() {
    let refused = |files: &[(&str, &str)]| {
        let folder = fleet(files);
        let output = cairn_in(folder.path(), &["init", "new", "--from", "nixos", "."]);
        assert_eq!((output.code, folder.path().join("new").exists()), (1, false));
        output.stderr
    };
    let said = [
        refused(&[]),
        refused(&[("flake.nix", "{ outputs = { self }: { }; }\n")]),
        refused(&[(
            "flake.nix",
            "{ outputs = { self, flake-utils }: flake-utils.lib.eachSystem [ ] { }; }\n",
        )]),
        refused(&[("flake.nix", "{ outputs = { self }: { nixosConfigurations.a = { }; }; }\n")]),
        refused(&[("flake.nix", "{ outputs = \n")]),
    ];
    insta::assert_snapshot!("from_nixos_refused", said.join("\n"));
    let folder = tempfile::tempdir().expect("a folder");
    let output = cairn_in(folder.path(), &["init", "--from", "ansible", "."]);
    assert_eq!(output.code, 2, "{}", output.stderr);
}
