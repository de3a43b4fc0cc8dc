//! A file that is about to be changed, open.

use std::path::Path;

use cairn_sops::{DataKey, File, Format, Plain};

use crate::error::CommandError;
use crate::secrets::person::Person;
use crate::secrets::{failed, files, keys, rules};

/// An encrypted file with its key and its plain text; or one to be made.
pub(crate) struct Subject {
    /// How people name it.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) file: File,
    pub(crate) key: DataKey,
    pub(crate) before: Plain,
    /// Whether there is none on the disk yet.
    pub(crate) new: bool,
}

impl Subject {
    /// Opens the file with the person's own keys. One that is not there is an empty one, for those
    /// whom the nearest `.sops.yaml` names.
    ///
    /// # Errors
    /// When it cannot be opened, or nothing says for whom it would be.
    pub(crate) fn open(path: &Path, person: &mut Person) -> Result<Subject, CommandError> {
        let (name, format) = (path.display().to_string(), Format::of_path(path));
        let wrong = |error| failed(&name, &error);
        if !path.try_exists()? {
            let rule = rules::required(path)?;
            let before = Plain::empty(format);
            let (groups, only) = (&rule.groups, rule.mac_only_encrypted);
            let file = File::create(&before, groups, rule.threshold, rule.rule, only, person);
            let (file, key) = file.map_err(wrong)?;
            return Ok(Subject { name, format, file, key, before, new: true });
        }
        let found = files::read(path)?;
        let identities = keys::own(person)?;
        let key = found.file.unlock_with(&identities, person).map_err(wrong)?;
        let before = found.file.decrypt(&key).map_err(wrong)?;
        Ok(Subject { name, format, file: found.file, key, before, new: false })
    }
}
