//! Package files that a generation brings: Debian packages at exact versions, without a network.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use cairn_generation::BlobId;
use cairn_generation::manifest::DebianPackage;

use super::command::Run;
use crate::error::{Error, io};
use crate::origin::Origin;
use crate::state::State;

/// Whether what is installed will do for what the generation has of a package. A dependency that the
/// host had before Cairn may be newer; whatever Cairn installed is at exactly its version.
///
/// # Errors
/// When dpkg cannot compare versions.
pub(crate) fn will_do(
    name: &str,
    there: &str,
    package: &DebianPackage,
    origin: &Origin,
) -> Result<bool, Error> {
    let Some(wanted) = &package.version else { return Ok(true) };
    if there == wanted {
        return Ok(true);
    }
    if !package.dependency || origin.packages.contains(name) {
        return Ok(false);
    }
    let newer = Run::new("dpkg").args(["--compare-versions", there, "gt", wanted]).end()?;
    Ok(newer.success)
}

/// Package files where apt takes them: it asks for their customary names.
pub(crate) struct Debs {
    folder: PathBuf,
    files: BTreeMap<String, PathBuf>,
}

impl Debs {
    /// Lays links to the files out, by package, in a folder that is made anew each time. apt takes any file
    /// that it is given for what it says it is: they are verified here.
    ///
    /// # Errors
    /// When one is not what it was, or the file system refuses.
    pub(crate) fn lay_out(
        state: &State,
        packages: BTreeMap<String, BlobId>,
    ) -> Result<Debs, Error> {
        let folder = state.file("debs");
        let lists = folder.join("lists/partial");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(io("empty", &folder))?;
        }
        let mut files = BTreeMap::new();
        let store = state.store()?;
        for (name, blob) in packages {
            store.verify(&blob).map_err(|error| {
                Error::refused(format!(
                    "the file of the package {name} does not do any more, because {error}: switch to this \
                     generation from its sources instead"
                ))
            })?;
            if files.is_empty() {
                fs::create_dir_all(&lists).map_err(io("make", &lists))?;
            }
            let link = folder.join(format!("{name}.deb"));
            let target = state.store_folder().join(blob.to_string());
            symlink(&target, &link).map_err(io("link", &link))?;
            files.insert(name, link);
        }
        Ok(Debs { folder, files })
    }

    /// How apt is told to install a package: by its file.
    pub(crate) fn argument(&self, name: &str) -> Option<String> {
        Some(self.files.get(name)?.display().to_string())
    }

    /// What keeps apt to these files: no archive, no network, no cache of either.
    pub(crate) fn options(&self) -> Vec<String> {
        if self.files.is_empty() {
            return Vec::new();
        }
        vec![
            "-oDir::Etc::sourcelist=/dev/null".to_owned(),
            "-oDir::Etc::sourceparts=/dev/null".to_owned(),
            format!("-oDir::State::lists={}", self.folder.join("lists").display()),
            "-oDir::Cache::pkgcache=".to_owned(),
            "-oDir::Cache::srcpkgcache=".to_owned(),
            "-oAPT::Sandbox::User=root".to_owned(),
        ]
    }
}

impl Drop for Debs {
    fn drop(&mut self) {
        // What is left is emptied the next time.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
