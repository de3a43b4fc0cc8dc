//! Debian packages by name, and fetched ones by their recipe.

use std::collections::BTreeMap;

use cairn_generation::manifest::{DebianPackage, STATE_DIR};
use cairn_lang::Span;

use super::{Work, raw};

/// How a fetched package is made: what is downloaded, and what of it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Folder in the node's store.
    pub folder: String,
    /// Version as its publisher writes it.
    pub version: Option<String>,
    /// Where its publisher has it: `file:`, `http:` or `https:`.
    pub url: String,
    /// The publisher's list of hashes.
    pub checksums: Option<String>,
    /// SHA-256 of the download, in hex; none where neither the fleet nor its lock has one.
    pub sha256: Option<String>,
    /// Whether the hash is the lock's, and not the fleet's own.
    pub locked: bool,
    /// Programs: name on the path, and the member of the archive; none where the download itself
    /// is the program.
    pub bin: BTreeMap<String, Option<String>>,
    /// Other files, by their path in the package's folder.
    pub files: BTreeMap<String, Option<String>>,
    /// Where the package is added to the host.
    pub span: Span,
}

pub(super) fn add(work: &mut Work<'_>, packages: &raw::Packages) {
    for (name, package) in &packages.debian {
        let at = ["packages", "debian", name.as_str()];
        if !is_debian_name(name) {
            let message = format!("`{name}` is no name of a Debian package");
            let help = "names hold lower-case letters, digits and `+ - .`, as `apt-cache search` \
                        shows them";
            work.fault("package::bad-name", &at, message, help);
        } else if package.sha256.as_deref().is_some_and(|hash| !is_sha256(hash)) {
            let message = format!("the hash of `{name}` is no SHA-256");
            work.fault("package::bad-hash", &at, message, "write 64 hexadecimal digits");
        } else {
            let (version, sha256) = (package.version.clone(), package.sha256.clone());
            let package = DebianPackage { version, sha256, ..DebianPackage::default() };
            work.draft.manifest.packages.debian.insert(name.clone(), package);
        }
    }
    for (name, package) in &packages.fetched {
        add_fetched(work, name, package);
    }
}

fn add_fetched(work: &mut Work<'_>, name: &str, package: &raw::FetchedPackage) {
    let at = ["packages", "fetched", name];
    let place = package.out_path.strip_prefix(STATE_DIR);
    let Some(folder) = place.and_then(|rest| rest.strip_prefix("/store/")) else {
        let message = format!("the package `{}` was not made by `lib.fetchPackage`", package.name);
        work.fault("package::bad-recipe", &at, message, "make it with `lib.fetchPackage { … }`");
        return;
    };
    if package.bin.is_empty() && package.files.is_empty() {
        let message = format!("the package `{name}` has no program");
        let help = "say which in `bin = { <name on the path> = <member of the archive>; }`";
        work.fault("package::no-program", &at, message, help);
        return;
    }
    if let Some(bad) = package.bin.keys().find(|program| !is_program_name(program)) {
        let message = format!("`{bad}` is no name of a program");
        work.fault("package::bad-program", &at, message, "names have no `/` and no leading dot");
        return;
    }
    if let Some(bad) = package.files.keys().find(|path| !is_path_inside(path)) {
        let message = format!("`{bad}` is no path in a package");
        let help = "write one such as `share/man/man1/age.1`, without `..` and outside of `bin`";
        work.fault("package::bad-file", &at, message, help);
        return;
    }
    let recipe = Recipe {
        folder: folder.to_owned(),
        version: package.version.clone(),
        url: package.url.clone(),
        checksums: package.checksums.clone(),
        sha256: package.sha256.clone(),
        locked: package.locked,
        bin: package.bin.clone(),
        files: package.files.clone(),
        span: work.places.place(&at),
    };
    work.draft.recipes.insert(name.to_owned(), recipe);
}

pub(crate) fn is_debian_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
    name.len() > 1
        && name.bytes().all(allowed)
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Programs are told apart from other files by their folder.
fn is_path_inside(path: &str) -> bool {
    path.split('/').all(is_program_name) && !path.starts_with("bin/")
}

fn is_program_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0', '\n'])
}
