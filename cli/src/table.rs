//! Tables without lines: columns are far enough apart to be seen.

use anstyle::Style;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

use crate::style::{ACTION, BAD, CHANGED, DIM, GOOD, STRONG};
use crate::ui::Ui;

/// A table with these columns.
pub(crate) fn new(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    // Colours are always written: the stream drops them where nobody sees any.
    table.enforce_styling().style_text_only();
    table.set_header(header.iter().map(|name| cell(DIM, name)));
    table
}

/// A cell in a style; the styles are ours, the table's own are too many.
pub(crate) fn cell(style: Style, text: impl ToString) -> Cell {
    let cell = Cell::new(text);
    match style {
        GOOD => cell.fg(Color::Green),
        CHANGED => cell.fg(Color::Yellow),
        BAD => cell.fg(Color::Red),
        ACTION => cell.fg(Color::Cyan),
        STRONG => cell.add_attribute(Attribute::Bold),
        DIM => cell.add_attribute(Attribute::Dim),
        _ => cell,
    }
}

/// Shows a table, unless it has no rows.
pub(crate) fn show(ui: &Ui, table: &Table) {
    if !table.is_empty() {
        for line in table.lines() {
            ui.line(line.trim_end());
        }
    }
}
