//! The tree of a generation: which file stands where, and which links lead there from the host.
//!
//! Pure: from a manifest to data. Nothing here looks at a disk.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::BlobId;
use crate::manifest::{Content, FetchedPackage, File, Manifest, Method, STATE_DIR, Unit};

/// The target that managed units hang on: recovery starts it last at boot.
pub const TARGET: &str = "cairn.target";

/// The folder of managed unit files.
pub const UNIT_DIR: &str = "/etc/systemd/system";

/// Where programs of fetched packages get a link, because every login and unit looks there.
pub const BIN_DIR: &str = "/usr/local/bin";

/// Where other files of fetched packages get a link: man pages, completions.
pub const SHARE_DIR: &str = "/usr/local/share";

/// A generation as a tree, and what the host needs to see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// What the tree holds, by path relative to its root (`etc/motd`), `manifest.json` left out.
    pub tree: BTreeMap<String, Entry>,
    /// Links that stand on the host: absolute path to relative target inside `<state>/current`.
    pub links: BTreeMap<String, String>,
    /// Absolute paths at which a copy of the tree's entry stands instead of a link.
    pub copies: BTreeSet<String>,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its bytes.
        source: Source,
        /// Permission bits.
        mode: u32,
        /// Owner by name or number.
        user: String,
        /// Group by name or number.
        group: String,
    },
    /// A symbolic link with this literal target.
    Link {
        /// The target.
        to: String,
    },
}

/// Where a file's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A blob of the store.
    Blob(BlobId),
    /// The manifest itself.
    Text(String),
}

