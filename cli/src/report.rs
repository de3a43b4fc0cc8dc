//! Diagnostics for people: ours in miette's clothes.

use std::fmt;
use std::sync::Arc;

use cairn_lang::{Diagnostic, Severity, SourceFile, Sources, Span};
use miette::{
    LabeledSpan, MietteHandler, MietteHandlerOpts, MietteSpanContents, NamedSource, ReportHandler,
    RgbColors, SourceCode,
};

use crate::style::{BAD, CHANGED, DIM, paint};
use crate::ui::Ui;

/// Shows every diagnostic, and then how many there were. They come sorted.
pub(crate) fn show(ui: &Ui, diagnostics: &[Diagnostic], sources: &Sources) {
    show_each(ui, diagnostics, sources);
    if !ui.is_json() && !diagnostics.is_empty() {
        ui.note(summary(diagnostics));
    }
}

/// Shows every diagnostic, without counting them.
pub(crate) fn show_each(ui: &Ui, diagnostics: &[Diagnostic], sources: &Sources) {
    for diagnostic in diagnostics {
        ui.object(&diagnostic.to_json(sources));
        if !ui.is_json() {
            ui.note(Rendered { diagnostic, sources, whole_trace: ui.verbose() > 0 });
        }
    }
}

/// `10 errors and 1 warning in 6 files`
fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let files: std::collections::BTreeSet<_> =
        diagnostics.iter().filter(|d| !d.span.is_none()).map(|d| d.span.file).collect();
    let mut said = Vec::new();
    if errors > 0 {
        said.push(paint(BAD.bold(), plural(errors, "error")));
    }
    if warnings > 0 {
        said.push(paint(CHANGED.bold(), plural(warnings, "warning")));
    }
    match files.len() {
        0 => said.join(" and "),
        files => format!("{} in {}", said.join(" and "), plural(files, "file")),
    }
}

/// `1 file`, `2 files`
pub(crate) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How many steps of a trace are shown without `-v`.
const SHORT_TRACE: usize = 4;

/// One diagnostic, as text with colours.
struct Rendered<'d> {
    diagnostic: &'d Diagnostic,
    sources: &'d Sources,
    whole_trace: bool,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let main = Main::new(self.diagnostic, self.sources);
        handler().debug(&main, f)?;
        // Not miette's own related diagnostics: those have a heading each.
        for note in &main.notes {
            writeln!(f)?;
            handler().debug(note, f)?;
        }
        // How the standard modules came to ask is of no use to whoever wrote the fleet.
        let own =
            |span: Span| self.sources.place(span).filter(|at| !at.file.starts_with("<cairn>"));
        let trace: Vec<_> = self
            .diagnostic
            .trace
            .iter()
            .filter(|(span, _)| self.whole_trace || own(*span).is_some())
            .collect();
        let shown = if self.whole_trace { trace.len() } else { SHORT_TRACE.min(trace.len()) };
        for (span, message) in trace.iter().take(shown) {
            let line = match self.sources.place(*span) {
                Some(at) => format!("{message} ({}:{})", at.file, at.start.line),
                None => message.clone(),
            };
            writeln!(f, "  {}", paint(DIM, line))?;
        }
        if shown < trace.len() {
            let more = plural(trace.len() - shown, "more step");
            writeln!(f, "  {}", paint(DIM, format!("… {more}: see them with -v")))?;
        }
        Ok(())
    }
}

/// Colours are always written: the stream drops them where nobody sees any.
fn handler() -> MietteHandler {
    MietteHandlerOpts::new()
        .terminal_links(false)
        .unicode(true)
        .color(true)
        .rgb_colors(RgbColors::Never)
        .context_lines(1)
        .tab_width(2)
        .build()
}

/// A file as miette reads it.
type Source = NamedSource<Shared>;

/// A file's text, shared with the table that it comes from.
struct Shared(Arc<SourceFile>);

impl SourceCode for Shared {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let read = self.0.text.read_span(span, context_lines_before, context_lines_after)?;
        // miette counts bytes, and everybody else characters.
        let at = self.0.position(u32::try_from(read.span().offset()).unwrap_or(u32::MAX));
        Ok(Box::new(MietteSpanContents::new(
            read.data(),
            *read.span(),
            read.line(),
            at.column as usize - 1,
            read.line_count(),
        )))
    }
}

fn source(sources: &Sources, span: Span) -> Option<Source> {
    let file = sources.get(span.file)?;
    Some(NamedSource::new(file.name.clone(), Shared(file)))
}

/// Where the other place in the same file is nearer than this, one picture shows both.
const ONE_PICTURE: u32 = 12;

