//! Files of secrets opened with a key that is at hand: whether they are what was encrypted.

use std::collections::BTreeMap;

use cairn_lang::{Diagnostic, VirtualPath};
use cairn_sops::{DataKey, Error, File};

use super::Fleet;
use super::check::draft;
use crate::manifest::SecretFile;
use crate::report::Report;

/// Opens a file's data key, with whatever keys and people there are.
pub type Unlock<'a> = dyn FnMut(&File) -> Result<DataKey, Error> + 'a;

impl Fleet {
    /// Decrypts every file of secrets that these hosts use, and verifies the code over it. What was
    /// wrong, and how many files are what they should be. Plaintext is dropped at once.
    pub fn verify_secrets(&self, hosts: &[String], unlock: &mut Unlock) -> (Report, usize) {
        let found = self.each(hosts, Option::is_none, |job| draft(job).0);
        let uses = found.into_iter().flatten().flat_map(|draft| draft.secret_files);
        let mut files: BTreeMap<VirtualPath, SecretFile> = BTreeMap::new();
        for file in uses {
            files.entry(file.path.clone()).or_insert(file);
        }
        let mut problems = Vec::new();
        for (path, file) in &files {
            problems.extend(self.verify(path, file, unlock));
        }
        let right = files.len() - problems.len();
        (self.report(problems), right)
    }

    fn verify(
        &self,
        path: &VirtualPath,
        used: &SecretFile,
        unlock: &mut Unlock,
    ) -> Option<Diagnostic> {
        let told = |code, error: &dyn std::fmt::Display, help: &str| {
            let message = format!("{path}: {error}");
            Diagnostic::error(code, used.span, message).with_help(help)
        };
        let bytes = match self.world.roots.read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Some(told("file::unreadable", &error, "check its permissions")),
        };
        let opened = File::parse(&bytes, used.format).and_then(|file| {
            let key = unlock(&file)?;
            file.decrypt(&key).map(drop)
        });
        match opened {
            Ok(()) => None,
            Err(error @ Error::NoKey(_)) => {
                let help = "somebody whose key opens it can verify it, or add yours with `cairn secrets rekey`";
                Some(told("secret::no-key", &error, help))
            }
            Err(error) => {
                let help = "take the file's last good version from version control";
                Some(told("secret::tampered", &error, help))
            }
        }
    }
}
