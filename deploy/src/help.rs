//! What to do about each failure.

use cairn_generation::wire::Step;

use crate::error::{Cause, Endpoint, Expected, Lost, Place};

pub(crate) fn of(cause: &Cause, endpoint: Option<&Endpoint>) -> Option<String> {
    let help = match cause {
        Cause::SshConfig { .. } | Cause::Protocol { .. } | Cause::Blob { .. } => return None,
        Cause::KnownHosts { .. } => {
            "make the file readable and mend the line: no host key is trusted meanwhile".to_owned()
        }
        Cause::PinnedKey { .. } => {
            "deployment.hostKey is a line of /etc/ssh/ssh_host_ed25519_key.pub: \
             \"ssh-ed25519 AAAA…\""
                .to_owned()
        }
        Cause::Unreachable { .. } => {
            "check deployment.targetHost and targetPort, and that the host is up".to_owned()
        }
        Cause::Handshake { .. } => match endpoint {
            Some(to) => format!("`ssh -v {}` shows what both sides offer", ssh_words(to)),
            None => return None,
        },
        Cause::HostKeyUnknown { .. } => return unknown_key(cause, endpoint?),
        Cause::HostKeyChanged { expected, .. } => changed_key(expected),
        Cause::HostKeyRevoked { .. } => {
            "install a new host key on the host; the revoked one may be in the wrong hands".into()
        }
        Cause::HostKeyUnsupported { .. } => {
            "let the host have an ed25519 key (`ssh-keygen -A` makes it there), and add it to \
             known_hosts or deployment.hostKey"
                .to_owned()
        }
        Cause::LoginRefused { tried } => login(tried.is_empty(), endpoint?),
        Cause::Sudo { .. } => {
            let user = &endpoint?.user;
            format!(
                "let {user} run anything without a password: \
                 `{user} ALL=(ALL:ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d; or log in as root"
            )
        }
        Cause::ActivatorMissing { architecture, .. } => {
            format!(
                "put cairn-activator-{architecture} beside `cairn`, or name its folder with --activator"
            )
        }
        Cause::ActivatorUnreadable { .. } => {
            "--activator names the folder with cairn-activator-<architecture>".to_owned()
        }
        Cause::Activator { .. } => {
            "look at free space and at /var/lib/cairn/activator on the host".to_owned()
        }
        Cause::ConnectionLost { effect: Lost::Nothing, .. } => {
            "nothing was changed: try again".into()
        }
        Cause::ConnectionLost { effect: Lost::Switch, .. } => {
            "the host goes back to its confirmed generation by itself; `cairn status` says when it \
             can be reached again"
                .to_owned()
        }
        Cause::Unconfirmed { unchanged: true, .. } => {
            "the new generation locks this machine out: look at its firewall, network and sshd"
                .to_owned()
        }
        Cause::Failed { unchanged: false, .. } | Cause::Unconfirmed { .. } => {
            "the host may be half-way: look at `cairn status` and at the journal there".to_owned()
        }
        Cause::Failed { step: Some(Step::Check), .. } => {
            "the host went back; its journal has the service's own words".to_owned()
        }
        Cause::Failed { .. } => return None,
        Cause::Internal { .. } => "this is a bug: please report it".to_owned(),
    };
    Some(help)
}

fn unknown_key(cause: &Cause, to: &Endpoint) -> Option<String> {
    let Cause::HostKeyUnknown { key, known_hosts, .. } = cause else { return None };
    Some(format!(
        "compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the \
         host. If it is the same, add it: `ssh-keyscan -p {} {} >> {}`; or set \
         deployment.hostKey = \"{key}\"",
        to.port,
        to.address,
        known_hosts.display(),
    ))
}

fn changed_key(expected: &Expected) -> String {
    match expected {
        Expected::Known(Place { path, line }) => format!(
            "only if you know why it changed: remove line {line} of {}, and add the new key",
            path.display()
        ),
        Expected::Pinned(_) => {
            "only if you know why it changed: set deployment.hostKey anew".into()
        }
    }
}

fn login(no_key: bool, to: &Endpoint) -> String {
    let user = &to.user;
    if no_key {
        return "start an agent and `ssh-add` a key, or name one with IdentityFile in \
                ~/.ssh/config"
            .to_owned();
    }
    format!(
        "add one of these keys to ~{user}/.ssh/authorized_keys on the host, or name another login \
         with deployment.targetUser"
    )
}

fn ssh_words(to: &Endpoint) -> String {
    format!("-p {} {}@{}", to.port, to.user, to.address)
}
