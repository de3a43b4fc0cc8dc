//! The evaluation of the whole fleet, in the background: what types alone cannot tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_compiler::Kin;
use crossbeam_channel::Sender;

use crate::analyst::{Setting, load, spawn};
use crate::finding::{Finding, Reader};
use crate::overlay::Texts;

/// What an evaluation found.
pub(crate) struct Surveyed {
    pub(crate) id: u64,
    /// By the names of files.
    pub(crate) found: BTreeMap<String, Vec<Finding>>,
    pub(crate) kinship: Vec<Kin>,
}

/// An evaluation under way; dropped, it stops.
pub(crate) struct Survey {
    pub(crate) id: u64,
    interrupt: Arc<AtomicBool>,
}

impl Drop for Survey {
    fn drop(&mut self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }
}

impl Survey {
    /// Evaluates the fleet with these texts in it.
    pub(crate) fn start(id: u64, setting: Setting, texts: Texts, say: Sender<Surveyed>) -> Survey {
        let interrupt = Arc::new(AtomicBool::new(false));
        let stop = interrupt.clone();
        spawn(move || {
            let work = || {
                let (fleet, problem) = load(&setting, texts, stop.clone());
                // Without its inputs, nothing that would be found is worth telling.
                let (report, kinship) = match problem {
                    Some(problem) => (problem, Vec::new()),
                    None => fleet.survey(&fleet.hosts()),
                };
                let reader = Reader {
                    sources: &report.sources,
                    places: &setting.places,
                    encoding: setting.encoding,
                };
                let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
                for diagnostic in &report.diagnostics {
                    let mut finding = reader.finding(diagnostic, "cairn.nix");
                    if finding.file.starts_with('<') {
                        // Nobody edits the standard modules, or inputs: the fleet brought this about.
                        finding.told.message =
                            format!("{} ({})", finding.told.message, finding.file);
                        finding.told.range = Default::default();
                        finding.file = "cairn.nix".to_owned();
                        finding.span = (0, 0);
                    }
                    found.entry(finding.file.clone()).or_default().push(finding);
                }
                Surveyed { id, found, kinship }
            };
            let surveyed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // What was stopped has found that it was stopped.
            if let Ok(surveyed) = surveyed
                && !stop.load(Ordering::Relaxed)
            {
                let _ = say.send(surveyed);
            }
        });
        Survey { id, interrupt }
    }
}
