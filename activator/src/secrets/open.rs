//! From ciphertext to plaintext, in memory.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use cairn_generation::secrets::{Access, Escape, Format, RENDERED, Secret, Secrets, Template};
use cairn_generation::{BlobId, Store};
use cairn_sops::{File, Identities, Plain as Document, SecretBytes};
use zeroize::Zeroizing;

use crate::disk::Ids;
use crate::error::Error;
use crate::secrets::template;
use crate::state::State;

/// What the secrets of a generation come to. Wiped when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// Files by their path below the folder of secrets.
    pub(crate) files: BTreeMap<String, Plain>,
    /// What cannot be had.
    pub(crate) missing: Vec<Missing>,
}

/// A file to be.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) content: SecretBytes,
    pub(crate) mode: u32,
    pub(crate) ids: Ids,
    /// Units that are restarted when it is another.
    pub(crate) restart: Vec<String>,
    /// Units that are reloaded then.
    pub(crate) reload: Vec<String>,
}

/// A file that cannot be had.
#[derive(Debug)]
pub(crate) struct Missing {
    /// Its path below the folder of secrets.
    pub(crate) path: String,
    /// Whether the generation can do without it.
    pub(crate) optional: bool,
    /// A whole sentence: which secret, which file, why.
    pub(crate) why: String,
}

/// Numbers of a user and a group.
type Owner<'a> = &'a dyn Fn(&str, &str) -> Result<Ids, Error>;

/// A SOPS file of the generation, decrypted when somebody asks.
struct Source {
    document: OnceCell<Result<Document, String>>,
    whole: OnceCell<Result<SecretBytes, String>>,
}

/// Decrypts and verifies everything. What cannot be had is in [`Opened::missing`]; one file that
/// does not open loses no other.
///
/// # Errors
/// When an owner is unknown, or a template's text is not in the store.
pub(crate) fn open(state: &State, secrets: &Secrets, owner: Owner) -> Result<Opened, Error> {
    let mut opened = Opened::default();
    if secrets.is_empty() {
        return Ok(opened);
    }
    let store = state.store()?;
    let (identities, keyless) = identities(state, secrets);
    let mut sources: BTreeMap<(BlobId, Format), Source> = BTreeMap::new();
    for (name, secret) in &secrets.values {
        let source = sources
            .entry((secret.file, secret.format))
            .or_insert_with(|| Source { document: OnceCell::new(), whole: OnceCell::new() });
        let document =
            source.document.get_or_init(|| document(&store, secret, &identities, &keyless));
        match document.as_ref().map_err(Clone::clone).and_then(|found| source.value(found, secret))
        {
            Ok(content) => {
                opened.files.insert(name.clone(), Plain::new(content, &secret.access, owner)?);
            }
            Err(why) => {
                let key = match secret.key.as_str() {
                    "" => String::new(),
                    key => format!(", key {key}"),
                };
                opened.missing.push(Missing {
                    path: name.clone(),
                    optional: secret.optional,
                    why: format!(
                        "the secret `{name}` ({}{key}) cannot be had: {why}",
                        secret.source
                    ),
                });
            }
        }
    }
    for (name, text) in &secrets.templates {
        match filled(&store, &opened, name, text)? {
            Ok(content) => {
                let plain = Plain::new(content, &text.access, owner)?;
                opened.files.insert(format!("{RENDERED}/{name}"), plain);
            }
            Err(missing) => opened.missing.push(missing),
        }
    }
    Ok(opened)
}

impl Opened {
    /// Refuses what cannot be had though it must: all of it, in one error.
    pub(crate) fn refuse_missing(&self) -> Result<(), Error> {
        let required = self.missing.iter().filter(|missing| !missing.optional);
        let said: Vec<&str> = required.map(|missing| missing.why.as_str()).collect();
        if said.is_empty() { Ok(()) } else { Err(Error::refused(said.join("; "))) }
    }

    /// The text of a secret that is a password's hash, without its line's end.
    pub(crate) fn password(&self, secret: &str) -> Option<String> {
        let text = self.files.get(secret)?.content.expose_str()?;
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl Plain {
    fn new(content: SecretBytes, access: &Access, owner: Owner) -> Result<Self, Error> {
        Ok(Self {
            content,
            // The manifest's layout was checked: it is octal.
            mode: u32::from_str_radix(&access.mode, 8).unwrap_or(0o400),
            ids: owner(&access.user, &access.group)?,
            restart: access.restart_units.iter().cloned().collect(),
            reload: access.reload_units.iter().cloned().collect(),
        })
    }
}

impl Source {
    fn value(&self, document: &Document, secret: &Secret) -> Result<SecretBytes, String> {
        let found = match secret.key.as_str() {
            "" => self
                .whole
                .get_or_init(|| document.whole().map_err(|error| error.to_string()))
                .clone()?,
            key => {
                let path: Vec<&str> = key.split('/').collect();
                document.value(&path).map_err(|error| error.to_string())?.clone()
            }
        };
        if found.is_empty() {
            return Err("it is empty, which nothing in the file vouches for".to_owned());
        }
        Ok(found)
    }
}

/// The keys of the host, and what is wrong with those that cannot be used.
fn identities(state: &State, secrets: &Secrets) -> (Identities, Vec<String>) {
    let mut identities = Identities::new();
    let mut keyless = Vec::new();
    for path in secrets.key_file.iter().chain(&secrets.ssh_key_paths) {
        let text = match fs::read_to_string(state.host(path)) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                keyless.push(format!("{path} is not there"));
                continue;
            }
            Err(error) => {
                keyless.push(format!("{path} cannot be read: {error}"));
                continue;
            }
        };
        if let Err(error) = identities.add(&text, path) {
            keyless.push(error.to_string());
        }
    }
    (identities, keyless)
}

/// A whole file, verified.
fn document(
    store: &Store,
    secret: &Secret,
    identities: &Identities,
    keyless: &[String],
) -> Result<Document, String> {
    let bytes = store.get(&secret.file).map_err(|error| error.to_string())?;
    let told = |error: cairn_sops::Error| error.to_string();
    let file = File::parse(&bytes, format(secret.format)).map_err(told)?;
    let key = file.unlock(identities).map_err(|error| {
        std::iter::once(error.to_string())
            .chain(keyless.iter().cloned())
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    file.decrypt(&key).map_err(told)
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

fn filled(
    store: &Store,
    opened: &Opened,
    name: &str,
    text: &Template,
) -> Result<Result<SecretBytes, Missing>, Error> {
    let content = store.get(&text.content)?;
    let missing = |secret: &String, optional: bool, what: &str| Missing {
        path: format!("{RENDERED}/{name}"),
        optional,
        why: format!(
            "the template `{name}` is not filled: it has the secret `{secret}` in it{what}"
        ),
    };
    let mut values: BTreeMap<&str, Cow<'_, SecretBytes>> = BTreeMap::new();
    for (placeholder, secret) in &text.placeholders {
        let Some(plain) = opened.files.get(secret) else {
            let optional = opened.missing.iter().any(|one| one.path == *secret && one.optional);
            return Ok(Err(missing(secret, optional, "")));
        };
        let value = match text.escape {
            Escape::None => Cow::Borrowed(&plain.content),
            Escape::Json => match template::json(&plain.content) {
                Some(value) => Cow::Owned(value),
                None => return Ok(Err(missing(secret, false, ", which is no text"))),
            },
        };
        values.insert(placeholder, value);
    }
    let values = values.iter().map(|(name, value)| (*name, value.expose())).collect();
    Ok(Ok(template::fill(&content, &values)))
}
