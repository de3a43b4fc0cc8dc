//! Whoever sits at the terminal, with their `gpg`.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use cairn_sops::{Helper, SecretBytes};
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::secrets::keys::variable;
use crate::ui::Ui;

/// Answers what opening a file may ask.
pub(crate) struct Person {
    ui: Ui,
}

impl Person {
    /// The one who runs the command.
    pub(crate) fn new(ui: &Ui) -> Person {
        Person { ui: ui.clone() }
    }

    /// Words beside the result.
    pub(crate) fn note(&self, text: &str) {
        self.ui.note(text);
    }
}

/// Asks on the terminal for something that is not shown; none where there is no terminal.
pub(crate) fn ask_hidden(question: &str) -> Option<Zeroizing<String>> {
    // A value may come through a pipe while somebody sits at the terminal.
    if !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal() {
        return None;
    }
    rpassword::prompt_password(format!("{question}: ")).ok().map(Zeroizing::new)
}

/// A new secret, asked for twice.
pub(crate) fn ask_new(question: &str) -> Result<Zeroizing<String>, CommandError> {
    let nobody = || CommandError::user("there is no terminal to ask on");
    let first = ask_hidden(question).ok_or_else(nobody)?;
    let second = ask_hidden("Again").ok_or_else(nobody)?;
    if first == second { Ok(first) } else { Err(CommandError::user("the two are different")) }
}

impl Helper for Person {
    fn passphrase(&mut self, source_name: &str) -> Option<Zeroizing<String>> {
        ask_hidden(&format!("Passphrase of {source_name}"))
    }

    fn pgp_decrypt(&mut self, _: &str, message: &str) -> Result<SecretBytes, String> {
        gpg(&["--decrypt"], message.as_bytes()).map(SecretBytes::new)
    }

    fn pgp_encrypt(&mut self, fingerprint: &str, bytes: &[u8]) -> Result<String, String> {
        // As sops calls it: whoever names a key in `.sops.yaml` trusts it.
        let arguments = [
            "--no-default-recipient",
            "--yes",
            "--encrypt",
            "--armor",
            "--recipient",
            fingerprint,
            "--trust-model",
            "always",
            "--no-encrypt-to",
        ];
        let armored = gpg(&arguments, bytes)?;
        String::from_utf8(armored).map_err(|_| "gpg wrote no text".to_owned())
    }
}

/// Runs the user's gpg, which asks for passphrases itself.
fn gpg(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let program = variable("SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".to_owned());
    let mut child = Command::new(&program)
        .args(["--quiet", "--no-tty"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    // What is sent fits into a pipe, and what gpg does not read is said by how it ends.
    if let Some(mut stdin) = child.stdin.take() {
        drop(stdin.write_all(input));
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason");
    Err(last.trim().to_owned())
}
