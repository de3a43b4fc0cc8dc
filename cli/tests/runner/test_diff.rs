//! `cairn diff`

use crate::common::{cairn_in, fleet, small};

#[test]
fn lines_of_files_and_what_happens_to_units() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let output = cairn_in(folder.path(), &["diff", "demo", "--into", "root"]);
    assert_eq!(output.stdout, "nothing to do: demo is what the fleet says\n");
    let changed = [
        "diff",
        "demo",
        "--into",
        "root",
        "--set",
        "environment.etc.motd.text=\"other\\n\"",
        "--set",
        "systemd.services.hello.description=\"Hello\"",
        "--set",
        "systemd.services.hello.environment.X=\"1\"",
    ];
    let output = cairn_in(folder.path(), &changed);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    demo would change:
      files     ~ /etc/motd
                ~ /etc/systemd/system/hello.service
      units     restart hello.service

    /etc/motd
    @@ -1 +1 @@
    -hello
    +other

    /etc/systemd/system/hello.service
    @@ -1,2 +1,6 @@
    +[Unit]
    +Description=Hello
    +
     [Service]
     ExecStart=/etc/cairn/scripts/hello/start
    +Environment="X=1"
    "#);
}

#[test]
fn between_hosts_without_an_option_that_was_removed() {
    let folder = fleet(&[(
        "cairn.nix",
        "{ outputs = { self, ... }: {
  hosts = { a = { }; b = { }; };
  groups.all = {
    hosts = [ \"a\" \"b\" ];
    module = { lib, ... }: { imports = [ (lib.mkRemovedOptionModule [ \"my\" \"gone\" ] \"\") ]; };
  };
}; }
",
    )]);
    let output = cairn_in(folder.path(), &["diff", "--between", "a", "b"]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("a and b do not differ\n", ""));
}

#[test]
fn between_environments() {
    let folder = fleet(&[(
        "cairn.nix",
        "{ outputs = { self, ... }: {
  hosts = { s1 = { }; s2 = { }; p1 = { }; p2 = { }; };
  groups.staging = { hosts = [ \"s1\" \"s2\" ]; module.networking.firewall.allowedTCPPorts = [ 80 8080 ]; };
  groups.prod = { hosts = [ \"p1\" \"p2\" ]; module.networking.firewall.allowedTCPPorts = [ 80 ]; };
}; }
",
    )]);
    let output = cairn_in(folder.path(), &["diff", "--between", "staging", "prod"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    networking.firewall.allowedTCPPorts
      - staging: [ 80 8080 ]
      + prod: [ 80 ]
    networking.nftables.tables.cairn-fw.content
    @@ -26,7 +26,7 @@
       }
     }
     chain input-allow {
    -  tcp dport { 22, 80, 8080 } accept
    +  tcp dport { 22, 80 } accept
       meta l4proto . th dport @temp-ports accept
       icmp type echo-request accept comment "ping"
       icmpv6 type != { nd-redirect, 139 } accept
    "#);
    let output = cairn_in(folder.path(), &["diff", "--between", "@prod", "@prod"]);
    assert_eq!(output.stdout, "@prod and @prod do not differ\n");
    let output = cairn_in(folder.path(), &["diff", "--between", "prod", "nothing"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("no group or tag is called `@nothing`"), "{}", output.stderr);
    let words = ["diff", "--between", "staging", "prod", "--format", "json"];
    let objects = cairn_in(folder.path(), &words).objects();
    let ports = objects.iter().find(|it| it["option"] == "networking.firewall.allowedTCPPorts");
    assert_eq!(ports.expect("a difference")["one"]["value"], serde_json::json!([80, 8080]));
}
