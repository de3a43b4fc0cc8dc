//! The inputs of the fleet that is edited, as its lock has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cairn_compiler::{FleetInputs, Report};
use cairn_fetch::Lock;
use cairn_fetch::input::{Inputs, Policy};
use cairn_lang::{Diagnostic, Features, Sources, Span};

/// Where inputs are kept, and those that were found last: they are hashed when they are found, which is too
/// much for every pause of somebody who types.
#[derive(Clone, Debug)]
pub(crate) struct InputCache {
    folder: PathBuf,
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Debug)]
struct Known {
    /// The files that say what inputs there are.
    said: Said,
    found: Result<Inputs, Report>,
}

type Said = [Option<Vec<u8>>; 2];

impl InputCache {
    pub(crate) fn new(folder: PathBuf) -> InputCache {
        InputCache { folder, known: Arc::default() }
    }

    /// The inputs of the fleet in a folder; what stands in the way, where the fleet names them.
    pub(crate) fn of(&self, fleet: &Path, features: Features) -> Result<Inputs, Report> {
        let said = ["cairn.nix", "cairn.lock"].map(|file| fs::read(fleet.join(file)).ok());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            known.as_ref().filter(|known| known.said == said && known.found.is_ok())
        {
            return known.found.clone();
        }
        let found = self.find(fleet, features);
        *known = Some(Known { said, found: found.clone() });
        found
    }

    fn find(&self, fleet: &Path, features: Features) -> Result<Inputs, Report> {
        let declared = FleetInputs::read(fleet, features)?;
        if declared.is_empty() {
            return Ok(Inputs::default());
        }
        let lock = Lock::read(fleet).map_err(|error| {
            let problem = Diagnostic::error("lock::unreadable", Span::NONE, error.to_string());
            Report::new(vec![problem.with_help(error.help())], Sources::new())
        })?;
        declared
            .resolve(&self.folder, &lock.inputs, &Policy::default(), &|_| {})
            .map(|resolved| resolved.inputs)
    }

    /// Where a file of an input is, by its name among sources: `<common>/modules/web.nix`.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        let (input, path) = name.strip_prefix('<')?.split_once(">/")?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs: &BTreeMap<_, _> = &known.as_ref()?.found.as_ref().ok()?.all;
        Some(inputs.get(input)?.tree.join(path))
    }
}
