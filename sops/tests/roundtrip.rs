//! Whatever is written is read back the same: plain, and encrypted.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use cairn_sops::{File, Format, Identities, NewKey, NoHelper, Plain, Recipient, SecretBytes};
use proptest::prelude::*;

/// Texts of which some are what YAML and INI take for something else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        3 => "[ -~\n\t]{0,24}",
        2 => "[\\-?:#&*!|>'\"%@`{}\\[\\], a]{1,8}",
        1 => prop::sample::select(vec![
            "yes", "No", "~", "null", "true", "0x1F", "017", "1e3", ".inf", "2001-12-14", "<<", "=", "1:30",
            "---", "...", "a\n", "\n", "\n\n", " a", "a ", "a\n b", " a\nb", "a \nb", "a\r\nb", "a: b", "a #b", "ENC[", "\u{feff}",
        ]).prop_map(str::to_owned),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    texts().prop_filter("keys of their own", |key| {
        !key.is_empty() && !key.starts_with("sops") && key.len() < 200
    })
}

fn entries() -> impl Strategy<Value = Vec<(Vec<String>, String)>> {
    prop::collection::vec((prop::collection::vec(keys(), 1..4), texts()), 0..8)
}

fn plain(format: Format, entries: &[(Vec<String>, String)]) -> Plain {
    let mut plain = Plain::empty(format);
    for (path, value) in entries {
        let path: Vec<&str> = match format {
            Format::Dotenv => path.iter().map(String::as_str).take(1).collect(),
            Format::Ini => vec![path[0].as_str(), path[path.len() - 1].as_str()],
            _ => path.iter().map(String::as_str).collect(),
        };
        // A path through a value is refused, and changes nothing.
        let _ = plain.set(&path, &SecretBytes::from(value.as_str()));
    }
    plain
}

fn values(plain: &Plain) -> Vec<(String, String)> {
    let text = |value: &SecretBytes| String::from_utf8_lossy(value.expose()).into_owned();
    let mut values: Vec<_> = plain.values().map(|(path, value)| (path, text(value))).collect();
    // Keys before any section come first in an INI file.
    values.sort();
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_text_is_read_back(entries in entries()) {
        for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini] {
            let plain = plain(format, &entries);
            // What a format cannot hold, it says.
            let Ok(written) = plain.whole() else {
                prop_assert!(matches!(format, Format::Dotenv | Format::Ini), "{format}");
                continue;
            };
            let read = Plain::parse(written.expose(), format);
            let shown = String::from_utf8_lossy(written.expose());
            let read = read.map_err(|error| TestCaseError::fail(format!("{format}: {error}: {shown:?}")))?;
            prop_assert_eq!(values(&read), values(&plain), "{}: {:?}", format, shown);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encrypted_files_are_read_back(entries in entries()) {
        let key = NewKey::generate();
        let mut identities = Identities::new();
        identities.add_age(key.private().expose_str().expect("text"), "new").expect("a key");
        let groups = [vec![Recipient::parse(&key.public()).expect("a key")]];
        for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini] {
            let plain = plain(format, &entries);
            let (file, _) = File::create(&plain, &groups, 0, None, false, &mut NoHelper).expect("encrypted");
            let Ok(written) = file.write() else { continue };
            let read = File::parse(&written, format);
            let shown = String::from_utf8_lossy(&written);
            let read = read.map_err(|error| TestCaseError::fail(format!("{format}: {error}: {shown:?}")))?;
            let opened = read.unlock(&identities).and_then(|key| read.decrypt(&key));
            let opened = opened.map_err(|error| TestCaseError::fail(format!("{format}: {error}: {shown:?}")))?;
            prop_assert_eq!(values(&opened), values(&plain), "{}", format);
        }
    }
}

/// A node opens a file once, and takes all secrets from it.
#[test]
fn a_thousand_secrets_are_opened_in_less_than_a_second() {
    let key = NewKey::generate();
    let mut identities = Identities::new();
    identities.add_age(key.private().expose_str().expect("text"), "new").expect("a key");
    let groups = [vec![Recipient::parse(&key.public()).expect("a key")]];
    let mut plain = Plain::empty(Format::Yaml);
    for number in 0..1000 {
        let path = ["app".to_owned(), format!("secret{number}")];
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        plain.set(&path, &SecretBytes::from("a password of some length")).expect("set");
    }
    let (file, _) =
        File::create(&plain, &groups, 0, None, false, &mut NoHelper).expect("encrypted");
    let written = file.write().expect("written");
    let started = std::time::Instant::now();
    let file = File::parse(&written, Format::Yaml).expect("a file");
    let opened = file.decrypt(&file.unlock(&identities).expect("opened")).expect("whole");
    let last = opened.get(&["app", "secret999"]).expect("there");
    let taken = started.elapsed();
    assert_eq!(last.expose(), b"a password of some length");
    eprintln!("1000 secrets in {taken:?}");
    // Generous: debug builds on machines that do other things besides.
    assert!(taken < std::time::Duration::from_secs(5), "{taken:?}");
}
