//! `config.resources` becomes a [`Manifest`]: everything that the module system's types cannot see
//! is checked here, and every fault is told at once.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::manifest::{FetchedPackage, STATE_DIR};
use cairn_generation::{BlobId, Manifest};
use cairn_lang::{Data, Diagnostic, Span, VirtualPath};

mod checks;
mod files;
mod kernel;
mod order;
mod packages;
mod raw;
mod secrets;
mod units;
mod users;

pub use packages::Recipe;
pub(crate) use packages::is_debian_name;
pub(crate) use secrets::opens;
pub use secrets::{ReadFile, SecretFile};

/// Where the definition of a resource is: asked only when something is wrong with it.
pub trait Places {
    /// The best place for `resources.<path>`, or for the nearest part of it that has one.
    fn place(&self, path: &[&str]) -> Span;
}

/// What a blob is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobSource {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file of the fleet, or of the standard modules.
    File(VirtualPath),
}

/// A manifest, and what is needed to make its blobs. Programs of fetched packages are still to be
/// put in.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The manifest; `packages.fetched` is empty.
    pub manifest: Manifest,
    /// Every blob that the manifest names.
    pub blobs: BTreeMap<BlobId, BlobSource>,
    /// Packages to fetch, by name.
    pub recipes: BTreeMap<String, Recipe>,
    /// What is worth knowing and no fault.
    pub warnings: Vec<Diagnostic>,
    /// The SOPS files that secrets are in.
    pub secret_files: Vec<SecretFile>,
}

impl Draft {
    /// Puts a fetched package's programs in.
    pub fn add_programs(&mut self, name: &str, package: FetchedPackage) {
        self.manifest.packages.fetched.insert(name.to_owned(), package);
    }
}

/// Makes the manifest of `host` from its `config.resources`. `known` are the files that strings of
/// the configuration may refer to by their place in the node's store. Of a host with errors, `partial`
/// names the kinds of which some are missing: nothing is said about references to those. `surroundings`
/// are where definitions are, and the files that they name.
///
/// # Errors
/// Every fault in the resources.
pub fn draft(
    host: &str,
    resources: &Data,
    known: &BTreeMap<String, VirtualPath>,
    surroundings: (&dyn Places, &dyn ReadFile),
    partial: &BTreeSet<String>,
) -> Result<Draft, Vec<Diagnostic>> {
    let raw = raw::Resources::read(resources).map_err(|error| vec![misshapen(&error)])?;
    let mut work = Work {
        draft: Draft {
            manifest: Manifest::empty(host),
            blobs: BTreeMap::new(),
            recipes: BTreeMap::new(),
            warnings: Vec::new(),
            secret_files: Vec::new(),
        },
        known,
        places: surroundings.0,
        files: surroundings.1,
        partial,
        problems: Vec::new(),
    };
    // Edges and references look at all the others, so they come last.
    packages::add(&mut work, &raw.packages);
    files::add(&mut work, &raw.files);
    units::add(&mut work, &raw.units);
    users::add(&mut work, &raw);
    kernel::add(&mut work, &raw);
    checks::add(&mut work, &raw.checks);
    secrets::add(&mut work, resources, &raw);
    if partial.is_empty() {
        order::add(&mut work, &raw.order);
    }
    // What the tree cannot hold although each resource alone is right: two that want one path.
    if work.problems.is_empty()
        && let Err(error) = cairn_generation::layout::layout(&work.draft.manifest)
    {
        let help = "two resources, or what they stand for, want the same place: rename one";
        work.fault("resource::collision", &[], error.to_string(), help);
    }
    if work.problems.is_empty() { Ok(work.draft) } else { Err(work.problems) }
}

/// Whether a fault is that something is not there, which it may be because of another error.
pub(crate) fn is_about_absence(code: &str) -> bool {
    const CODES: [&str; 9] = [
        "check::incomplete",
        "file::no-content",
        "order::unknown-resource",
        "package::no-program",
        "package::not-installed",
        "secret::unknown-owner",
        "secret::unknown-placeholder",
        "secret::unknown-unit",
        "user::unknown-group",
    ];
    CODES.contains(&code) || code.starts_with("resource::")
}

