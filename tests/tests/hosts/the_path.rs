//! The whole way: a definition is switched to, looked at, changed, and rolled back.

use cairn_tests::{Cairn, Case, Fleet, Lab};
use serde_json::Value;

use crate::settling;

pub(crate) const CASES: &[Case] = &[
    ("a switch makes a host true, and rollback undoes it", a_switch_and_back),
    ("a login that may use sudo deploys", a_login_with_sudo),
    ("packages come from apt and from a URL", packages),
    ("test lasts until the next boot, boot from then on", test_and_boot),
    ("a dry run changes nothing", dry_run),
    ("units are touched in the order that was asked for", units_in_order),
    ("gc keeps what it was told to", gc),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

const FIRST: &str = r#"
  networking.hostName = "alpha";
  environment.etc."cairn/greeting".text = "hello\n";
  environment.etc."cairn/secret" = { text = "hush\n"; mode = "0600"; };
  systemd.services.one = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep 1111";
  };
  systemd.services.two = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep 2222";
  };
  users.users.ada = {
    isNormalUser = true;
    extraGroups = [ "makers" ];
    openssh.authorizedKeys.keys = [ "KEY" ];
  };
  users.groups.makers = { };
  boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
  networking.firewall = {
    enable = true;
    allowedTCPPorts = [ 8080 ];
  };
"#;

/// [`FIRST`], with the lab's key where it asks for one.
fn first(lab: &Lab) -> String {
    let key = std::fs::read_to_string(lab.home_directory().join(".ssh/id_ed25519.pub")).unwrap();
    FIRST.replace("KEY", key.trim())
}

/// The last value that any of `objects` has for `key`, however deep.
pub(crate) fn last(objects: &[Value], key: &str) -> Value {
    fn search<'a>(value: &'a Value, key: &str, found: &mut Option<&'a Value>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name == key {
                        *found = Some(field);
                    }
                    search(field, key, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| search(item, key, found)),
            _ => {}
        }
    }
    let mut found = None;
    objects.iter().for_each(|object| search(object, key, &mut found));
    found.unwrap_or_else(|| panic!("no {key} in {objects:#?}")).clone()
}

fn a_switch_and_back() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), &first(&lab));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let found = host.snapshot();

    // The first switch makes everything true.
    let switched = cairn.run(&["switch", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&switched, "changed"), true);
    assert_eq!(host.read("/etc/cairn/greeting"), "hello\n");
    assert_eq!(host.sh("stat -Lc '%a %U %G' /etc/cairn/secret"), "600 root root");
    assert_eq!(host.sh("systemctl is-active one two"), "active\nactive");
    assert!(host.sh("id ada").contains("makers"));
    assert!(host.ssh("ada", "true").status.success(), "ada's key lets her in");
    assert_eq!(host.sh("sysctl -n net.ipv4.ip_forward"), "1");
    assert!(host.nft().contains("8080"), "{}", host.nft());
    let after_first = host.snapshot();
    let pid_of_one = host.unit("one", "MainPID");
    let pid_of_two = host.unit("two", "MainPID");

    // The second does nothing, quickly.
    let started = std::time::Instant::now();
    let again = cairn.run(&["switch", "alpha", "--format", "json"]).ok().json();
    println!("a switch that does nothing took {:?}, evaluation included", started.elapsed());
    assert_eq!(last(&again, "changed"), false);
    after_first.assert_same(&host.snapshot());
    assert_eq!(host.unit("one", "MainPID"), pid_of_one);

    // An edit changes only what it must.
    let edited = first(&lab).replace("sleep 1111", "sleep 3333").replace("hello", "good day");
    fleet.define(host.address(), &edited);
    let diff = cairn.run(&["diff", "alpha"]).ok();
    let _ = diff.says(&["/etc/cairn/greeting", "-hello", "+good day", "one.service", "restart"]);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/cairn/greeting"), "good day\n");
    assert_ne!(host.unit("one", "MainPID"), pid_of_one);
    assert_eq!(host.unit("two", "MainPID"), pid_of_two, "the text of two did not change");
    let after_second = host.snapshot();

    // Rolled back, the host is byte for byte what it was.
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    after_first.assert_same(&host.snapshot());
    assert_eq!(host.unit("two", "MainPID"), pid_of_two);
    let _ = cairn.run(&["rollback", "alpha", "2"]).ok();
    after_second.assert_same(&host.snapshot());

    // A reboot comes up in the same generation.
    host.reboot();
    assert_eq!(host.read("/etc/cairn/greeting"), "good day\n");
    assert_eq!(host.sh("systemctl is-active one two"), "active\nactive");
    assert_eq!(host.sh("sysctl -n net.ipv4.ip_forward"), "1");
    assert!(host.nft().contains("8080"), "{}", host.nft());

    // Status and history tell it truly. A switch that does nothing is no line of history.
    let status = cairn.run(&["status", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&status, "generation"), 2);
    assert_eq!(last(&status, "confirmed"), 2);
    let history = cairn.run(&["history", "alpha", "--format", "json"]).ok().json();
    let steps: Vec<(Value, Value, Value, Value)> = history
        .iter()
        .filter(|entry| entry.get("what").is_some_and(|what| what != "recover"))
        .map(|entry| {
            let field = |name: &str| entry.get(name).cloned().unwrap_or_default();
            (field("what"), field("from"), field("to"), field("outcome"))
        })
        .collect();
    let entry = |what: &str, from: u64, to: u64, outcome: &str| {
        (Value::from(what), Value::from(from), Value::from(to), Value::from(outcome))
    };
    assert_eq!(
        steps,
        [
            entry("switch", 0, 1, "confirmed"),
            entry("switch", 1, 2, "confirmed"),
            entry("rollback", 2, 1, "confirmed"),
            entry("rollback", 1, 2, "confirmed"),
        ]
    );

    // Back to the host as found.
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    let left: Vec<String> = found.differences(&host.snapshot());
    assert!(left.is_empty(), "generation 0 is not the host as found:\n{}", left.join("\n"));
}

