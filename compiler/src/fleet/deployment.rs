//! Where a host is and how one gets there: `deployment.*`, which no generation holds.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::{Data, Result};

use super::Fleet;
use super::job::Job;
use crate::report::Report;

/// A host's `deployment` options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Address or name to connect to; none takes the host's name.
    pub target_host: Option<String>,
    /// Port, where the fleet sets one.
    pub target_port: Option<u16>,
    /// Login, where the fleet sets one.
    pub target_user: Option<String>,
    /// The key that the host must show.
    pub host_key: Option<String>,
    /// Names to choose the host by.
    pub tags: BTreeSet<String>,
    /// The groups that list the host.
    pub groups: BTreeSet<String>,
    /// Seconds to confirm a switch in.
    pub confirm_timeout: u32,
    /// What may be taken over.
    pub adopt: Adopt,
    /// Whether the deployer may be shut out.
    pub allow_lockout: bool,
}

/// Which files of others a switch may take over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// All that are in the way.
    All,
    /// These.
    Paths(BTreeSet<String>),
}

impl Default for Adopt {
    fn default() -> Adopt {
        Adopt::Paths(BTreeSet::new())
    }
}

impl Fleet {
    /// The `deployment` options of these hosts; nothing else of them is evaluated.
    ///
    /// # Errors
    /// When those cannot be evaluated.
    pub fn deployments(
        &self,
        hosts: &[String],
    ) -> std::result::Result<BTreeMap<String, Deployment>, Report> {
        let mut deployments = BTreeMap::new();
        let mut problems = Vec::new();
        for (host, result) in hosts.iter().zip(self.each(hosts, Result::is_err, of)) {
            match result {
                Ok(deployment) => drop(deployments.insert(host.clone(), deployment)),
                Err(error) => problems.push(*error),
            }
        }
        if problems.is_empty() { Ok(deployments) } else { Err(self.report(problems)) }
    }
}

/// The deployment options of a job's host.
pub(super) fn of<'w>(job: Job<'w>) -> Result<Deployment> {
    let config = job.config()?;
    let data = config.data(&["deployment"])?;
    let text = |name: &str| data.get(name).and_then(Data::as_str).map(str::to_owned);
    let texts = |name: &str| -> BTreeSet<String> {
        let items = data.get(name).and_then(Data::as_list).unwrap_or_default();
        items.iter().filter_map(Data::as_str).map(str::to_owned).collect()
    };
    let number = |name: &str| data.get(name).and_then(Data::as_int);
    // What the fleet leaves open is for the deployer's SSH configuration to say.
    let port = number("targetPort").filter(|_| job.is_defined(&["deployment", "targetPort"]));
    let adopt = match data.get("adopt") {
        Some(Data::Bool(true)) => Adopt::All,
        _ => Adopt::Paths(texts("adopt")),
    };
    Ok(Deployment {
        target_host: text("targetHost"),
        target_port: port.and_then(|port| u16::try_from(port).ok()),
        target_user: text("targetUser"),
        host_key: text("hostKey"),
        tags: texts("tags"),
        groups: texts("groups"),
        confirm_timeout: number("confirmTimeout")
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(30),
        adopt,
        allow_lockout: matches!(data.get("allowLockout"), Some(Data::Bool(true))),
    })
}
