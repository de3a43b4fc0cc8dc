//! `cairn check`

use crate::common::{cairn_in, fleet, small};

#[test]
fn nothing_is_wrong() {
    let folder = small();
    let output = cairn_in(folder.path(), &["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(output.stdout, "✓ nothing is wrong with 1 host\n");
}

#[test]
fn an_error_is_shown_where_it_is() {
    let folder = fleet(&[
        ("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n"),
        ("demo.nix", "{\n  networking.hostname = \"demo\";\n}\n"),
    ]);
    let output = cairn_in(folder.path(), &["check"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    // What follows quotes the standard modules, which may grow.
    let (error, related) = output.stderr.split_once("  ☞ ").unwrap();
    insta::assert_snapshot!(error, @r#"
    option::unknown

      × there is no option `networking.hostname`
       ╭─[demo.nix:2:14]
     1 │ {
     2 │   networking.hostname = "demo";
       ·              ────────
     3 │ }
       ╰────

    "#);
    for words in [
        "`networking.hostName` is declared here",
        "<cairn>/networking/host.nix",
        "help: did you mean `networking.hostName`?",
        "1 error in 1 file",
    ] {
        assert!(related.contains(words), "{words} is not in {related}");
    }
    let output = cairn_in(folder.path(), &["check", "--format", "json"]);
    assert_eq!((output.code, output.stderr.as_str()), (1, ""));
    let objects = output.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["code"], "option::unknown");
    assert_eq!((&objects[0]["line"], &objects[0]["column"]), (&2.into(), &14.into()));
}

/// Ten mistakes in as many places, of which none hides another.
#[test]
fn all_mistakes_in_one_run() {
    let folder = fleet(&[
        (
            "cairn.nix",
            "{ outputs = { self, ... }: {\n  hosts.a = ./a.nix;\n  hosts.b = ./b.nix;\n  hosts.c = ./c.nix;\n  \
             groups.all = { hosts = [ \"a\" \"b\" \"c\" ]; module = ./base.nix; };\n}; }\n",
        ),
        (
            "base.nix",
            "{\n  networking.firewall.enabled = true;\n  boot.kernel.sysctl.\"vm.swappiness\" = [ 10 ];\n}\n",
        ),
        (
            "a.nix",
            "{\n  networking.firewall.allowedTCPPorts = [ 80 70000 ];\n  environment.etc.app = { text = \"a\"; source = ./a.nix; };\n  \
             systemd.services.app = { script = \"x\"; serviceConfig.Restart = alwyas; };\n}\n",
        ),
        (
            "b.nix",
            "{\n  users.users.u = { isNormalUser = true; extraGroups = [ \"wheels\" ]; };\n  environment.etc.x = { text = \"x\"; mode = \"0999\"; };\n}\n",
        ),
        (
            "c.nix",
            "{\n  services.k3s = {\n    enable = true;\n    tokenFile = \"/t\";\n    settings.cluster-cidr = [ \"10.42.0.1/16\" ];\n    \
             extraFlags = \"--flannel-backnd=vxlan\";\n  };\n}\n",
        ),
        ("unused.nix", "{ x = ; }\n"),
    ]);
    let output = cairn_in(folder.path(), &["check", "--format", "json"]);
    assert_eq!(output.code, 1);
    let found: Vec<String> = output
        .objects()
        .iter()
        .map(|object| {
            let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
            let places = ["line", "column", "end_column"].map(|name| object[name].to_string());
            format!("{} {}:{}", text("code"), text("file"), places.join(":"))
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"), @"
    type::mismatch a.nix:2:46:51
    file::two-contents a.nix:3:19:22
    name::unbound a.nix:4:66:72
    user::unknown-group b.nix:2:56:68
    type::mismatch b.nix:3:46:47
    option::unknown base.nix:2:23:30
    type::mismatch base.nix:3:40:46
    type::mismatch c.nix:5:32:41
    flags::unknown c.nix:6:19:35
    syntax::error unused.nix:1:7:8
    ");
}

#[test]
fn no_fleet_is_no_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = cairn_in(folder.path(), &["check"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    error: there is no cairn.nix here or in any folder above
     help: go to a fleet's folder, or name it with --fleet DIR
    ");
}

#[test]
fn colours_where_they_are_wanted() {
    let folder = small();
    assert!(!cairn_in(folder.path(), &["check"]).stdout.contains('\u{1b}'));
    assert!(cairn_in(folder.path(), &["check", "--color", "always"]).stdout.contains('\u{1b}'));
}
