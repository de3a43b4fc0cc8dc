//! What is asked on a terminal, and answered there.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cairn_tests::{Case, encrypted};

pub(crate) const CASES: &[Case] =
    &[("a key under a passphrase opens a file", a_key_under_a_passphrase)];

/// Runs `words` on a terminal of their own, and types an answer at each question: how it ended, and
/// all that showed.
fn on_a_terminal(home: &Path, words: &str, answers: &[&str]) -> (bool, String) {
    let line = format!("{} {words}", cairn_tests::program().display());
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let (mut shown, mut byte, mut answers) = (Vec::new(), [0], answers.iter());
    while screen.read(&mut byte).unwrap() == 1 {
        shown.push(byte[0]);
        if shown.ends_with(b": ")
            && let Some(answer) = answers.next()
        {
            // A person types no sooner; until then the terminal is being told to show nothing.
            thread::sleep(Duration::from_millis(500));
            keys.write_all(answer.as_bytes()).unwrap();
        }
    }
    (script.wait().unwrap().success(), String::from_utf8(shown).unwrap())
}

fn a_key_under_a_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join(".ssh");
    std::fs::create_dir(&keys).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "correct horse", "-f"])
        .arg(keys.join("id_ed25519"))
        .status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(keys.join("id_ed25519.pub")).unwrap();
    let file = encrypted("password: hush\n", &[public.trim()]);
    std::fs::write(home.path().join("a.yaml"), file).unwrap();

    let get = "secrets get a.yaml password";
    let (opened, shown) = on_a_terminal(home.path(), get, &["correct horse\n"]);
    assert!(opened && shown.contains("Passphrase of") && shown.contains("hush"), "{shown}");
    assert!(!shown.contains("correct horse"), "what is typed is not shown: {shown}");
    let (opened, shown) = on_a_terminal(home.path(), get, &["wrong\n"]);
    assert!(!opened && !shown.contains("hush") && shown.contains("passphrase"), "{shown}");

    // A new value is typed twice, after the passphrase.
    let (set, shown) = on_a_terminal(
        home.path(),
        "secrets set a.yaml password",
        &["correct horse\n", "new\n", "new\n"],
    );
    assert!(set, "{shown}");
    let (_, shown) = on_a_terminal(home.path(), get, &["correct horse\n"]);
    assert!(shown.contains("new") && !shown.contains("hush"), "{shown}");
}
