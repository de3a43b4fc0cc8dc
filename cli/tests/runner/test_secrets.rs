//! `cairn secrets`: keys, files and recipients, without a host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Output, command, fleet};

/// The host's public key, and the private one that opens what is encrypted for it.
const HOST: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAqu49sZk+97v0gniw3qIRMsFzw2bDqlTzfz0GPXrI2m";

/// A fleet with a key of its own in `key.txt`, and a `.sops.yaml` that names it.
struct Secrets {
    folder: tempfile::TempDir,
    public: String,
}

impl Secrets {
    fn new() -> Secrets {
        let demo = format!("{{ deployment.hostKey = \"{HOST}\"; }}\n");
        let folder = fleet(&[
            ("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n"),
            ("demo.nix", &demo),
        ]);
        fs::create_dir(folder.path().join("secrets")).expect("a folder");
        let mut secrets = Secrets { folder, public: String::new() };
        let made = secrets.run(&["secrets", "keygen", "-o", "key.txt", "--format", "json"], "");
        assert_eq!(made.code, 0, "{}", made.stderr);
        secrets.public = made.objects()[0]["public"].as_str().expect("a key").to_owned();
        secrets.rules(&[&secrets.public.clone()]);
        secrets
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn rules(&self, recipients: &[&str]) {
        let keys: String = recipients.iter().map(|key| format!("      - {key}\n")).collect();
        let text = format!("creation_rules:\n  - path_regex: ^secrets/\n    age:\n{keys}");
        fs::write(self.path().join(".sops.yaml"), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("a file")
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        self.run_with(args, input, &[])
    }

    fn run_with(&self, args: &[&str], input: &str, env: &[(&str, &str)]) -> Output {
        let mut command = command(self.path());
        for name in
            ["SOPS_AGE_KEY", "SOPS_AGE_SSH_PRIVATE_KEY_FILE", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env_remove(name);
        }
        command.env("HOME", self.path().join("home")).env("SOPS_AGE_KEY_FILE", "key.txt");
        if !self.path().join("key.txt").exists() {
            command.env_remove("SOPS_AGE_KEY_FILE");
        }
        command.envs(env.iter().copied()).args(args);
        feed(&mut command, input)
    }

    fn set(&self, file: &str, key: &str, value: &str) {
        let set = self.run(&["secrets", "set", file, key], value);
        assert_eq!(set.code, 0, "{}", set.stderr);
    }
}

fn feed(command: &mut Command, input: &str) -> Output {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_never_replaced() {
    let secrets = Secrets::new();
    let mode = fs::metadata(secrets.path().join("key.txt")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = secrets.read("key.txt");
    assert!(before.contains(&secrets.public) && before.contains("\nAGE-SECRET-KEY-1"));
    let again = secrets.run(&["secrets", "keygen", "-o", "key.txt"], "");
    assert_eq!((again.code, secrets.read("key.txt")), (1, before));
    assert!(again.stderr.contains("never replaced"), "{}", again.stderr);
}

#[test]
fn a_value_is_set_without_touching_the_others_and_read_back() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "database/password", "hunter2\n");
    let first = secrets.read("secrets/app.yaml");
    secrets.set("secrets/app.yaml", "token", "t0ken");
    let second = secrets.read("secrets/app.yaml");
    let line = |text: &str| text.lines().find(|line| line.contains("password:")).map(str::to_owned);
    assert_eq!(line(&first), line(&second), "the other value keeps its ciphertext");
    for text in [&first, &second] {
        assert!(!text.contains("hunter2") && !text.contains("t0ken"), "{text}");
    }
    let got = secrets.run(&["secrets", "get", "secrets/app.yaml", "database/password"], "");
    assert_eq!((got.code, got.stdout.as_str()), (0, "hunter2"));
    let got = secrets.run(&["secrets", "get", "secrets/app.yaml", "--format", "json"], "");
    assert_eq!(got.objects()[0]["value"], "database:\n    password: hunter2\ntoken: t0ken\n");
    let same = secrets.run(&["secrets", "set", "secrets/app.yaml", "token"], "t0ken");
    assert!(same.stdout.starts_with("nothing to do"), "{}", same.stdout);
    assert_eq!(secrets.read("secrets/app.yaml"), second);
    let missing = secrets.run(&["secrets", "get", "secrets/app.yaml", "tokne"], "");
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("`token`"), "{}", missing.stderr);
    let empty = secrets.run(&["secrets", "set", "secrets/app.yaml", "token"], "\n");
    assert_eq!(empty.code, 1, "an empty secret is refused");
    let plain = secrets.run(&["secrets", "set", "secrets/app.yaml", "x_unencrypted"], "t0ken");
    assert!(plain.code == 1 && plain.stderr.contains("stays in plain text"), "{}", plain.stderr);
    assert_eq!(secrets.read("secrets/app.yaml"), second);
}

#[test]
fn all_formats_are_made_and_read() {
    let secrets = Secrets::new();
    for (file, key) in [("a.yaml", "a/b"), ("a.json", "a/b"), ("a.env", "A"), ("a.ini", "s/a")] {
        let file = format!("secrets/{file}");
        secrets.set(&file, key, "one\ntwo");
        let got = secrets.run(&["secrets", "get", &file, key], "");
        assert_eq!((got.code, got.stdout.as_str()), (0, "one\ntwo"), "{file}: {}", got.stderr);
    }
    let set = secrets.run(&["secrets", "set", "secrets/cert.bin", "--exact"], "bytes\n");
    assert_eq!(set.code, 0, "{}", set.stderr);
    let got = secrets.run(&["secrets", "get", "secrets/cert.bin"], "");
    assert_eq!((got.code, got.stdout.as_str()), (0, "bytes\n"));
}

#[test]
fn an_editor_sees_plain_text_in_memory_and_leaves_none_behind() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "token", "t0ken");
    let edit = |editor: &str| {
        secrets.run_with(&["secrets", "edit", "secrets/app.yaml"], "", &[("EDITOR", editor)])
    };
    let before = secrets.read("secrets/app.yaml");
    let same = edit("true");
    assert!(same.code == 0 && same.stdout.starts_with("nothing to do"), "{}", same.stderr);
    assert_eq!(secrets.read("secrets/app.yaml"), before);

    // What the editor was given, for a look at it afterwards.
    let script = "f() { stat -f -c %T \"$1\"; stat -c %a \"$1\" \"$(dirname \"$1\")\"; echo \"$1\"; cat \"$1\"; } ; \
                  spy() { f \"$1\" > seen; printf '# new\\nmore: 1\\n' >> \"$1\"; } ; spy";
    let edited = edit(script);
    assert_eq!(edited.code, 0, "{}", edited.stderr);
    let seen = secrets.read("seen");
    let lines: Vec<&str> = seen.lines().collect();
    assert!(matches!(lines[0], "tmpfs" | "ramfs"), "{seen}");
    assert_eq!(lines[1..3], ["600", "700"], "{seen}");
    assert!(!Path::new(lines[3]).exists(), "it is removed");
    assert_eq!(lines[4], "token: t0ken");
    let got = secrets.run(&["secrets", "get", "secrets/app.yaml"], "");
    assert_eq!(got.stdout, "token: t0ken\n# new\nmore: 1\n");

    let before = secrets.read("secrets/app.yaml");
    let broken = edit("f() { echo 'a: [' > \"$1\"; }; f");
    assert_eq!(broken.code, 1);
    assert!(broken.stderr.contains("not YAML"), "{}", broken.stderr);
    let failed = edit("false");
    assert_eq!(failed.code, 1);
    assert_eq!(secrets.read("secrets/app.yaml"), before, "nothing is lost");
}

