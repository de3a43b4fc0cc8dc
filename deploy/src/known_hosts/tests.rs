use std::process::Command;

use super::*;

const ED: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const ED2: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
const P256: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMxBTpMIGvo7CnordO7wP0QQRqpBwUjOLl4eMhfucfE1sjTYyK5wmTl1UqoSDS1PtRVTBdl+0+9pquFb46U7fwg=";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC5sgUDH0ybMLkLCK6VaPYr8rzAjmvJ+mJIAkNqPXMLhWJnX0xSpk2PyCfjPDVhJBUeWcZdhyaiWrq1Xq2ULFsAdnDfGYkNDXSX3lJqPy8ZLBLWmRrVDTpqDUFyFwGfSE3gPRDsKnmyZpIsCuxzVgFBHBhAbAEJTQ==";

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts { entries: Vec::new(), files: vec!["kh".into()] };
    known.add(Path::new("kh"), text).unwrap();
    known
}

fn key(text: &str) -> PublicKey {
    PublicKey::from_openssh(text).unwrap()
}

/// `ok`, or the kind of refusal and the line that it names.
fn verdict(text: &str, host: &str, port: u16, shown: &str) -> String {
    match known(text).check(host, port, &key(shown)) {
        Ok(()) => "ok".to_owned(),
        Err(Cause::HostKeyUnknown { .. }) => "unknown".to_owned(),
        Err(Cause::HostKeyChanged { expected, .. }) => format!("changed {expected}"),
        Err(Cause::HostKeyRevoked { place, .. }) => format!("revoked {place}"),
        Err(Cause::HostKeyUnsupported { message }) => {
            format!("unsupported {}", message.split(' ').next().unwrap())
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn verdicts() {
    for (text, host, port, expect) in [
        ("web ED", "web", 22, "ok"),
        ("WEB ED", "web", 22, "ok"),
        ("web ED", "WEB", 22, "ok"),
        ("web ED comment # more", "web", 22, "ok"),
        ("  web\tED  ", "web", 22, "ok"),
        ("other,web ED", "web", 22, "ok"),
        ("*.example.org ED", "web.example.org", 22, "ok"),
        ("192.168.1.? ED", "192.168.1.4", 22, "ok"),
        ("*.example.org,!web.example.org ED", "web.example.org", 22, "unknown"),
        ("!web,* ED", "web", 22, "unknown"),
        ("# web ED", "web", 22, "unknown"),
        ("web", "web", 22, "unknown"),
        ("web ssh-ed25519 nonsense", "web", 22, "unknown"),
        ("", "web", 22, "unknown"),
        // Ports.
        ("[web]:2222 ED", "web", 2222, "ok"),
        ("[web]:2222 ED", "web", 22, "unknown"),
        ("[*]:2222 ED", "web", 2222, "ok"),
        ("web ED", "web", 2222, "ok"),
        ("web ED2", "web", 2222, "unknown"),
        ("[::1]:2222 ED", "::1", 2222, "ok"),
        ("::1 ED", "::1", 22, "ok"),
        // Another key.
        ("web ED2", "web", 22, "changed kh:1"),
        ("\n\nweb P256\nweb ED2", "web", 22, "changed kh:4"),
        ("web P256", "web", 22, "changed kh:1"),
        ("web ED2\nweb ED", "web", 22, "ok"),
        // Marks.
        ("web ED\n@revoked web ED", "web", 22, "revoked kh:2"),
        ("@revoked * ED\nweb ED", "web", 22, "revoked kh:1"),
        ("@revoked [web]:2222 ED\nweb ED", "web", 2222, "revoked kh:1"),
        ("@revoked other ED\nweb ED", "web", 22, "ok"),
        ("@revoked * ED2\nweb ED", "web", 22, "ok"),
        ("@revoked * ED2", "web", 22, "unknown"),
        ("@cert-authority * ED", "web", 22, "unsupported kh:1"),
        ("@cert-authority * ED2\nweb ED", "web", 22, "ok"),
        ("@other web ED", "web", 22, "unknown"),
    ] {
        let text = text.replace("ED2", "\0").replace("ED", ED).replace('\0', ED2);
        let text = text.replace("P256", P256);
        assert_eq!(verdict(&text, host, port, ED), expect, "{text} {host} {port}");
    }
}

#[test]
fn revocation_that_is_not_understood() {
    let mut known = KnownHosts::default();
    let error = known.add(Path::new("kh"), "web ssh-ed25519 x\n@revoked * ssh-ed25519 x\n");
    assert_eq!(error.unwrap_err().to_string(), "kh: line 2 revokes what is not a key");
}

#[test]
fn algorithms_in_the_order_of_the_lines() {
    let order = |text: &str| {
        let algorithms = known(text).algorithms("web", 22);
        algorithms.iter().map(|a| a.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let rest = "ecdsa-sha2-nistp384 ecdsa-sha2-nistp521";
    assert_eq!(order(""), format!("ssh-ed25519 ecdsa-sha2-nistp256 {rest}"));
    let text = format!("web {P256}\nweb {ED}\nother {ED}");
    assert_eq!(order(&text), format!("ecdsa-sha2-nistp256 ssh-ed25519 {rest}"));
    // What is revoked is not known, and what cannot be verified is not asked for.
    let text = format!("@revoked web {P256}\nweb {RSA}");
    assert_eq!(order(&text), format!("ssh-ed25519 ecdsa-sha2-nistp256 {rest}"));
}

#[test]
fn several_files_and_one_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let files = ["a", "none", "b"].map(|name| dir.path().join(name));
    std::fs::write(&files[0], format!("x {ED}\n")).unwrap();
    std::fs::write(&files[2], format!("\nweb {ED2}\n")).unwrap();
    let known = KnownHosts::read(&files).unwrap();
    let Err(Cause::HostKeyChanged { expected: Expected::Known(place), .. }) =
        known.check("web", 22, &key(ED))
    else {
        panic!("not changed");
    };
    assert_eq!(place, Place { path: files[2].clone(), line: 2 });
}

/// OpenSSH's own program says which lines speak of a host: ours must be the same, hashed or not.
#[test]
fn lines_as_ssh_keygen_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kh");
    let lines = [
        "web",
        "web,other",
        "*.example.org,!db.example.org",
        "[web]:2222",
        "192.168.1.*",
        "w?b",
        "!web,*",
        "fe80::1",
        "[fe80::1]:2222",
        "WEB.Example.org",
        "*",
    ];
    let text: String = lines.iter().map(|names| format!("{names} {ED}\n")).collect();
    std::fs::write(&file, &text).unwrap();
    for hashed in [false, true] {
        if hashed {
            let done = Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&file).output();
            assert!(done.is_ok_and(|done| done.status.success()));
        }
        let known = KnownHosts::read(std::slice::from_ref(&file)).unwrap();
        for (host, port) in [
            ("web", 22),
            ("web", 2222),
            ("other", 22),
            ("web.example.org", 22),
            ("wob", 22),
            ("db.example.org", 22),
            ("192.168.1.40", 22),
            ("fe80::1", 22),
            ("fe80::1", 2222),
        ] {
            let name = name_of(host, port);
            let ours: Vec<usize> = known.of(&name).map(|entry| entry.place.line).collect();
            let out = Command::new("ssh-keygen").args(["-F", &name, "-f"]).arg(&file).output();
            let out = String::from_utf8(out.unwrap().stdout).unwrap();
            let theirs: Vec<usize> = out
                .lines()
                .filter_map(|line| line.rsplit_once("found: line "))
                .map(|(_, number)| number.trim().parse().unwrap())
                .collect();
            assert_eq!(ours, theirs, "{name}, hashed: {hashed}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_passed_over_or_refused(text in "(@revoked |\\|1\\||web|[!*,#]| |\n|\\PC){0,40}") {
        let mut known = KnownHosts::default();
        let _ = known.add(Path::new("kh"), &text);
        let _ = known.check("web", 22, &key(ED));
    }
}