fn misshapen(error: &serde::de::value::Error) -> Diagnostic {
    Diagnostic::error(
        "resource::shape",
        Span::NONE,
        format!("`config.resources` is not what the compiler expects: {error}"),
    )
    .with_help("this is a fault of the standard modules, not of the fleet: please report it")
}

/// A manifest in the making.
struct Work<'w> {
    draft: Draft,
    known: &'w BTreeMap<String, VirtualPath>,
    places: &'w dyn Places,
    files: &'w dyn ReadFile,
    /// Kinds of resources of which some are missing.
    partial: &'w BTreeSet<String>,
    problems: Vec<Diagnostic>,
}

impl Work<'_> {
    /// Notes a fault of `resources.<path>`.
    fn fault(&mut self, code: &str, path: &[&str], message: String, help: &str) {
        let span = self.places.place(path);
        self.problems.push(Diagnostic::error(code, span, message).with_help(help));
    }

    /// Notes something about `resources.<path>` that is no fault.
    fn warn(&mut self, code: &str, path: &[&str], message: String, help: &str) {
        let span = self.places.place(path);
        self.draft.warnings.push(Diagnostic::warning(code, span, message).with_help(help));
    }

    /// Notes a fault of `resources.<path>` that `other` has a part in.
    fn clash(&mut self, code: &str, path: &[&str], message: String, other: &[&str], help: &str) {
        let (span, related) = (self.places.place(path), self.places.place(other));
        let fault = Diagnostic::error(code, span, message).with_help(help);
        self.problems.push(fault.with_related(related, "the other one is here"));
    }

    /// The blob of a text.
    fn blob(&mut self, text: &str) -> BlobId {
        let id = BlobId::of(text.as_bytes());
        let source = || BlobSource::Bytes(text.as_bytes().to_vec());
        self.draft.blobs.entry(id).or_insert_with(source);
        id
    }

    /// The blob of the file that `place` is in the node's store, if it is one that evaluation has
    /// met.
    fn stored(&mut self, place: &str) -> Option<BlobId> {
        let hex = place.strip_prefix(STATE_DIR)?.strip_prefix("/store/")?;
        let file = self.known.get(hex)?;
        let id = hex.parse().ok()?;
        self.draft.blobs.entry(id).or_insert_with(|| BlobSource::File(file.clone()));
        Some(id)
    }

    /// Ships whatever of the store `text` names, as Nix finds references: by looking for their
    /// hashes. `path` is the resource that the text is part of.
    fn scan(&mut self, path: &[&str], text: &str) {
        if let Some((_, name)) = text.split_once("<fleet>/") {
            let name: String = name.chars().take_while(|c| !c.is_whitespace()).collect();
            let message =
                format!("`{name}` is named here by its place in the fleet, which no host has");
            let help = "write `\"${./file}\"` for the place of its content on the host, not `toString ./file`; \
                        `baseNameOf` gives its name";
            self.fault("file::name-in-text", path, message, help);
        }
        let prefix = format!("{STATE_DIR}/store/");
        let mut unknown = BTreeSet::new();
        for (start, _) in text.match_indices(&prefix) {
            let rest = text.get(start + prefix.len()..).unwrap_or_default();
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._+".contains(c)));
            let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let hex = name.get(..64).unwrap_or(name);
            if let Some(id) = self.stored(&format!("{prefix}{hex}")) {
                self.draft.manifest.references.insert(id);
            } else if !self.draft.recipes.values().any(|recipe| recipe.folder == name) {
                unknown.insert(name);
            }
        }
        if self.partial.contains("packages") {
            return;
        }
        for name in unknown {
            let package = name.split_once('-').map(|(_, package)| package);
            let message = match package {
                Some(package) => format!("the package `{package}` is used here but not installed"),
                None => format!("nothing of this fleet is stored as `{name}` on the host"),
            };
            let help = "add the package to `environment.systemPackages`, or name files by their \
                        path in the fleet";
            self.fault("package::not-installed", path, message, help);
        }
    }
}

#[cfg(test)]
mod tests;