#[test]
fn whoever_loses_a_file_cannot_open_the_next_one() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "token", "t0ken");
    let first = secrets.read("secrets/app.yaml");
    let value =
        |text: &str| text.lines().find(|line| line.starts_with("token:")).map(str::to_owned);

    // One more: nothing is encrypted anew.
    secrets.rules(&[&secrets.public, HOST]);
    let dry = secrets.run(&["secrets", "rekey", "--dry-run"], "");
    assert!(dry.code == 0 && dry.stdout.contains("+ demo ("), "{} {}", dry.stdout, dry.stderr);
    assert_eq!(secrets.read("secrets/app.yaml"), first);
    let added = secrets.run(&["secrets", "rekey"], "");
    assert_eq!(added.code, 0, "{}", added.stderr);
    let second = secrets.read("secrets/app.yaml");
    assert!(second.contains(HOST) && value(&second) == value(&first), "{second}");

    // One less: a new key, and new ciphertext.
    secrets.rules(&[&secrets.public]);
    let removed = secrets.run(&["secrets", "rekey", "--format", "json"], "");
    assert_eq!(removed.code, 0, "{}", removed.stderr);
    assert_eq!(removed.objects()[0]["new_key"], true);
    let third = secrets.read("secrets/app.yaml");
    assert!(!third.contains(HOST) && value(&third) != value(&second), "{third}");
    let got = secrets.run(&["secrets", "get", "secrets/app.yaml", "token"], "");
    assert_eq!(got.stdout, "t0ken");
    let nothing = secrets.run(&["secrets", "rekey"], "");
    assert!(nothing.stdout.starts_with("nothing to do"), "{}", nothing.stdout);

    let rotated = secrets.run(&["secrets", "rotate", "secrets/app.yaml"], "");
    assert_eq!(rotated.code, 0, "{}", rotated.stderr);
    assert_ne!(value(&secrets.read("secrets/app.yaml")), value(&third));

    fs::write(secrets.path().join("old.yaml"), &second).expect("written");
    let diff = secrets.run(&["secrets", "diff", "old.yaml", "secrets/app.yaml"], "");
    assert_eq!((diff.code, diff.stdout.lines().count()), (0, 1), "{}{}", diff.stdout, diff.stderr);
    assert!(diff.stdout.starts_with("- recipient ssh-ed25519 SHA256:"), "{}", diff.stdout);
}

