//! Our files, read by sops itself; and the same files by hand, with `age` and OpenSSL's ciphers in Python.
//!
//! `./test` gets sops and says in `CAIRN_SOPS` where it is. Without it the first test has nothing to ask, and
//! says so.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cairn_sops::{
    CreationRules, DataKey, File, Format, NewKey, NoHelper, Plain, Recipient, Rule, RuleKind,
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(folder("vectors").join(name)).expect("a file")
}

fn key(name: &str) -> Recipient {
    let text = String::from_utf8(vector(&format!("keys/{name}"))).expect("text");
    let text = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap_or(&text);
    Recipient::parse(text).expect("a key")
}

fn rules() -> Vec<Option<Rule>> {
    let of = |(kind, text)| Some(Rule::new(kind, text).expect("a rule"));
    let rules = [
        (RuleKind::UnencryptedSuffix, "word"),
        (RuleKind::EncryptedSuffix, "word"),
        (RuleKind::UnencryptedRegex, "^(port|name|USER)"),
        (RuleKind::EncryptedRegex, "^(data|pass|PASS)"),
        (RuleKind::UnencryptedCommentRegex, "public"),
        (RuleKind::EncryptedCommentRegex, "secret"),
    ];
    std::iter::once(None).chain(rules.into_iter().map(of)).collect()
}

fn sops(program: &Path, arguments: &[&str], file: &Path) -> Output {
    Command::new(program)
        .args(arguments)
        .arg(file)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("SOPS_AGE_KEY_FILE", folder("vectors/keys/age.txt"))
        .env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", folder("vectors/keys/ssh_ed25519"))
        .output()
        .expect("sops runs")
}

/// Content, as sops would say it; and the file that is made of it.
fn made(
    format: Format,
    ending: &str,
    groups: &[Vec<Recipient>],
    threshold: usize,
    rule: Option<Rule>,
    only: bool,
) -> (Vec<u8>, File, DataKey) {
    let plain = vector(&format!("files/{ending}-age.plain"));
    let content = Plain::parse(&plain, format).expect("plain text");
    let file = File::create(&content, groups, threshold, rule, only, &mut NoHelper);
    let (file, key) = file.expect("encrypted");
    (plain, file, key)
}

