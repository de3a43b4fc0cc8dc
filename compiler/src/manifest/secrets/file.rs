//! SOPS files of the fleet, read without a key.

use std::collections::BTreeMap;

use cairn_generation::BlobId;
use cairn_generation::manifest::STATE_DIR;
use cairn_generation::secrets::Format;
use cairn_lang::VirtualPath;
use cairn_sops::{Error, File, State};

use crate::manifest::{Work, raw};

/// Files that secrets are in, each read once. None for one that was complained about.
#[derive(Default)]
pub(super) struct Files(BTreeMap<(BlobId, Format), Option<Known>>);

/// A file that is what it should be.
pub(super) struct Known {
    pub(super) file: File,
    pub(super) path: VirtualPath,
    /// The first secret that is in it: where the file is named.
    pub(super) secret: String,
    /// Whether the host needs something of it.
    pub(super) required: bool,
    states: BTreeMap<String, State>,
}

/// Where a secret was found.
pub(super) struct Found {
    pub(super) file: BlobId,
    pub(super) source: String,
    pub(super) ciphertext: BlobId,
}

impl Files {
    /// All that could be read.
    pub(super) fn known(&self) -> impl Iterator<Item = &Known> {
        self.0.values().flatten()
    }
}

/// Finds a secret in its file, and complains where there is none to be found.
pub(super) fn value(
    work: &mut Work<'_>,
    files: &mut Files,
    name: &str,
    secret: &raw::Secret,
) -> Option<Found> {
    let place = secret.sops_file.as_deref()?;
    let at = ["secrets", "values", name, "sopsFile"];
    let Some((id, path)) = located(work, place) else {
        let message = format!("the secret `{name}` is in `{place}`, which is no file of the fleet");
        work.fault(
            "secret::not-in-fleet",
            &at,
            message,
            "write its path without quotes: `./secrets/a.yaml`",
        );
        return None;
    };
    let known = files
        .0
        .entry((id, secret.format))
        .or_insert_with(|| parse(work, name, secret, &path))
        .as_mut()?;
    known.required |= secret.required;
    let ciphertext = ciphertext(work, known, name, secret, id)?;
    work.stored(place);
    Some(Found { file: id, source: path.to_string(), ciphertext })
}

/// The file of the fleet that `place` is in the node's store.
fn located(work: &Work<'_>, place: &str) -> Option<(BlobId, VirtualPath)> {
    let hex = place.strip_prefix(STATE_DIR)?.strip_prefix("/store/")?;
    Some((hex.parse().ok()?, work.known.get(hex)?.clone()))
}

fn parse(
    work: &mut Work<'_>,
    name: &str,
    secret: &raw::Secret,
    path: &VirtualPath,
) -> Option<Known> {
    let at = ["secrets", "values", name, "sopsFile"];
    let format = format(secret.format);
    let bytes = work.files.read(path)?;
    match File::parse(&bytes, format) {
        Ok(file) => {
            let leaves = file.leaves().into_iter();
            let states = leaves.map(|leaf| (leaf.path.join("/"), leaf.state)).collect();
            Some(Known {
                file,
                path: path.clone(),
                secret: name.to_owned(),
                required: false,
                states,
            })
        }
        Err(Error::NotEncrypted) => {
            let message =
                format!("{path} is not encrypted: whoever has the repository can read it");
            let help = format!(
                "encrypt it with `cairn secrets edit {path}`, and change what is in it: it is known"
            );
            work.fault("secret::not-encrypted", &at, message, &help);
            None
        }
        Err(error) => {
            let message = format!("{path} cannot be read as {format}: {error}");
            let help = "`format` says how the file is written; `cairn secrets check` tells more";
            work.fault("secret::unreadable-file", &at, message, help);
            None
        }
    }
}

/// The hash of what a secret's value is while it is encrypted; a complaint where it is not.
fn ciphertext(
    work: &mut Work<'_>,
    known: &Known,
    name: &str,
    secret: &raw::Secret,
    id: BlobId,
) -> Option<BlobId> {
    if secret.key.is_empty() {
        return Some(id);
    }
    let at = ["secrets", "values", name, "key"];
    let (key, path) = (secret.key.as_str(), &known.path);
    let (code, message, help) = match known.states.get(key) {
        Some(State::Encrypted(_)) => {
            let keys: Vec<&str> = key.split('/').collect();
            return known.file.text(&keys).map(|text| BlobId::of(text.as_bytes()));
        }
        None => {
            let values = known.states.iter().filter(|(_, state)| matches!(state, State::Encrypted(_)));
            let values: Vec<&str> = values.map(|(key, _)| key.as_str()).collect();
            let help = cairn_lang::did_you_mean(key, values.iter().copied()).unwrap_or_else(|| {
                let some: Vec<String> = values.iter().take(8).map(|key| format!("`{key}`")).collect();
                format!("there are {}", some.join(", "))
            });
            ("secret::unknown-key", format!("{path} has no `{key}`"), help)
        }
        Some(State::Map | State::List) => (
            "secret::not-a-value",
            format!("`{key}` in {path} holds several values, and a secret is one"),
            "name one of them, with `/` between the keys; an empty `key` takes the whole file".to_owned(),
        ),
        Some(State::Empty) => (
            "secret::empty",
            format!("`{key}` in {path} is empty, and anybody could have emptied it"),
            format!("give it a value with `cairn secrets edit {path}`"),
        ),
        Some(_) => (
            "secret::not-encrypted",
            format!("`{key}` in {path} is not encrypted: whoever has the repository can read it"),
            "the file's rule leaves it out, by its name mostly (`_unencrypted`): rename it, and change the value"
                .to_owned(),
        ),
    };
    work.fault(code, &at, message, &help);
    None
}

fn format(format: Format) -> cairn_sops::Format {
    match format {
        Format::Yaml => cairn_sops::Format::Yaml,
        Format::Json => cairn_sops::Format::Json,
        Format::Dotenv => cairn_sops::Format::Dotenv,
        Format::Ini => cairn_sops::Format::Ini,
        Format::Binary => cairn_sops::Format::Binary,
    }
}
