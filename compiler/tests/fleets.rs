//! Fleets in memory: what is wrong with them, and what they are compiled to.
#![allow(clippy::expect_used, reason = "a test program")]

use cairn_compiler::{Fleet, Report};
use cairn_fetch::{Cache, Offline};
use cairn_generation::Store;
use cairn_lang::modules::Explanations;
use cairn_lang::{Features, MemoryFs};

/// A fleet of one host `a` with this module, and whatever else `cairn.nix` is given.
fn load(files: &[(&str, &str)], settings: &[&str]) -> Result<Fleet, Report> {
    let settings: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
    Fleet::load(MemoryFs::new(files.iter().copied()), &settings, Features::default())
}

fn fleet(outputs: &str) -> Result<Fleet, Report> {
    load(&[("cairn.nix", &format!("{{ outputs = {{ self, ... }}: {outputs}; }}"))], &[])
}

/// Code, place and message of each.
fn told(report: &Report) -> String {
    let each = report.diagnostics.iter().map(|diagnostic| {
        let place = match report.sources.place(diagnostic.span) {
            Some(at) => format!("{}:{}:{}", at.file, at.start.line, at.start.column),
            None => "nowhere".to_owned(),
        };
        let help = diagnostic.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
        format!("{} at {place}: {}{help}\n", diagnostic.code, diagnostic.message)
    });
    each.collect()
}

/// Everything that is wrong with a fleet.
fn wrong(outputs: &str) -> String {
    let text = format!("{{ outputs = {{ self, ... }}: {outputs}; }}");
    let files = MemoryFs::new([("cairn.nix", text.as_str())]);
    match Fleet::load_to_check(files, &[], Features::default()) {
        Err(report) => told(&report),
        Ok(fleet) => told(&fleet.check(&fleet.hosts())),
    }
}

/// The value of `networking.hostName` on `a`, by `explain`.
fn host_name(outputs: &str, settings: &[&str]) -> String {
    let text = format!("{{ outputs = {{ self, ... }}: {outputs}; }}");
    let fleet = load(&[("cairn.nix", &text)], settings).expect("a fleet");
    match fleet.explain("a", "networking.hostName").expect("an option").0 {
        Explanations::One(explained) => explained.value.expect("a value"),
        Explanations::Set { .. } => unreachable!("one option"),
    }
}

