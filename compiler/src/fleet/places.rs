//! From resources, which the standard modules define, back to what the fleet wrote.

use cairn_lang::modules::Configuration;
use cairn_lang::{Span, Value, VirtualPath};

use super::job::Job;
use crate::manifest::{Places, ReadFile};

/// Finds definitions of a host.
pub(super) struct HostPlaces<'w> {
    job: Job<'w>,
}

impl<'w> Job<'w> {
    /// Where this host's definitions are.
    pub(super) fn places(self) -> HostPlaces<'w> {
        HostPlaces { job: self }
    }

    /// Whether anything but the option's own default defines it.
    pub(super) fn is_defined(self, path: &[&str]) -> bool {
        let explained = self.config().and_then(|config| config.explain(path));
        explained.is_ok_and(|option| option.definitions.iter().any(|one| !one.is_default))
    }
}

impl HostPlaces<'_> {
    /// The definition of the first option that a message mentions; the host, where there is none.
    pub(super) fn mentioned(&self, message: &str) -> Span {
        // A single name is any word, unless quotes say that it is an option's.
        let quoted = |word: &str| word.starts_with(['`', '\'', '"', '‘', '“']);
        let mut paths = message
            .split_whitespace()
            .filter_map(|word| option_path(word).filter(|path| path.len() > 1 || quoted(word)));
        paths.find_map(|path| self.find(&path)).unwrap_or_else(|| self.job.span())
    }

    /// Where the fleet defines this path, or the nearest part of it that the fleet defines.
    fn find(&self, path: &[String]) -> Option<Span> {
        let config = self.job.config().ok()?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        (1..=path.len()).rev().find_map(|len| {
            let path = path.get(..len)?;
            // As an attribute, a single name would be all that a module says about `services`.
            let attribute = || self.attribute(config, path).filter(|_| len > 1);
            self.definition(config, path).or_else(attribute)
        })
    }

    /// The value of the definition that won.
    fn definition(&self, config: &Configuration<'_, '_>, path: &[&str]) -> Option<Span> {
        let option = config.explain(path).ok()?;
        let won = option.definitions.iter().filter(|one| one.won && !one.is_default);
        won.map(|one| one.span.or(one.key)).find(|span| self.is_own(*span))
    }

    /// The name of an attribute inside of an option's value.
    fn attribute(&self, config: &Configuration<'_, '_>, path: &[&str]) -> Option<Span> {
        let (name, parents) = path.split_last()?;
        let Value::Attrs(set) = config.value(parents).ok()? else { return None };
        let span = set.get_str(name)?.span;
        self.is_own(span).then_some(span)
    }

    /// Whether the fleet wrote this, and not the standard modules.
    fn is_own(&self, span: Span) -> bool {
        let file = self.job.sources().get(span.file);
        file.is_some_and(|file| !file.name.starts_with("<cairn>"))
    }
}

impl Places for HostPlaces<'_> {
    fn place(&self, path: &[&str]) -> Span {
        if let ["packages", "fetched", name, ..] = path
            && let Some(span) = self.job.package_span(name)
        {
            return span;
        }
        let owned = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut resource = owned(&["resources"]);
        resource.extend(owned(path));
        let places = option_of(path).into_iter().chain([resource]);
        places.into_iter().find_map(|path| self.find(&path)).unwrap_or_else(|| self.job.span())
    }
}

impl ReadFile for HostPlaces<'_> {
    fn read(&self, file: &VirtualPath) -> Option<Vec<u8>> {
        self.job.read(file)
    }
}

/// The option that the standard modules make a resource of.
fn option_of(path: &[&str]) -> Option<Vec<String>> {
    let below = |prefix: &[&str], rest: &[&str]| {
        prefix.iter().chain(rest).map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    Some(match path {
        ["files", path, rest @ ..] => {
            below(&["environment", "etc", path.strip_prefix("/etc/")?], rest)
        }
        ["units", unit, rest @ ..] => {
            let (stem, kind) = unit.rsplit_once('.')?;
            below(&["systemd", &format!("{kind}s"), stem], rest)
        }
        ["users", rest @ ..] => below(&["users", "users"], rest),
        ["groups", rest @ ..] => below(&["users", "groups"], rest),
        ["kernel", "sysctl", rest @ ..] => below(&["boot", "kernel", "sysctl"], rest),
        ["kernel", "modules", ..] => below(&["boot", "kernelModules"], &[]),
        ["kernel", "hostname", ..] => below(&["networking", "hostName"], &[]),
        ["nftables", table, ..] => {
            let (_, name) = table.split_once(' ')?;
            below(&["networking", "nftables", "tables", name], &[])
        }
        ["checks", rest @ ..] => below(&["healthChecks"], rest),
        ["directories", ..] => below(&["systemd", "tmpfiles", "rules"], &[]),
        ["secrets", "values", rest @ ..] => below(&["sops", "secrets"], rest),
        ["secrets", "templates", rest @ ..] => below(&["sops", "templates"], rest),
        ["secrets", "hostKey"] => below(&["deployment", "hostKey"], &[]),
        ["secrets", field] => below(&["sops", "age", field], &[]),
        ["packages", ..] => below(&["environment", "systemPackages"], &[]),
        _ => return None,
    })
}

/// The option path that a word of a message is, with its punctuation taken off.
fn option_path(word: &str) -> Option<Vec<String>> {
    let word = word.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '"' || c == '_'));
    let mut path = Vec::new();
    let mut rest = word;
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "-_'".contains(c);
                let end = rest.find(|c| !allowed(c)).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        if name.is_empty() {
            return None;
        }
        path.push(name.to_owned());
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None => break,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_paths_in_messages() {
        let path = |word| option_path(word).map(|path| path.join("/"));
        assert_eq!(path("`services.k3s.role`,").as_deref(), Some("services/k3s/role"));
        assert_eq!(
            path("environment.etc.\"a.b\".mode").as_deref(),
            Some("environment/etc/a.b/mode")
        );
        assert_eq!(path("word.").as_deref(), Some("word"));
        assert_eq!(path("—"), None);
        assert_eq!(path("a..b"), None);
    }
}
