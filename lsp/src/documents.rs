//! Open documents, and what is wrong with them.

use std::sync::Arc;

use cairn_lang::{Root, VirtualPath};
use lsp_types::{DiagnosticSeverity, NumberOrString, TextDocumentContentChangeEvent, Uri};

use crate::finding::Finding;
use crate::overlay::Texts;
use crate::text::{Encoding, Text};

/// Larger texts are not looked at while they are typed.
const LARGE: usize = 2 << 20;

/// An open document.
pub(crate) struct Document {
    pub(crate) uri: Uri,
    pub(crate) path: VirtualPath,
    pub(crate) text: Text,
    pub(crate) version: i32,
    /// What its syntax and types tell.
    typed: Vec<Finding>,
    /// The version that this was told of.
    checked: Option<i32>,
    /// What only evaluating the fleet told, moved along with the text since.
    evaluated: Vec<Finding>,
}

impl Document {
    pub(crate) fn new(
        uri: Uri,
        path: VirtualPath,
        text: String,
        version: i32,
        encoding: Encoding,
    ) -> Document {
        let text = Text::new(text, encoding);
        let (typed, evaluated) = (Vec::new(), Vec::new());
        Document { uri, path, text, version, typed, checked: None, evaluated }
    }

    /// Whether it is too large to be looked at on every keystroke.
    pub(crate) fn is_large(&self) -> bool {
        self.text.text.len() > LARGE
    }

    pub(crate) fn has_syntax_errors(&self) -> bool {
        self.typed.iter().any(|finding| match &finding.told.code {
            Some(NumberOrString::String(code)) => code.starts_with("syntax::"),
            _ => false,
        })
    }

    pub(crate) fn change(&mut self, changes: &[TextDocumentContentChangeEvent], version: i32) {
        for change in changes {
            let (text, (start, end), length) = self.text.changed(change);
            self.text = text;
            let by = i64::from(length) - i64::from(end - start);
            let moved = |at: u32| u32::try_from(i64::from(at) + by).unwrap_or(at);
            self.evaluated.retain_mut(|finding| {
                let (from, to) = finding.span;
                if from >= end && (from, to) != (start, end) {
                    finding.span = (moved(from), moved(to));
                }
                from >= end || to < start
            });
        }
        for finding in &mut self.evaluated {
            finding.told.range = self.text.range(finding.span);
        }
        self.version = version;
    }

    /// Takes what syntax and types of this version tell.
    pub(crate) fn checked(&mut self, found: Vec<Finding>) {
        self.typed = found;
        self.checked = Some(self.version);
    }

    /// Whether this version was looked at.
    pub(crate) fn is_checked(&self) -> bool {
        self.checked == Some(self.version)
    }

    /// Takes what evaluating this very text told.
    pub(crate) fn evaluated(&mut self, found: &[Finding]) {
        self.evaluated = found.to_vec();
    }

    /// Everything that is wrong with it.
    pub(crate) fn told(&self) -> Vec<lsp_types::Diagnostic> {
        if self.is_large() {
            return vec![lsp_types::Diagnostic {
                severity: Some(DiagnosticSeverity::INFORMATION),
                source: Some("cairn".to_owned()),
                message: "this file is too large to be checked while it is typed".to_owned(),
                ..lsp_types::Diagnostic::default()
            }];
        }
        // An error of syntax hides what is behind it.
        let evaluated = self.evaluated.iter().filter(|_| !self.has_syntax_errors());
        let new = evaluated.filter(|one| !self.typed.iter().any(|known| known.is_like(one)));
        self.typed.iter().chain(new).map(|finding| finding.told.clone()).collect()
    }
}

/// The texts of the documents that lie in the fleet.
pub(crate) fn texts<'d>(documents: impl Iterator<Item = &'d Document>) -> Texts {
    let own = documents.filter(|document| document.path.root == Root::Fleet);
    Arc::new(own.map(|one| (one.path.path.clone(), one.text.text.clone())).collect())
}