/// Why a manifest has no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A path that names no place, or none that may be managed.
    #[error("`{path}` cannot be managed: {why}")]
    Path {
        /// The path at fault.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two resources want the same path, or one wants a folder where the other wants a file.
    #[error("`{path}` and `{other}` cannot both be managed: {why}")]
    Collision {
        /// The later path.
        path: String,
        /// The earlier path.
        other: String,
        /// Why they exclude each other.
        why: &'static str,
    },
    /// A mode that is not octal permissions.
    #[error("`{path}` has the mode `{mode}`: four octal digits such as `0644` are expected")]
    Mode {
        /// The file.
        path: String,
        /// Its mode.
        mode: String,
    },
    /// A name that systemd would not load.
    #[error("`{unit}` is not a unit's name: {why}")]
    UnitName {
        /// The name at fault.
        unit: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A name that does not fit where it is written.
    #[error("the name `{name}` of a {what} holds a character that cannot stand there")]
    Name {
        /// What it names.
        what: &'static str,
        /// The name at fault.
        name: String,
    },
}

/// Lays `manifest` out.
///
/// # Errors
/// When a path is not absolute and normal, is reserved, or collides with another; when a mode or a
/// name is malformed.
pub fn layout(manifest: &Manifest) -> Result<Layout, LayoutError> {
    let mut layout = Layout::default();
    for (path, file) in &manifest.files {
        layout.add_file(path, file)?;
    }
    for (name, unit) in &manifest.units {
        layout.add_unit(name, unit, manifest)?;
    }
    layout.add_lines("/etc/tmpfiles.d/cairn.conf", &manifest.directories)?;
    let sysctls: Vec<String> =
        manifest.kernel.sysctl.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    layout.add_lines("/etc/sysctl.d/60-cairn.conf", &sysctls)?;
    let modules: Vec<String> = manifest.kernel.modules.iter().cloned().collect();
    layout.add_lines("/etc/modules-load.d/cairn.conf", &modules)?;
    layout.add_fetched(manifest)?;
    layout.refuse_folders_that_are_files()?;
    manifest.secrets.check()?;
    Ok(layout)
}

impl Layout {
    /// Every absolute path that stands on the host.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.links.keys().chain(&self.copies).map(String::as_str)
    }

    /// The tree's entry for an absolute path of the host.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.tree.get(path.trim_start_matches('/'))
    }

    fn add_file(&mut self, path: &str, file: &File) -> Result<(), LayoutError> {
        check_path(path)?;
        let entry = match &file.content {
            Content::Blob(id) => Entry::File {
                source: Source::Blob(*id),
                mode: parse_mode(path, &file.mode)?,
                user: file.user.clone(),
                group: file.group.clone(),
            },
            Content::To(to) if to.is_empty() || to.contains('\0') => {
                return Err(LayoutError::Path {
                    path: path.to_owned(),
                    why: "the target of the link is empty or holds a NUL",
                });
            }
            Content::To(to) => Entry::Link {
                to: match file.method {
                    Method::Link => from_tree(path, to),
                    Method::Copy => to.clone(),
                },
            },
        };
        self.add(path, entry, file.method)
    }

    fn add_unit(
        &mut self,
        name: &str,
        unit: &Unit,
        manifest: &Manifest,
    ) -> Result<(), LayoutError> {
        check_unit_name(name)?;
        if let Some(text) = &unit.text {
            self.add_text(&format!("{UNIT_DIR}/{name}"), text.clone())?;
        }
        for (wanters, suffix) in [(&unit.wanted_by, "wants"), (&unit.required_by, "requires")] {
            for wanter in
                wanters.iter().map(|wanter| wanter_of(wanter, manifest)).collect::<BTreeSet<_>>()
            {
                check_unit_name(wanter)?;
                let path = format!("{UNIT_DIR}/{wanter}.{suffix}/{name}");
                self.add(&path, Entry::Link { to: definition(name, manifest) }, Method::Link)?;
            }
        }
        Ok(())
    }

    fn add_lines(&mut self, path: &str, lines: &[String]) -> Result<(), LayoutError> {
        if lines.is_empty() {
            return Ok(());
        }
        if let Some(line) = lines.iter().find(|line| line.contains(['\n', '\0'])) {
            return Err(LayoutError::Name { what: "line", name: line.clone() });
        }
        self.add_text(path, lines.join("\n") + "\n")
    }

    fn add_fetched(&mut self, manifest: &Manifest) -> Result<(), LayoutError> {
        for package in manifest.packages.fetched.values() {
            check_name("package's folder", &package.folder)?;
            for name in package.bin.keys() {
                check_name("program", name)?;
                self.add_of_package(package, &format!("bin/{name}"), &format!("{BIN_DIR}/{name}"))?;
            }
            for path in package.files.keys() {
                path.split('/').try_for_each(|part| check_name("package's file", part))?;
                if let Some(rest) = path.strip_prefix("share/") {
                    self.add_of_package(package, path, &format!("{SHARE_DIR}/{rest}"))?;
                }
            }
        }
        Ok(())
    }

    /// What lies at `inside` in a package's folder, seen at `path` on the host.
    fn add_of_package(
        &mut self,
        package: &FetchedPackage,
        inside: &str,
        path: &str,
    ) -> Result<(), LayoutError> {
        let to = format!(
            "{}store/{}/{inside}",
            "../".repeat(2 + inside.matches('/').count()),
            package.folder
        );
        if self.tree.insert(inside.to_owned(), Entry::Link { to }).is_some() {
            return Err(LayoutError::Collision {
                path: inside.to_owned(),
                other: package.folder.clone(),
                why: "two packages bring a file of this name",
            });
        }
        if self.tree.contains_key(path.trim_start_matches('/')) {
            return Err(LayoutError::Collision {
                other: path.to_owned(),
                path: path.to_owned(),
                why: "a file and a package's file want the same path",
            });
        }
        let to = format!("{}{}/current/{inside}", up(path), &STATE_DIR[1..]);
        self.links.insert(path.to_owned(), to);
        Ok(())
    }

    fn add_text(&mut self, path: &str, text: String) -> Result<(), LayoutError> {
        let entry = Entry::File {
            source: Source::Text(text),
            mode: 0o644,
            user: "root".to_owned(),
            group: "root".to_owned(),
        };
        self.add(path, entry, Method::Link)
    }

    fn add(&mut self, path: &str, entry: Entry, method: Method) -> Result<(), LayoutError> {
        let inside = path.trim_start_matches('/').to_owned();
        if self.tree.insert(inside, entry).is_some() {
            return Err(LayoutError::Collision {
                path: path.to_owned(),
                other: path.to_owned(),
                why: "two resources want the same path",
            });
        }
        match method {
            Method::Link => {
                let to = format!("{}{}/current{path}", up(path), &STATE_DIR[1..]);
                self.links.insert(path.to_owned(), to);
            }
            Method::Copy => {
                self.copies.insert(path.to_owned());
            }
        }
        Ok(())
    }

    fn refuse_folders_that_are_files(&self) -> Result<(), LayoutError> {
        let paths: BTreeSet<&str> = self.paths().collect();
        for path in &paths {
            let mut rest = *path;
            while let Some((parent, _)) = rest.rsplit_once('/') {
                if paths.contains(parent) {
                    return Err(LayoutError::Collision {
                        path: (*path).to_owned(),
                        other: parent.to_owned(),
                        why: "one is a file where the other needs a folder",
                    });
                }
                rest = parent;
            }
        }
        Ok(())
    }
}

