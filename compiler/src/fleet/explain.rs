//! Why an option has its value.

use std::collections::BTreeSet;

use cairn_lang::modules::{Configuration, Explanation};
use cairn_lang::{Diagnostic, Sources, Span};

use super::Fleet;
use super::places::option_path;
use crate::report::Report;

impl Fleet {
    /// Every definition of an option of a host, and which of them won.
    ///
    /// # Errors
    /// When the host has no such option, or its modules cannot be evaluated.
    pub fn explain(&self, host: &str, path: &str) -> Result<Explanation, Report> {
        let Some(names) = option_path(path) else {
            let message = format!("`{path}` is no path of an option");
            let help = "write names with dots between, such as `networking.hostName`; a name with \
                        other characters in quotes";
            let error = Diagnostic::error("option::unknown", Span::NONE, message);
            return Err(self.report(vec![error.with_help(help)]));
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hosts = [host.to_owned()];
        let explained = self.each(&hosts, |job| {
            let config = job.config()?;
            config.explain(&names).map_err(|error| inside(config, &names, error))
        });
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

/// How many options of a set are named.
const SOME: usize = 12;

/// A path that leads to a set of options is answered by what is in it.
fn inside(
    config: &Configuration<'_, '_>,
    path: &[&str],
    mut error: Box<Diagnostic>,
) -> Box<Diagnostic> {
    let prefix = format!("{}.", path.join("."));
    let options = config.reference().options;
    let below: BTreeSet<&str> = options
        .iter()
        .filter(|option| option.is_listed())
        .filter_map(|option| option.path.strip_prefix(&prefix)?.split('.').next())
        .collect();
    if error.code == "option::unknown" && !below.is_empty() {
        let more = if below.len() > SOME { ", …" } else { "" };
        let some: Vec<&str> = below.into_iter().take(SOME).collect();
        error.message = format!("`{}` is a set of options, not one", path.join("."));
        error.help = Some(format!("it holds {}{more}", some.join(", ")));
    }
    error
}
