//! Why an option has its value.

use cairn_lang::modules::Explanations;
use cairn_lang::{Diagnostic, NoPath, Sources, Span, attribute_path};

use super::Fleet;
use crate::report::Report;

impl Fleet {
    /// Every definition of an option of a host, and which of them won; of a set of options, those of
    /// each that anything defines. What is wrong with these, and with the files that were read for
    /// them, is in the report.
    ///
    /// # Errors
    /// When the host has no such option, or its modules cannot be evaluated.
    pub fn explain(&self, host: &str, path: &str) -> Result<(Explanations, Report), Report> {
        let names = attribute_path(path).map_err(|no| self.report(vec![self.no_path(path, no)]))?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hosts = [host.to_owned()];
        let explained = self.each(&hosts, Result::is_err, |job| job.config()?.explain_all(&names));
        let mut problems = self.world.file_diagnostics();
        match explained.into_iter().next() {
            Some(Ok(explained)) => {
                problems.extend(errors(&explained));
                Ok((explained, self.report(problems)))
            }
            failed => {
                problems.extend(failed.and_then(Result::err).map(|error| *error));
                Err(self.report(problems))
            }
        }
    }

    fn no_path(&self, path: &str, NoPath { at, why }: NoPath) -> Diagnostic {
        let file = self.world.sources.add("<option>", path);
        let span = Span { file, start: at.start as u32, end: at.end as u32 };
        let message = format!("`{path}` is no path of an option: {why}");
        let help = "write names with dots between, such as `networking.hostName`; a name with \
                    other characters in quotes";
        Diagnostic::error("option::unknown", span, message).with_help(help)
    }

    /// The texts that spans of this fleet point into.
    pub fn sources(&self) -> &Sources {
        &self.world.sources
    }
}

/// Why values cannot be computed.
fn errors(explained: &Explanations) -> Vec<Diagnostic> {
    let all = match explained {
        Explanations::One(one) => std::slice::from_ref(&**one),
        Explanations::Set { defined, .. } => defined,
    };
    let errors = all.iter().filter_map(|one| one.value.as_ref().err());
    errors.map(|error| (**error).clone()).collect()
}
