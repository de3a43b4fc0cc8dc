//! Diagnostics as editors take them.

use cairn_lang::{Diagnostic, Severity, Sources, Span};
use lsp_types::{
    DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString,
};

use crate::place::Places;
use crate::text::{Encoding, Text};

/// A diagnostic of one file, apart from any evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// The file's name.
    pub(crate) file: String,
    /// Its bytes there.
    pub(crate) span: (u32, u32),
    /// What the editor is told.
    pub(crate) told: lsp_types::Diagnostic,
}

impl Finding {
    /// The same finding: of the same kind, at the same place.
    pub(crate) fn is_like(&self, other: &Finding) -> bool {
        self.span == other.span && self.told.code == other.told.code
    }
}

/// Turns diagnostics into what editors take. What is at no place is at the start of `nowhere`.
pub(crate) struct Reader<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) places: &'s Places,
    pub(crate) encoding: Encoding,
}

impl Reader<'_> {
    pub(crate) fn finding(&self, diagnostic: &Diagnostic, nowhere: &str) -> Finding {
        let source = self.sources.get(diagnostic.span.file);
        let file = source.as_ref().map_or(nowhere, |source| &source.name).to_owned();
        let range = source.map(|source| {
            Text::new(source.text.as_str(), self.encoding)
                .range((diagnostic.span.start, diagnostic.span.end))
        });
        let mut message = diagnostic.message.clone();
        if let Some(help) = &diagnostic.help {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        let related = diagnostic.related.iter().filter_map(|(span, message)| {
            let message = message.clone();
            Some(DiagnosticRelatedInformation { location: self.location(*span)?, message })
        });
        let related: Vec<_> = related.collect();
        let unused = diagnostic.code == "name::unused";
        let told = lsp_types::Diagnostic {
            range: range.unwrap_or_default(),
            severity: Some(match diagnostic.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(diagnostic.code.clone())),
            source: Some("cairn".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
            ..lsp_types::Diagnostic::default()
        };
        Finding { file, span: (diagnostic.span.start, diagnostic.span.end), told }
    }

    /// Where an editor finds a span.
    pub(crate) fn location(&self, span: Span) -> Option<Location> {
        let source = self.sources.get(span.file)?;
        let uri = self.places.uri(&source)?;
        let text = Text::new(source.text.as_str(), self.encoding);
        Some(Location { uri, range: text.range((span.start, span.end)) })
    }
}