/// Managed units have their own `.wants`; targets of the system are reached through ours alone, so
/// that nothing managed starts before recovery has decided which generation it is.
fn wanter_of<'a>(wanter: &'a str, manifest: &Manifest) -> &'a str {
    if manifest.units.get(wanter).is_some_and(|unit| unit.text.is_some()) { wanter } else { TARGET }
}

/// What a `.wants` link of `name` leads to; systemd reads only the last part of it.
fn definition(name: &str, manifest: &Manifest) -> String {
    let managed = |unit: &str| manifest.units.get(unit).is_some_and(|unit| unit.text.is_some());
    match template_of(name) {
        _ if managed(name) => format!("../{name}"),
        Some(template) if managed(&template) => format!("../{template}"),
        Some(template) => format!("/lib/systemd/system/{template}"),
        None => format!("/lib/systemd/system/{name}"),
    }
}

/// `getty@.service` for `getty@tty1.service`; none for a unit that is no instance.
pub fn template_of(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

/// `../` for each folder between `path` and the root.
fn up(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}

/// A relative target means what it means at `path`; the link stands in the tree, five folders down.
fn from_tree(path: &str, to: &str) -> String {
    if to.starts_with('/') {
        return to.to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let depth = STATE_DIR.matches('/').count() + 2 + parts.len() - 1;
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    "../".repeat(depth) + &parts.join("/")
}

/// Whether `path` may be managed: absolute, in its one spelling, and nobody else's by nature.
///
/// # Errors
/// [`LayoutError::Path`] with what is wrong.
pub fn check_path(path: &str) -> Result<(), LayoutError> {
    let inside = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let why = if !path.starts_with('/') {
        "it is not absolute"
    } else if path[1..].split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        "it is not in its shortest form"
    } else if path.contains(|c: char| c.is_control()) {
        "it holds a control character"
    } else if inside(STATE_DIR) {
        "it lies in Cairn's own state"
    } else if ["/proc", "/sys", "/dev", "/run"].iter().any(|folder| inside(folder)) {
        "it does not outlive a boot; use a tmpfiles rule"
    } else if ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"].contains(&path) {
        "users and groups are edited entry by entry; declare them as users and groups"
    } else if OWN.contains(&path) {
        "it is Cairn's own unit"
    } else {
        return Ok(());
    };
    Err(LayoutError::Path { path: path.to_owned(), why })
}

/// Units that the activator installs for itself.
const OWN: [&str; 3] = [
    "/etc/systemd/system/cairn.target",
    "/etc/systemd/system/cairn-recover.service",
    "/etc/systemd/system/cairn-settle.service",
];

pub(crate) fn parse_mode(path: &str, mode: &str) -> Result<u32, LayoutError> {
    let octal = mode.len() == 4 && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    u32::from_str_radix(mode, 8)
        .ok()
        .filter(|_| octal)
        .ok_or_else(|| LayoutError::Mode { path: path.to_owned(), mode: mode.to_owned() })
}

fn check_name(what: &'static str, name: &str) -> Result<(), LayoutError> {
    let odd = name.is_empty()
        || name.starts_with('.')
        || name.contains(|c: char| c == '/' || c.is_control());
    if odd { Err(LayoutError::Name { what, name: name.to_owned() }) } else { Ok(()) }
}

