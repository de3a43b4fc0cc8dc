//! What a dry run says of units is what a switch does to them, as systemd itself has it.

use std::collections::{BTreeMap, BTreeSet};

use cairn_tests::{Cairn, Case, Fleet, Host, Lab};
use serde_json::Value;

pub(crate) const CASES: &[Case] = &[("a dry run says what a switch does to units", dry_and_true)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// Units of every kind; `OLD` becomes `NEW`.
const HOST: &str = r#"
  systemd.services = let wanted = { wantedBy = [ "multi-user.target" ]; }; in {
    same = wanted // { serviceConfig.ExecStart = "/bin/sleep 1000"; };
    described = wanted // {
      description = "It is OLD";
      documentation = [ "man:OLD" ];
      serviceConfig.ExecStart = "/bin/sleep 1001";
    };
    changed = wanted // { serviceConfig.ExecStart = "/bin/sleep 1002"; environment.A = "OLD"; };
    restarts = wanted // { stopIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1003"; environment.A = "OLD"; };
    reloads = wanted // {
      reloadIfChanged = true;
      serviceConfig = { ExecStart = "/bin/sleep 1004"; ExecReload = "/bin/sh -c 'echo x >>/run/reloads'"; };
      environment.A = "OLD";
    };
    triggered = wanted // {
      reloadTriggers = [ "OLD" ];
      serviceConfig = { ExecStart = "/bin/sleep 1005"; ExecReload = "/bin/sh -c 'echo x >>/run/triggered'"; };
    };
    stays = wanted // { restartIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1006"; environment.A = "OLD"; };
    manual = { unitConfig.X-OnlyManualStart = true; serviceConfig.ExecStart = "/bin/sleep 1007"; environment.A = "OLD"; };
    "many@" = { serviceConfig.ExecStart = "/bin/sleep 100%i"; environment.A = "OLD"; };
    answers = { serviceConfig.ExecStart = "/bin/sleep 1008"; environment.A = "OLD"; };
    rings = { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };
    looks = { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };
    REMOVED
  };
  systemd.sockets.answers = { wantedBy = [ "sockets.target" ]; socketConfig.ListenStream = "/run/answers"; };
  systemd.timers.rings = { wantedBy = [ "timers.target" ]; timerConfig.OnActiveSec = "TIMEh"; };
  systemd.paths.looks = { wantedBy = [ "paths.target" ]; pathConfig.PathExists = "/nowhere/OLD"; };
  systemd.slices.part = { sliceConfig.MemoryMax = "TIMEG"; };
  resources.units."srv-grows.mount" = {
    wantedBy = [ "local-fs.target" ];
    text = "[Mount]\nWhat=grows\nWhere=/srv/grows\nType=tmpfs\nOptions=size=TIMEm\n";
  };
  resources.units."srv-moves.mount" = {
    wantedBy = [ "local-fs.target" ];
    text = "[Mount]\nWhat=OLD\nWhere=/srv/moves\nType=tmpfs\n";
  };
  systemd.targets.group = { wantedBy = [ "multi-user.target" ]; unitConfig.After = "OLD.target"; };
"#;

const REMOVED: &str = r#"
    leaves = wanted // { serviceConfig.ExecStart = "/bin/sleep 1009"; };
    lingers = wanted // { unitConfig.X-StopOnRemoval = false; serviceConfig.ExecStart = "/bin/sleep 1010"; };
"#;

const ADDED: &str = r#"
    comes = wanted // { serviceConfig.ExecStart = "/bin/sleep 1011"; };
"#;

/// How each unit of the host is: its invocation and whether it is active.
fn seen(host: &Host<'_>) -> BTreeMap<String, (String, String)> {
    let listed = host.sh(
        "systemctl show --property=Id,InvocationID,ActiveState -- \
         $(systemctl list-units --all --plain --no-legend --full --type=service,socket,timer,path,slice,target,mount | cut -d' ' -f1)",
    );
    listed
        .split("\n\n")
        .map(|block| {
            let field = |key: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(key));
                line.unwrap_or_default().to_owned()
            };
            (field("Id="), (field("InvocationID="), field("ActiveState=")))
        })
        .collect()
}

/// `<unit> <what>` of every action on a unit, in order.
fn told(events: &[Value]) -> Vec<String> {
    let units = events.iter().filter(|event| event["action"] == "unit");
    units
        .map(|event| {
            format!("{} {}", event["unit"].as_str().unwrap(), event["does"].as_str().unwrap())
        })
        .collect()
}

fn dry_and_true() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let with = |old: &str, time: &str, more: &str| {
        HOST.replace("OLD", old).replace("TIME", time).replace("REMOVED", more)
    };
    let fleet = Fleet::of("alpha", host.address(), &with("old", "10", REMOVED));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    host.sh("systemctl start many@7 manual answers.service; touch /run/reloads /run/triggered");
    fleet.define(host.address(), &with("new", "20", ADDED));
    let before = seen(&host);

    let dry = told(&cairn.run(&["dry-activate", "alpha", "--format", "json"]).ok().json());
    assert_eq!(seen(&host), before, "a dry run touches nothing");
    let expected = [
        "answers.service stop",
        "answers.socket stop",
        "changed.service stop",
        "leaves.service stop",
        "many@7.service stop",
        "reloads.service reload",
        "srv-grows.mount reload",
        "triggered.service reload",
        "restarts.service restart",
        "rings.timer restart",
        "srv-moves.mount restart",
        "answers.socket start",
        "changed.service start",
        "comes.service start",
        "many@7.service start",
    ];
    assert_eq!(dry, expected);

    let done = told(&cairn.run(&["switch", "alpha", "--format", "json"]).ok().json());
    assert_eq!(done, dry, "the switch says what the dry run said");
    let after = seen(&host);
    let of_ours = |unit: &&String| {
        let stem = unit.split(['.', '@']).next().unwrap();
        HOST.contains(&format!("{stem} ="))
            || HOST.contains(&format!(".{stem} "))
            || ["leaves", "lingers", "comes", "many", "manual", "srv-grows", "srv-moves"]
                .contains(&stem)
    };
    let touched: BTreeSet<String> = before
        .keys()
        .chain(after.keys())
        .filter(of_ours)
        .filter(|unit| before.get(*unit) != after.get(*unit))
        // systemd forgets a unit that is stopped and has no file.
        .cloned()
        .collect();
    let named: BTreeSet<String> = dry
        .iter()
        .filter(|line| !line.ends_with(" reload"))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        touched, named,
        "systemd restarted, started and stopped what was said, and nothing else"
    );
    for (file, unit) in [("/run/reloads", "reloads"), ("/run/triggered", "triggered")] {
        assert_eq!(host.read(file), "x\n", "{unit} was reloaded once");
    }
    assert!(host.sh("findmnt -no OPTIONS /srv/grows").contains("size=20480k"));
    assert_eq!(host.sh("findmnt -no SOURCE /srv/moves"), "new");
    assert_eq!(host.unit("lingers", "ActiveState"), "active");
    assert_eq!(host.unit("answers.socket", "ActiveState"), "active");
    assert_eq!(
        told(&cairn.run(&["dry-activate", "alpha", "--format", "json"]).ok().json()),
        [""; 0]
    );
}
