//! All that there is to say about a fleet's files.

use cairn_lang::{Diagnostic, Severity, Sources};

/// Diagnostics, and the texts that they point into.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by file and place, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts.
    pub sources: Sources,
}

impl Report {
    /// A report of these diagnostics, in whatever order they were found.
    pub fn new(mut diagnostics: Vec<Diagnostic>, sources: Sources) -> Report {
        diagnostics.sort_by_cached_key(|diagnostic| {
            let place = sources.place(diagnostic.span);
            let place = place.map(|place| (place.file, place.start, place.end));
            (place, diagnostic.code.clone(), diagnostic.message.clone())
        });
        // Where the library makes an option of somebody else's data is nowhere to look at.
        for diagnostic in &mut diagnostics {
            diagnostic.related.retain(|(span, _)| {
                sources.get(span.file).is_none_or(|file| !file.name.starts_with("<cairn>/lib/"))
            });
        }
        // What several hosts share is found wrong once for each.
        diagnostics.dedup_by(|a, b| same(a, b));
        Report { diagnostics, sources }
    }

    /// Whether anything in it is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// One fault of one text is one diagnostic, however many hosts it is found in. What modules say is
/// told apart by its words: several of their assertions may be about one definition.
fn same(a: &Diagnostic, b: &Diagnostic) -> bool {
    let twice = a.code == b.code && a.span == b.span;
    let by_place = !a.span.is_none() && !a.code.starts_with("assertion::");
    twice && (by_place || a.message == b.message)
}
