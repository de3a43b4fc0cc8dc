//! Files that sops wrote: formats × recipients × rules, each opened and compared with what sops says
//! of it, written again, and opened again. `vectors/make` makes them anew.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use std::path::{Path, PathBuf};

use cairn_sops::{
    DataKey, Error, File, Format, Helper, Identities, NewKey, NoHelper, Plain, Recipient,
    SecretBytes,
};
use zeroize::Zeroizing;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder(name)).expect("a file")
}

fn identities(names: &[&str]) -> Identities {
    let mut identities = Identities::new();
    for name in names {
        identities.add(&text(&format!("keys/{name}")), name).expect("a key");
    }
    identities
}

/// Knows the passphrase of `keys/locked`.
struct Knows(&'static str);

impl Helper for Knows {
    fn passphrase(&mut self, source_name: &str) -> Option<Zeroizing<String>> {
        assert_eq!(source_name, "locked");
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn pgp_decrypt(&mut self, _: &str, _: &str) -> Result<SecretBytes, String> {
        Err("no gpg".to_owned())
    }

    fn pgp_encrypt(&mut self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("no gpg".to_owned())
    }
}

/// All files, with the rule or recipient that the name says.
fn files() -> Vec<(PathBuf, Format, String)> {
    let entries = std::fs::read_dir(folder("files")).expect("a folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending != "plain"));
    files.sort();
    let named = |path: PathBuf| {
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (_, about) = stem.split_once('-').expect("a format and what it is about");
        (path.clone(), Format::of_path(&path), about.to_owned())
    };
    files.into_iter().map(named).collect()
}

fn open(path: &Path, format: Format, about: &str) -> (File, DataKey, Plain) {
    let file = File::parse(&std::fs::read(path).expect("a file"), format).expect("a file of sops");
    let identities = identities(match about {
        "rsa" => &["ssh_rsa"],
        "ed25519" => &["ssh_ed25519"],
        "locked" => &["locked"],
        "groups" => &["age.txt", "ssh_ed25519"],
        "all" => &["other.txt", "ssh_rsa"],
        _ => &["age.txt"],
    });
    let key = file.unlock_with(&identities, &mut Knows("correct horse")).expect("opened");
    let plain = file.decrypt(&key).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (file, key, plain)
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn each_file_opens_and_says_what_sops_says() {
    let files = files();
    assert!(files.len() > 50, "{} files", files.len());
    for (path, format, about) in files {
        let (_, _, plain) = open(&path, format, &about);
        let expected = std::fs::read(path.with_extension("plain")).expect("beside it");
        let whole = plain.whole().expect("written");
        assert!(
            shown(whole.expose()) == shown(&expected),
            "{}: {}",
            path.display(),
            shown(whole.expose())
        );
    }
}

#[test]
fn a_file_that_is_written_again_without_a_change_has_the_same_values() {
    for (path, format, about) in files() {
        let (file, key, plain) = open(&path, format, &about);
        let again = file.update(&plain, &key).expect("encrypted").write().expect("written");
        let original = std::fs::read(&path).expect("a file");
        let (original, again) = (shown(&original), shown(&again));
        let lines = |text: &str| -> Vec<String> {
            let kept = text.lines().filter(|line| {
                let line = line.trim_start().trim_start_matches(['"', '\t']);
                let of_metadata = [
                    "lastmodified",
                    "mac",
                    "sops_lastmodified",
                    "sops_mac",
                    "version",
                    "sops_version",
                ];
                !of_metadata.iter().any(|name| {
                    line.strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with(['=', ':', ' ', '"']))
                })
            });
            let mut kept: Vec<String> = kept.map(str::to_owned).collect();
            if format == Format::Ini {
                // sops writes metadata in no order.
                kept.iter_mut().for_each(|line| line.retain(|letter| letter != ' '));
                kept.sort();
            }
            kept
        };
        let (again_lines, original_lines) = (lines(&again), lines(&original));
        let other = again_lines.iter().zip(&original_lines).find(|(one, two)| one != two);
        assert_eq!((other, again_lines.len()), (None, original_lines.len()), "{}", path.display());
        let file = File::parse(again.as_bytes(), format).expect("a file of sops");
        assert_eq!(file.decrypt(&key).expect("opened"), plain, "{}", path.display());
    }
}

#[test]
fn a_host_key_opens_what_was_encrypted_to_its_form_of_age() {
    let public = text("keys/ssh_ed25519.pub");
    let forms = Recipient::forms_of_host_key(&public).expect("a key");
    let [ssh, age] = forms.as_slice() else { panic!("two forms") };
    assert!(ssh.to_string().starts_with("ssh-ed25519 ") && age.to_string().starts_with("age1"));
    let plain = Plain::parse(b"a: b\n", Format::Yaml).expect("plain");
    for form in forms {
        let groups = [vec![form]];
        let file = File::create(&plain, &groups, 0, None, false, &mut NoHelper);
        let (file, _) = file.expect("a file");
        let key = file.unlock(&identities(&["ssh_ed25519"])).expect("opened");
        assert_eq!(file.decrypt(&key).expect("opened"), plain);
    }
}

#[test]
fn no_key_says_what_was_tried_and_what_would_do() {
    let file = std::fs::read(folder("files/yaml-groups.yaml")).expect("a file");
    let file = File::parse(&file, Format::Yaml).expect("a file of sops");
    let Err(Error::NoKey(none)) = file.unlock(&identities(&["other.txt", "ssh_rsa"])) else {
        panic!("no key");
    };
    assert_eq!((none.needed, none.opened, none.tried.len(), none.recipients.len()), (2, 1, 2, 3));
    let said = none.to_string();
    assert!(said.contains("1 of 3 key groups can be opened, 2 are needed"), "{said}");
    assert!(said.contains("SHA256:") && said.contains("(ssh_rsa)"), "{said}");
}

#[test]
fn a_passphrase_is_asked_for_and_another_is_refused() {
    let file = std::fs::read(folder("files/json-locked.json")).expect("a file");
    let file = File::parse(&file, Format::Json).expect("a file of sops");
    let identities = identities(&["locked"]);
    let said = |helper: &mut dyn Helper| {
        file.unlock_with(&identities, helper).expect_err("not opened").to_string()
    };
    assert!(said(&mut NoHelper).contains("locked by a passphrase"));
    assert!(said(&mut Knows("wrong")).contains("not the passphrase of locked"));
    file.unlock_with(&identities, &mut Knows("correct horse")).expect("opened");
    file.unlock(&identities).expect("it is known from then on");
}

#[test]
fn secrets_and_keys_are_not_in_debug_output() {
    let (file, key, plain) = open(&folder("files/yaml-ed25519.yaml"), Format::Yaml, "ed25519");
    let identities = identities(&["ssh_ed25519", "age.txt"]);
    let shown = format!("{file:?}{key:?}{plain:?}{identities:?}");
    assert!(
        !shown.contains("battery") && !shown.contains("AGE-SECRET") && !shown.contains("PRIVATE")
    );
}

#[test]
fn a_recipient_that_is_removed_opens_no_later_value_though_it_kept_the_key() {
    let new = NewKey::generate();
    let of = |text: &str| Recipient::parse(text).expect("a key");
    let (stays, goes) = (of(&new.public()), of(&text("keys/ssh_ed25519.pub")));
    let plain = Plain::parse(b"a: first\nb: [second, 3]\n", Format::Yaml).expect("plain");
    let both = [vec![stays.clone(), goes]];
    let (file, kept) = File::create(&plain, &both, 0, None, false, &mut NoHelper).expect("a file");
    let rekeyed = file.rekey(&plain, &[vec![stays]], 0, &mut NoHelper).expect("a file");
    let rekeyed = File::parse(&rekeyed.write().expect("written"), Format::Yaml).expect("a file");
    assert!(matches!(rekeyed.decrypt(&kept), Err(Error::Tampered { .. })));
    assert!(matches!(rekeyed.unlock(&identities(&["ssh_ed25519"])), Err(Error::NoKey(_))));
    let mut identities = Identities::new();
    identities.add(new.private().expose_str().expect("text"), "new").expect("a key");
    let key = rekeyed.unlock(&identities).expect("opened");
    assert_eq!(rekeyed.decrypt(&key).expect("opened"), plain);
}

#[test]
fn a_file_of_keys_under_a_passphrase_is_opened_by_whoever_knows_it() {
    use std::io::Write;
    let mut recipient = age::scrypt::Recipient::new("correct horse".to_owned().into());
    // As cheap as it goes: what it costs is not what is tested.
    recipient.set_work_factor(2);
    let to = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(to).expect("a recipient");
    let mut protected = Vec::new();
    let mut writer = encryptor.wrap_output(&mut protected).expect("written");
    writer.write_all(text("keys/age.txt").as_bytes()).expect("written");
    writer.finish().expect("written");
    let add = |helper: &mut dyn Helper| {
        let mut identities = Identities::new();
        identities.add_file(&protected, "locked", helper).map(|()| identities)
    };
    let said = |helper: &mut dyn Helper| add(helper).expect_err("locked").to_string();
    assert!(said(&mut NoHelper).contains("nobody is there to ask"));
    assert!(said(&mut Knows("wrong")).contains("not its passphrase"));
    let identities = add(&mut Knows("correct horse")).expect("a key");
    let file = std::fs::read(folder("files/yaml-age.yaml")).expect("a file");
    File::parse(&file, Format::Yaml).expect("a file").unlock(&identities).expect("opened");
}
