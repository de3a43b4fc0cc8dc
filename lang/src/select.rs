//! Attribute paths given as text (`a."b.c".0`), and functions that are called on the way: what `-A`,
//! `--arg` and `--argstr` of `nix-instantiate` do.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{Evaluator, Formals};
use crate::source::Span;
use crate::symbol::{Symbol, is_identifier};
use crate::value::{Attrs, Value};

impl<'a> Evaluator<'a> {
    /// Follows an attribute path from a value. A function on the way is called with `args`, as far as
    /// it takes them; one at the end only where there are any.
    ///
    /// # Errors
    /// `eval::path` for text that is no path, a missing attribute, element or argument, or whatever
    /// evaluating meets.
    pub fn walk(
        &self,
        value: Value<'a>,
        path: &str,
        args: &[(Symbol, Value<'a>)],
    ) -> Result<Value<'a>> {
        let at = Span::NONE;
        let mut value = self.force_at(value, at)?;
        for step in steps(path)? {
            let of = self.call_taking(value, args)?;
            value = self.part_of(of, &step, path)?;
        }
        if args.is_empty() { Ok(value) } else { self.call_taking(value, args) }
    }

    fn part_of(&self, of: Value<'a>, step: &str, path: &str) -> Result<Value<'a>> {
        let at = Span::NONE;
        match of {
            Value::List(list) => {
                let index = step.parse::<usize>().map_err(|_| {
                    let message = format!("`{step}` of the path {path} is no element of a list");
                    let help = "the elements of a list are numbers from 0";
                    Box::new(Diagnostic::error("eval::path", at, message).with_help(help))
                })?;
                match list.cells().get(index) {
                    Some(cell) => self.force_cell(cell, at),
                    None => {
                        let message =
                            format!("there is no element {step} in a list of {}", list.len());
                        Err(Diagnostic::error("type::range", at, message).into())
                    }
                }
            }
            Value::Attrs(set) => match set.get_str(step) {
                Some(attr) => self.force_attr(attr),
                None => Err(self.missing(of, Symbol::new(step), at)),
            },
            other => {
                let message =
                    format!("`{step}` of the path {path} is asked of {}", other.described());
                let help = "only attribute sets and lists have parts";
                Err(Diagnostic::error("eval::path", at, message).with_help(help).into())
            }
        }
    }

    /// Calls a function that takes a set of named arguments with those of `args` that it names, or all
    /// where it takes others too. Anything else stays as it is.
    fn call_taking(&self, value: Value<'a>, args: &[(Symbol, Value<'a>)]) -> Result<Value<'a>> {
        let at = Span::NONE;
        let function = match value {
            Value::Attrs(set) if let Some(functor) = functor(set) => {
                let functor = self.force_attr(functor)?;
                self.call(functor, &[value], at)?
            }
            value => value,
        };
        let Some(Formals::Set { names, ellipsis }) = self.formals(function, at)? else {
            return Ok(value);
        };
        let given = |name| args.iter().any(|(arg, _)| *arg == name);
        let lacking = names.iter().find(|formal| !formal.has_default && !given(formal.name));
        if let Some(formal) = lacking {
            let name = formal.name;
            let message = format!("the function needs a value for its argument `{name}`");
            return Err(Diagnostic::error("name::missing-argument", formal.span, message)
                .with_help(format!("give one with `--arg {name} EXPR` or `--argstr {name} TEXT`"))
                .into());
        }
        let taken = |name: Symbol| ellipsis || names.iter().any(|formal| formal.name == name);
        let args = args.iter().filter(|(name, _)| taken(*name)).copied();
        self.call(function, &[self.attrs(args)], at)
    }
}

fn functor<'a>(set: &'a Attrs<'a>) -> Option<&'a crate::value::Attr<'a>> {
    set.get_str("__functor")
}

/// The names of a path: parted by dots, quoted where they hold some.
fn steps(path: &str) -> Result<Vec<String>> {
    let wrong = |why: &str| {
        let message = format!("{path} is no attribute path: {why}");
        let help = "a path is names with dots between, such as `a.0.\"b.c\"`";
        Err(Diagnostic::error("eval::path", Span::NONE, message).with_help(help).into())
    };
    let mut steps = Vec::new();
    let (mut step, mut quoted, mut is_open) = (String::new(), false, false);
    for c in path.chars() {
        match c {
            '"' => {
                is_open = !is_open;
                quoted = true;
            }
            '.' if !is_open => {
                if step.is_empty() && !quoted {
                    return wrong("a name is empty");
                }
                steps.push(std::mem::take(&mut step));
                quoted = false;
            }
            c => step.push(c),
        }
    }
    if is_open {
        return wrong("a quote is not closed");
    }
    // As in Nix, a dot at the end is one too many and does no harm.
    if !step.is_empty() || quoted {
        steps.push(step);
    }
    Ok(steps)
}

/// A step of a path as text, to be read by [`Evaluator::walk`].
pub(crate) fn quoted_step(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let read = |path| steps(path).map_err(|error| error.message);
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("a.0.b"), Ok(vec!["a".into(), "0".into(), "b".into()]));
        assert_eq!(read("\"a.b\".\"\""), Ok(vec!["a.b".into(), String::new()]));
        assert_eq!(read("a."), Ok(vec!["a".into()]));
        for wrong in [".a", "a..b", "\"a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