fn check_unit_name(unit: &str) -> Result<(), LayoutError> {
    const KINDS: [&str; 9] =
        ["service", "socket", "timer", "path", "target", "mount", "automount", "swap", "slice"];
    let why = match unit.rsplit_once('.') {
        None => "it has no suffix such as `.service`",
        Some(("", _)) => "nothing stands before its suffix",
        Some((_, kind)) if !KINDS.contains(&kind) => "its suffix is not a kind of unit",
        _ if unit.len() > 255 => "it is longer than 255 characters",
        _ if !unit.bytes().all(|c| c.is_ascii_alphanumeric() || b":-_.\\@".contains(&c)) => {
            "only ASCII letters, digits and `:-_.\\@` may stand in it"
        }
        _ => return Ok(()),
    };
    Err(LayoutError::UnitName { unit: unit.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(content: &str) -> File {
        File {
            content: Content::Blob(BlobId::of(content.as_bytes())),
            mode: "0644".to_owned(),
            user: "root".to_owned(),
            group: "root".to_owned(),
            method: Method::Link,
        }
    }

    fn unit(wanted_by: &[&str]) -> Unit {
        Unit {
            text: Some("[Service]\n".to_owned()),
            wanted_by: wanted_by.iter().map(|name| (*name).to_owned()).collect(),
            ..Unit::default()
        }
    }

    #[test]
    fn links_lead_into_the_current_generation() {
        let mut manifest = Manifest::empty("demo");
        manifest.files.insert("/etc/a/b".to_owned(), blob("x"));
        manifest.files.insert("/top".to_owned(), blob("x"));
        manifest.kernel.sysctl.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
        manifest.units.insert("a.service".to_owned(), unit(&["multi-user.target"]));
        manifest.units.insert("b.service".to_owned(), unit(&["a.service"]));
        let layout = layout(&manifest).unwrap();
        let links: Vec<String> =
            layout.links.iter().map(|(path, to)| format!("{path} -> {to}")).collect();
        insta::assert_snapshot!(links.join("\n"), @"
/etc/a/b -> ../../var/lib/cairn/current/etc/a/b
/etc/sysctl.d/60-cairn.conf -> ../../var/lib/cairn/current/etc/sysctl.d/60-cairn.conf
/etc/systemd/system/a.service -> ../../../var/lib/cairn/current/etc/systemd/system/a.service
/etc/systemd/system/a.service.wants/b.service -> ../../../../var/lib/cairn/current/etc/systemd/system/a.service.wants/b.service
/etc/systemd/system/b.service -> ../../../var/lib/cairn/current/etc/systemd/system/b.service
/etc/systemd/system/cairn.target.wants/a.service -> ../../../../var/lib/cairn/current/etc/systemd/system/cairn.target.wants/a.service
/top -> var/lib/cairn/current/top
");
        assert_eq!(
            layout.entry("/etc/systemd/system/cairn.target.wants/a.service"),
            Some(&Entry::Link { to: "../a.service".to_owned() })
        );
    }

    #[test]
    fn a_relative_target_means_what_it_means_at_its_path() {
        assert_eq!(
            from_tree("/etc/localtime", "../usr/share/zoneinfo/UTC"),
            "../../../../../../usr/share/zoneinfo/UTC"
        );
        assert_eq!(from_tree("/etc/localtime", "/usr"), "/usr");
    }

    #[test]
    fn instances_want_their_template() {
        assert_eq!(template_of("getty@tty1.service").as_deref(), Some("getty@.service"));
        assert_eq!(template_of("getty@.service"), None);
        assert_eq!(template_of("a.service"), None);
    }

    #[test]
    fn refuses_what_has_no_place() {
        let files = |paths: &[&str]| {
            let mut manifest = Manifest::empty("demo");
            for path in paths {
                manifest.files.insert((*path).to_owned(), blob("x"));
            }
            layout(&manifest).unwrap_err().to_string()
        };
        let units = |name: &str| {
            let mut manifest = Manifest::empty("demo");
            manifest.units.insert(name.to_owned(), unit(&[]));
            layout(&manifest).unwrap_err().to_string()
        };
        let said = [
            files(&["etc/motd"]),
            files(&["/etc/../x"]),
            files(&["/etc/"]),
            files(&["/var/lib/cairn/current"]),
            files(&["/run/x"]),
            files(&["/etc/passwd"]),
            files(&["/etc/a", "/etc/a/b"]),
            units("a"),
            units("../a.service"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
`etc/motd` cannot be managed: it is not absolute
`/etc/../x` cannot be managed: it is not in its shortest form
`/etc/` cannot be managed: it is not in its shortest form
`/var/lib/cairn/current` cannot be managed: it lies in Cairn's own state
`/run/x` cannot be managed: it does not outlive a boot; use a tmpfiles rule
`/etc/passwd` cannot be managed: users and groups are edited entry by entry; declare them as users and groups
`/etc/a/b` and `/etc/a` cannot both be managed: one is a file where the other needs a folder
`a` is not a unit's name: it has no suffix such as `.service`
`../a.service` is not a unit's name: only ASCII letters, digits and `:-_.\@` may stand in it
");
    }
}
