//! Placeholders of secrets: in the texts of templates, and nowhere else.

use std::collections::BTreeMap;

use cairn_lang::Data;
use sha2::{Digest, Sha256};

use crate::manifest::Work;

const BEGIN: &str = "<SOPS:";
const END: &str = ":PLACEHOLDER>";

/// What stands for the secret of this name, as `<cairn>/sops.nix` makes it.
pub(super) fn of(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{BEGIN}{hex}{END}")
}

/// All that look like placeholders in a text.
fn all(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(BEGIN).filter_map(|(start, _)| {
        let rest = text.get(start + BEGIN.len()..)?;
        let (hash, after) = rest.split_at_checked(64)?;
        let whole = hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && after.starts_with(END);
        whole.then(|| text.get(start..start + BEGIN.len() + 64 + END.len()))?
    })
}

/// The placeholders of a template's text, with the names of the secrets that they stand for.
pub(super) fn used(
    work: &mut Work<'_>,
    [kind, set, template]: &[&str; 3],
    text: &str,
    names: &BTreeMap<String, &String>,
) -> Option<BTreeMap<String, String>> {
    let mut used = BTreeMap::new();
    for placeholder in all(text) {
        let Some(name) = names.get(placeholder) else {
            let message = format!(
                "the template `{template}` has the placeholder of a secret that this host has not"
            );
            let help = "take `config.sops.placeholder.<name>` of this host, and declare the secret in `sops.secrets`";
            work.fault(
                "secret::unknown-placeholder",
                &[kind, set, template, "content"],
                message,
                help,
            );
            return None;
        };
        used.insert(placeholder.to_owned(), (*name).clone());
    }
    Some(used)
}

/// Anywhere else a placeholder would stay one, for whoever reads the file to wonder at.
pub(super) fn refuse_outside(work: &mut Work<'_>, resources: &Data) {
    let Data::Attrs(kinds) = resources else { return };
    for (kind, data) in kinds.iter().filter(|(kind, _)| *kind != "secrets") {
        refuse(work, &mut vec![kind], data);
    }
}

fn refuse<'d>(work: &mut Work<'_>, path: &mut Vec<&'d str>, data: &'d Data) {
    match data {
        Data::Str(text) if all(text).next().is_some() => {
            let message =
                "the placeholder of a secret stands here, where nothing takes its place".to_owned();
            let help = "put the text into `sops.templates.<name>.content`, and name the template's `path` instead";
            work.fault("secret::placeholder", path, message, help);
        }
        Data::List(items) => items.iter().for_each(|item| refuse(work, path, item)),
        Data::Attrs(attrs) => {
            for (name, data) in attrs {
                path.push(name);
                refuse(work, path, data);
                path.pop();
            }
        }
        _ => {}
    }
}
