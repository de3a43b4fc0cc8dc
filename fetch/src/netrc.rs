//! Logins for servers, from the file that curl and git read too.

use std::path::PathBuf;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The logins of this user: `$NETRC`, or `~/.netrc`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Netrc {
    machines: Vec<Machine>,
}

#[derive(Clone, Debug, Default)]
struct Machine {
    /// None for `default`.
    name: Option<String>,
    login: String,
    password: String,
}

impl Netrc {
    /// Reads the file; one that is not there, or not readable, holds no logins.
    pub(crate) fn load() -> Netrc {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = set("NETRC").or_else(|| set("HOME").map(|home| home.join(".netrc")));
        let text = path.and_then(|path| fs::read_to_string(path).ok());
        text.map(|text| Netrc::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &str) -> Netrc {
        let mut machines: Vec<Machine> = Vec::new();
        let mut words = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(str::split_whitespace);
        while let Some(word) = words.next() {
            let mut next = || words.next().unwrap_or_default().to_owned();
            match word {
                "machine" => machines.push(Machine { name: Some(next()), ..Machine::default() }),
                "default" => machines.push(Machine::default()),
                "login" | "password" | "account" => {
                    let value = next();
                    match (word, machines.last_mut()) {
                        ("login", Some(machine)) => machine.login = value,
                        ("password", Some(machine)) => machine.password = value,
                        _ => {}
                    }
                }
                // A macro reaches to the end of the file, as far as logins are concerned.
                "macdef" => break,
                _ => {}
            }
        }
        Netrc { machines }
    }

    /// The header `Authorization` for this URL's server. Nothing is sent in the clear over `http:`
    /// that the file does not name by the server's name.
    pub(crate) fn authorization(&self, url: &str) -> Option<String> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let machine = self.machines.iter().find(|machine| match &machine.name {
            Some(known) => known == name,
            None => scheme == "https",
        })?;
        Some(basic(&machine.login, &machine.password))
    }
}

/// A login as servers and proxies take it.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_for_its_server_alone() {
        let netrc = Netrc::parse(
            "# mirrors\nmachine a.example login me password pw\nmachine b.example\n  login you\n",
        );
        let login = |url| netrc.authorization(url);
        assert_eq!(login("https://a.example:8080/x").as_deref(), Some("Basic bWU6cHc="));
        assert_eq!(login("http://b.example/").as_deref(), Some("Basic eW91Og=="));
        assert_eq!(login("https://c.example/a.example"), None);
        let all = Netrc::parse("default login a password b");
        assert!(all.authorization("https://x.example/").is_some());
        assert_eq!(all.authorization("http://x.example/"), None);
    }
}
