//! Faults in resources, told together.

use serde_json::{Value as Json, json};

use super::*;

struct Nowhere;

impl Places for Nowhere {
    fn place(&self, _path: &[&str]) -> Span {
        Span::NONE
    }
}

fn data(json: &Json) -> Data {
    match json {
        Json::Null => Data::Null,
        Json::Bool(value) => Data::Bool(*value),
        Json::Number(value) => Data::Int(value.as_i64().expect("an integer")),
        Json::String(text) => Data::Str(text.clone()),
        Json::Array(items) => Data::List(items.iter().map(data).collect()),
        Json::Object(members) => {
            Data::Attrs(members.iter().map(|(name, json)| (name.clone(), data(json))).collect())
        }
    }
}

impl ReadFile for Nowhere {
    fn read(&self, _file: &VirtualPath) -> Option<Vec<u8>> {
        None
    }
}

/// Resources with these besides nothing.
fn resources(overlay: Json) -> Json {
    let mut all = json!({
        "files": {}, "units": {}, "users": {}, "groups": {}, "nftables": {}, "checks": {},
        "kernel": { "sysctl": {}, "modules": [], "hostname": null },
        "directories": [], "packages": { "debian": {}, "fetched": {} }, "order": [],
    });
    for (name, json) in overlay.as_object().expect("an object") {
        all[name] = json.clone();
    }
    all
}

fn file(overlay: Json) -> Json {
    let mut file = json!({
        "text": null, "source": null, "to": null, "mode": "0644", "user": "root",
        "group": "root", "method": "link",
    });
    for (name, json) in overlay.as_object().expect("an object") {
        file[name] = json.clone();
    }
    file
}

fn unit(overlay: Json) -> Json {
    let mut unit = json!({
        "text": null, "enable": true, "wantedBy": [], "requiredBy": [],
        "restartIfChanged": true, "reloadIfChanged": false, "stopIfChanged": true,
        "stopOnRemoval": true, "onlyManualStart": false, "restartTriggers": [],
        "reloadTriggers": [],
    });
    for (name, json) in overlay.as_object().expect("an object") {
        unit[name] = json.clone();
    }
    unit
}

fn made(overlay: Json) -> Result<Draft, Vec<Diagnostic>> {
    draft(
        "demo",
        &data(&resources(overlay)),
        &BTreeMap::new(),
        (&Nowhere, &Nowhere),
        &BTreeSet::new(),
    )
}

/// Codes and messages of what is wrong.
fn faults(overlay: Json) -> String {
    let faults = made(overlay).expect_err("faults");
    faults.iter().map(|fault| format!("{}: {}\n", fault.code, fault.message)).collect()
}

#[test]
fn an_empty_host_has_an_empty_manifest() {
    let draft = made(json!({})).expect("a manifest");
    assert_eq!(draft.manifest, Manifest::empty("demo"));
}

#[test]
fn texts_become_blobs() {
    let draft = made(json!({ "files": { "/etc/motd": file(json!({ "text": "hi\n" })) } }));
    let draft = draft.expect("a manifest");
    let id = BlobId::of(b"hi\n");
    assert_eq!(draft.blobs.get(&id), Some(&BlobSource::Bytes(b"hi\n".to_vec())));
    assert_eq!(draft.manifest.blobs().into_iter().collect::<Vec<_>>(), [id]);
}

#[test]
fn a_disabled_unit_is_masked() {
    let units = json!({ "units": { "a.service": unit(json!({ "enable": false })) } });
    let draft = made(units).expect("a manifest");
    assert!(draft.manifest.units.is_empty());
    assert!(draft.manifest.files.contains_key("/etc/systemd/system/a.service"));
}