#[test]
fn what_is_wrong_is_said_without_a_key_and_more_with_one() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "token", "t0ken");
    let check = |more: &[&str]| {
        let args = [&["secrets", "check"], more].concat();
        secrets.run(&args, "")
    };
    assert_eq!(check(&["--verify"]).code, 0);
    let good = secrets.read("secrets/app.yaml");
    let write =
        |text: &str| fs::write(secrets.path().join("secrets/app.yaml"), text).expect("written");
    write(&format!("leaked: in plain text\n{good}"));
    let plain = check(&[]);
    assert!(plain.code == 1 && plain.stderr.contains("`leaked`"), "{}", plain.stderr);
    let moved = good.replace("token:", "nekot:");
    write(&moved);
    assert_eq!(check(&[]).code, 0, "it takes a key to see that");
    let moved = check(&["--verify"]);
    assert!(moved.code == 1 && moved.stderr.contains("`nekot`"), "{}", moved.stderr);
    write(&good);
    secrets.rules(&[&secrets.public, HOST]);
    let other = check(&[]);
    assert!(other.code == 0 && other.stderr.contains("demo"), "{}", other.stderr);
    let hosts = secrets.run(&["secrets", "hosts", "--format", "json"], "");
    assert_eq!(hosts.objects()[0]["reads"], serde_json::json!([]), "{}", hosts.stderr);
}

#[test]
fn without_a_key_or_a_rule_there_are_words() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "token", "t0ken");
    fs::rename(secrets.path().join("key.txt"), secrets.path().join("elsewhere")).expect("moved");
    let none = secrets.run(&["secrets", "get", "secrets/app.yaml", "token"], "");
    assert_eq!(none.code, 1);
    assert!(
        none.stderr.contains("there is no key") && none.stderr.contains(&secrets.public),
        "{}",
        none.stderr
    );
    let named = secrets.run_with(
        &["secrets", "get", "secrets/app.yaml"],
        "",
        &[("SOPS_AGE_KEY_FILE", "gone")],
    );
    assert!(named.code == 1 && named.stderr.contains("gone cannot be read"), "{}", named.stderr);
    let other = secrets.run(&["secrets", "set", "elsewhere.yaml", "a"], "b");
    assert!(other.code == 1 && other.stderr.contains(".sops.yaml"), "{}", other.stderr);
    assert!(!secrets.path().join("elsewhere.yaml").exists());
    let usage = secrets.run(&["secrets", "set", "secrets/app.yaml"], "b");
    assert_eq!(usage.code, 2);
}

