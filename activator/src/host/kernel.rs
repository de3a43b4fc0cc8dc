//! sysctls, modules and the host's name.

use std::fs;
use std::path::PathBuf;

use cairn_generation::Manifest;
use cairn_generation::manifest::Kernel;
use cairn_generation::wire::{Drift, DriftKind};

use crate::error::Error;
use crate::host::command::{Run, has};
use crate::origin::Origin;

/// Adds to generation 0 what is about to be set for the first time.
pub(crate) fn capture(to: &Kernel, origin: &mut Origin) {
    for key in to
        .sysctl
        .keys()
        .filter(|key| !origin.sysctl.contains_key(*key))
        .cloned()
        .collect::<Vec<_>>()
    {
        // A key that is not there yet may come with a module; there is nothing to go back to.
        if let Ok(value) = fs::read_to_string(place(&key)) {
            origin.sysctl.insert(key, value.trim_end().to_owned());
        }
    }
    for module in to.modules.iter().filter(|module| !is_loaded(module)) {
        origin.modules.insert(module.clone());
    }
    if to.hostname.is_some() && origin.hostname.is_none() {
        origin.hostname = Some(hostname());
    }
}

/// Brings the running kernel to `to`; what `known` had set and `to` does not goes back to what it
/// was. A kernel that refuses is not ours to change: that is a warning.
///
/// # Errors
/// When the host's name cannot be set.
pub(crate) fn converge(
    known: &[&Manifest],
    to: &Kernel,
    origin: &Origin,
    warn: &mut dyn FnMut(String),
) -> Result<(), Error> {
    for module in to.modules.iter().filter(|module| !is_loaded(module)) {
        load(module, warn);
    }
    for (key, value) in &to.sysctl {
        set(key, value, warn);
    }
    for key in known.iter().flat_map(|manifest| manifest.kernel.sysctl.keys()) {
        if !to.sysctl.contains_key(key)
            && let Some(value) = origin.sysctl.get(key)
        {
            set(key, value, warn);
        }
    }
    let was = || {
        origin.hostname.as_ref().filter(|_| known.iter().any(|one| one.kernel.hostname.is_some()))
    };
    match to.hostname.as_ref().or_else(was) {
        Some(name) if *name != hostname() => rustix::system::sethostname(name.as_bytes())
            .map_err(|error| Error::refused(format!("cannot name the host `{name}`: {error}"))),
        _ => Ok(()),
    }
}

/// Forgets what `to` does not set: the host has it back.
pub(crate) fn settle(to: &Kernel, origin: &mut Origin) {
    origin.sysctl.retain(|key, _| to.sysctl.contains_key(key));
    if to.hostname.is_none() {
        origin.hostname = None;
    }
}

/// What the running kernel has otherwise than `kernel` says.
pub(crate) fn drift(kernel: &Kernel) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (key, value) in &kernel.sysctl {
        // A key that is not there may come with a module.
        if let Ok(found) = fs::read_to_string(place(key))
            && plain(&found) != plain(value)
        {
            let wrong = Drift::new(DriftKind::Sysctl, key, "has another value");
            drift.push(wrong.between(plain(value), plain(&found)));
        }
    }
    if let Some(name) = kernel.hostname.as_ref().filter(|name| **name != hostname()) {
        let wrong = Drift::new(DriftKind::Hostname, name, "is another");
        drift.push(wrong.between(name, hostname()));
    }
    drift
}

fn set(key: &str, value: &str, warn: &mut dyn FnMut(String)) {
    let place = place(key);
    let found = fs::read_to_string(&place);
    if found.as_ref().is_ok_and(|found| plain(found) == plain(value)) {
        return;
    }
    let why = match found.and_then(|_| fs::write(&place, value)) {
        Ok(()) => match fs::read_to_string(&place) {
            Ok(found) if plain(&found) != plain(value) => {
                format!("the kernel has `{}` afterwards", found.trim())
            }
            _ => return,
        },
        Err(error) => error.to_string(),
    };
    warn(format!("the sysctl {key} did not take `{value}`: {why}"));
}

fn load(module: &str, warn: &mut dyn FnMut(String)) {
    let why = if has("modprobe") {
        match Run::new("modprobe").args(["--", module]).end() {
            Ok(ended) if ended.success => return,
            Ok(ended) => ended.said(),
            Err(error) => error.to_string(),
        }
    } else {
        "the host has no modprobe".to_owned()
    };
    warn(format!("the kernel module {module} was not loaded: {why}"));
}

/// Blanks between the numbers of one value are the kernel's own.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As sysctl(8): where a dot comes before any slash, dots separate, and slashes stand for dots.
fn place(key: &str) -> PathBuf {
    let dotted = key.find(['.', '/']).is_none_or(|at| key[at..].starts_with('.'));
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let inside = if dotted { key.chars().map(swap).collect() } else { key.to_owned() };
    PathBuf::from("/proc/sys").join(inside)
}

fn is_loaded(module: &str) -> bool {
    PathBuf::from("/sys/module").join(module.replace('-', "_")).is_dir()
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Why a key or name cannot be one, if it cannot.
///
/// # Errors
/// When a key would lead out of /proc/sys, or a name cannot be a host's.
pub(crate) fn validate(kernel: &Kernel) -> Result<(), Error> {
    let leads_out = |key: &&String| {
        key.is_empty()
            || key.starts_with(['/', '.'])
            || place(key).components().any(|part| part.as_os_str() == "..")
    };
    if let Some(key) = kernel.sysctl.keys().find(leads_out) {
        return Err(Error::refused(format!("`{key}` is no sysctl")));
    }
    let odd = |name: &&String| {
        name.is_empty() || name.len() > 64 || name.contains(|c: char| c.is_control() || c == ' ')
    };
    match kernel.hostname.as_ref().filter(odd) {
        Some(name) => Err(Error::refused(format!("`{name}` cannot be a host's name"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_where_sysctl_leads() {
        for (key, expected) in [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            ("net/ipv4/conf/eth0.1/rp_filter", "net/ipv4/conf/eth0.1/rp_filter"),
            ("net.ipv4.conf.eth0/1.rp_filter", "net/ipv4/conf/eth0.1/rp_filter"),
        ] {
            assert_eq!(place(key), PathBuf::from("/proc/sys").join(expected));
        }
    }

    #[test]
    fn blanks_do_not_matter() {
        assert_eq!(plain("4096\t131072\t6291456\n"), plain("4096 131072 6291456"));
    }
}
