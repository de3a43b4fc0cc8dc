//! Which hosts of a fleet use which files of secrets, and which can decrypt what they have no use for.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::{Diagnostic, Result, Value, VirtualPath};
use cairn_sops::Recipient;

use super::Fleet;
use super::job::Job;
use crate::manifest::{SecretFile, opens};
use crate::report::Report;

impl Fleet {
    /// The SOPS files that these hosts use, each with the hosts that do. Nothing else of the hosts need
    /// be right: whoever asks may be about to mend the files.
    ///
    /// # Errors
    /// When the secrets of a host cannot be computed.
    pub fn secret_files(
        &self,
        hosts: &[String],
    ) -> std::result::Result<BTreeMap<VirtualPath, BTreeSet<String>>, Report> {
        let mut files: BTreeMap<VirtualPath, BTreeSet<String>> = BTreeMap::new();
        let mut problems = Vec::new();
        let found = self.each(hosts, Result::is_err, named);
        for (host, found) in hosts.iter().zip(found) {
            match found {
                Ok(paths) => {
                    for path in paths {
                        files.entry(path).or_default().insert(host.clone());
                    }
                }
                Err(error) => problems.push(*error),
            }
        }
        if problems.is_empty() { Ok(files) } else { Err(self.report(problems)) }
    }
}

/// The files that secrets of a job's host are in, or are going to be: whether they are there is not
/// asked.
fn named(job: Job<'_>) -> Result<BTreeSet<VirtualPath>> {
    let config = job.config()?;
    let Value::Attrs(secrets) = config.value(&["sops", "secrets"])? else {
        return Ok(BTreeSet::new());
    };
    let mut files = BTreeSet::new();
    for secret in secrets.sorted() {
        let file = config.value(&["sops", "secrets", secret.name.as_str(), "sopsFile"])?;
        if let Value::Path(path) = file {
            files.insert(VirtualPath { root: path.root, path: path.path.to_owned() });
        }
    }
    Ok(files)
}

/// What a host has to do with secrets.
pub(super) struct Reader {
    host: String,
    /// The forms in which a file may name it; empty where its key is not known.
    forms: Vec<Recipient>,
    uses: Vec<SecretFile>,
}

impl Reader {
    /// The host of a job, which uses these files.
    pub(super) fn new(job: Job<'_>, uses: Vec<SecretFile>) -> Reader {
        let key = job.config().and_then(|config| config.data(&["deployment", "hostKey"]));
        let key = key.ok().and_then(|data| data.as_str().map(str::to_owned));
        let forms = key.and_then(|key| Recipient::forms_of_host_key(&key).ok()).unwrap_or_default();
        Reader { host: job.name().to_owned(), forms, uses }
    }
}

/// A warning for each file that hosts can read without using it.
pub(super) fn needless(readers: &[Reader]) -> Vec<Diagnostic> {
    let mut files: BTreeMap<&VirtualPath, (&SecretFile, BTreeSet<&str>)> = BTreeMap::new();
    for reader in readers {
        for file in &reader.uses {
            let (_, users) = files.entry(&file.path).or_insert((file, BTreeSet::new()));
            users.insert(&reader.host);
        }
    }
    let others = |(file, users): &(&SecretFile, BTreeSet<&str>)| -> Vec<String> {
        let idle = readers.iter().filter(|reader| !users.contains(reader.host.as_str()));
        let idle = idle.filter(|reader| opens(&file.metadata, &reader.forms));
        idle.map(|reader| format!("`{}`", reader.host)).collect()
    };
    let told = files.iter().filter_map(|(path, known)| {
        let others = others(known);
        let hosts = if others.len() == 1 { "the host" } else { "the hosts" };
        let message = format!(
            "{hosts} {} can decrypt {path} too, without using anything of it",
            others.join(", ")
        );
        let help = "a file for each circle of hosts keeps what one of them loses from the others; \
                    `cairn secrets rekey` takes away who has no use for it";
        let warning = Diagnostic::warning("secret::needless-reader", known.0.span, message);
        (!others.is_empty()).then(|| warning.with_help(help))
    });
    told.collect()
}
