//! What went wrong, where, why, and what to do: the one error type of every crate above.

use serde_json::{Value as Json, json};

use crate::origin;
use crate::source::{Sources, Span};
use crate::value::Value;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be built from this.
    Error,
    /// It works, and should be looked at.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A problem in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// `area::name`, such as `type::mismatch`; each has a page in the docs.
    pub code: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The text at fault; [`Span::NONE`] where no file is.
    pub span: Span,
    /// What the span's text is, in few words, shown beside it.
    pub label: Option<String>,
    /// Other places that explain this one.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// What was being evaluated, innermost first, shortened.
    pub trace: Vec<(Span, String)>,
    /// The value that the error is about: the call that passed it finds its argument by this.
    pub(crate) culprit: Option<Culprit>,
    /// Whether `tryEval` catches it though its code does not say so: see [`Self::is_catchable`].
    pub(crate) catchable: bool,
}

/// A value by its identity, and what should have been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Culprit {
    value: (u8, u64),
    /// As in "expected a list"; empty where it is not the type that is wrong.
    pub(crate) expected: &'static str,
}

impl Culprit {
    /// Whether this is the value: the same one, not only an equal one.
    pub(crate) fn is(self, value: Value<'_>) -> bool {
        identity(value) == self.value
    }
}

/// The type and the bits of a value: an address, for those that lie elsewhere.
fn identity(value: Value<'_>) -> (u8, u64) {
    fn address<T: ?Sized>(value: &T) -> u64 {
        std::ptr::from_ref(value).cast::<()>().addr() as u64
    }
    match value {
        Value::Null => (0, 0),
        Value::Bool(value) => (1, value.into()),
        Value::Int(value) => (2, value.cast_unsigned()),
        Value::Float(value) => (3, value.to_bits()),
        Value::Str(text) => (4, address(*text)),
        Value::Path(path) => (5, address(path)),
        Value::List(list) => (6, address(list)),
        Value::Attrs(attrs) => (7, address(attrs)),
        Value::Lambda(closure) => (8, address(closure)),
        Value::PrimOp(primop) => (9, address(primop)),
        Value::Thunk(thunk) => (10, address(thunk)),
    }
}

/// A result whose error is a diagnostic.
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

/// A trace keeps so many steps next to the error, and as many at its other end: between them lie
/// what a library does and how deep something recursed.
const TRACE_ENDS: usize = 12;

