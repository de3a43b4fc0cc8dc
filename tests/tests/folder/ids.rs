//! Same sources, same id: in any folder, at any time, in any locale.

use std::fs;
use std::process::Command;

use cairn_tests::{Cairn, Case, Fleet};

pub(crate) const CASES: &[Case] = &[
    ("in two folders, two locales, two times", same_everywhere),
    ("another source, another id", another_source),
];

/// A fleet with something of everything that could carry a place, a time or an order along.
fn sources() -> Fleet {
    let fleet = Fleet::of(
        "alpha",
        std::net::Ipv4Addr::LOCALHOST,
        r#"
  environment.etc."app/data.txt".source = ./data.txt;
  environment.etc."app/path".text = "${./data.txt}\n";
  networking.firewall = { enable = true; allowedTCPPorts = [ 443 80 ]; };
  systemd.services.app = {
    wantedBy = [ "multi-user.target" ];
    script = "exec cat ${./data.txt}";
  };
  users.users.ada.isNormalUser = true;
  users.users.bob.isNormalUser = true;
  services.k3s = {
    enable = true;
    package = null;
    settings.node-label = [ "b=1" "a=2" ];
  };
"#,
    );
    fleet.write("data.txt", "grüße\n");
    fleet
}

fn id(cairn: &Cairn<'_>) -> String {
    let built = cairn.run(&["build", "alpha", "--format", "json"]).ok().json();
    let id = built.iter().find_map(|line| line["id"].as_str()).expect("an id").to_owned();
    assert_eq!(id.len(), 64, "{id}");
    id
}

fn same_everywhere() {
    let (here, there) = (sources(), sources());
    let expected = id(&Cairn::new(here.path()));
    assert_eq!(id(&Cairn::new(here.path())), expected, "built twice");
    assert_eq!(id(&Cairn::new(there.path())), expected, "in another folder");

    for path in ["cairn.nix", "host.nix", "data.txt"] {
        let file = fs::File::options().write(true).open(there.path().join(path)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    assert_eq!(id(&Cairn::new(there.path())), expected, "with files of another age");

    for (name, value) in [("LC_ALL", "tr_TR.UTF-8"), ("LC_ALL", "C"), ("TZ", "Asia/Kathmandu")] {
        let cairn = Cairn::new(here.path()).env(name, value);
        assert_eq!(id(&cairn), expected, "with {name}={value}");
    }
    if Command::new("faketime").arg("--version").output().is_ok() {
        let cairn = Cairn::new(here.path()).under(&["faketime", "2001-02-03 04:05:06"]);
        assert_eq!(id(&cairn), expected, "at another time");
    } else {
        eprintln!("LEFT OUT, the id at another time: faketime is not installed");
    }
}

fn another_source() {
    let fleet = sources();
    let before = id(&Cairn::new(fleet.path()));
    fleet.write("data.txt", "hello\n");
    assert_ne!(id(&Cairn::new(fleet.path())), before);
}
