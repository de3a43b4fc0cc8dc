//! `cairn secrets edit`

use std::fs;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_sops::{Format, Plain};
use clap::{Args, ValueHint};
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::secrets::keys::variable;
use crate::secrets::person::Person;
use crate::secrets::private::Private;
use crate::secrets::subject::Subject;
use crate::secrets::{failed, files};
use crate::ui::Ui;

/// Edit a file in plain text, with your own editor
#[derive(Debug, Args)]
#[command(after_help = "\
The editor is SOPS_EDITOR, VISUAL or EDITOR, else `vi`. The plain text lies in memory alone while it runs, and
is removed afterwards. What was not changed keeps its ciphertext; nothing at all is written when
nothing changed. What cannot be read when the editor ends is offered again. A file that is not there
is made, for those whom the nearest .sops.yaml names.

Examples:
  cairn secrets edit secrets/app.yaml
  EDITOR='code --wait' cairn secrets edit secrets/new.yaml")]
pub(crate) struct EditArgs {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(crate) fn run(ui: &Ui, args: &EditArgs) -> Result<(), CommandError> {
    let subject = Subject::open(&args.file, &mut Person::new(ui))?;
    let wrong = |error| failed(&subject.name, &error);
    let text = match subject.new {
        true => Zeroizing::new(template(subject.format).to_vec()),
        false => Zeroizing::new(subject.before.whole().map_err(wrong)?.expose().to_vec()),
    };
    let private = Private::new()?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let path = private.write(&name, &text)?;
    let done = loop {
        run_editor(&path)?;
        let after = Zeroizing::new(files::bytes(&path)?);
        if after == text {
            break None;
        }
        match encrypt(&subject, &after) {
            Ok(bytes) => break Some(bytes),
            Err(error) => again(ui, &subject, &error)?,
        }
    };
    drop(private);
    let changed = done.is_some();
    if let Some(bytes) = done {
        files::write(&args.file, &bytes)?;
    }
    ui.object(&json!({ "type": "secret-edited", "file": subject.name, "changed": changed }));
    ui.line(match changed {
        true => format!("{} is written", subject.name),
        false => format!("nothing to do: {} was not changed", subject.name),
    });
    Ok(())
}

/// What a new file begins with.
fn template(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => b"# One secret a key; maps may be nested.\n",
        Format::Json => b"{\n}\n",
        Format::Dotenv => b"# KEY=value\n",
        Format::Ini => b"; [section]\n; key = value\n",
        Format::Binary => b"",
    }
}

fn encrypt(subject: &Subject, text: &[u8]) -> Result<Vec<u8>, cairn_sops::Error> {
    let plain = Plain::parse(text, subject.format)?;
    subject.file.update(&plain, &subject.key)?.write()
}

/// The editor, as git and sops start it: its words are the shell's to read.
fn run_editor(path: &Path) -> Result<(), CommandError> {
    let named = ["SOPS_EDITOR", "VISUAL", "EDITOR"].iter().find_map(|name| variable(name));
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("editor")
        .arg(path)
        .status()
        .map_err(|error| CommandError::user(format!("`{editor}` cannot be run: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::user(format!("`{editor}` ended with {status}: nothing was written"))
        .hint("set EDITOR to the editor that you want"))
}

/// Whether to go on with a text that cannot be read.
fn again(ui: &Ui, subject: &Subject, error: &cairn_sops::Error) -> Result<(), CommandError> {
    let given_up =
        || failed(&subject.name, error).hint("nothing was written, and the plain text is removed");
    ui.note(format_args!("{}: {error}", subject.name));
    if !std::io::stdin().is_terminal() {
        return Err(given_up());
    }
    ui.note("press Enter to edit it again, or type `q` and Enter to give up what you wrote");
    let mut answer = String::new();
    let read = fs::File::open("/dev/tty").map(std::io::BufReader::new);
    match read.and_then(|mut terminal| terminal.read_line(&mut answer)) {
        Ok(count) if count > 0 && answer.trim() != "q" => Ok(()),
        _ => Err(given_up()),
    }
}