impl Diagnostic {
    /// An error with a code, a place and a message.
    pub fn error(code: impl Into<String>, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: code.into(),
            message: message.into(),
            span,
            label: None,
            related: Vec::new(),
            help: None,
            trace: Vec::new(),
            culprit: None,
            catchable: false,
        }
    }

    /// A warning with a code, a place and a message.
    pub fn warning(code: impl Into<String>, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// With advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// With a few words beside the span.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// With another place that explains this one; left out where that place is nowhere.
    #[must_use]
    pub fn with_related(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        if !span.is_none() {
            self.related.push((span, message.into()));
        }
        self
    }

    /// About this value, in whose place something `expected` should be: a call that passes it
    /// puts the error at its argument.
    #[must_use]
    pub(crate) fn about(mut self, value: Value<'_>, expected: &'static str) -> Diagnostic {
        self.culprit = Some(Culprit { value: identity(value), expected });
        self
    }

    /// Notes what was being evaluated, each place once. Of a long trace the middle is left out.
    pub fn push_trace(&mut self, span: Span, message: impl Into<String>) {
        if span.is_none() || self.trace.iter().any(|(known, _)| *known == span) {
            return;
        }
        if self.trace.len() == 2 * TRACE_ENDS {
            self.trace.remove(TRACE_ENDS);
        }
        self.trace.push((span, message.into()));
    }

    /// Makes a finished error one for whoever wrote the program: shown in their own file, where
    /// one led to it, without what the library does between, and with the place where the value
    /// at fault is named.
    pub fn settle(&mut self, sources: &Sources) {
        if !self.span.is_none() && !sources.is_own(self.span) {
            self.lead_to_own_file(sources);
        }
        if !sources.is_own(self.span) {
            return;
        }
        self.trace.retain(|(span, _)| sources.is_own(*span));
        self.narrow(sources);
        let of_a_value = matches!(
            self.code.as_str(),
            "type::mismatch"
                | "type::not-a-string"
                | "type::not-a-function"
                | "type::not-a-set"
                | "type::range"
        );
        if of_a_value
            && let Some((name, span)) = origin::definition(sources, self.span)
            && self.related.iter().all(|(known, _)| *known != span)
        {
            self.related.push((span, format!("`{name}` is defined here")));
        }
    }

    /// From the whole of an expression to the part of it that is at fault.
    fn narrow(&mut self, sources: &Sources) {
        match self.code.as_str() {
            "type::not-a-function" => {
                if let Some(function) = origin::called(sources, self.span) {
                    self.span = function;
                    self.label = Some("this is called".to_owned());
                }
            }
            "type::not-a-set" => {
                if let Some(of) = origin::taken_from(sources, self.span) {
                    self.span = of;
                }
            }
            "eval::infinite-recursion" => {
                if let Some(name) = origin::defines_itself(sources, self.span) {
                    self.help = Some(format!(
                        "this `{name}` is the one that is defined here, not one of further out: \
                         rename one of them"
                    ));
                }
            }
            _ => {}
        }
    }

    fn lead_to_own_file(&mut self, sources: &Sources) {
        let Some(own) = self.trace.iter().position(|(span, _)| sources.is_own(*span)) else {
            return;
        };
        let (span, message) = self.trace.remove(own);
        let inside = std::mem::replace(&mut self.span, span);
        self.label =
            message.strip_prefix("while calling ").map(|name| format!("in this call of {name}"));
        if sources.is_library(inside) {
            self.trace.insert(0, (inside, "it happens here".to_owned()));
        } else {
            self.related.insert(0, (inside, "it happens here".to_owned()));
        }
    }

    /// Whether `tryEval` catches this, as in Nix: `throw`, failed assertions, unknown search paths,
    /// and what modules refuse, which nixpkgs' modules throw.
    pub fn is_catchable(&self) -> bool {
        self.catchable
            || matches!(self.code.as_str(), "eval::throw" | "eval::assert" | "name::search-path")
            || ["option::", "module::"].iter().any(|area| self.code.starts_with(area))
    }

    /// The object of `--format json`: severity, code, message, place fields, help, related.
    pub fn to_json(&self, sources: &Sources) -> Json {
        let mut object = json!({
            "type": "diagnostic",
            "severity": self.severity.as_str(),
            "code": self.code,
            "message": self.message,
        });
        put_place(&mut object, sources, self.span);
        if let Some(help) = &self.help {
            object["help"] = json!(help);
        }
        object["related"] = places(sources, &self.related);
        if !self.trace.is_empty() {
            object["trace"] = places(sources, &self.trace);
        }
        object
    }
}

fn places(sources: &Sources, places: &[(Span, String)]) -> Json {
    let each = places.iter().map(|(span, message)| {
        let mut object = json!({ "message": message });
        put_place(&mut object, sources, *span);
        object
    });
    each.collect()
}

fn put_place(object: &mut Json, sources: &Sources, span: Span) {
    if let Some(place) = sources.place(span) {
        object["file"] = json!(place.file);
        object["line"] = json!(place.start.line);
        object["column"] = json!(place.start.column);
        object["end_line"] = json!(place.end.line);
        object["end_column"] = json!(place.end.column);
    }
}

/// The candidate that `name` is most likely a typo of, if one is near enough. Ties go to the
/// first in the alphabet, so that the answer does not depend on the order of candidates.
pub fn nearest<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = match name.chars().count() {
        0..=3 => 1,
        4..=6 => 2,
        _ => 3,
    };
    let lower = name.to_lowercase();
    let scored = candidates.into_iter().filter(|candidate| *candidate != name).map(|candidate| {
        let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        (distance, candidate)
    });
    scored.filter(|(distance, _)| *distance <= allowed).min().map(|(_, candidate)| candidate)
}

/// `did you mean `x`?`, where something is near enough.
pub fn did_you_mean<'n>(
    name: &str,
    candidates: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    nearest(name, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name() {
        let names = ["hostName", "hosts", "firewall"];
        assert_eq!(nearest("hostname", names), Some("hostName"));
        assert_eq!(nearest("host", names), Some("hosts"));
        assert_eq!(nearest("firwall", names), Some("firewall"));
        assert_eq!(nearest("openssh", names), None);
    }

    #[test]
    fn json_has_the_fields_of_the_design() {
        let sources = Sources::new();
        let file = sources.add("hosts/a.nix", "{ x = 1; }\n");
        let span = Span { file, start: 2, end: 3 };
        let diagnostic = Diagnostic::error("type::mismatch", span, "wrong").with_help("right");
        insta::assert_json_snapshot!(diagnostic.to_json(&sources), @r#"
        {
          "code": "type::mismatch",
          "column": 3,
          "end_column": 4,
          "end_line": 1,
          "file": "hosts/a.nix",
          "help": "right",
          "line": 1,
          "message": "wrong",
          "related": [],
          "severity": "error",
          "type": "diagnostic"
        }
        "#);
    }
}
