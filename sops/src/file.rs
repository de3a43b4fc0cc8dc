//! A file of sops, encrypted or opened.

use jiff::Timestamp;

use crate::MAX_SIZE;
use crate::cipher::DataKey;
use crate::error::Error;
use crate::format::Format;
use crate::identity::{Helper, Identities, NoHelper};
use crate::metadata::Metadata;
use crate::recipient::Recipient;
use crate::rules::Rule;
use crate::secret::SecretBytes;
use crate::tree::{self, Document, Entry, Node, Scalar};
use crate::walk::{self, Kept, Leaf, State};
use crate::wrap;

/// The sops whose format is written.
const VERSION: &str = "3.11.0";

/// An encrypted file, as it was read.
#[derive(Clone, Debug)]
pub struct File {
    format: Format,
    documents: Vec<Document>,
    metadata: Metadata,
}

/// The content of a file in plain text. It was verified as a whole, or has never been encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    format: Format,
    documents: Vec<Document>,
}

/// Now, as sops writes it.
pub(crate) fn now() -> String {
    let now = Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

fn within_limits(bytes: &[u8]) -> Result<(), Error> {
    match bytes.len() {
        size if size > MAX_SIZE => Err(Error::TooLarge { size, limit: MAX_SIZE }),
        _ => Ok(()),
    }
}

impl File {
    /// Reads a file. No key is needed.
    ///
    /// # Errors
    /// What is not of this format, not of sops, of a newer sops, or beyond the limits.
    pub fn parse(bytes: &[u8], format: Format) -> Result<File, Error> {
        within_limits(bytes)?;
        let mut documents = format.read(bytes)?;
        let sops = format.take_metadata(&mut documents)?.ok_or(Error::NotEncrypted)?;
        let metadata = Metadata::read(&sops)?;
        Ok(File { format, documents, metadata })
    }

    /// The format that it was read in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What sops keeps beside the values.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// All who can open the file, or a group of it.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.metadata.recipients()
    }

    /// What stands at each place, in order; maps and lists before what is in them.
    pub fn leaves(&self) -> Vec<Leaf> {
        walk::states(&self.documents, &self.metadata.effective_rule())
    }

    /// What stands at one place; none where there is no such key.
    pub fn leaf(&self, path: &[&str]) -> Option<State> {
        let leaves = self.leaves();
        leaves.into_iter().find(|leaf| leaf.path == path).map(|leaf| leaf.state)
    }

    /// The text at a place, which is ciphertext where it is encrypted; none where there is no value.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        tree::find(&self.documents, path)?.as_str()
    }

    /// Opens the data key with the identities that there are. Once a file is enough.
    ///
    /// # Errors
    /// [`Error::NoKey`] names the identities that were tried and those that would do.
    pub fn unlock(&self, identities: &Identities) -> Result<DataKey, Error> {
        self.unlock_with(identities, &mut NoHelper)
    }

    /// As [`File::unlock`], with somebody who knows passphrases and has `gpg`.
    ///
    /// # Errors
    /// As there.
    pub fn unlock_with(
        &self,
        identities: &Identities,
        helper: &mut dyn Helper,
    ) -> Result<DataKey, Error> {
        wrap::unwrap(&self.metadata, identities, helper)
    }

    /// Opens all values and verifies the whole: a file that was changed gives nothing.
    ///
    /// # Errors
    /// A value, or the code over all of them, that is not what was encrypted.
    pub fn decrypt(&self, key: &DataKey) -> Result<Plain, Error> {
        let documents = walk::decrypt(&self.documents, &self.metadata, key)?;
        Ok(Plain { format: self.format, documents })
    }

    /// Encrypts new content with a new data key.
    ///
    /// # Errors
    /// A recipient that cannot be encrypted for, or content that the format cannot hold.
    pub fn create(
        plain: &Plain,
        groups: &[Vec<Recipient>],
        threshold: usize,
        rule: Option<Rule>,
        mac_only_encrypted: bool,
        helper: &mut dyn Helper,
    ) -> Result<(File, DataKey), Error> {
        let rule = match plain.format {
            // There is one value, and it is encrypted.
            Format::Binary => None,
            _ => Some(rule.unwrap_or_default()),
        };
        let metadata = Metadata {
            groups: Vec::new(),
            threshold,
            lastmodified: String::new(),
            mac: None,
            mac_only_encrypted,
            rule,
            version: VERSION.to_owned(),
        };
        let file = File { format: plain.format, documents: Vec::new(), metadata };
        file.under_new_key(plain, groups, threshold, helper)
    }

    /// The same content under a new data key, for these recipients: what those who could open it
    /// before know of the old key opens nothing of this one.
    ///
    /// # Errors
    /// As [`File::create`].
    pub fn rekey(
        &self,
        plain: &Plain,
        groups: &[Vec<Recipient>],
        threshold: usize,
        helper: &mut dyn Helper,
    ) -> Result<File, Error> {
        self.under_new_key(plain, groups, threshold, helper).map(|(file, _)| file)
    }

    fn under_new_key(
        &self,
        plain: &Plain,
        groups: &[Vec<Recipient>],
        threshold: usize,
        helper: &mut dyn Helper,
    ) -> Result<(File, DataKey), Error> {
        let key = DataKey::generate();
        let mut metadata = self.metadata.clone();
        metadata.groups = wrap::wrap(&key, groups, threshold, helper)?;
        metadata.threshold = match groups.len() {
            1 => 0,
            groups if threshold == 0 => groups,
            _ => threshold,
        };
        let file = File { format: self.format, documents: Vec::new(), metadata };
        Ok((file.encrypted(plain, &key, &Kept::default())?, key))
    }

    /// Adds recipients, with the data key that there is: nobody is removed, and no value changes.
    ///
    /// # Errors
    /// A recipient that cannot be encrypted for. A file of several groups, whose shares nobody can add to.
    pub fn add_recipients(
        &self,
        key: &DataKey,
        recipients: &[Recipient],
        helper: &mut dyn Helper,
    ) -> Result<File, Error> {
        let mut file = self.clone();
        let added = wrap::wrap(key, &[recipients.to_vec()], 0, helper)?;
        match (file.metadata.groups.as_mut_slice(), added.into_iter().next()) {
            ([group], Some(added)) => group.stanzas.extend(added.stanzas),
            _ => {
                let what = "a file with key groups is encrypted anew instead".to_owned();
                return Err(Error::Shares { what });
            }
        }
        Ok(file)
    }

    /// New content for the same recipients under the same key. Values that did not change keep their
    /// ciphertext.
    ///
    /// # Errors
    /// Content that the format cannot hold.
    pub fn update(&self, plain: &Plain, key: &DataKey) -> Result<File, Error> {
        let kept = walk::kept(&self.documents, &self.metadata, key);
        self.encrypted(plain, key, &kept)
    }

    fn encrypted(&self, plain: &Plain, key: &DataKey, kept: &Kept) -> Result<File, Error> {
        let mut metadata = self.metadata.clone();
        metadata.lastmodified = now();
        let (documents, mac) = walk::encrypt(&plain.documents, &metadata, key, kept)?;
        metadata.mac = Some(mac);
        VERSION.clone_into(&mut metadata.version);
        Ok(File { format: self.format, documents, metadata })
    }

    /// The file's bytes, as sops would write them.
    ///
    /// # Errors
    /// What the format cannot hold.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        let bytes = self.format.write(&self.documents, Some(&self.metadata.write(self.format)))?;
        Ok(bytes.expose().to_vec())
    }
}

