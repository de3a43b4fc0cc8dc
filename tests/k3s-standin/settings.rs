//! A configuration held against the table of flags and against k3s' rules.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use crate::flags::{self, Flag, Kind};
use crate::yaml::{Scalar, Value};

/// Flags with their values, each at least one.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    values: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Takes a value from a file. A later file's value replaces an earlier one's; `key+`
    /// appends to it.
    pub(crate) fn take_from_file(
        &mut self,
        role: &str,
        key: &str,
        value: Value,
    ) -> Result<(), String> {
        let (key, append) = match key.strip_suffix('+') {
            Some(key) => (key, true),
            None => (key, false),
        };
        let flag = known(role, key)?;
        let scalars = match value {
            Value::One(scalar) => vec![scalar],
            Value::Many(scalars) if matches!(flag.kind, Kind::List { .. }) => scalars,
            Value::Many(_) => return Err(format!("{key} takes one value, not a list")),
        };
        let mut values = Vec::new();
        for scalar in scalars {
            values.extend(checked(&flag, &plain(&flag, &scalar)?)?);
        }
        let place = self.values.entry(key.to_owned()).or_default();
        if !append {
            place.clear();
        }
        place.extend(values);
        Ok(())
    }

    /// Takes a value from the command line, which beats the files'.
    pub(crate) fn take_from_command(
        &mut self,
        role: &str,
        key: &str,
        value: &str,
    ) -> Result<(), String> {
        let flag = known(role, key)?;
        let values = checked(&flag, value)?;
        let place = self.values.entry(key.to_owned()).or_default();
        if !matches!(flag.kind, Kind::List { .. }) {
            place.clear();
        }
        place.extend(values);
        Ok(())
    }

    fn all(&self, key: &str) -> &[String] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }

    fn one(&self, key: &str) -> Option<&str> {
        self.all(key).last().map(String::as_str)
    }

    fn on(&self, key: &str) -> bool {
        self.one(key) == Some("true")
    }

    /// What k3s refuses of a configuration as a whole.
    pub(crate) fn check(&self, role: &str) -> Result<(), String> {
        for key in ["token-file", "agent-token-file"] {
            let Some(file) = self.one(key) else { continue };
            let content = std::fs::read_to_string(Path::new(file))
                .map_err(|error| format!("{key} {file}: {error}"))?;
            if content.trim().is_empty() {
                return Err(format!("{key} {file} is empty"));
            }
        }
        if role == "agent" {
            if self.one("server").is_none() {
                return Err("an agent needs server".to_owned());
            }
            if self.one("token").is_none() && self.one("token-file").is_none() {
                return Err("an agent needs token or token-file".to_owned());
            }
        }
        if let Some(server) = self.one("server")
            && !server.starts_with("https://")
        {
            return Err(format!("server {server} is not an https URL"));
        }
        let exclusive = [
            ("cluster-reset", "server"),
            ("datastore-endpoint", "disable-apiserver"),
            ("datastore-endpoint", "disable-etcd"),
            ("embedded-registry", "docker"),
        ];
        for (left, right) in exclusive {
            let set = |key| self.one(key).is_some_and(|value| value != "false");
            if set(left) && set(right) {
                return Err(format!("{left} excludes {right}"));
            }
        }
        if self.on("disable-etcd") && self.one("server").is_none() {
            return Err("disable-etcd requires server".to_owned());
        }
        self.check_addresses()
    }

    fn check_addresses(&self) -> Result<(), String> {
        let mut families = BTreeMap::new();
        for key in ["cluster-cidr", "service-cidr"] {
            let cidrs: Vec<IpAddr> =
                self.all(key).iter().map(|text| cidr(key, text)).collect::<Result<_, _>>()?;
            if cidrs.len() > 2 {
                return Err(format!("{key} takes at most one range of each family"));
            }
            families.insert(key, cidrs.iter().map(IpAddr::is_ipv6).collect::<Vec<_>>());
        }
        let (pods, services) = (&families["cluster-cidr"], &families["service-cidr"]);
        if !pods.is_empty() && !services.is_empty() && pods != services {
            return Err("cluster-cidr and service-cidr are not of the same families".to_owned());
        }
        for key in ["node-ip", "node-external-ip", "cluster-dns", "advertise-address"] {
            for text in self.all(key) {
                address(key, text)?;
            }
        }
        let nodes: Vec<bool> = self.all("node-ip").iter().map(|text| text.contains(':')).collect();
        if pods.len() == 2
            && !nodes.is_empty()
            && (!nodes.contains(&true) || !nodes.contains(&false))
        {
            return Err("node-ip must have an address of each family of cluster-cidr".to_owned());
        }
        Ok(())
    }
}

fn known(role: &str, key: &str) -> Result<Flag, String> {
    let flag = flags::find(key)?;
    if flag.is_for(role) { Ok(flag) } else { Err(format!("{key} is no flag of k3s {role}")) }
}

/// The text of a scalar, unless YAML makes something else of it than was meant.
fn plain(flag: &Flag, scalar: &Scalar) -> Result<String, String> {
    match (flag.kind, scalar.reread()) {
        (Kind::Bool, Some(read)) => Ok(read),
        (_, Some(read)) => {
            Err(format!("{}: YAML reads {} as {read}: quote it", flag.name, scalar.text))
        }
        (_, None) => Ok(scalar.text.clone()),
    }
}

/// The values in `text`, each of the flag's kind.
fn checked(flag: &Flag, text: &str) -> Result<Vec<String>, String> {
    let wrong = |expected: &str| Err(format!("{}: {text:?} is not {expected}", flag.name));
    let values: Vec<String> = match flag.kind {
        Kind::Bool if !["true", "false"].contains(&text) => return wrong("true or false"),
        Kind::Int if text.parse::<i64>().is_err() => return wrong("a whole number"),
        Kind::Duration if !is_duration(text) => return wrong("a duration"),
        Kind::List { commas: true } => text.split(',').map(|item| item.trim().to_owned()).collect(),
        _ => vec![text.to_owned()],
    };
    let strange = values.iter().find(|value| !flag.values.is_empty() && !among(flag, value));
    match strange {
        Some(_) => wrong(&format!("one of {}", flag.values.join(", "))),
        None => Ok(values),
    }
}

fn among(flag: &Flag, value: &str) -> bool {
    flag.values.contains(&value)
}

fn is_duration(text: &str) -> bool {
    let digit = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(digit);
        let after = unit.trim_start_matches(|letter: char| !digit(letter));
        let name = &unit[..unit.len() - after.len()];
        if unit.len() == rest.len() || !["ns", "us", "ms", "s", "m", "h"].contains(&name) {
            return false;
        }
        rest = after;
    }
    !text.is_empty()
}

fn address(key: &str, text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{key}: {text:?} is not an IP address"))
}

fn cidr(key: &str, text: &str) -> Result<IpAddr, String> {
    let wrong = || format!("{key}: {text:?} is not a CIDR");
    let (base, length) = text.split_once('/').ok_or_else(wrong)?;
    let base = address(key, base)?;
    let length: u32 = length.parse().map_err(|_| wrong())?;
    let (bits, size) = match base {
        IpAddr::V4(base) => (u128::from(base.to_bits()), 32),
        IpAddr::V6(base) => (base.to_bits(), 128),
    };
    let hosts = size - length.min(size);
    let below = 1u128.checked_shl(hosts).map_or(u128::MAX, |end| end - 1);
    if length > size || bits & below != 0 { Err(wrong()) } else { Ok(base) }
}
