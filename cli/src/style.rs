//! What means what in colour: the same few styles everywhere.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

/// Something appears, or went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something changes, or wants attention.
pub(crate) const CHANGED: Style = AnsiColor::Yellow.on_default();
/// Something goes, or went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Something happens to a unit.
pub(crate) const ACTION: Style = AnsiColor::Cyan.on_default();
/// Names that the eye looks for.
pub(crate) const STRONG: Style = Style::new().bold();
/// What may be skipped in reading.
pub(crate) const DIM: Style = Style::new().dimmed();

/// `text` in a style; streams that show no colours drop it again.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The styles of `--help`.
pub(crate) const HELP: Styles = Styles::styled()
    .header(STRONG)
    .usage(STRONG)
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(DIM)
    .error(BAD.bold())
    .valid(GOOD)
    .invalid(CHANGED);