#[test]
fn hosts_that_use_a_file_are_among_its_recipients() {
    let secrets = Secrets::new();
    secrets.set("secrets/app.yaml", "token", "t0ken");
    secrets.set("secrets/other.yaml", "token", "t0ken");
    let uses = |file: &str| {
        let text = format!(
            "{{ deployment.hostKey = \"{HOST}\"; sops.defaultSopsFile = ./secrets/{file}; \
             sops.secrets.token = {{ }}; }}\n"
        );
        fs::write(secrets.path().join("demo.nix"), text).expect("written");
    };
    uses("app.yaml");
    let check = secrets.run(&["secrets", "check"], "");
    assert_eq!(check.code, 1, "{}", check.stdout);
    assert!(check.stderr.contains("`demo` uses it and cannot read it"), "{}", check.stderr);
    let rekeyed = secrets.run(&["secrets", "rekey"], "");
    assert_eq!(rekeyed.code, 0, "{}", rekeyed.stderr);
    assert!(rekeyed.stdout.contains("+ demo (age1"), "{}", rekeyed.stdout);
    assert!(!rekeyed.stdout.contains("other.yaml"), "{}", rekeyed.stdout);
    assert_eq!(secrets.run(&["secrets", "check", "--verify"], "").code, 0);
    assert_eq!(secrets.run(&["check"], "").code, 0, "the compiler agrees");
    let hosts = secrets.run(&["secrets", "hosts", "--format", "json"], "");
    assert_eq!(hosts.objects()[0]["reads"], serde_json::json!(["secrets/app.yaml"]));
    assert_eq!(hosts.objects()[0]["uses"], serde_json::json!(["secrets/app.yaml"]));

    // The host uses another file now: it loses the one, and gains the other.
    uses("other.yaml");
    let moved = secrets.run(&["secrets", "rekey"], "");
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    assert!(
        moved.stdout.contains("- demo (age1") && moved.stdout.contains("+ demo (age1"),
        "{}",
        moved.stdout
    );
    let hosts = secrets.run(&["secrets", "hosts", "--format", "json"], "");
    assert_eq!(hosts.objects()[0]["reads"], serde_json::json!(["secrets/other.yaml"]));
}

/// A PGP key without a passphrase, in a folder of its own; its fingerprint.
fn pgp_key(folder: &Path) -> String {
    let gpg = |args: &[&str]| {
        let output = Command::new("gpg")
            .args(["--homedir", &folder.display().to_string(), "--batch", "--quiet"])
            .args(args)
            .output()
            .expect("gpg runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    gpg(&[
        "--passphrase",
        "",
        "--quick-gen-key",
        "vectors@example.org",
        "future-default",
        "default",
        "never",
    ]);
    let listed = gpg(&["--list-keys", "--with-colons"]);
    let line = listed.lines().find_map(|line| line.strip_prefix("fpr:")).expect("a key");
    line.trim_matches(':').to_owned()
}

#[test]
fn a_file_for_pgp_is_made_and_opened_by_the_users_gpg() {
    let secrets = Secrets::new();
    // Sockets have short paths.
    let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").expect("a folder");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("set");
    let fingerprint = pgp_key(home.path());
    let rules = format!("creation_rules:\n  - pgp: {fingerprint}\n");
    fs::write(secrets.path().join(".sops.yaml"), rules).expect("written");
    fs::remove_file(secrets.path().join("key.txt")).expect("removed");
    let home_text = home.path().display().to_string();
    let env = [("GNUPGHOME", home_text.as_str())];
    let set = secrets.run_with(&["secrets", "set", "secrets/app.yaml", "token"], "t0ken", &env);
    assert_eq!(set.code, 0, "{}", set.stderr);
    assert!(secrets.read("secrets/app.yaml").contains("-----BEGIN PGP MESSAGE-----"));
    let got = secrets.run_with(&["secrets", "get", "secrets/app.yaml", "token"], "", &env);
    assert_eq!((got.code, got.stdout.as_str()), (0, "t0ken"), "{}", got.stderr);
    let other = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").expect("a folder");
    fs::set_permissions(other.path(), fs::Permissions::from_mode(0o700)).expect("set");
    let other_text = other.path().display().to_string();
    let none = secrets.run_with(
        &["secrets", "get", "secrets/app.yaml", "token"],
        "",
        &[("GNUPGHOME", other_text.as_str())],
    );
    assert!(none.code == 1 && none.stderr.contains(&fingerprint), "{}", none.stderr);
    for folder in [home.path(), other.path()] {
        // The agent that gpg started would stay otherwise.
        drop(Command::new("gpgconf").arg("--homedir").arg(folder).args(["--kill", "all"]).status());
    }
}
