//! Downloads, while they run.

use indicatif::{ProgressBar, ProgressStyle};

use crate::ui::Ui;

/// A line with the bytes that have arrived.
pub(crate) fn bytes(ui: &Ui) -> ProgressBar {
    let bar = ui.progress().add(ProgressBar::no_length());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} {bytes_per_sec}") {
        bar.set_style(style);
    }
    bar
}