/// A diagnostic with the places in its own file as labels, and those elsewhere as notes.
struct Main<'d> {
    diagnostic: &'d Diagnostic,
    source: Option<Source>,
    labels: Vec<LabeledSpan>,
    notes: Vec<Note<'d>>,
    help: Option<&'d str>,
}

impl<'d> Main<'d> {
    fn new(diagnostic: &'d Diagnostic, sources: &Sources) -> Main<'d> {
        let source = source(sources, diagnostic.span);
        let mut labels = Vec::new();
        if source.is_some() {
            let label = diagnostic.label.clone();
            labels.push(LabeledSpan::new_primary_with_span(label, line(sources, diagnostic.span)));
        }
        let mut notes = Vec::new();
        for (span, message) in &diagnostic.related {
            if near(sources, diagnostic.span, *span) {
                labels
                    .push(LabeledSpan::new_with_span(Some(message.clone()), line(sources, *span)));
            } else {
                notes.push(Note::new(*span, message, sources));
            }
        }
        // Advice comes last, below all the pictures.
        let help = diagnostic.help.as_deref();
        let own_help = if let Some(last) = notes.last_mut() {
            last.help = help;
            None
        } else {
            help
        };
        Main { diagnostic, source, labels, notes, help: own_help }
    }
}

fn near(sources: &Sources, main: Span, other: Span) -> bool {
    let lines = |span| sources.place(span).map(|place| (place.file, place.start.line));
    match (lines(main), lines(other)) {
        (Some((file, line)), Some((other, at))) => {
            file == other && line.abs_diff(at) <= ONE_PICTURE
        }
        _ => false,
    }
}

/// What is marked of a span: of several lines the first. A frame around the rest would show less.
fn line(sources: &Sources, span: Span) -> std::ops::Range<usize> {
    let (start, end) = (span.start as usize, span.end as usize);
    let text = sources.text(span).unwrap_or_default();
    match text.split_once('\n') {
        Some((first, _)) => start..start + first.trim_end().len(),
        None => start..end,
    }
}

impl fmt::Debug for Main<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl fmt::Display for Main<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Main<'_> {}

impl miette::Diagnostic for Main<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<_>)
    }
}

/// A place in another file that explains a diagnostic.
struct Note<'d> {
    message: &'d str,
    source: Option<Source>,
    label: LabeledSpan,
    help: Option<&'d str>,
}

impl<'d> Note<'d> {
    fn new(span: Span, message: &'d str, sources: &Sources) -> Note<'d> {
        let label = LabeledSpan::new_primary_with_span(None, line(sources, span));
        Note { message, source: source(sources, span), label, help: None }
    }
}

impl fmt::Debug for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Note<'_> {}

impl miette::Diagnostic for Note<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(diagnostic: &Diagnostic, sources: &Sources) -> String {
        let rendered = Rendered { diagnostic, sources, whole_trace: false }.to_string();
        anstream::adapter::strip_str(&rendered).to_string()
    }

    #[test]
    fn a_conflict_shows_both_places() {
        let sources = Sources::new();
        let host = sources.add("hosts/demo.nix", "{\n  networking.hostName = \"demo\";\n}\n");
        let group = sources.add("cairn.nix", "{ networking.hostName = \"other\"; }\n");
        let at = |file, start, end| Span { file, start, end };
        let diagnostic = Diagnostic::error(
            "option::conflict",
            at(host, 26, 32),
            "`networking.hostName` has two values of the same strength",
        )
        .with_label("\"demo\" here")
        .with_related(at(group, 24, 31), "\"other\" here")
        .with_help("make one of them stronger with `lib.mkForce`");
        insta::assert_snapshot!(plain(&diagnostic, &sources), @r#"
        option::conflict

          × `networking.hostName` has two values of the same strength
           ╭─[hosts/demo.nix:2:25]
         1 │ {
         2 │   networking.hostName = "demo";
           ·                         ───┬──
           ·                            ╰── "demo" here
         3 │ }
           ╰────

          ☞ "other" here
           ╭─[cairn.nix:1:25]
         1 │ { networking.hostName = "other"; }
           ·                         ───────
           ╰────
          help: make one of them stronger with `lib.mkForce`
        "#);
    }

    #[test]
    fn columns_count_characters() {
        let sources = Sources::new();
        let file = sources.add("a.nix", "{\r\n\tx = \"日本é\" + y;\r\n}\r\n");
        let span = Span { file, start: 21, end: 22 };
        let diagnostic = Diagnostic::error("name::unbound", span, "`y` is not defined");
        insta::assert_snapshot!(plain(&diagnostic, &sources), @r#"
        name::unbound

          × `y` is not defined
           ╭─[a.nix:2:14]
         1 │ {
         2 │   x = "日本é" + y;
           ·                 ─
         3 │ }
           ╰────
        "#);
    }
}
