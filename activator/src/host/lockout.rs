//! Whether the login that deploys can come back after a switch.
//!
//! The confirmation proves it in the end, at the price of a switch and its way back. What is certain
//! before is said before: only what surely shuts the login out is named, and where a configuration
//! is beyond what is understood here, it is taken to let the login in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::host::accounts::Account;
use crate::host::command::{Run, has};
use crate::host::{nft, preflight};
use crate::origin::{Origin, kept_file};
use crate::state::{Generation, State};

/// What keeps an account from logging in after the switch from `from` to `to`, through the port that
/// it came through where that is known; empty where nothing surely does.
///
/// # Errors
/// When the host's files cannot be read.
pub(crate) fn missing(
    state: &State,
    from: &Generation,
    to: &Generation,
    origin: &Origin,
    (account, port): (&Account, Option<u16>),
) -> Result<Vec<String>, Error> {
    let after = After { state, from, to, origin };
    let mut missing = Vec::new();
    if account.shell.ends_with("/nologin") || account.shell.ends_with("/false") {
        missing.push(format!("its shell is {}", account.shell));
    }
    let sshd = sshd(state, to, &account.name)?;
    if let Some(sshd) = &sshd {
        missing.extend(login(&after, sshd, account));
    }
    if account.name != "root" {
        missing.extend(sudo(&after, account));
    }
    let ports: Vec<u16> = match &sshd {
        Some(sshd) => sshd.all("port").filter_map(|port| port.parse().ok()).collect(),
        None => vec![22],
    };
    if !ports.is_empty() && ports.iter().all(|port| nft::shuts(&to.manifest, *port)) {
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        missing.push(format!("the firewall shuts the port of SSH ({})", ports.join(", ")));
    }
    // A socket of systemd's, or a forwarded port, is not among those that sshd names.
    if let Some(port) = port.filter(|port| !ports.contains(port) || ports.len() > 1)
        && nft::shuts(&to.manifest, port)
    {
        missing.push(format!("the firewall shuts port {port}, which this connection came through"));
    }
    Ok(missing)
}

/// The host's files as they will be.
struct After<'a> {
    state: &'a State,
    from: &'a Generation,
    to: &'a Generation,
    origin: &'a Origin,
}

impl After<'_> {
    /// The text at `path` after the switch; empty where nothing will be.
    fn text(&self, path: &str) -> String {
        let place: PathBuf = if self.to.layout.entry(path).is_some() {
            self.state.tree(&self.to.folder()).join(path.trim_start_matches('/'))
        } else if self.from.layout.entry(path).is_none() {
            self.state.host(path)
        } else if self.origin.files.contains_key(path) {
            kept_file(self.state, path)
        } else {
            return String::new();
        };
        fs::read(place).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    }

    /// Paths of files in `folder` after the switch.
    fn files_in(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.state.host(folder)).into_iter().flatten().flatten();
        let here = entries.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy()));
        let inside =
            |path: &&str| path.strip_prefix(folder).is_some_and(|rest| rest.rfind('/') == Some(0));
        let new = self.to.layout.paths().filter(inside).map(str::to_owned);
        let mut paths: Vec<String> = here.chain(new).collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// sshd's settings for one login, by keyword in lower case.
struct Sshd(BTreeMap<String, Vec<String>>);

impl Sshd {
    fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).into_iter().flatten().map(String::as_str)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.all(key).any(|found| found == value)
    }
}

/// What sshd itself says of its configuration after the switch; none where it does not answer.
fn sshd(state: &State, to: &Generation, login: &str) -> Result<Option<Sshd>, Error> {
    if !has("sshd") {
        return Ok(None);
    }
    let connection = format!("user={login},host=localhost,addr=127.0.0.1");
    let asked = preflight::with_sshd_config(state, to, |config| {
        Run::new("/usr/sbin/sshd")
            .args(["-T".to_owned(), "-C".to_owned(), connection])
            .args(
                config
                    .map(|path| ["-f".to_owned(), path.display().to_string()])
                    .into_iter()
                    .flatten(),
            )
            .end()
    })?;
    Ok(asked.ok().filter(|ended| ended.success).map(|ended| parse(&ended.output)))
}

fn parse(text: &str) -> Sshd {
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        settings.entry(key.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
    }
    Sshd(settings)
}

/// Whether sshd will let the login in, by a key or a password.
fn login(after: &After, sshd: &Sshd, account: &Account) -> Option<String> {
    let name = account.name.as_str();
    let root = sshd.all("permitrootlogin").next().unwrap_or("yes");
    if name == "root" && root == "no" {
        return Some("sshd lets root not in (PermitRootLogin no)".to_owned());
    }
    let listed = |key| sshd.all(key).any(|pattern| matches(pattern, name));
    if listed("denyusers") || (sshd.all("allowusers").next().is_some() && !listed("allowusers")) {
        return Some("sshd's AllowUsers or DenyUsers shuts it out".to_owned());
    }
    let set = |key: &str| sshd.all(key).any(|value| value != "none");
    let by_other_means = set("authorizedkeyscommand")
        || set("trustedusercakeys")
        || sshd.is("hostbasedauthentication", "yes")
        || sshd.is("gssapiauthentication", "yes");
    let keys = sshd.is("pubkeyauthentication", "yes")
        && sshd.all("authorizedkeysfile").flat_map(str::split_whitespace).any(|pattern| {
            let path = pattern.replace("%h", &account.home).replace("%u", name);
            let path = match path.starts_with('/') {
                true => path,
                false => format!("{}/{path}", account.home),
            };
            after.text(&path).lines().any(|line| !line.trim().is_empty() && !line.starts_with('#'))
        });
    let asks =
        sshd.is("passwordauthentication", "yes") || sshd.is("kbdinteractiveauthentication", "yes");
    let password = asks && account.has_password && (name != "root" || root == "yes");
    (!keys && !password && !by_other_means)
        .then(|| "it has neither an authorized key nor a password that sshd takes".to_owned())
}

