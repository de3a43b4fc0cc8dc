//! Looking around in a fleet, or at one host of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cairn_lang::{Arena, Evaluator, Result, Root, Span, TraceSink, Value, VirtualPath};

use super::Fleet;
use super::job::{Desk, Job};
use super::packages::pkgs;
use crate::report::Report;

/// Names, and the values that they stand for.
pub type Names<'w> = Vec<(&'static str, Value<'w>)>;

impl Fleet {
    /// Sends what is traced to `trace`, and stops evaluations when `interrupt` is set.
    pub fn attend(&mut self, trace: TraceSink, interrupt: Arc<AtomicBool>) {
        self.world.trace = Some(trace);
        self.world.interrupt = interrupt;
    }

    /// Hands `work` an evaluator and what there is to look at: of a host, `config`, `options`, `pkgs`,
    /// `name` and `nodes`, as its modules see them; without one, `pkgs` and `nodes`. `lib`, and
    /// `fleet`, the fleet's `outputs`, are always there.
    ///
    /// # Errors
    /// When there is no such host or, without one, no host at all; or whatever `cairn.nix` meets.
    pub fn explore<T>(
        &self,
        host: Option<&str>,
        work: impl for<'w> FnOnce(&'w Evaluator<'w>, Names<'w>) -> T,
    ) -> Result<T, Report> {
        let heap = Arena::new();
        let desk = Desk::new(self, &heap);
        let any = self.outline.hosts.keys().next().map(String::as_str);
        let Some(job) = host.or(any).and_then(|host| desk.job(host)) else {
            return Err(self.report(Vec::new()));
        };
        enter(self, job, host.is_some(), work)
    }
}

fn enter<'w, T>(
    fleet: &Fleet,
    job: Job<'w>,
    of_host: bool,
    work: impl FnOnce(&'w Evaluator<'w>, Names<'w>) -> T,
) -> Result<T, Report> {
    let failed = |error: Box<_>| fleet.report(vec![*error]);
    let eval = job.eval();
    let names = names(job, eval, of_host).map_err(failed)?;
    Ok(work(eval, names))
}

fn names<'w>(job: Job<'w>, eval: &'w Evaluator<'w>, of_host: bool) -> Result<Names<'w>> {
    let fleet = job.value()?;
    let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
    let mut names = vec![
        ("fleet", fleet.outputs()),
        ("lib", eval.import(&lib, Span::NONE)?),
        ("pkgs", pkgs(eval, fleet)?),
        ("nodes", job.nodes(of_host)),
    ];
    if of_host {
        // Whatever depends on an error fails here: nobody must take half a value for the whole.
        let config = job.strict()?;
        names.extend([
            ("config", config.config()),
            ("options", config.options()),
            ("name", eval.str(job.name())),
        ]);
    }
    Ok(names)
}
