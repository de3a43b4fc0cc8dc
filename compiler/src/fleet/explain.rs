//! Why an option has its value.

use cairn_lang::modules::Explanations;
use cairn_lang::{Diagnostic, Sources, Span};

use super::Fleet;
use super::places::option_path;
use crate::report::Report;

impl Fleet {
    /// Every definition of an option of a host, and which of them won; of a set of options, those of
    /// each that anything defines.
    ///
    /// # Errors
    /// When the host has no such option, or its modules cannot be evaluated.
    pub fn explain(&self, host: &str, path: &str) -> Result<Explanations, Report> {
        let Some(names) = option_path(path) else {
            let message = format!("`{path}` is no path of an option");
            let help = "write names with dots between, such as `networking.hostName`; a name with \
                        other characters in quotes";
            let error = Diagnostic::error("option::unknown", Span::NONE, message);
            return Err(self.report(vec![error.with_help(help)]));
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hosts = [host.to_owned()];
        let explained = self.each(&hosts, Result::is_err, |job| job.config()?.explain_all(&names));
        match explained.into_iter().next() {
            Some(Ok(explained)) => Ok(explained),
            Some(Err(error)) => Err(self.report(vec![*error])),
            None => Err(self.report(Vec::new())),
        }
    }

    /// The texts that spans of this fleet point into.
    pub fn sources(&self) -> &Sources {
        &self.world.sources
    }
}
