//! The five spellings of one tree.

mod dotenv;
mod flat;
mod ini;
mod json;
mod yaml;

use std::fmt;
use std::path::Path;

use crate::error::Error;
use crate::secret::SecretBytes;
use crate::tree::{Document, Entry, Node};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
    /// `.env`
    Dotenv,
    /// `.ini`
    Ini,
    /// Any bytes; the encrypted file is JSON with one key.
    Binary,
}

impl Format {
    /// The format of a file by its name, as sops tells it: what it does not know is binary.
    pub fn of_path(path: &Path) -> Format {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        match () {
            () if ends(&[".yaml", ".yml"]) => Format::Yaml,
            () if ends(&[".json"]) => Format::Json,
            () if ends(&[".env"]) => Format::Dotenv,
            () if ends(&[".ini"]) => Format::Ini,
            () => Format::Binary,
        }
    }

    /// By its name in options: `yaml`, `json`, `dotenv`, `ini`, `binary`.
    pub fn named(name: &str) -> Option<Format> {
        let all = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];
        all.into_iter().find(|format| format.as_str() == name)
    }

    /// Its name in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Json => "json",
            Format::Dotenv => "dotenv",
            Format::Ini => "ini",
            Format::Binary => "binary",
        }
    }

    pub(crate) fn article(self) -> &'static str {
        match self {
            Format::Yaml => "YAML",
            Format::Json => "JSON",
            Format::Dotenv => "a dotenv file",
            Format::Ini => "an INI file",
            Format::Binary => "JSON, as an encrypted binary file is",
        }
    }

    /// Reads a file, encrypted or plain (but for binary, which is plain as it is).
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Vec<Document>, Error> {
        let text = text(bytes)?;
        match self {
            Format::Yaml => yaml::read(text, yaml::Aliases::Refused),
            Format::Json | Format::Binary => json::read(text, self).map(|document| vec![document]),
            Format::Dotenv => dotenv::read(text).map(|document| vec![document]),
            Format::Ini => ini::read(text).map(|document| vec![document]),
        }
    }

    /// Takes the metadata of sops out of what was read; none where there is none.
    pub(crate) fn take_metadata(self, documents: &mut [Document]) -> Result<Option<Node>, Error> {
        match self {
            Format::Yaml | Format::Json | Format::Binary => {
                let mut found = None;
                for (at, document) in documents.iter_mut().enumerate() {
                    let is_it =
                        |entry: &mut Entry| matches!(entry, Entry::Pair(key, _) if key == "sops");
                    let taken = document.extract_if(.., is_it).next();
                    if let (0, Some(Entry::Pair(_, node))) = (at, taken) {
                        found = Some(node);
                    }
                }
                Ok(found)
            }
            Format::Dotenv => documents.first_mut().map_or(Ok(None), dotenv::take_metadata),
            Format::Ini => documents.first_mut().map_or(Ok(None), ini::take_metadata),
        }
    }

    /// Writes a tree, and metadata with it where it is encrypted.
    pub(crate) fn write(
        self,
        documents: &[Document],
        metadata: Option<&[Entry]>,
    ) -> Result<SecretBytes, Error> {
        let first = documents.first().map(Vec::as_slice).unwrap_or_default();
        match self {
            Format::Yaml => Ok(yaml::write(documents, metadata)),
            Format::Json | Format::Binary => Ok(json::write(first, metadata)),
            Format::Dotenv => dotenv::write(first, metadata),
            Format::Ini => ini::write(first, metadata),
        }
    }
}

/// Reads a YAML file that is not of sops' own kind, but about it.
pub(crate) fn read_config(bytes: &[u8]) -> Result<Document, Error> {
    if bytes.len() > crate::MAX_SIZE {
        return Err(Error::TooLarge { size: bytes.len(), limit: crate::MAX_SIZE });
    }
    let documents = yaml::read(text(bytes)?, yaml::Aliases::Followed)?;
    Ok(documents.into_iter().next().unwrap_or_default())
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let before = bytes.get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Error::NotUtf8 { offset, line }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