#[test]
fn faults_of_files() {
    insta::assert_snapshot!(faults(json!({ "files": {
        "/etc/a": file(json!({})),
        "/etc/b": file(json!({ "text": "", "to": "/x" })),
        "/etc/c": file(json!({ "text": "", "mode": "0999" })),
        "/etc/d": file(json!({ "text": "" })),
        "/etc/d/e": file(json!({ "text": "" })),
        "/proc/f": file(json!({ "text": "" })),
        "etc/../g": file(json!({ "text": "" })),
    }})), @"
    file::no-content: `/etc/a` has no content
    file::two-contents: `/etc/b` has more than one content
    file::bad-mode: `0999` is no file mode
    file::foreign-path: `/proc/f` cannot be managed: /proc is not for it, the kernel makes its files
    file::bad-path: `etc/../g` is no path that a file can be at
    file::nested: `/etc/d/e` is below `/etc/d`, which is a file
    ");
}

#[test]
fn faults_of_units() {
    insta::assert_snapshot!(faults(json!({ "units": {
        "a": unit(json!({})),
        "b.servce": unit(json!({})),
        "c d.service": unit(json!({})),
        "e.service": unit(json!({ "wantedBy": ["multi-user"] })),
    }})), @"
    unit::bad-name: `a` does not say what kind of unit it is
    unit::bad-name: `.servce` is no kind of unit
    unit::bad-name: `c d.service` is no name of a unit
    unit::bad-name: `multi-user` does not say what kind of unit it is
    ");
}

#[test]
fn faults_of_users() {
    let user = |overlay: Json| {
        let mut user = json!({
            "uid": null, "group": "users", "home": "/home/x", "shell": "/bin/bash",
            "description": "", "isSystem": false, "createHome": true, "hashedPassword": null,
            "extraGroups": [], "subUids": [], "subGids": [], "autoSubIds": false,
        });
        for (name, json) in overlay.as_object().expect("an object") {
            user[name] = json.clone();
        }
        user
    };
    insta::assert_snapshot!(faults(json!({ "users": {
        "a": user(json!({ "uid": 1000 })),
        "b": user(json!({ "uid": 1000 })),
        "C": user(json!({})),
        "d": user(json!({ "extraGroups": ["sudos"] })),
        "f": user(json!({ "subUids": [{ "start": 4294967295_i64, "count": 1 }] })),
        "e": user(json!({ "home": "home", "description": "a:b" })),
    }})), @"
    user::bad-name: `C` is no name that users can have
    user::duplicate-id: `b` and `a` both have the uid 1000
    user::unknown-group: the user `d` is in the group `sudos`, which does not exist
    user::bad-path: the home of `e`, `home`, is no absolute path
    user::bad-field: `description` of `e` holds a colon or a line break
    user::bad-id: 1 ids from 4294967295 on are no range
    ");
}

#[test]
fn an_order_that_leads_back() {
    insta::assert_snapshot!(faults(json!({
        "units": { "a.service": unit(json!({})), "b.service": unit(json!({})) },
        "order": [
            { "before": "units/a.service", "after": "units/b.service" },
            { "before": "units/b.service", "after": "units/a.service" },
            { "before": "units/a.servic", "after": "units/b.service" },
            { "before": "units/a.service", "after": "groups/ops" },
            { "before": "groups/ops", "after": "groups/ops" },
            { "before": "groups/ops", "after": "units/a.service" },
        ],
        "groups": { "ops": { "gid": null, "members": [], "isSystem": false } },
    })), @"
    order::unknown-resource: there is no resource `units/a.servic`
    order::impossible: `units/a.service` cannot come before `groups/ops`: a switch brings them the other way round
    order::impossible: `groups/ops` cannot come before `groups/ops`: they change in the same moment
    order::cycle: these resources wait for each other: units/a.service → units/b.service → units/a.service
    ");
}

#[test]
fn faults_of_the_rest() {
    let check = |overlay: Json| {
        let mut check = json!({
            "unit": null, "host": null, "port": null, "url": null, "command": null,
            "interval": 1, "retries": 0, "deadline": 30,
        });
        for (name, json) in overlay.as_object().expect("an object") {
            check[name] = json.clone();
        }
        check
    };
    insta::assert_snapshot!(faults(json!({
        "kernel": { "sysctl": { "ip_forward": "1" }, "modules": ["a b"], "hostname": "a_b" },
        "nftables": {
            "inet a": { "family": "inet", "name": "a", "body": "chain x { } }" },
            "inet b": { "family": "inet", "name": "c", "body": "" },
        },
        "directories": ["nonsense"],
        "checks": {
            "a": check(json!({ "kind": "tcp", "host": "::1" })),
            "b": check(json!({ "kind": "http", "url": "https://x" })),
            "c": check(json!({ "kind": "unit", "unit": "sshd" })),
        },
        "packages": { "debian": { "Vim": { "version": null, "sha256": null } }, "fetched": {} },
        "files": { "/etc/x": file(json!({
            "text": format!(
                "{STATE_DIR}/store/{}-k3s/bin/k3s <fleet>/hosts/motd 644", "a".repeat(64)
            ),
        })) },
    })), @"
    package::bad-name: `Vim` is no name of a Debian package
    file::name-in-text: `hosts/motd` is named here by its place in the fleet, which no host has
    package::not-installed: the package `k3s` is used here but not installed
    kernel::bad-sysctl: `ip_forward` is no name of a sysctl
    kernel::bad-module: `a b` is no name of a kernel module
    kernel::bad-hostname: `a_b` is no host name: `_` is not allowed in a host name
    nftables::unbalanced: the braces of the nftables table `inet a` do not match
    nftables::bad-name: `inet b` is no name of an nftables table
    tmpfiles::bad-line: `nonsense` is no line of tmpfiles.d
    check::incomplete: the health check `a` does not say its `port`
    check::bad-url: `https://x` cannot be asked by a health check
    check::bad-unit: `sshd` does not say what kind of unit it is
    ");
}
