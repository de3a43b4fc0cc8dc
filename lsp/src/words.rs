//! What is told of options and types, as markdown.

use cairn_lang::modules::{OptionDoc, Shown};

/// All about an option.
pub(crate) fn option(option: &OptionDoc) -> String {
    let mut words = code(&format!("{} : {}", option.path, option.type_description));
    if let Some(description) = &option.description {
        words.push_str("\n\n");
        words.push_str(description.trim());
    }
    let mut note = |title: &str, shown: &Option<Shown>| match shown {
        Some(Shown::Code(text)) if text.contains('\n') => {
            words.push_str(&format!("\n\n*{title}*\n\n{}", code(text)));
        }
        Some(Shown::Code(text)) => words.push_str(&format!("\n\n*{title}* `{text}`")),
        Some(Shown::Words(text)) => words.push_str(&format!("\n\n*{title}* {text}")),
        None => {}
    };
    note("Default:", &option.default);
    note("Example:", &option.example);
    if option.read_only {
        words.push_str("\n\n*Read-only*");
    }
    words
}

/// A name or an expression, and its type.
pub(crate) fn typed(text: &str, ty: &str) -> String {
    let text = text.trim();
    match text.contains('\n') || text.len() > 60 {
        true => code(ty),
        false => code(&format!("{text} : {ty}")),
    }
}

fn code(text: &str) -> String {
    let fence = if text.contains("```") { "~~~~" } else { "```" };
    format!("{fence}nix\n{text}\n{fence}")
}