#[test]
fn sops_opens_and_changes_what_is_written_here() {
    let Some(program) = std::env::var_os("CAIRN_SOPS").map(PathBuf::from) else {
        eprintln!("LEFT OUT: CAIRN_SOPS does not say where sops is");
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let (age, ssh, rsa) = (key("age.txt"), key("ssh_ed25519.pub"), key("ssh_rsa.pub"));
    let recipients = [
        (vec![vec![age.clone()]], 0),
        (vec![vec![ssh.clone()]], 0),
        (vec![vec![rsa.clone(), age.clone()]], 0),
        (vec![vec![rsa], vec![ssh], vec![age]], 2),
    ];
    let formats = [
        (Format::Yaml, "yaml"),
        (Format::Json, "json"),
        (Format::Dotenv, "env"),
        (Format::Ini, "ini"),
        (Format::Binary, "bin"),
    ];
    let mut count = 0;
    for (format, ending) in formats {
        let mut cases: Vec<_> = recipients
            .iter()
            .map(|(groups, threshold)| (groups, *threshold, None, false))
            .collect();
        if format != Format::Binary {
            let [(first, _), ..] = &recipients;
            cases.extend(rules().into_iter().map(|rule| (first, 0, rule, false)));
            let only = Rule::new(RuleKind::EncryptedRegex, "^(data|pass|PASS)").expect("a rule");
            cases.push((first, 0, Some(only), true));
        }
        for (groups, threshold, rule, only) in cases {
            let what = format!("{ending} for {} groups by {rule:?}", groups.len());
            let (plain, file, _) = made(format, ending, groups, threshold, rule, only);
            let path = scratch.path().join(format!("a.{ending}"));
            std::fs::write(&path, file.write().expect("written")).expect("written");
            let opened = sops(&program, &["decrypt"], &path);
            let said = String::from_utf8_lossy(&opened.stderr);
            assert!(opened.status.success(), "{what}: {said}");
            let (one, other) =
                (String::from_utf8_lossy(&opened.stdout), String::from_utf8_lossy(&plain));
            assert!(opened.stdout == plain, "{what}:\n{one}\n---\n{other}");
            count += 1;
            // And sops writes what is read here.
            let turned = sops(&program, &["rotate", "--in-place"], &path);
            assert!(turned.status.success(), "{what}: {}", String::from_utf8_lossy(&turned.stderr));
            let turned = File::parse(&std::fs::read(&path).expect("a file"), format)
                .expect("a file of sops");
            let mut identities = cairn_sops::Identities::new();
            identities
                .add(&String::from_utf8(vector("keys/age.txt")).expect("text"), "age")
                .expect("a key");
            identities
                .add(&String::from_utf8(vector("keys/ssh_ed25519")).expect("text"), "ssh")
                .expect("a key");
            let opened =
                turned.unlock(&identities).and_then(|key| turned.decrypt(&key)).expect("opened");
            assert!(opened.whole().expect("written").expose() == plain, "{what}, turned by sops");
        }
    }
    eprintln!("{count} files were opened and turned by sops");
}

/// Rules, in the ways that people write them, and the files that they are for.
const CREATION: &str = "
keys:
  - &admin AGE
  - &host HOST
creation_rules:
  - path_regex: ^secrets/first\\.yaml$
    age: AGE
    key_groups:
      - age: [*host]
  - path_regex: secrets/.*\\.(yaml|json)$
    encrypted_regex: ^(a|b)$
    mac_only_encrypted: true
    age: >-
      AGE,
      HOST
  - path_regex: groups
    shamir_threshold: 2
    key_groups:
      - age: [*admin]
      - merge:
          - age: [*admin]
        age: [*host]
  - path_regex: '\\.env$'
    unencrypted_suffix: _plain
    age: [*admin, *host]
  - path_regex: last
    age: HOST
";

#[test]
fn creation_rules_mean_what_they_mean_to_sops() {
    let Some(program) = std::env::var_os("CAIRN_SOPS").map(PathBuf::from) else {
        eprintln!("LEFT OUT: CAIRN_SOPS does not say where sops is");
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let text = CREATION
        .replace("AGE", &key("age.txt").to_string())
        .replace("HOST", &key("ssh_ed25519.pub").to_string());
    std::fs::write(scratch.path().join(".sops.yaml"), &text).expect("written");
    let rules = CreationRules::parse(text.as_bytes()).expect("rules");
    std::fs::create_dir_all(scratch.path().join("other/secrets")).expect("a folder");
    std::fs::create_dir_all(scratch.path().join("secrets")).expect("a folder");
    let names = [
        "secrets/first.yaml",
        "secrets/b.json",
        "other/secrets/first.yaml",
        "groups.yaml",
        "a.env",
        "last.ini",
        "none.ini",
    ];
    for name in names {
        let content = match name.rsplit('.').next() {
            Some("yaml") => "a: b\n",
            Some("json") => "{\"a\": \"b\"}",
            _ => "a=b\n",
        };
        std::fs::write(scratch.path().join(name), content).expect("written");
        let made = Command::new(&program)
            .args(["encrypt", name])
            .current_dir(scratch.path())
            .output()
            .expect("sops runs");
        let Some(rule) = rules.for_path(name) else {
            assert!(!made.status.success(), "{name}: sops has a rule for it");
            continue;
        };
        assert!(made.status.success(), "{name}: {}", String::from_utf8_lossy(&made.stderr));
        let file = File::parse(&made.stdout, Format::of_path(Path::new(name))).expect("a file");
        let about = file.metadata();
        let groups: Vec<Vec<Recipient>> =
            about.groups.iter().map(|group| group.recipients().cloned().collect()).collect();
        assert_eq!(groups, rule.groups, "{name}");
        assert_eq!(about.mac_only_encrypted, rule.mac_only_encrypted, "{name}");
        let default = |rule: &Option<Rule>| rule.clone().unwrap_or_default();
        assert_eq!(default(&about.rule), default(&rule.rule), "{name}");
        assert_eq!(about.threshold, rule.threshold, "{name}");
    }
}

#[test]
fn our_files_stand_a_check_of_another_making() {
    let scratch = tempfile::tempdir().expect("a folder");
    let new = NewKey::generate();
    let private = scratch.path().join("key.txt");
    std::fs::write(&private, new.file().expose()).expect("written");
    let groups = [vec![Recipient::parse(&new.public()).expect("a key")]];
    for (name, rule, only) in [
        ("all.json", None, false),
        (
            "some.json",
            Some(Rule::new(RuleKind::EncryptedRegex, "^(data|pass)").expect("a rule")),
            true,
        ),
    ] {
        let (plain, file, _) = made(Format::Json, "json", &groups, 0, rule, only);
        let path = scratch.path().join(name);
        std::fs::write(&path, file.write().expect("written")).expect("written");
        let checked = Command::new("python3")
            .arg(folder("check.py"))
            .args([&path, &private])
            .output()
            .expect("python3 runs");
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{name}: {said}");
        let expected: serde_json::Value = serde_json::from_slice(&plain).expect("JSON");
        let opened: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("JSON");
        assert_eq!(opened, expected, "{name}");
    }
}
