//! What is wrong with a file is said in words that help, and nothing of it is given out.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use std::fmt::Write;
use std::path::Path;

use cairn_sops::{CreationRules, File, Format, Identities, Plain, Recipient};

fn vector(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    std::fs::read_to_string(folder.join(name)).expect("a file")
}

/// What opening a file says, with the keys that open the original.
fn said(bytes: &[u8], format: Format) -> String {
    let mut identities = Identities::new();
    identities.add_age(&vector("keys/age.txt"), "age.txt").expect("a key");
    let opened = File::parse(bytes, format)
        .and_then(|file| file.unlock(&identities).and_then(|key| file.decrypt(&key)));
    match opened {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The line of a file that begins so, for replacing it.
fn line<'t>(text: &'t str, begin: &str) -> &'t str {
    text.lines().find(|line| line.trim_start().starts_with(begin)).expect("a line")
}

/// Another letter in place of the one behind `before`.
fn flipped(line: &str, before: &str) -> String {
    let at = line.find(before).expect("a place") + before.len();
    let other = if line[at..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &line[..at], &line[at + 1..])
}

#[test]
fn damage_is_named() {
    let good = vector("files/yaml-age.yaml");
    assert_eq!(said(good.as_bytes(), Format::Yaml), "opened");
    let mut told = String::new();
    let mut tell = |what: &str, text: &str| {
        assert_ne!(text, good, "{what}: something is changed");
        let said = said(text.as_bytes(), Format::Yaml);
        for secret in ["battery", "admin", "AGE-SECRET-KEY-1"] {
            assert!(!said.contains(secret), "{what}: {said}");
        }
        writeln!(told, "{what}:\n    {said}").expect("written");
    };
    let password = line(&good, "password: ENC");
    tell("a value changed", &good.replace(password, &flipped(password, "data:")));
    tell("a tag changed", &good.replace(password, &flipped(password, "tag:")));
    let user = line(&good, "user: ENC");
    let (name, value) = user.split_once(": ").expect("a pair");
    let (other, moved) = password.split_once(": ").expect("a pair");
    let swapped = good
        .replace(user, &format!("{name}: {moved}"))
        .replace(password, &format!("{other}: {value}"));
    tell("two values swapped", &swapped);
    tell("a value in plain text", &good.replace(password, "    password: hunter2"));
    tell(
        "a value of a new type",
        &good.replace(password, &password.replace("type:str", "type:decimal")),
    );
    tell("a value removed", &good.replace(&format!("{password}\n"), ""));
    tell(
        "an unencrypted value changed",
        &good.replace("port_unencrypted: 80", "port_unencrypted: 81"),
    );
    tell(
        "a value repeated",
        &good.replace(&format!("{user}\n"), &format!("{user}\n    more: {value}\n")),
    );
    let mac = line(&good, "mac: ");
    tell("the code changed", &good.replace(mac, &flipped(mac, "data:")));
    tell("the code removed", &good.replace(&format!("{mac}\n"), ""));
    tell("the code in plain text", &good.replace(mac, "    mac: ABCDEF"));
    let modified = line(&good, "lastmodified: ");
    tell("the time changed", &good.replace(modified, "    lastmodified: \"2020-01-01T00:00:00Z\""));
    tell("the time removed", &good.replace(&format!("{modified}\n"), ""));
    let version = line(&good, "version: ");
    tell("a newer sops", &good.replace(version, "    version: 4.0.0"));
    let rule = line(&good, "unencrypted_suffix: ");
    tell("two rules", &good.replace(rule, &format!("{rule}\n    encrypted_suffix: x")));
    tell("a pattern that is none", &good.replace(rule, "    encrypted_regex: \"(\""));
    tell("another rule", &good.replace(rule, "    encrypted_suffix: nothing"));
    let recipient = line(&good, "- recipient: ");
    tell("a recipient that is none", &good.replace(recipient, "        - recipient: age1abc"));
    tell(
        "a private key as recipient",
        &good.replace(recipient, "        - recipient: AGE-SECRET-KEY-1QQQ"),
    );
    let quantum = format!("        - recipient: age1pq1{}", "q".repeat(200));
    tell("a post-quantum recipient", &good.replace(recipient, &quantum));
    let other = vector("keys/other.txt");
    let other = other.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a key");
    let other = format!("        - recipient: {other}");
    assert_eq!(
        said(good.replace(recipient, &other).as_bytes(), Format::Yaml),
        "opened",
        "names are not believed"
    );
    let armor = line(&good, "YWdlLWVuY3J5cHRpb24");
    tell(
        "the key's entry damaged",
        &good.replace(armor, &flipped(armor, "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB")),
    );
    tell("the key's entry cut", &good.replace(&format!("{armor}\n"), ""));
    tell("no recipient", &good.replace("    age:\n", "    nobody:\n"));
    tell("no metadata", good.split("\nsops:\n").next().expect("a half"));
    tell(
        "metadata that are none",
        &format!("{}\nsops: hello\n", good.split("\nsops:\n").next().expect("a half")),
    );
    tell("a key twice", &good.replace(password, &format!("{password}\n{password}")));
    tell("an anchor", &good.replace("name: ENC", "name: &a ENC"));
    tell("an alias", &good.replace("port_unencrypted: 80", "port_unencrypted: *a"));
    tell("a tag", &good.replace("port_unencrypted: 80", "port_unencrypted: !secret 80"));
    tell("a key that is no text", &good.replace("port_unencrypted: 80", "80: port"));
    tell("cut in the middle", &good[..good.len() / 2]);
    tell("tabs", &good.replace("    user:", "\tuser:"));
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_no_file_is_named() {
    let mut told = String::new();
    let mut tell = |what: &str, bytes: &[u8], format: Format| {
        writeln!(told, "{what}:\n    {}", said(bytes, format)).expect("written");
    };
    let deep = "[".repeat(200);
    let map = |levels: usize| {
        (0..levels).fold(String::new(), |text, level| format!("{text}{}a:\n", " ".repeat(level)))
    };
    tell("YAML too deep", map(150).as_bytes(), Format::Yaml);
    tell("YAML too deep, in one line", format!("a: {deep}").as_bytes(), Format::Yaml);
    tell("JSON too deep", format!("{{\"a\": {deep}").as_bytes(), Format::Json);
    tell("too large", &vec![b'#'; cairn_sops::MAX_SIZE + 1], Format::Yaml);
    tell("not UTF-8", b"a: b\nc: \xff\xfe\n", Format::Yaml);
    tell("a binary file in plain text", b"\x00\x01", Format::Binary);
    tell("empty", b"", Format::Yaml);
    tell("YAML that is a text", b"hello", Format::Yaml);
    tell("YAML that is a list", b"- a\n", Format::Yaml);
    tell("JSON that is a list", b"[]", Format::Json);
    tell("JSON with a comma too many", b"{\"a\": 1,\n}", Format::Json);
    tell("JSON with a key twice", b"{\"a\": {\"b\": 1,\n \"b\": 2}}", Format::Json);
    tell("JSON with more behind it", b"{}\n{}", Format::Json);
    tell("dotenv without a sign", b"A=1\nB\n", Format::Dotenv);
    tell("dotenv with CR LF", b"A=1\r\nB=2\r\n", Format::Dotenv);
    tell("dotenv with a key twice", b"A=1\nA=2\n", Format::Dotenv);
    tell(
        "dotenv with metadata that contradict each other",
        b"sops_age=1\nsops_age__list_0__map_enc=2\n",
        Format::Dotenv,
    );
    tell(
        "dotenv with a list without end",
        b"sops_age__list_999999999__map_enc=2\n",
        Format::Dotenv,
    );
    tell("INI without a sign", b"[a]\nb\n", Format::Ini);
    tell("INI with a key twice", b"[a]\nb = 1\nb = 2\n", Format::Ini);
    tell("INI with an open section", b"[a\n", Format::Ini);
    tell("INI with a text without end", b"[a]\nb = \"\"\"x\n", Format::Ini);
    let crlf = vector("files/yaml-age.yaml").replace('\n', "\r\n");
    tell("YAML with CR LF", crlf.as_bytes(), Format::Yaml);
    let mark = format!("\u{feff}{}", vector("files/json-age.json"));
    tell("JSON with a byte order mark", mark.as_bytes(), Format::Json);
    insta::assert_snapshot!(told);
}

#[test]
fn keys_and_rules_that_are_none_are_named() {
    let mut told = String::new();
    let mut recipients = |text: &str| {
        let said =
            Recipient::parse(text).map_or_else(|error| error.to_string(), |_| "fine".to_owned());
        writeln!(told, "{said}").expect("written");
    };
    recipients("");
    recipients("age1");
    recipients("age1d852tndyj7zem8egsh4l8uz7u92k920p3t68e2w82ma8vetucp9qgcae5x");
    recipients("ssh-ed25519");
    recipients("ssh-ed25519 AAAA");
    recipients("ssh-dss AAAAB3NzaC1kc3MAAAAA");
    recipients("AGE-SECRET-KEY-1QQQQQQQQ");
    recipients("-----BEGIN PGP");
    let mut identity = |text: &str| {
        let said = Identities::new().add(text, "key");
        writeln!(told, "{}", said.expect_err("none")).expect("written");
    };
    identity("");
    identity("# nothing\n");
    identity("AGE-SECRET-KEY-1QQQ\n");
    identity("AGE-PLUGIN-YUBIKEY-1QQQ\n");
    identity("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    identity("-----BEGIN EC PRIVATE KEY-----\nAAAA\n");
    let mut rules = |text: &str| {
        let said = CreationRules::parse(text.as_bytes());
        writeln!(told, "{}", said.expect_err("none")).expect("written");
    };
    rules("creation_rules: 1");
    rules("creation_rules:\n  - path_regex: '('\n");
    rules("creation_rules:\n  - age: age1x\n");
    rules("creation_rules:\n  - kms: arn:aws:kms\n");
    rules("creation_rules:\n  - encrypted_regex: a\n    encrypted_suffix: b\n");
    rules("a: &a [*a]\n");
    let mut plain = |bytes: &[u8], format: Format| {
        let said = Plain::parse(bytes, format);
        writeln!(told, "{}", said.expect_err("none")).expect("written");
    };
    plain(b"sops: {a: b}", Format::Yaml);
    plain(b"a: 18446744073709551615", Format::Yaml);
    insta::assert_snapshot!(told);
}

#[test]
fn aliases_of_rules_are_followed_and_do_not_multiply() {
    let key = "age1d852tndyj7zem8egsh4l8uz7u92k920p3t68e2w82ma8vetucp9qgcae5s";
    let key = Recipient::parse(key).map_or_else(
        |_| {
            vector("keys/age.txt")
                .lines()
                .find_map(|line| line.strip_prefix("# public key: ").map(str::to_owned))
                .expect("a key")
        },
        |key| key.to_string(),
    );
    let text = format!(
        "keys:\n  - &admin {key}\ncreation_rules:\n  - path_regex: ^secrets/[^/]+\\.yaml$\n    key_groups:\n    - age:\n      - *admin\n"
    );
    let rules = CreationRules::parse(text.as_bytes()).expect("rules");
    let rule = rules.for_path("secrets/app.yaml").expect("a rule");
    assert_eq!(rule.groups, [vec![Recipient::parse(&key).expect("a key")]]);
    assert!(rules.for_path("other.yaml").is_none());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        writeln!(bomb, "a{level}: &a{level} [{}]", before.trim_end_matches(", ")).expect("written");
    }
    let said = CreationRules::parse(bomb.as_bytes()).expect_err("a bomb").to_string();
    assert!(said.contains("without end") || said.contains("alias"), "{said}");
}
