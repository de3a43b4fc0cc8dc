//! Formatting as nixfmt does, shielded: whatever the text, there is an answer.

use std::thread;

use cairn_lang::{Diagnostic, Mode, Root, Roots, Sources, Span, VirtualPath, World};

/// Stack for the formatter, which recurses over the expression up to a limit of its own.
const STACK: usize = 256 << 20;

/// A text as nixfmt writes it.
///
/// # Errors
/// With what is wrong with it, in `sources`: its first syntax error in our words, or the formatter's.
pub(crate) fn formatted(
    sources: &Sources,
    name: &str,
    text: &str,
) -> Result<String, Vec<Diagnostic>> {
    let done = thread::scope(|scope| {
        let work = || nixfmt_rs::format(text);
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        // A panic of the formatter's is one file that stays as it is.
        thread.ok().and_then(|thread| thread.join().ok())
    });
    let error = match done {
        Some(Ok(formatted)) => return Ok(formatted),
        Some(Err(error)) => error,
        None => {
            let message = format!("the formatter failed on {name}, which stays as it is");
            let failure = Diagnostic::error("format::refused", Span::NONE, message);
            return Err(vec![failure.with_help("please report this, with the file")]);
        }
    };
    let errors = syntax_errors(sources, name, text);
    if !errors.is_empty() {
        return Err(errors);
    }
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let range = error.byte_range();
    let span =
        Span { file: sources.add(name, text), start: place(range.start), end: place(range.end) };
    let message = format!("the formatter does not understand this: {}", error.message());
    let mut refusal = Diagnostic::error("format::refused", span, message);
    refusal.help = error.help();
    Err(vec![refusal])
}

/// What the language itself finds wrong with the syntax; nothing where it is the formatter alone that
/// refuses, as it does expressions that nest very deeply.
fn syntax_errors(sources: &Sources, name: &str, text: &str) -> Vec<Diagnostic> {
    let mut world = World::new(Roots::new(), Mode::Eval);
    world.sources = sources.clone();
    world.features.pipe_operators = true;
    let base = VirtualPath { root: Root::Fleet, path: String::new() };
    let problems = world.tree_of_text(name, text, Some(&base)).err().unwrap_or_default();
    problems.into_iter().filter(|problem| problem.code.starts_with("syntax::")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nice(text: &str) -> String {
        formatted(&Sources::new(), "a.nix", text).expect("formatted")
    }

    fn codes(text: &str) -> Vec<String> {
        let problems = formatted(&Sources::new(), "a.nix", text).expect_err("it is refused");
        problems.into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn layout_changes_and_nothing_else() {
        let text = "{a=1;b=[1 2];# why\n}";
        let once = nice(text);
        assert_eq!(once, "{\n  a = 1;\n  b = [\n    1\n    2\n  ]; # why\n}\n");
        assert_eq!(nice(&once), once);
        assert_eq!(nice("x: x|>f"), "x: x |> f\n");
        // Names that nothing binds are none of its business.
        assert_eq!(nice("a  b"), "a b\n");
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        assert_eq!(codes("{ a = 1 }"), ["syntax::error"]);
        assert_eq!(codes(""), ["syntax::empty"]);
        assert_eq!(codes("\"${"), ["syntax::error"]);
        // Deeper than the formatter goes, not deeper than the language does.
        let nested = format!("{}1{}", "[".repeat(1500), "]".repeat(1500));
        assert_eq!(codes(&nested), ["format::refused"]);
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(codes(&deep), ["syntax::too-deep"]);
    }
}