#[test]
fn names_of_a_fleet() {
    insta::assert_snapshot!(wrong("{ host.a = { }; hosts.\"a b\" = { }; groups.g.host = [ ]; }"), @"
    fleet::unknown-key at cairn.nix:1:30: `outputs` has no `host`
      did you mean `hosts`?
    fleet::bad-name at cairn.nix:1:50: `a b` is no name for a host: not a hostname: expected the end, found ` `
      names hold letters, digits, `-` and `_`
    fleet::unknown-key at cairn.nix:1:72: the group `g` has no `host`
      did you mean `hosts`?
    ");
    insta::assert_snapshot!(wrong("{ hosts.web1 = { }; groups.g.hosts = [ \"wbe1\" ]; }"), @"
    fleet::unknown-host at cairn.nix:1:67: the group `g` lists a host `wbe1` that does not exist
      did you mean `web1`?
    ");
    // What is wrong with a host is said beside it.
    insta::assert_snapshot!(wrong("{ hosts.web1.networking.hostNam = \"x\"; groups.g.hosts = [ \"wbe1\" ]; }"), @r"
    option::unknown at cairn.nix:1:52: there is no option `networking.hostNam`
      did you mean `networking.hostName`?
    fleet::unknown-host at cairn.nix:1:86: the group `g` lists a host `wbe1` that does not exist
      did you mean `web1`?
    ");
    let report = load(&[("cairn.nix", "{ output = _: { }; }")], &[]);
    insta::assert_snapshot!(told(&report.err().expect("errors")), @"
    fleet::no-outputs at cairn.nix:1:3: cairn.nix has no `outputs`
      write `outputs = { self, ... }: { hosts.<name> = ./hosts/<name>.nix; };`
    ");
    let report = load(&[("cairn.nix", "{ outputs = _: { hosts = nope; x = ; }; }")], &[]);
    insta::assert_snapshot!(told(&report.err().expect("errors")), @"
    syntax::error at cairn.nix:1:36: a value is missing before this `;`
      something before it is unfinished
    ");
}

#[test]
fn strength_is_priority_then_layer() {
    let groups = "groups.g = { hosts = [ \"a\" ]; module = { lib, ... }: { networking.hostName = GROUP; }; };";
    let case = |group: &str, host: &str, settings: &[&str]| {
        let groups = groups.replace("GROUP", group);
        let host = match host {
            "" => "{ }".to_owned(),
            host => format!("{{ lib, ... }}: {{ networking.hostName = {host}; }}"),
        };
        host_name(&format!("{{ {groups} hosts.a = {host}; }}"), settings)
    };
    let set = ["networking.hostName=\"set\""];
    for (group, host, settings, expected) in [
        ("\"group\"", "", &[][..], "group"),
        ("\"group\"", "\"host\"", &[], "host"),
        ("lib.mkForce \"group\"", "\"host\"", &[], "group"),
        ("\"group\"", "lib.mkDefault \"host\"", &[], "group"),
        ("lib.mkDefault \"group\"", "lib.mkDefault \"host\"", &[], "host"),
        ("lib.mkForce \"group\"", "lib.mkForce \"host\"", &[], "host"),
        ("lib.mkForce \"group\"", "lib.mkForce \"host\"", &set, "set"),
    ] {
        let value = case(group, host, settings);
        assert_eq!(value, format!("\"{expected}\""), "{group} and {host}");
    }
}

#[test]
fn settings_have_lib_and_names_in_quotes() {
    let host = |settings: &[&str]| host_name("{ hosts.a = { }; }", settings);
    assert_eq!(host(&["networking.hostName=lib.toLower \"A\""]), "\"a\"");
    let settings = ["boot.kernel.sysctl.\"a=b\"=1", "networking.hostName=\"x\""];
    assert_eq!(host(&settings), "\"x\"");
    let wrong = |setting: &str| match load(&[("cairn.nix", SMALL)], &[setting]) {
        Err(report) => told(&report),
        Ok(_) => "nothing".to_owned(),
    };
    insta::assert_snapshot!(wrong("a[0].b=1"), @r#"
    set::no-definition at nowhere: `--set a[0].b=1` is no definition
      write `--set option.path=expression`; a string needs its quotes: `--set 'networking.hostName="demo"'`
    "#);
}

#[test]
fn a_file_that_is_no_text() {
    let outputs = "{ outputs = { ... }: { hosts.a = ./a.nix; hosts.b = ./a.nix; }; }";
    let files = MemoryFs::new([
        ("cairn.nix", outputs.as_bytes()),
        ("a.nix", b"{\n  networking.hostName = \"caf\xe9\";\n}\n"),
    ]);
    let fleet = Fleet::load_to_check(files, &[], Features::default()).expect("a fleet");
    insta::assert_snapshot!(told(&fleet.check(&fleet.hosts())), @"
    file::not-text at a.nix:2:29: a.nix is not UTF-8 text: byte 0xE9 at offset 30
      source files and what `readFile` reads are UTF-8; convert the file
    ");
}

#[test]
fn equal_strength_is_a_conflict() {
    let two = "{ hosts.a = { }; groups.g = { hosts = [ \"a\" ]; module = { networking.hostName = \"g\"; }; }; \
               groups.h = { hosts = [ \"a\" ]; module = { networking.hostName = \"h\"; }; }; }";
    insta::assert_snapshot!(wrong(two), @r#"
    module::conflict at cairn.nix:1:97: `networking.hostName` has two values: the string "h" and the string "g"
      the groups `h` and `g` are one layer: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    "#);
}

#[test]
fn hosts_read_each_other() {
    let outputs = "{ hosts.a = { nodes, ... }: { networking.hostName = nodes.b.config.networking.hostName + \"-a\"; }; \
                   hosts.b = { networking.hostName = \"b\"; }; }";
    assert_eq!(host_name(outputs, &[]), "\"b-a\"");
    let cycle = "{ hosts.a = { nodes, ... }: { networking.hostName = nodes.b.config.networking.hostName; }; \
                 hosts.b = { nodes, ... }: { networking.hostName = nodes.a.config.networking.hostName; }; }";
    insta::assert_snapshot!(wrong(cycle), @"
    nodes::cycle at cairn.nix:1:106: hosts wait for each other: nodes.b.config.networking.hostName → nodes.a.config.networking.hostName → nodes.b.config.networking.hostName
      let one of them say the value itself, or put it where both can read it
    nodes::cycle at cairn.nix:1:195: hosts wait for each other: nodes.a.config.networking.hostName → nodes.b.config.networking.hostName → nodes.a.config.networking.hostName
      let one of them say the value itself, or put it where both can read it
    ");
    let unknown = "{ hosts.a = { nodes, ... }: { networking.hostName = nodes.bb.config.networking.hostName; }; hosts.b = { }; }";
    insta::assert_snapshot!(wrong(unknown), @"
    name::missing-attribute at cairn.nix:1:86: the attribute `bb` is missing
      did you mean `b`?
    ");
}

#[test]
fn packages_by_name() {
    let of = |module: &str| {
        let outputs = format!(
            "{{ packages.tool = (import <cairn/lib>).fetchPackage {{ name = \"tool\"; version = \"1\"; \
             url = \"file:///tool\"; hash = \"{}\"; }}; hosts.a = {{ pkgs, ... }}: {{ {module} }}; }}",
            "0".repeat(64)
        );
        wrong(&outputs)
    };
    assert_eq!(
        of("environment.systemPackages = with pkgs; [ htop debian.vim pkgs.\"g++\" tool ];"),
        ""
    );
    insta::assert_snapshot!(of("environment.systemPackages = [ pkgs.Htop ];"), @"
    package::bad-name at cairn.nix:1:275: `Htop` is no name of a Debian package, and none of the fleet's
      Debian's names hold lower-case letters, digits and `+ - .`; the fleet's own are in its `outputs.packages`
    ");
    insta::assert_snapshot!(of("environment.etc.x.source = pkgs.writeText \"x\" \"y\";"), @"
    package::bad-name at cairn.nix:1:271: `pkgs.writeText` is of nixpkgs, and Cairn builds nothing
      write the text in `environment.etc.<name>.text`, and name the file by its path in /etc
    ");
    insta::assert_snapshot!(of("environment.systemPackages = [ \"htop\" ];"), @r#"
    type::mismatch at cairn.nix:1:270: `environment.systemPackages[0]` takes a package, found the string "htop"
      write pkgs.htop, without quotes
    "#);
    insta::assert_snapshot!(of("environment.etc.x.text = \"${pkgs.tool}/bin/tool\";"), @"
    package::not-installed at cairn.nix:1:264: the package `tool` is used here but not installed
      add the package to `environment.systemPackages`, or name files by their path in the fleet
    ");
}

#[test]
fn resources_point_at_what_the_fleet_wrote() {
    insta::assert_snapshot!(wrong(
        "{ hosts.a = {\n  users.users.u = { isNormalUser = true; extraGroups = [ \"wheels\" ]; };\n  \
         boot.kernel.sysctl.nodots = 1;\n  systemd.services.\"a b\".script = \"x\";\n  \
         systemd.services.c = { script = \"x\"; wantedBy = [ \"multi-user\" ]; };\n}; }"
    ), @r"
    user::unknown-group at cairn.nix:2:56: the user `u` is in the group `wheels`, which does not exist
      declare it: `users.groups.wheels = { };`
    kernel::bad-sysctl at cairn.nix:3:22: `nodots` is no name of a sysctl
      names have at least two parts with dots between, such as `net.ipv4.ip_forward`
    unit::bad-name at cairn.nix:4:20: `a b.service` is no name of a unit
      names hold letters, digits and any of `: - _ . \ @`; `systemd-escape` writes others so
    unit::bad-name at cairn.nix:5:51: `multi-user` does not say what kind of unit it is
      write the full name, such as `multi-user.service`
    ");
}

const SMALL: &str = "{ outputs = _: { hosts.a = { config, ... }: {
  networking.hostName = \"a\";
  environment.etc.\"from-file\".source = ./file.txt;
  environment.etc.\"from-text\".text = \"see ${./file.txt}\\n\";
  systemd.services.hello = { script = \"exec sleep infinity\"; wantedBy = [ \"multi-user.target\" ]; };
}; }; }";

/// A change of this renames the generations of every fleet.
#[test]
fn one_name_for_one_fleet() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let build = |settings: &[&str]| {
        let fleet =
            load(&[("cairn.nix", SMALL), ("file.txt", "text\n")], settings).expect("a fleet");
        let (built, _) = fleet
            .build(&fleet.hosts(), &Offline, &store)
            .unwrap_or_else(|report| unreachable!("{}", told(&report)));
        built.into_iter().next().expect("a host")
    };
    let built = build(&[]);
    for blob in built.manifest.blobs() {
        assert!(store.get(&blob).is_ok(), "{blob} is not in the store");
    }
    assert_eq!(built.manifest.references.len(), 1);
    assert_eq!(built.id, build(&[]).id);
    assert_ne!(built.id, build(&["networking.hostName=\"b\""]).id);
    insta::assert_snapshot!(built.text, @r#"{"files":{"/etc/cairn/scripts/hello/start":{"content":{"blob":"f05134228b8d8bc991553008cabc43d35b1cf7efc777f98f1b5b617a36a7314b"},"mode":"0755"},"/etc/from-file":{"content":{"blob":"42173aaf951b10db722cc40c3bcd55cdb4b9ae148114a9e115cb74d18e7bb8c3"}},"/etc/from-text":{"content":{"blob":"6e497b9136539ce2c79ba5531cfd47b5a62ff232ab455fcad6a05708fdf3f657"}},"/etc/hostname":{"content":{"blob":"81c4b7f7e0549f1514e9cae97cf40cf133920418d3dc71bedbf60ec9bd6148cb"},"method":"copy"}},"host":"a","kernel":{"hostname":"a"},"references":["42173aaf951b10db722cc40c3bcd55cdb4b9ae148114a9e115cb74d18e7bb8c3"],"units":{"hello.service":{"restartTriggers":["f5683d3817d0a8f7ed4dbd9ad44a62818100a0948f26abc1d7634f427b8cf4e4"],"text":"[Service]\nExecStart=/etc/cairn/scripts/hello/start\n","wantedBy":["multi-user.target"]}},"version":1}"#);
    insta::assert_snapshot!(built.id, @"8bbb80df546816ea165ca4c5920d84620bc50e5f3b207998978f9b3a8271da10");
}

#[test]
fn hosts_by_group_and_tag() {
    let fleet = fleet(
        "{ hosts.a.deployment.tags = [ \"red\" ]; hosts.b = { }; hosts.c = { }; \
           groups.g.hosts = [ \"c\" \"a\" ]; }",
    );
    let fleet = fleet.expect("a fleet");
    let select = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
        match fleet.select(&wanted) {
            Ok(hosts) => hosts.join(" "),
            Err(cairn_compiler::SelectError::Unknown { wanted, help }) => {
                format!("{wanted}: {help}")
            }
            Err(cairn_compiler::SelectError::Report(report)) => told(&report),
        }
    };
    assert_eq!(select(&["b", "@g", "a"]), "a b c");
    assert_eq!(select(&["@red"]), "a");
    assert_eq!(select(&["d"]), "no host is called `d`: did you mean `a`?");
    assert_eq!(select(&["g"]), "no host is called `g`: `g` is a group: write `@g`");
    assert_eq!(
        select(&["@blue"]),
        "no group or tag is called `@blue`: the groups and tags are: @g, @red"
    );
    let deployments = fleet.deployments(&fleet.hosts()).expect("deployments");
    assert!(deployments["a"].groups.contains("g"));
    assert_eq!(deployments["a"].target_port, None);
}

#[test]
fn fetched_packages() {
    let folder = tempfile::tempdir().expect("a folder");
    let tool = folder.path().join("tool");
    std::fs::write(&tool, "#!/bin/sh\n").expect("written");
    let cache = Cache::new(folder.path().join("cache"));
    let store = cache.store().expect("a store");
    let build = |hash: &str| {
        let text = format!(
            "{{ outputs = _: {{ packages.tool = (import <cairn/lib>).fetchPackage {{ name = \"tool\"; version = \"1\"; \
             url = \"file://{}\"; hash = \"{hash}\"; bin = {{ tool = null; too = null; }}; }}; \
             hosts.a = {{ pkgs, ... }}: {{ environment.systemPackages = [ pkgs.tool ]; }}; }}; }}",
            tool.display()
        );
        let fleet = load(&[("cairn.nix", &text)], &[]).expect("a fleet");
        fleet.build(&fleet.hosts(), &cache, &store).map(|(mut built, _)| built.remove(0))
    };
    let built = build("f34e8112d6ccb14c6fa66d6ed8c2e31b3d89c9a1fd32c22e6a5d1a4ca1d2bd33");
    let report = built.expect_err("another hash");
    let told = told(&report).replace(&tool.display().to_string(), "/tool");
    let found = told.split("write `hash = \"").nth(1).and_then(|rest| rest.get(..64));
    let built = build(found.expect("the hash that it has"));
    let built = built.unwrap_or_else(|report| unreachable!("{}", self::told(&report)));
    let package = &built.manifest.packages.fetched["tool"];
    assert_eq!(package.bin.keys().collect::<Vec<_>>(), ["too", "tool"]);
    assert_eq!(store.get(&package.bin["tool"]).expect("a blob"), b"#!/bin/sh\n");
    assert!(package.folder.ends_with("-tool"), "{}", package.folder);
    insta::assert_snapshot!(told, @r#"
    package::fetch at cairn.nix:1:27: the package `tool` cannot be had: `file:///tool` has the SHA-256 a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf, not f34e8112d6ccb14c6fa66d6ed8c2e31b3d89c9a1fd32c22e6a5d1a4ca1d2bd33
      if the download is the one that you want, as its publisher's list of hashes says, write `hash = "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf"`; otherwise somebody has changed it
    "#);
}

#[test]
fn options_of_nixos() {
    insta::assert_snapshot!(wrong(
        "{ hosts.a = {\n  time.timeZone = \"Berlin/Europe\";\n  networking.hostName = \"a.b\";\n  \
         networking.hosts.b = [ \"192.0.2.1\" ];\n  systemd.timers.\"z.timer\".timerConfig = { };\n  \
         system.stateVersion = \"24.05\";\n  boot.loader.grub.enable = true;\n  \
         fileSystems.\"/\".device = \"/dev/vda1\";\n  \
         services.openssh.permitRootLogin = \"no\";\n  \
         users.users.u = { isNormalUser = true; password = \"x\"; };\n}; }"
    ), @r#"
    type::mismatch at cairn.nix:2:19: `time.timeZone` takes a time zone such as Europe/Berlin or UTC, found the string "Berlin/Europe"
    type::mismatch at cairn.nix:3:25: `networking.hostName` takes a host name (at most 63 letters, digits and inner `-`, no dots), found the string "a.b"
    assertion::failed at cairn.nix:4:20: networking.hosts."b" is no IP address: the address comes first, as in `networking.hosts."192.168.1.10" = [ "alpha" ]`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:5:18: systemd.timers."z.timer": leave out `.timer`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:6:25: system.stateVersion: not needed: remove it
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:7:8: boot.loader: Cairn does not manage this: remove it; the host keeps what it has
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:8:15: fileSystems."/": Cairn does not manage this: remove it; the host keeps what it has
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:9:38: services.openssh.permitRootLogin: write `services.openssh.settings.PermitRootLogin`
      a module asks for this of the host `a`
    assertion::failed at cairn.nix:10:53: users.users.u.password would stand in the fleet's files for all to read: write what `mkpasswd` prints in `hashedPassword`, or keep that in a secret (`hashedPasswordFile`)
      a module asks for this of the host `a`
    "#);
    assert_eq!(
        wrong(
            "{ hosts = builtins.listToAttrs (builtins.genList (n: { name = \"h${toString n}\"; \
             value.time.timeZone = builtins.elemAt [ \"UTC\" \"Etc/GMT+1\" \"US/Eastern\" \
             \"America/Argentina/Buenos_Aires\" \"America/Port-au-Prince\" ] n; }) 5); }"
        ),
        ""
    );
}
