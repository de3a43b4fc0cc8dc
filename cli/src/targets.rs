//! Where a generation goes: hosts over SSH, or a folder in the place of one.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use cairn_activator::Node;
use cairn_compiler::{Adopt, Built, Deployment};
use cairn_deploy::{Activators, Deployer, Error, Generation, Settings, Target};
use cairn_fetch::Cache;
use cairn_generation::layout::layout;
use clap::{Args, ValueHint};
use tokio::runtime::Runtime;

use crate::error::CommandError;

/// How each host ended.
type Results<R> = Vec<(String, Result<R, Error>)>;

/// How hosts are reached.
#[derive(Debug, Args)]
pub(crate) struct ReachArgs {
    /// Use this folder in the place of the host: no SSH, no root, units are only listed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) into: Option<PathBuf>,

    /// Folder of the activators to send [default: beside this program]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "into")]
    pub(crate) activator: Option<PathBuf>,

    /// How many hosts are worked on at once
    #[arg(long, value_name = "N", default_value_t = cairn_deploy::fleet::PARALLEL)]
    pub(crate) parallel: usize,
}

impl ReachArgs {
    /// For one host that is reached without them.
    pub(crate) fn alone() -> ReachArgs {
        ReachArgs { into: None, activator: None, parallel: 1 }
    }

    /// The folder, where one stands for the only host of `hosts`.
    pub(crate) fn folder(&self, hosts: &[String]) -> Result<Option<&Path>, CommandError> {
        match &self.into {
            Some(_) if hosts.len() > 1 => {
                let error = CommandError::usage("--into takes the place of one host");
                Err(error.hint(format!("name one of: {}", hosts.join(", "))))
            }
            into => Ok(into.as_deref()),
        }
    }

    /// A deployer over SSH.
    pub(crate) fn deployer(&self) -> Result<Deployer, CommandError> {
        let folder = match &self.activator {
            Some(folder) => folder.clone(),
            None => env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default(),
        };
        let activators = Activators::in_folder(&folder)
            .map_err(|cause| CommandError::user(cause.to_string()))?;
        Ok(Deployer::over_ssh(Settings::from_environment(activators)))
    }

    /// Does `work` on all hosts, some at a time; results in their order.
    pub(crate) fn each<T, R, W, F>(
        &self,
        hosts: Vec<(Target, T)>,
        work: W,
    ) -> Result<Results<R>, CommandError>
    where
        R: Send + 'static,
        W: Fn(Target, T) -> F,
        F: Future<Output = Result<R, Error>> + Send + 'static,
    {
        let runtime = Runtime::new()?;
        Ok(runtime.block_on(cairn_deploy::fleet::run(hosts, self.parallel, work)))
    }
}

/// Where a host is.
pub(crate) fn target(host: &str, deployment: &Deployment) -> Target {
    Target {
        name: host.to_owned(),
        host: deployment.target_host.clone(),
        port: deployment.target_port,
        user: deployment.target_user.clone(),
        host_key: deployment.host_key.clone(),
    }
}

/// A generation as deployers send it.
pub(crate) fn generation(built: &Built, cache: &Cache) -> Result<Generation, CommandError> {
    let store = cache.store().map_err(|error| CommandError::user(error.to_string()))?;
    let manifest = built.text.as_str().into();
    Ok(Generation { id: built.id, manifest, blobs: built.manifest.blobs(), store })
}

/// The paths that a switch may take over.
pub(crate) fn adopted(built: &Built) -> BTreeSet<String> {
    match &built.deployment.adopt {
        Adopt::Paths(paths) => paths.clone(),
        Adopt::All => match layout(&built.manifest) {
            Ok(layout) => layout.paths().map(str::to_owned).collect(),
            Err(_) => BTreeSet::new(),
        },
    }
}

/// A folder in the place of a host.
pub(crate) fn node(folder: &Path) -> Result<Node, CommandError> {
    Node::at_root(folder).map_err(|error| CommandError::user(error.to_string()))
}

/// A folder that has been switched before, perhaps: it is only looked at, and not made.
pub(crate) fn existing_node(folder: &Path) -> Result<Node, CommandError> {
    if !folder.is_dir() {
        let message = format!("there is no folder {}", folder.display());
        return Err(CommandError::user(message).hint("`cairn switch HOST --into DIR` makes it"));
    }
    node(folder)
}

/// `user@machine`, for histories.
pub(crate) fn deployer_name() -> String {
    let name = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let user = name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(|| "root".to_owned());
    format!("{user}@{}", machine())
}

/// The name of the machine that this runs on.
pub(crate) fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}
