//! Who of the fleet reads what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cairn_compiler::Fleet;
use cairn_lang::Root;
use cairn_sops::{CreationRule, File, Recipient};

use crate::error::CommandError;
use crate::fleets;
use crate::ui::Ui;

/// The hosts of a fleet, with their keys and the files that they use.
#[derive(Default)]
pub(crate) struct Inventory {
    /// The forms in which files name each host; empty where its key is not known.
    pub(crate) forms: BTreeMap<String, Vec<Recipient>>,
    /// The hosts that use a file, by its path from the fleet's folder.
    pub(crate) users: BTreeMap<String, BTreeSet<String>>,
}

/// For whom a file should be encrypted.
pub(crate) struct Wanted {
    /// Those who can open it, each group by itself.
    pub(crate) groups: Vec<Vec<Recipient>>,
    /// How many groups must be opened together; 0 means all.
    pub(crate) threshold: usize,
}

impl Inventory {
    /// Of all hosts.
    pub(crate) fn of(ui: &Ui, fleet: &Fleet) -> Result<Inventory, CommandError> {
        let hosts = fleet.hosts();
        let deployments =
            fleet.deployments(&hosts).map_err(|problems| fleets::failed(ui, &problems))?;
        let forms = deployments.into_iter().map(|(host, deployment)| {
            let key = deployment.host_key.as_deref();
            // An ECDSA key is good for SSH, and opens no file.
            let forms = key.and_then(|key| Recipient::forms_of_host_key(key).ok());
            (host, forms.unwrap_or_default())
        });
        let used = fleet.secret_files(&hosts).map_err(|problems| fleets::failed(ui, &problems))?;
        let own = used.into_iter().filter(|(path, _)| path.root == Root::Fleet);
        let users = own.map(|(path, hosts)| (path.path, hosts)).collect();
        Ok(Inventory { forms: forms.collect(), users })
    }

    /// What people call a recipient: a host's name, or the key itself.
    pub(crate) fn name(&self, recipient: &Recipient) -> String {
        match self.host(recipient) {
            Some(host) => format!("{host} ({})", recipient.fingerprint()),
            None => recipient.fingerprint(),
        }
    }

    /// The host that a recipient is.
    pub(crate) fn host(&self, recipient: &Recipient) -> Option<&str> {
        let mut hosts = self.forms.iter().filter(|(_, forms)| forms.contains(recipient));
        hosts.next().map(|(host, _)| host.as_str())
    }

    /// The hosts that use a file.
    pub(crate) fn users(&self, name: &str) -> impl Iterator<Item = &str> {
        self.users.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Those that `.sops.yaml` names, and each host that uses the file.
    ///
    /// A host that is in no group goes to the first; it keeps the form in which the file names it.
    ///
    /// # Errors
    /// A host that uses the file and whose key is not known.
    pub(crate) fn wanted(
        &self,
        name: &str,
        rule: &CreationRule,
        file: &File,
    ) -> Result<Wanted, CommandError> {
        let mut groups = rule.groups.clone();
        for host in self.users(name) {
            let forms = self.forms.get(host).map(Vec::as_slice).unwrap_or_default();
            if groups.iter().flatten().any(|recipient| forms.contains(recipient)) {
                continue;
            }
            let there = file.recipients().find(|recipient| forms.contains(recipient));
            // The form of age, which every sops understands; for RSA there is the other alone.
            let form = there.or(forms.last()).ok_or_else(|| {
                let message = format!("{name} is used by `{host}`, whose host key is not known");
                CommandError::user(message).hint(format!(
                    "set `deployment.hostKey` of `{host}`: `cairn secrets host-key {host}` fetches it"
                ))
            })?;
            match groups.first_mut() {
                Some(group) => group.push(form.clone()),
                None => groups.push(vec![form.clone()]),
            }
        }
        Ok(Wanted { groups, threshold: rule.threshold })
    }
}

impl Wanted {
    /// Those who gain the file, and those who lose it.
    pub(crate) fn against(&self, file: &File) -> (Vec<Recipient>, Vec<Recipient>) {
        let there: BTreeSet<&Recipient> = file.recipients().collect();
        let wanted: BTreeSet<&Recipient> = self.groups.iter().flatten().collect();
        let only = |one: &BTreeSet<&Recipient>, other: &BTreeSet<&Recipient>| {
            one.difference(other).map(|recipient| (*recipient).clone()).collect::<Vec<_>>()
        };
        (only(&wanted, &there), only(&there, &wanted))
    }

    /// Whether a file is split into the same groups.
    pub(crate) fn same_groups(&self, file: &File) -> bool {
        let of = |group: Vec<&Recipient>| group.into_iter().cloned().collect::<BTreeSet<_>>();
        let there: Vec<_> =
            file.metadata().groups.iter().map(|group| of(group.recipients().collect())).collect();
        let wanted: Vec<_> = self.groups.iter().map(|group| of(group.iter().collect())).collect();
        let needed = if self.threshold == 0 { wanted.len() } else { self.threshold };
        there == wanted && (wanted.len() == 1 || needed == file.metadata().needed())
    }
}

/// A file's path from the fleet's folder, as the inventory names it.
pub(crate) fn name_in(folder: &Path, file: &Path) -> String {
    let absolute = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = absolute(file);
    file.strip_prefix(absolute(folder)).unwrap_or(&file).display().to_string()
}