impl Plain {
    /// Reads plain text, to be encrypted.
    ///
    /// # Errors
    /// What is not of this format, or already encrypted, or beyond the limits.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Plain, Error> {
        within_limits(bytes)?;
        if format == Format::Binary {
            let value = Node::Scalar(Scalar::str(bytes));
            let documents = vec![vec![Entry::Pair("data".to_owned(), value)]];
            return Ok(Plain { format, documents });
        }
        let mut documents = format.read(bytes)?;
        if format.take_metadata(&mut documents)?.is_some() {
            let what = "the key `sops` is kept for the metadata of sops".to_owned();
            return Err(Error::CannotWrite { path: "sops".to_owned(), what });
        }
        Ok(Plain { format, documents })
    }

    /// Nothing yet.
    pub fn empty(format: Format) -> Plain {
        Plain { format, documents: vec![Vec::new()] }
    }

    /// The format of the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Sets a value, and makes the maps on the way to it. A number or boolean that was there stays
    /// one where the new text is one as well; else the value is a text.
    ///
    /// # Errors
    /// A path through something that is no map, or one that the format cannot hold.
    pub fn set(&mut self, path: &[&str], value: &SecretBytes) -> Result<(), Error> {
        let cannot =
            |what: &str| Error::CannotWrite { path: path.join("/"), what: what.to_owned() };
        match (self.format, path) {
            (_, [] | [""]) => return Err(cannot("a key has a name")),
            (Format::Binary, ["data"])
            | (Format::Yaml | Format::Json, _)
            | (Format::Dotenv, [_])
            | (Format::Ini, [_, _]) => {}
            (Format::Binary, _) => return Err(cannot("a binary file has no keys")),
            (Format::Dotenv, _) => return Err(cannot("keys of a dotenv file have no parts")),
            (Format::Ini, _) => {
                return Err(cannot(
                    "a key of an INI file is `SECTION/KEY`; `DEFAULT` is the first",
                ));
            }
        }
        if self.format != Format::Yaml
            && self.format != Format::Binary
            && value.expose_str().is_none()
        {
            return Err(cannot("the value is not UTF-8; a binary file can hold it"));
        }
        if path.len() > crate::MAX_DEPTH {
            return Err(cannot("it is nested too deep"));
        }
        if self.documents.is_empty() {
            self.documents.push(Vec::new());
        }
        let (first, _) = path.split_first().ok_or_else(|| cannot("a key has a name"))?;
        let has = |document: &Document| tree::lookup(document, first).is_some();
        let at = self.documents.iter().position(has).unwrap_or(0);
        match self.documents.get_mut(at) {
            Some(document) => tree::set(document, path, value).map_err(cannot),
            None => Ok(()),
        }
    }

    /// All values, with their places.
    pub fn values(&self) -> impl Iterator<Item = (String, &SecretBytes)> {
        let mut values = Vec::new();
        for document in &self.documents {
            tree::values(document, "", &mut values);
        }
        values.into_iter()
    }

    /// The value at a place; none where there is no value (a map, null, no such key). A number or
    /// boolean is its text: `5432`, `true`.
    pub fn get(&self, path: &[&str]) -> Option<&SecretBytes> {
        match tree::find(&self.documents, path)? {
            Node::Scalar(scalar) => Some(&scalar.text),
            Node::Null | Node::Map(_) | Node::List(_) => None,
        }
    }

    /// As [`Plain::get`], with words for what is there instead.
    ///
    /// # Errors
    /// [`Error::NoSuchKey`] and [`Error::NotAValue`].
    pub fn value(&self, path: &[&str]) -> Result<&SecretBytes, Error> {
        let shown = path.join("/");
        let what = match tree::find(&self.documents, path) {
            Some(Node::Scalar(scalar)) => return Ok(&scalar.text),
            Some(Node::Null) => "null",
            Some(Node::Map(_)) => "a map",
            Some(Node::List(_)) => "a list",
            None => return Err(Error::NoSuchKey { path: shown, near: self.keys_near(path) }),
        };
        Err(Error::NotAValue { path: shown, what })
    }

    /// The keys beside the one that is missing.
    fn keys_near(&self, path: &[&str]) -> Vec<String> {
        let reached = (0..path.len()).rev().find_map(|end| match path.get(..end)? {
            [] => self.documents.first().map(Vec::as_slice),
            parent => tree::find(&self.documents, parent)?.as_map(),
        });
        let keys = reached.unwrap_or_default().iter().filter_map(|entry| match entry {
            Entry::Pair(key, _) => Some(format!("`{key}`")),
            Entry::Comment(_) => None,
        });
        keys.take(8).collect()
    }

    /// The whole file in its format, or of a binary file its bytes.
    ///
    /// # Errors
    /// What the format cannot hold.
    pub fn whole(&self) -> Result<SecretBytes, Error> {
        match self.format {
            Format::Binary => self.value(&["data"]).cloned(),
            format => format.write(&self.documents, None),
        }
    }
}
