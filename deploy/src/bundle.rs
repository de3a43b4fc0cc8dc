//! Generations in one file, for hosts that no deployer reaches.
//!
//! A tar archive, compressed with zstd: `bundle.json` says which hosts are in it and how each is to be
//! switched; `generations/<id>.json` are their manifests, `blobs/<id>` what these name, and
//! `activators/cairn-activator-<architecture>` the programs that switch. Whoever has a bundle can be
//! sure that it is whole, not who made it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use cairn_generation::wire::Mode;
use cairn_generation::{BlobId, GenerationId, Manifest, Store};
use serde::{Deserialize, Serialize};

use crate::activator::Activators;
use crate::deployer::{Generation, Switch};
use crate::error::Cause;

/// The version of the format.
const VERSION: u32 = 1;

const INDEX: &str = "bundle.json";

/// What is in a bundle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    version: u32,
    hosts: BTreeMap<String, Entry>,
    /// SHA-256 of each activator, by architecture.
    activators: BTreeMap<String, String>,
}

/// How a host is to be switched, as its fleet says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    confirm_timeout: u32,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    adopt: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_lockout: bool,
}

/// An open bundle, its content in a folder.
#[derive(Debug)]
pub struct Bundle {
    /// Hosts by name: the generation, and how it is switched to.
    pub hosts: BTreeMap<String, (Generation, Switch)>,
    /// The programs that switch.
    pub activators: Activators,
}

/// Why a bundle cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// It is no bundle, or damaged.
    #[error("{path} is no whole bundle: {message}")]
    Malformed {
        /// The bundle.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// There is no activator to put in.
    #[error("{}", .0)]
    Activator(Cause),
}

impl BundleError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            BundleError::Io { .. } => "check its permissions, and the disk's free space",
            BundleError::Malformed { .. } => "take it again from where `cairn bundle` wrote it",
            BundleError::Activator(_) => "name the folder of the activators with --activator",
        }
    }
}

/// Writes a bundle to `path`, whole or not at all.
///
/// # Errors
/// When something of it cannot be read, or the file not be written.
pub fn write(
    path: &Path,
    hosts: &[(String, Generation, Switch)],
    activators: &Path,
) -> Result<(), BundleError> {
    let kept = Activators::in_folder(activators).map_err(BundleError::Activator)?;
    let at = |source| BundleError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = tempfile::Builder::new()
        .prefix(".cairn-bundle-")
        .tempfile_in(folder.unwrap_or(".".as_ref()));
    let file =
        file.as_mut().map_err(|error| at(io::Error::new(error.kind(), error.to_string())))?;
    let mut pack = || {
        let mut zstd = zstd::Encoder::new(BufWriter::new(file.as_file_mut()), 3)?;
        // For what has no hash of its own: the index.
        zstd.include_checksum(true)?;
        let mut tar = tar::Builder::new(zstd);
        let hosts_of = hosts.iter().map(entry).collect();
        let index = Index { version: VERSION, hosts: hosts_of, activators: kept.hashes() };
        member(&mut tar, INDEX, serde_json::to_string_pretty(&index)?.as_bytes())?;
        for architecture in kept.architectures() {
            let name = format!("cairn-activator-{architecture}");
            tar.append_path_with_name(activators.join(&name), format!("activators/{name}"))?;
        }
        let mut packed = BTreeSet::new();
        for (_, generation, _) in hosts {
            let manifest = format!("generations/{}.json", generation.id);
            member(&mut tar, &manifest, generation.manifest.as_bytes())?;
            for blob in generation.blobs.iter().filter(|blob| packed.insert(**blob)) {
                let mut content = File::open(generation.store.path(blob))?;
                tar.append_file(format!("blobs/{blob}"), &mut content)?;
            }
        }
        tar.into_inner()?.finish()?.flush()?;
        file.as_file().sync_all()
    };
    pack().map_err(at)?;
    persist(file, path).map_err(at)
}

fn persist(file: &mut tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(file.path(), path)
}

fn entry((host, generation, switch): &(String, Generation, Switch)) -> (String, Entry) {
    let entry = Entry {
        id: generation.id.to_string(),
        confirm_timeout: switch.confirm_timeout,
        adopt: switch.adopt.clone(),
        allow_lockout: switch.allow_lockout,
    };
    (host.clone(), entry)
}

fn member(tar: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, name, content)
}

/// Reads the bundle at `path` into `folder`, which is the caller's to remove. `mode` is how far hosts
/// are to be switched.
///
/// # Errors
/// When it cannot be read, or is not whole: what is in it is hashed.
pub fn read(path: &Path, folder: &Path, mode: Mode) -> Result<Bundle, BundleError> {
    let malformed = |message: String| BundleError::Malformed { path: path.to_owned(), message };
    let file =
        File::open(path).map_err(|source| BundleError::Io { path: path.to_owned(), source })?;
    let store = Store::open(folder.join("store")).map_err(|error| malformed(error.to_string()))?;
    let programs = folder.join("activators");
    std::fs::create_dir_all(&programs)
        .map_err(|source| BundleError::Io { path: programs.clone(), source })?;
    let mut parts = Parts { store, programs, index: None, manifests: BTreeMap::new() };
    parts.unpack(BufReader::new(file)).map_err(malformed)?;
    let hosts = parts.hosts(mode).map_err(malformed)?;
    let activators = Activators::in_folder(&parts.programs).map_err(BundleError::Activator)?;
    // They run as root before anything else of the bundle is looked at.
    if parts.index.as_ref().is_none_or(|index| index.activators != activators.hashes()) {
        return Err(malformed("its activators are not those that it names".to_owned()));
    }
    Ok(Bundle { hosts, activators })
}