/// A name in sshd's lists; what else stands there is taken to match.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.split_whitespace().any(|one| one == name || one.contains(['*', '?', '@', '!']))
}

/// Whether sudo will let the login become root without a password.
fn sudo(after: &After, account: &Account) -> Option<String> {
    if !has("sudo") {
        return Some("it is not root, and the host has no sudo".to_owned());
    }
    let mut texts = vec![after.text("/etc/sudoers")];
    let files = after.files_in("/etc/sudoers.d");
    // sudo skips these names.
    let read = files.iter().filter(|path| {
        Path::new(path).file_name().is_some_and(|name| !name.to_string_lossy().contains(['.', '~']))
    });
    texts.extend(read.map(|path| after.text(path)));
    let lets = texts.iter().flat_map(|text| text.lines()).any(|line| lets_in(line, account));
    (!lets).then(|| "it is not root, and no rule of sudo lets it in without a password".to_owned())
}

/// Whether a line of sudoers may let the account do what it wants. Aliases and what else is not
/// plain are taken to.
fn lets_in(line: &str, account: &Account) -> bool {
    let line = line.trim();
    if line.starts_with("Defaults") {
        return line.contains("!authenticate");
    }
    let Some((who, rest)) = line.split_once(char::is_whitespace) else { return false };
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit());
    if who.strip_prefix('#').is_some_and(|id| !is_number(id)) {
        return false;
    }
    let is_alias =
        |who: &str| who != "ALL" && who.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let named = who.split(',').any(|who| match who.strip_prefix('%') {
        Some(group) => account.groups.contains(group) || group.starts_with([':', '#']),
        None => who == account.name || who == "ALL" || is_alias(who) || who.starts_with(['#', '+']),
    });
    named && rest.contains("NOPASSWD")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            name: "deploy".to_owned(),
            home: "/home/deploy".to_owned(),
            shell: "/bin/sh".to_owned(),
            has_password: false,
            groups: ["sudo".to_owned()].into(),
        }
    }

    #[test]
    fn what_a_line_of_sudoers_lets_in() {
        for (line, lets) in [
            ("deploy ALL=(ALL:ALL) NOPASSWD: ALL", true),
            ("%sudo ALL=(ALL:ALL) NOPASSWD: ALL", true),
            ("%sudo   ALL=(ALL:ALL) ALL", false),
            ("%wheel ALL=(ALL) NOPASSWD: ALL", false),
            ("other ALL=(ALL) NOPASSWD: ALL", false),
            ("ADMINS ALL=(ALL) NOPASSWD: ALL", true),
            ("# deploy ALL=(ALL) NOPASSWD: ALL", false),
            ("#1000 ALL=(ALL) NOPASSWD: ALL", true),
            ("Defaults:deploy !authenticate", true),
            ("Defaults env_reset", false),
            ("", false),
        ] {
            assert_eq!(lets_in(line, &account()), lets, "{line}");
        }
    }

    #[test]
    fn what_sshd_asks_for() {
        let root = tempfile::tempdir().unwrap();
        let state = State::at(root.path());
        let zero = Generation::zero();
        let origin = Origin::default();
        let after = After { state: &state, from: &zero, to: &zero, origin: &origin };
        let base = "pubkeyauthentication yes\nauthorizedkeysfile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\npasswordauthentication no\n";
        let says = |more: &str, account: &Account| {
            login(&after, &parse(&format!("{more}{base}")), account).unwrap_or_default()
        };
        let no_way = "it has neither an authorized key nor a password that sshd takes";
        assert_eq!(says("", &account()), no_way);
        assert_eq!(says("authorizedkeyscommand /usr/bin/keys\n", &account()), "");
        let with_password = Account { has_password: true, ..account() };
        assert_eq!(says("", &with_password), no_way);
        assert_eq!(says("kbdinteractiveauthentication yes\n", &with_password), "");
        let keys = root.path().join("etc/ssh/authorized_keys.d");
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("deploy"), "# none\n\n").unwrap();
        assert_eq!(says("", &account()), no_way);
        fs::write(keys.join("deploy"), "ssh-ed25519 AAAA me\n").unwrap();
        assert_eq!(says("", &account()), "");
        assert_eq!(says("allowusers deploy\n", &account()), "");
        assert!(says("allowusers other\n", &account()).contains("AllowUsers"));
        assert!(says("denyusers deploy\n", &account()).contains("DenyUsers"));
        let root = Account { name: "root".to_owned(), ..account() };
        assert!(says("permitrootlogin no\n", &root).contains("PermitRootLogin"));
    }
}
