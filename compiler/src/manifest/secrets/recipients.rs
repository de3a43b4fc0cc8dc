//! Who can open a file: the host must be among them.

use std::collections::BTreeSet;

use cairn_lang::{Span, VirtualPath};
use cairn_sops::{CreationRules, Format, Metadata, Recipient};

use super::file::{Files, Known};
use crate::manifest::{Work, raw};

/// A SOPS file that a host uses, for whoever compares hosts.
#[derive(Clone, Debug)]
pub struct SecretFile {
    /// Its place in the fleet.
    pub path: VirtualPath,
    /// Where the host names it.
    pub span: Span,
    /// How it is written.
    pub format: Format,
    /// For whom it is encrypted.
    pub metadata: Metadata,
}

/// Checks every file's recipients against the host's public key, and against `.sops.yaml`.
pub(super) fn check(work: &mut Work<'_>, files: &Files, secrets: &raw::Secrets) {
    for known in files.known() {
        let span = work.places.place(&["secrets", "values", &known.secret, "sopsFile"]);
        let (path, metadata) = (known.path.clone(), known.file.metadata().clone());
        let format = known.file.format();
        work.draft.secret_files.push(SecretFile { path, span, format, metadata });
        compare_with_rules(work, known);
    }
    host(work, files, secrets);
}

fn host(work: &mut Work<'_>, files: &Files, secrets: &raw::Secrets) {
    let at = ["secrets", "hostKey"];
    let Some(key) = &secrets.host_key else {
        if secrets.key_file.is_none() {
            let message =
                "whether the host can decrypt its secrets is not known before it is switched"
                    .to_owned();
            let help = "set `deployment.hostKey` to its public key: `cairn secrets host-key HOST` fetches it";
            work.warn("secret::no-host-key", &at, message, help);
        }
        return;
    };
    let forms = match Recipient::forms_of_host_key(key) {
        Ok(forms) => forms,
        // Of another kind (ECDSA): SSH takes it, age does not.
        Err(error) => {
            if secrets.key_file.is_none() {
                let help = "a host decrypts with an ed25519 or RSA key: take that one's public key";
                work.fault("secret::host-key", &at, error.to_string(), help);
            }
            return;
        }
    };
    // With a key file of its own, the host may be others besides.
    if secrets.key_file.is_some() {
        return;
    }
    for known in files.known() {
        if !opens(known.file.metadata(), &forms) {
            refuse(work, known, &forms);
        }
    }
}

/// Whether a host, in any of its forms, opens a file by itself.
pub(crate) fn opens(metadata: &Metadata, forms: &[Recipient]) -> bool {
    let groups = metadata.groups.iter();
    let opened = groups.filter(|group| group.recipients().any(|one| forms.contains(one))).count();
    opened >= metadata.needed()
}

/// Says where the file and the rule of `.sops.yaml` that it falls under name different recipients.
fn compare_with_rules(work: &mut Work<'_>, known: &Known) {
    let path = &known.path;
    let at = ["secrets", "values", known.secret.as_str(), "sopsFile"];
    let Some((folder, bytes)) = rules_above(work, path) else { return };
    let rules = match CreationRules::parse(&bytes) {
        Ok(rules) => rules,
        Err(error) => {
            let help = "whoever edits the file needs its rules: mend `.sops.yaml`";
            work.warn("secret::rules", &at, format!("{path}: {error}"), help);
            return;
        }
    };
    let below = path.path.strip_prefix(&folder.path).unwrap_or(&path.path).trim_start_matches('/');
    let Some(rule) = rules.for_path(below) else { return };
    let wanted: BTreeSet<Recipient> = rule.groups.iter().flatten().map(as_age).collect();
    let there: BTreeSet<Recipient> = known.file.recipients().map(as_age).collect();
    let named = |recipients: Vec<&Recipient>| {
        let names = recipients.into_iter().map(|one| one.fingerprint());
        super::listed(&names.collect())
    };
    let missing: Vec<_> = wanted.difference(&there).collect();
    let further: Vec<_> = there.difference(&wanted).collect();
    let mut said = Vec::new();
    if !missing.is_empty() {
        said.push(format!("it is not encrypted for {}", named(missing)));
    }
    if !further.is_empty() {
        said.push(format!("it is encrypted for {} besides", named(further)));
    }
    if !said.is_empty() {
        let message = format!("{path} is not as `.sops.yaml` says: {}", said.join(", and "));
        let help = format!(
            "`cairn secrets rekey {path}` encrypts it for those who are meant, with a new key"
        );
        work.warn("secret::rules", &at, message, &help);
    }
}

/// One form for keys that have two.
fn as_age(recipient: &Recipient) -> Recipient {
    let forms = Recipient::forms_of_host_key(&recipient.to_string()).unwrap_or_default();
    forms.into_iter().next_back().unwrap_or_else(|| recipient.clone())
}

/// The nearest `.sops.yaml` above a file, and its folder.
fn rules_above(work: &Work<'_>, file: &VirtualPath) -> Option<(VirtualPath, Vec<u8>)> {
    let mut folder = file.parent();
    loop {
        if let Some(bytes) = folder.join(".sops.yaml").and_then(|path| work.files.read(&path)) {
            return Some((folder, bytes));
        }
        if folder.path.is_empty() {
            return None;
        }
        folder = folder.parent();
    }
}

fn refuse(work: &mut Work<'_>, known: &Known, forms: &[Recipient]) {
    let path = &known.path;
    let at = ["secrets", "values", known.secret.as_str(), "sopsFile"];
    let host = work.draft.manifest.host.clone();
    let readers: BTreeSet<String> = known.file.recipients().map(Recipient::fingerprint).collect();
    let own: Vec<String> = forms.iter().map(Recipient::fingerprint).collect();
    let message = format!(
        "the host `{host}` cannot decrypt {path}: it is not among its recipients ({})",
        super::listed(&readers)
    );
    let help = format!(
        "`cairn secrets rekey {path}` encrypts it for the hosts that use it; this one is {}",
        own.join(", or ")
    );
    match known.required {
        true => work.fault("secret::not-a-recipient", &at, message, &help),
        false => work.warn("secret::not-a-recipient", &at, message, &help),
    }
}
