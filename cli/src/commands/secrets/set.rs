//! `cairn secrets set`

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use cairn_sops::{Format, SecretBytes, State};
use clap::{Args, ValueHint};
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::secrets::person::{Person, ask_new};
use crate::secrets::subject::Subject;
use crate::secrets::{failed, files};
use crate::ui::Ui;

/// Set one value, which is read from standard input or asked for
#[derive(Debug, Args)]
#[command(after_help = "\
The value never stands on the command line, where other users and the shell's history would see it.
One line break at its end is dropped; --exact keeps it. A file that is not there is made, for those
whom the nearest .sops.yaml names. Other values keep their ciphertext.

Examples:
  cairn secrets set secrets/app.yaml database/password
  openssl rand -hex 32 | cairn secrets set secrets/k3s.yaml token")]
pub(crate) struct SetArgs {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Keys on the way to the value, with `/` between them; none for a file of bytes
    #[arg(value_name = "KEY")]
    key: Option<String>,

    /// Keep a line break at the end of what is read
    #[arg(long)]
    exact: bool,
}

pub(crate) fn run(ui: &Ui, args: &SetArgs) -> Result<(), CommandError> {
    let format = Format::of_path(&args.file);
    let name = args.file.display().to_string();
    let wrong = |error| failed(&name, &error);
    let path: Vec<&str> = match (&args.key, format) {
        (Some(key), Format::Binary) => {
            let message = format!("{name} is a file of bytes: it has no key `{key}`");
            return Err(CommandError::usage(message));
        }
        (Some(key), _) => key.split('/').collect(),
        (None, Format::Binary) => vec!["data"],
        (None, _) => {
            return Err(CommandError::usage(format!("say which key of {name} is meant")));
        }
    };
    let mut person = Person::new(ui);
    let subject = Subject::open(&args.file, &mut person)?;
    let value = value(args)?;
    let mut plain = subject.before.clone();
    plain.set(&path, &value).map_err(wrong)?;
    let changed = subject.new || plain != subject.before;
    if changed {
        let file = subject.file.update(&plain, &subject.key).map_err(wrong)?;
        if file.leaf(&path) == Some(State::Plain) {
            let message =
                format!("by the rule of {name}, `{}` stays in plain text", path.join("/"));
            return Err(CommandError::user(message)
                .hint("nothing was written; choose a key that the rule encrypts"));
        }
        files::write(&args.file, &file.write().map_err(wrong)?)?;
    }
    ui.object(&json!({ "type": "secret-set", "file": name, "key": args.key, "changed": changed }));
    let key = args.key.as_deref().map(|key| format!("`{key}` of ")).unwrap_or_default();
    ui.line(match changed {
        true => format!("{key}{name} is set"),
        false => format!("nothing to do: {key}{name} is that already"),
    });
    Ok(())
}

fn value(args: &SetArgs) -> Result<SecretBytes, CommandError> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        let typed = ask_new("Value")?;
        return Ok(SecretBytes::from(typed.as_str()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = cairn_sops::MAX_SIZE as u64;
    input.by_ref().take(limit).read_to_end(&mut bytes)?;
    if bytes.len() == cairn_sops::MAX_SIZE {
        return Err(CommandError::user("the value is larger than a file of secrets may be"));
    }
    if !args.exact && bytes.ends_with(b"\n") {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(CommandError::user("standard input held no value")
            .hint("a secret that is empty is refused: it would not be encrypted"));
    }
    Ok(SecretBytes::new(bytes.to_vec()))
}