fn a_login_with_sudo() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let text = "deployment.targetUser = \"deploy\";\n  environment.etc.mark.text = \"x\\n\";";
    let fleet = Fleet::of("alpha", host.address(), text);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "x\n");
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    assert!(!host.holds("test -e /etc/mark"));
}

fn packages() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let tool = "#!/bin/sh\necho fetched\n";
    let url = lab.publish("tool", tool.as_bytes());
    let hash = sha256(tool.as_bytes());
    let text = format!(
        "environment.systemPackages = [\n    pkgs.hello-cairn\n    (lib.fetchPackage {{\n      \
         name = \"tool\"; version = \"1\"; url = \"{url}\"; hash = \"{hash}\";\n      \
         bin.tool = null;\n    }})\n  ];"
    );
    let fleet = Fleet::of("alpha", host.address(), &text);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.sh("hello-cairn"), "hello 1.1");
    assert_eq!(host.unit("hello-cairn", "ActiveState"), "inactive", "no daemon starts by itself");
    assert!(!host.holds("test -e /usr/sbin/policy-rc.d"), "and the next apt is not held back");
    let login = "bash -lc tool";
    assert_eq!(host.sh(login), "fetched");

    // Content that is not what the fleet says is refused before anything reaches the host.
    let _ = lab.publish("tool", b"#!/bin/sh\necho another\n");
    fleet.define(host.address(), &text.replace("version = \"1\"", "version = \"2\""));
    let before = host.snapshot();
    let cold = lab.directory().join("cold-cache").display().to_string();
    let cairn = cairn.env("XDG_CACHE_HOME", &cold);
    let refused = cairn.run(&["switch", "alpha"]);
    assert_ne!(refused.code(), 0);
    let _ = refused.says(&["tool", &url]);
    before.assert_same(&host.snapshot());
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn test_and_boot() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let mark = |text: &str| format!("environment.etc.mark.text = \"{text}\";");
    let fleet = Fleet::of("alpha", host.address(), &mark("switched"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();

    fleet.define(host.address(), &mark("tested"));
    let _ = cairn.run(&["test", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "tested");
    host.reboot();
    assert_eq!(host.read("/etc/mark"), "switched");

    fleet.define(host.address(), &mark("booted"));
    let _ = cairn.run(&["boot", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "switched");
    let _ = cairn.run(&["status", "alpha"]).ok().says(&["boots into 3"]);
    host.reboot();
    assert_eq!(host.read("/etc/mark"), "booted");
    host.reboot();
    assert_eq!(host.read("/etc/mark"), "booted", "a boot that was healthy is confirmed");
}

fn dry_run() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), &first(&lab));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let before = host.snapshot();
    let dry = cairn.run(&["dry-activate", "alpha"]).ok();
    let _ = dry.says(&["/etc/cairn/greeting", "one.service", "ada", "net.ipv4.ip_forward"]);
    before.assert_same(&host.snapshot());

    // What it says is what a switch then does, in its order: forward, with less, and to nothing.
    let actions = |arguments: &[&str]| -> Vec<Value> {
        let told = cairn.run(arguments).ok().json();
        told.into_iter().filter(|event| event.get("action").is_some()).collect()
    };
    host.sh("echo mine >/etc/adopted");
    let more =
        "environment.etc.adopted.text = \"ours\\n\"; deployment.adopt = [ \"/etc/adopted\" ];
        environment.etc.copied = { text = \"VERSION\"; method = \"copy\"; };
        environment.systemPackages = [ pkgs.hello-cairn ];";
    let less = "environment.etc.copied = { text = \"other\"; method = \"copy\"; };
        networking.hostName = \"alpha\"; users.groups.makers = { };";
    let mut count = 0;
    for definitions in [format!("{} {more}", first(&lab)), less.to_owned(), String::new()] {
        fleet.define(host.address(), &definitions);
        let dry = actions(&["dry-activate", "alpha", "--format", "json"]);
        let same = actions(&["switch", "alpha", "--dry-run", "--format", "json"]);
        let done = actions(&["switch", "alpha", "--format", "json"]);
        assert_eq!(dry, done);
        assert_eq!(dry, same);
        count += done.len();
    }
    println!("{count} actions were told and then done");
    assert!(count > 40, "{count}");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    host.sh("rm /etc/adopted");
    settling::same(&before, &host);
}

fn gc() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), "");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    for round in 1..=4 {
        fleet.define(host.address(), &format!("environment.etc.mark.text = \"{round}\";"));
        let _ = cairn.run(&["switch", "alpha"]).ok();
    }
    let kept = || host.sh("ls /var/lib/cairn/generations | sed 's/-.*//' | sort -n | tr '\\n' ' '");
    let blobs = || host.sh("ls /var/lib/cairn/store | wc -l").parse::<u32>().unwrap();
    let before = blobs();
    let _ = cairn.run(&["gc", "alpha", "--keep", "2"]).ok();
    assert!(kept().trim().ends_with("3 4"), "{}", kept());
    assert!(blobs() < before, "blobs that nothing names go");
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "3");

    // What is current, confirmed, pinned, or waits for the next boot stays, however old.
    for round in 5..=7 {
        fleet.define(host.address(), &format!("environment.etc.mark.text = \"{round}\";"));
        let _ = cairn.run(&["boot", "alpha"]).ok();
    }
    let _ = cairn.run(&["pin", "alpha", "4"]).ok();
    let back_to = |round: u32| {
        fleet.define(host.address(), &format!("environment.etc.mark.text = \"{round}\";"));
    };
    back_to(6);
    let _ = cairn.run(&["test", "alpha"]).ok();
    back_to(5);
    let _ = cairn.run(&["boot", "alpha"]).ok();
    let _ = cairn.run(&["gc", "alpha", "--keep", "0"]).ok();
    assert_eq!(kept().trim(), "0 3 4 5 6");
    let list = cairn.run(&["rollback", "alpha", "--list"]).ok();
    let _ = list.says(&["3", "confirmed", "4", "pinned", "5", "6", "current"]);
    let _ = cairn.run(&["rollback", "alpha", "4"]).ok();
    assert_eq!(host.read("/etc/mark"), "4");
}

const ORDERED: &str = r#"
  systemd.services = lib.genAttrs [ "zeta" "alpha" ] (unit: {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "/bin/sh -c 'sleep 0.3; echo VERSION start ${unit} >> /run/order'";
      ExecStop = "/bin/sh -c 'sleep 0.3; echo VERSION stop ${unit} >> /run/order'";
    };
  });
  resources.order = [ { before = "units/zeta.service"; after = "units/alpha.service"; } ];
"#;

fn units_in_order() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), &ORDERED.replace("VERSION", "first"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/run/order"), "first start zeta\nfirst start alpha\n");

    fleet.define(host.address(), &ORDERED.replace("VERSION", "second"));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    fleet.define(host.address(), "");
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let told = host.read("/run/order");
    let told: Vec<&str> = told.lines().skip(2).collect();
    assert_eq!(
        told,
        [
            "first stop alpha",
            "first stop zeta",
            "second start zeta",
            "second start alpha",
            "second stop alpha",
            "second stop zeta",
        ]
    );
}
