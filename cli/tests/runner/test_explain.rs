//! `cairn explain`

use crate::common::{Output, cairn_in, fleet, small};

#[test]
fn every_definition_and_which_won() {
    let folder = small();
    let output = cairn_in(folder.path(), &["explain", "demo", "environment.etc.motd.text"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    environment.etc.motd.text = "hello\n"
      type     null or string of lines
      default  null
      declared <cairn>/environment.nix:49:9

      Content of the file.

      ✓ "hello\n"
          demo.nix:4:31 (mkDefault, host)
      · null
          <cairn>/environment.nix:51:21 (the option's default, standard)
    "#);
    let set = [
        "explain",
        "demo",
        "networking.hostName",
        "--set",
        "networking.hostName=\"x\"",
        "--format",
        "json",
    ];
    let output = cairn_in(folder.path(), &set);
    let objects = output.objects();
    assert_eq!((&objects[0]["type"], &objects[0]["value"]), (&"option".into(), &"\"x\"".into()));
    assert_eq!(objects[0]["definitions"][0]["layer"], "command line");
}

#[test]
fn an_option_that_is_none() {
    let folder = small();
    let output = cairn_in(folder.path(), &["explain", "demo", "networking.hostname"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    option::unknown

      × there is no option `networking.hostname`
      help: did you mean `networking.hostName`?

    1 error
    ");
}

#[test]
fn a_path_that_leads_to_nothing() {
    let said = |path| explain(&[path]).stderr;
    insta::assert_snapshot!(said("users.users.bob.home"), @r"
    option::unknown

      × nothing defines `users.users.bob`
      help: `users.users` has alice

    1 error
    ");
    insta::assert_snapshot!(said("users.users.alice.hoem"), @r"
    option::unknown

      × there is no option `users.users.alice.hoem`
      help: did you mean `users.users.alice.home`?

    1 error
    ");
}

#[test]
fn text_that_is_no_path() {
    insta::assert_snapshot!(explain(&["users.users[0].home"]).stderr, @"
    option::unknown

      × `users.users[0].home` is no path of an option: `[0].home` is left over
       ╭─[<option>:1:12]
     1 │ users.users[0].home
       ·            ────────
       ╰────
      help: write names with dots between, such as `networking.hostName`; a name
            with other characters in quotes

    1 error in 1 file
    ");
    insta::assert_snapshot!(explain(&["boot.kernel.sysctl.\"${x}\""]).stderr, @r#"
    option::unknown

      × `boot.kernel.sysctl."${x}"` is no path of an option: `"${x}"` is no plain
      │ name
       ╭─[<option>:1:20]
     1 │ boot.kernel.sysctl."${x}"
       ·                    ──────
       ╰────
      help: write names with dots between, such as `networking.hostName`; a name
            with other characters in quotes

    1 error in 1 file
    "#);
}

#[test]
fn names_with_escapes() {
    let text =
        r#"{ outputs = { ... }: { hosts.demo.environment.etc."q\"o\${te}".text = "x\ny"; }; }"#;
    let folder = fleet(&[("cairn.nix", text)]);
    let path = r#"environment.etc."q\"o\${te}".text"#;
    let output = cairn_in(folder.path(), &["explain", "demo", path]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.starts_with(&format!("{path} = \"x\\ny\"\n")), "{}", output.stdout);
    let output = cairn_in(folder.path(), &["explain", "demo", "environment.etc"]);
    assert!(output.stdout.contains(r#"✓ { "q\"o\${te}" = { … }; }"#), "{}", output.stdout);
}

/// What makes a build fail is told beside the values.
#[test]
fn mistakes_in_files() {
    let host =
        "{ lib, ... }: {\n  networking.hostName = \"a\";\n  networking.hostName = \"b\";\n}\n";
    let outputs = "{ outputs = { ... }: { hosts.demo = ./demo.nix; }; }";
    let folder = fleet(&[("cairn.nix", outputs), ("demo.nix", host)]);
    let output = cairn_in(folder.path(), &["explain", "demo", "networking.hostName"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.starts_with("networking.hostName = \"a\"\n"), "{}", output.stdout);
    insta::assert_snapshot!(output.stderr, @r#"
    name::duplicate

      × the attribute `hostName` is defined twice
       ╭─[demo.nix:3:14]
     1 │ { lib, ... }: {
     2 │   networking.hostName = "a";
       ·              ────┬───
       ·                  ╰── it is defined here already
     3 │   networking.hostName = "b";
       ·              ────────
     4 │ }
       ╰────
      help: keep one of them; two sets of one name would be merged

    1 error in 1 file
    "#);
    let other = cairn_in(folder.path(), &["explain", "demo", "time.timeZone"]);
    assert_eq!((other.code, other.stderr), (1, output.stderr));
}

/// A fleet in which options are defined in every way there is.
fn ways() -> tempfile::TempDir {
    fleet(&[
        (
            "cairn.nix",
            r#"{
  outputs = { self, ... }: {
    hosts.demo = ./demo.nix;
    groups.web = {
      hosts = [ "demo" ];
      module = { lib, ... }: {
        networking.hostName = "grouped";
        networking.firewall.allowedTCPPorts = [ 80 ];
        boot.kernel.sysctl."vm.swappiness" = 60;
        boot.kernel.sysctl."vm.other" = 1;
        services.k3s.role = lib.mkForce "agent";
      };
    };
  };
}
"#,
        ),
        (
            "demo.nix",
            r#"{ config, lib, ... }:
{
  networking = lib.mkIf (config.services.k3s.role == "agent") {
    hostName = "demo";
    firewall.allowedTCPPorts = lib.mkMerge [
      (lib.mkBefore [ 443 ])
      (lib.mkIf config.services.openssh.enable (lib.mkIf (lib.elem 1 [ 2 ]) [ 2222 ]))
    ];
  };
  boot.kernel.sysctl = {
    "vm.swappiness" = lib.mkForce 10;
    "vm.dirty_ratio" = lib.mkIf (!config.services.openssh.enable) 5;
  };
  services.k3s.role = "server";
  users.users.alice.isNormalUser = true;
}
"#,
        ),
    ])
}

fn explain(args: &[&str]) -> Output {
    let folder = ways();
    let args: Vec<&str> = [&["explain", "demo"], args].concat();
    cairn_in(folder.path(), &args)
}

/// What is said, without where standard modules declare things.
fn said(args: &[&str]) -> String {
    let output = explain(args);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let lines = output.stdout.lines().map(|line| match line.find(".nix:") {
        Some(at) if line.contains("<cairn>/") => {
            let rest = line[at + 5..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
            format!("{}.nix:…{rest}", &line[..at])
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn layers_strengths_and_conditions() {
    insta::assert_snapshot!(said(&["networking.hostName"]), @r#"
    networking.hostName = "demo"
      type     host name (at most 63 letters, digits and inner `-`, no dots)
      default  ""
      declared <cairn>/networking/host.nix:…

      Name of the host. Empty leaves the name that it has.

      ✓ "demo"
          demo.nix:4:16 (plain, host)
          if config.services.k3s.role == "agent": holds
      · "grouped"
          cairn.nix:7:31 (plain, group web)
      · ""
          <cairn>/networking/host.nix:… (the option's default, standard)
    "#);
    insta::assert_snapshot!(said(&["services.k3s.role", "--set", "services.k3s.role=\"server\""]), @r#"
    services.k3s.role = "server"
      type     one of "server", "agent"
      default  "server"
      declared <cairn>/k3s/default.nix:…

      Whether the host runs the control plane, or work only.

      ✓ "server"
          --set services.k3s.role="server" (--set, command line)
      · "agent"
          cairn.nix:11:29 (mkForce, group web)
      · "server"
          demo.nix:14:23 (plain, host)
      · "server"
          <cairn>/k3s/default.nix:… (the option's default, standard)
    "#);
}

#[test]
fn definitions_that_merge() {
    insta::assert_snapshot!(said(&["networking.firewall.allowedTCPPorts"]), @r#"
    networking.firewall.allowedTCPPorts = [ 80 443 ]
      type     list of ports (0 to 65535)
      default  [ ]
      declared <cairn>/networking/firewall.nix:…

      TCP ports that are open on every interface.

      2 definitions make the value together, those of weaker layers first
      the option makes its value of what is defined (`apply`)
      ✓ [ 443 ]
          demo.nix:6:21 (plain, host, mkBefore)
          if config.services.k3s.role == "agent": holds
      ✓ [ 80 ]
          cairn.nix:8:47 (plain, group web)
      · [ ]
          <cairn>/networking/firewall.nix:… (the option's default, standard)
      ✗ [ 2222 ]
          demo.nix:7:77 (plain, host)
          if config.services.k3s.role == "agent": holds
          if config.services.openssh.enable: does not hold
          if lib.elem 1 [ 2 ]: is not looked at
      ✗ [ 10250 ]
          <cairn>/k3s/firewall.nix:… (plain, standard)
          if cfg.enable && cfg.openFirewall: does not hold
      ✗ [ 22 ]
          <cairn>/openssh.nix:… (plain, standard)
          if cfg.enable: does not hold
          if cfg.openFirewall: is not looked at
    "#);
}

#[test]
fn a_part_of_a_value() {
    insta::assert_snapshot!(said(&["boot.kernel.sysctl.\"vm.swappiness\""]), @r#"
    boot.kernel.sysctl."vm.swappiness" = 10
      part of  boot.kernel.sysctl
      type     attribute set of (null or boolean or integer or string)
      declared <cairn>/kernel.nix:…

      Kernel parameters. Null leaves one alone.

      ✓ 10
          demo.nix:11:23 (mkForce, host)
      · 60
          cairn.nix:9:46 (plain, group web)
    "#);
    insta::assert_snapshot!(said(&["boot.kernel.sysctl.\"vm.dirty_ratio\""]), @r#"
    boot.kernel.sysctl."vm.dirty_ratio" = 5
      part of  boot.kernel.sysctl
      type     attribute set of (null or boolean or integer or string)
      declared <cairn>/kernel.nix:…

      Kernel parameters. Null leaves one alone.

      ✓ 5
          demo.nix:12:24 (plain, host)
          if !config.services.openssh.enable: holds
    "#);
    let output = explain(&["boot.kernel.sysctl.\"vm.none\""]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @r#"
    option::unknown

      × nothing defines `boot.kernel.sysctl."vm.none"`
      help: `boot.kernel.sysctl` has "vm.dirty_ratio", "vm.other", "vm.swappiness"

    1 error
    "#);
}

#[test]
fn sets_of_options() {
    insta::assert_snapshot!(said(&["networking"]), @r#"
    networking.firewall.allowedTCPPorts = [ 80 443 ]
        demo.nix:6:21 (plain, host, mkBefore)
        cairn.nix:8:47 (plain, group web)
    networking.hostName = "demo"
        demo.nix:4:16 (plain, host)
    networking.nftables.tables = { cairn-fw = { … }; }
        <cairn>/networking/firewall.nix:… (plain, standard)

    42 other options in networking with defaults: `cairn options networking`
    "#);
    insta::assert_snapshot!(said(&["users.users.alice"]), @r#"
    users.users.alice.createHome = true
        <cairn>/users.nix:… (mkDefault, standard)
    users.users.alice.group = "users"
        <cairn>/users.nix:… (mkDefault, standard)
    users.users.alice.home = "/home/alice"
        <cairn>/users.nix:… (mkDefault, standard)
    users.users.alice.isNormalUser = true
        demo.nix:15:36 (plain, host)
    users.users.alice.name = "alice"
        <cairn>/users.nix:… (mkDefault, standard)
    users.users.alice.shell = "/bin/bash"
        <cairn>/users.nix:… (mkDefault, standard)

    13 other options in users.users.alice with defaults: `cairn options users.users.alice`
    "#);
    insta::assert_snapshot!(said(&["time"]), @r#"
    nothing in time is defined on demo: 1 option with defaults
    "#);
    let folder = ways();
    let output = cairn_in(folder.path(), &["explain", "demo", "networking", "--format", "json"]);
    let objects = output.objects();
    let paths: Vec<_> = objects.iter().map(|object| object["option"].as_str()).collect();
    let expected = [Some("networking.firewall.allowedTCPPorts"), Some("networking.hostName")];
    assert!(expected.iter().all(|path| paths.contains(path)), "{paths:?}");
}

#[test]
fn for_programs() {
    let folder = ways();
    let output =
        cairn_in(folder.path(), &["explain", "demo", "networking.hostName", "--format", "json"]);
    let objects = output.objects();
    insta::assert_json_snapshot!(objects[0]["definitions"][0], @r#"
    {
      "at": {
        "column": 16,
        "file": "demo.nix",
        "line": 4
      },
      "conditions": [
        {
          "at": {
            "column": 25,
            "file": "demo.nix",
            "line": 3
          },
          "holds": true,
          "text": "config.services.k3s.role == \"agent\""
        }
      ],
      "default": false,
      "file": "demo.nix",
      "group": null,
      "holds": true,
      "layer": "host",
      "order": null,
      "priority": 100,
      "strength": "plain",
      "value": "\"demo\"",
      "won": true
    }
    "#);
    assert_eq!(objects[0]["value"], "\"demo\"");
    assert_eq!(objects[0]["default"]["text"], "\"\"");
    // The default of a set of options is its type's own.
    let path = ["explain", "demo", "services.openssh.settings", "--format", "json"];
    let objects = cairn_in(folder.path(), &path).objects();
    let definition = &objects[0]["definitions"][0];
    assert_eq!(
        (&definition["default"], &definition["file"]),
        (&true.into(), &definition["at"]["file"])
    );
}
