//! The folder in which a node keeps its generations, and which of them it is in.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cairn_generation::layout::{Layout, layout};
use cairn_generation::manifest::STATE_DIR;
use cairn_generation::{GenerationId, Manifest, Store};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::{Error, io};

/// Paths of a node's state, under its root.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
    folder: PathBuf,
}

/// A generation that lies on the node.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Its number; 0 is the host as found.
    pub number: u64,
    /// Its id; none for generation 0.
    pub id: Option<GenerationId>,
    /// What it holds.
    pub manifest: Manifest,
    /// The manifest's canonical text; empty for generation 0.
    pub text: Vec<u8>,
    /// Its tree.
    pub layout: Layout,
}

/// Which number each id has, for ever: numbers only grow, and an id that comes back keeps its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Numbers {
    last: u64,
    ids: BTreeMap<GenerationId, u64>,
}

impl Generation {
    /// The host as found.
    pub fn zero() -> Self {
        Self {
            number: 0,
            id: None,
            manifest: Manifest::empty(""),
            text: Vec::new(),
            layout: Layout::default(),
        }
    }

    /// A generation from its manifest's text.
    pub fn decode(number: u64, text: &[u8]) -> Result<Self, Error> {
        let (id, manifest) = Manifest::decode(text)?;
        let layout = layout(&manifest)?;
        Ok(Self { number, id: Some(id), manifest, text: text.to_vec(), layout })
    }

    /// Name of its folder: `<number>-<id>`, or `0`.
    pub fn folder(&self) -> String {
        match self.id {
            Some(id) => format!("{}-{id}", self.number),
            None => self.number.to_string(),
        }
    }
}

impl State {
    /// The state of the node whose root is `root`.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), folder: root.join(&STATE_DIR[1..]) }
    }

    /// Makes the folders of an untouched node, and puts it in generation 0.
    pub fn init(&self, disk: &Disk) -> Result<(), Error> {
        if fs::symlink_metadata(self.confirmed_link()).is_ok() {
            return Ok(());
        }
        disk.create_dirs(&self.folder, 0o755)?;
        disk.create_dir(&self.store_folder(), 0o711)?;
        disk.create_dir(&self.generations(), 0o755)?;
        disk.create_dir(&self.tree("0"), 0o755)?;
        for link in [self.current_link(), self.confirmed_link()] {
            if fs::symlink_metadata(&link).is_err() {
                disk.replace_link(&link, "generations/0")?;
            }
        }
        disk.sync_fs(&self.folder)
    }

    /// Where an absolute path of the host lies.
    pub fn host(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The node's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the state.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The state's own folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of blobs.
    pub fn store_folder(&self) -> PathBuf {
        self.file("store")
    }

    /// The blobs.
    pub fn store(&self) -> Result<Store, Error> {
        Ok(Store::open(self.store_folder())?)
    }

    /// The folder of all generations.
    pub fn generations(&self) -> PathBuf {
        self.file("generations")
    }

    /// The tree in the folder of this name.
    pub fn tree(&self, folder: &str) -> PathBuf {
        self.generations().join(folder)
    }

    /// The link that decides what every managed path shows.
    pub fn current_link(&self) -> PathBuf {
        self.file("current")
    }

    /// The link to what a boot comes up in.
    pub fn confirmed_link(&self) -> PathBuf {
        self.file("confirmed")
    }

    /// The link to what the next boot tries, once.
    pub fn next_link(&self) -> PathBuf {
        self.file("next")
    }

    /// Number of the generation that a link leads to; none when it leads to no generation.
    pub fn number_at(&self, link: &Path) -> Option<u64> {
        let target = fs::read_link(link).ok()?;
        number_of(target.file_name()?.to_str()?)
    }

    /// The generation that managed paths show; the confirmed one while a bridge stands in.
    pub fn current(&self) -> Result<Generation, Error> {
        match self.number_at(&self.current_link()) {
            Some(number) => self.load(number),
            None => self.confirmed(),
        }
    }

    /// The generation that a boot comes up in; generation 0 on an untouched node.
    pub fn confirmed(&self) -> Result<Generation, Error> {
        self.load(self.number_at(&self.confirmed_link()).unwrap_or(0))
    }

    /// A kept generation, its manifest checked against its id.
    pub fn load(&self, number: u64) -> Result<Generation, Error> {
        if number == 0 {
            return Ok(Generation::zero());
        }
        let Some(id) = self.kept()?.get(&number).copied() else {
            return Err(Error::NoGeneration { wanted: number.to_string() });
        };
        let path = self.tree(&format!("{number}-{id}")).join("manifest.json");
        let text = fs::read(&path).map_err(io("read", &path))?;
        if GenerationId::of(&text) != id {
            let why = "its manifest has another hash".to_owned();
            return Err(Error::Damaged { number, id, why });
        }
        Generation::decode(number, &text)
    }

    /// Numbers and ids of the generations that lie on the node.
    pub fn kept(&self) -> Result<BTreeMap<u64, GenerationId>, Error> {
        let folder = self.generations();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            other => other.map_err(io("read", &folder))?,
        };
        let mut kept = BTreeMap::new();
        for entry in entries {
            let name = entry.map_err(io("read", &folder))?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('-'));
            if let Some((number, id)) = parts
                && let (Ok(number), Ok(id)) = (number.parse(), id.parse())
            {
                kept.insert(number, id);
            }
        }
        Ok(kept)
    }

    /// The kept generation that `wanted` names: its number, its id, or the first digits of the id.
    pub fn find(&self, wanted: &str) -> Result<Generation, Error> {
        let kept = self.kept()?;
        let no_generation = || Error::NoGeneration { wanted: wanted.to_owned() };
        if let Ok(number) = wanted.parse::<u64>()
            && (number == 0 || kept.contains_key(&number))
        {
            return self.load(number);
        }
        let mut matching =
            kept.iter().filter(|(_, id)| wanted.len() >= 4 && id.to_string().starts_with(wanted));
        match (matching.next(), matching.next()) {
            (Some((number, _)), None) => self.load(*number),
            (Some(_), Some(_)) => Err(Error::refused(format!(
                "`{wanted}` begins the ids of several generations: give more digits"
            ))),
            _ => Err(no_generation()),
        }
    }

    /// The number of this id, drawn now if it never had one. Durable when it returns.
    pub fn number(&self, disk: &Disk, id: &GenerationId) -> Result<u64, Error> {
        let path = self.file("numbers.json");
        let mut numbers: Numbers = read_json(&path)?.unwrap_or_default();
        if let Some(number) = numbers.ids.get(id) {
            return Ok(*number);
        }
        let last = numbers.last.max(self.kept()?.keys().last().copied().unwrap_or(0)) + 1;
        numbers.last = last;
        numbers.ids.insert(*id, last);
        write_json(disk, &path, &numbers)?;
        Ok(last)
    }
}

/// The number in a folder's name: `12-<id>` or `0`.
fn number_of(folder: &str) -> Option<u64> {
    folder.split_once('-').map_or(folder, |(number, _)| number).parse().ok()
}

/// Reads one of our own files; none when it is not there.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io("read", path))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::State { path: path.to_owned(), why: error.to_string() })
}

/// Writes one of our own files whole. Durable when it returns.
pub fn write_json(disk: &Disk, path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::State { path: path.to_owned(), why: error.to_string() })?;
    disk.replace_file(path, &text, 0o600, None)
}
