//! A host as the fleet describes it.

/// Where a host is, from its `deployment` options. What they leave open comes from the SSH
/// configuration, and then from its defaults (port 22, the local login name).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// Name in the fleet: errors and events carry it.
    pub name: String,
    /// `deployment.targetHost`: an address, a name, or a `Host` of the SSH configuration. None
    /// takes the host's name in the fleet.
    pub host: Option<String>,
    /// `deployment.targetPort` where the fleet sets it: wins over the SSH configuration.
    pub port: Option<u16>,
    /// `deployment.targetUser` where the fleet sets it: wins over the SSH configuration.
    pub user: Option<String>,
    /// `deployment.hostKey`: the one key that the host may show, as OpenSSH writes public keys.
    /// `known_hosts` is asked for revocations alone then.
    pub host_key: Option<String>,
}

impl Target {
    /// What is looked up in the SSH configuration.
    pub fn alias(&self) -> &str {
        self.host.as_deref().unwrap_or(&self.name)
    }
}