/// What has been taken out of a bundle.
struct Parts {
    store: Store,
    programs: PathBuf,
    index: Option<Index>,
    manifests: BTreeMap<GenerationId, String>,
}

impl Parts {
    fn unpack(&mut self, file: impl Read) -> Result<(), String> {
        let said = |error: io::Error| error.to_string();
        let mut tar = tar::Archive::new(zstd::Decoder::new(file).map_err(said)?);
        for entry in tar.entries().map_err(said)? {
            let mut entry = entry.map_err(said)?;
            let name = entry.path().map_err(said)?.display().to_string();
            self.keep(&name, &mut entry)?;
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, content: &mut impl Read) -> Result<(), String> {
        let said = |error: io::Error| format!("{name}: {error}");
        let mut text = || {
            let mut text = String::new();
            content.read_to_string(&mut text).map_err(said).map(|_| text)
        };
        match name.split_once('/') {
            None if name == INDEX => {
                let index: Index =
                    serde_json::from_str(&text()?).map_err(|error| error.to_string())?;
                if index.version != VERSION {
                    return Err(format!("its version is {}, not {VERSION}", index.version));
                }
                self.index = Some(index);
            }
            Some(("generations", _)) => {
                let text = text()?;
                self.manifests.insert(GenerationId::of(text.as_bytes()), text);
            }
            Some(("blobs", id)) => {
                let id: BlobId = id.parse().map_err(|_| format!("{name} is no name of a blob"))?;
                // Not flushed: a host keeps its own copy, and hashes it again.
                self.store.put_unflushed(&id, content).map_err(|error| error.to_string())?;
            }
            Some(("activators", program)) if is_plain(program) => {
                let place = self.programs.join(program);
                let mut file = File::create(place).map_err(said)?;
                io::copy(content, &mut file).map_err(said)?;
            }
            _ => return Err(format!("`{name}` is nothing of a bundle")),
        }
        Ok(())
    }

    fn hosts(&self, mode: Mode) -> Result<BTreeMap<String, (Generation, Switch)>, String> {
        let Some(index) = &self.index else { return Err(format!("it has no {INDEX}")) };
        let mut hosts = BTreeMap::new();
        for (host, entry) in &index.hosts {
            let known = self.manifests.iter().find(|(id, _)| id.to_string() == entry.id);
            let Some((id, text)) = known else {
                return Err(format!("it has no generation {} for {host}", entry.id));
            };
            let (_, manifest) =
                Manifest::decode(text.as_bytes()).map_err(|error| error.to_string())?;
            let blobs = manifest.blobs();
            if let Some(missing) = blobs.iter().find(|blob| !self.store.has(blob)) {
                return Err(format!("it has no blob {missing}, which {host} needs"));
            }
            let manifest = text.as_str().into();
            let generation = Generation { id: *id, manifest, blobs, store: self.store.clone() };
            let switch = Switch {
                mode,
                confirm_timeout: entry.confirm_timeout,
                adopt: entry.adopt.clone(),
                allow_lockout: entry.allow_lockout,
            };
            hosts.insert(host.clone(), (generation, switch));
        }
        Ok(hosts)
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, PathBuf, BlobId) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path().join("store")).expect("a store");
        let blob = store.put(b"hello\n").expect("kept");
        let mut manifest = Manifest::empty("demo");
        manifest.references.insert(blob);
        let (id, text) = manifest.encode().expect("encoded");
        let manifest = String::from_utf8(text).expect("UTF-8").as_str().into();
        let generation = Generation { id, manifest, blobs: [blob].into(), store };
        let switch = Switch {
            mode: Mode::Switch,
            confirm_timeout: 30,
            adopt: BTreeSet::from(["/etc/motd".to_owned()]),
            allow_lockout: false,
        };
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).expect("a folder");
        std::fs::write(programs.join("cairn-activator-x86_64"), "program").expect("written");
        let path = folder.path().join("demo.bundle");
        write(&path, &[("demo".to_owned(), generation, switch)], &programs).expect("written");
        (folder, path, blob)
    }

    #[test]
    fn what_is_written_is_read() {
        let (folder, path, blob) = world();
        let bundle = read(&path, &folder.path().join("in"), Mode::Boot).expect("a bundle");
        let (generation, switch) = &bundle.hosts["demo"];
        assert_eq!(generation.store.get(&blob).expect("a blob"), b"hello\n");
        assert_eq!((switch.mode, switch.confirm_timeout), (Mode::Boot, 30));
        assert!(switch.adopt.contains("/etc/motd"));
        assert_eq!(bundle.activators.architectures(), ["x86_64"]);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let (folder, path, blob) = world();
        let packed = zstd::decode_all(File::open(&path).expect("open")).expect("unpacked");
        let refused = |bytes: &[u8]| {
            let path = folder.path().join("bad.bundle");
            std::fs::write(&path, zstd::encode_all(bytes, 1).expect("packed")).expect("written");
            let into = tempfile::tempdir().expect("a folder");
            let error = read(&path, into.path(), Mode::Switch).expect_err("refused").to_string();
            error
                .replace(&folder.path().display().to_string(), "")
                .replace(&blob.to_string(), "<blob>")
        };
        let at = packed.windows(6).position(|bytes| bytes == b"hello\n").expect("the blob");
        for part in [&b"hello\n"[..], b"program", b"demo\",\"references"] {
            let at = packed.windows(part.len()).position(|bytes| bytes == part).expect("the part");
            let mut other = packed.clone();
            other[at] = b'j';
            assert!(refused(&other).contains("is no whole bundle"), "{}", refused(&other));
        }
        assert!(refused(&packed[..at]).contains("is no whole bundle"));
        assert!(refused(b"").contains("it has no bundle.json"));
        std::fs::write(&path, "words").expect("written");
        assert!(read(&path, folder.path(), Mode::Switch).is_err());
    }
}
