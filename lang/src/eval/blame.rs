//! Which argument of a builtin's call an error is about.

use super::Evaluator;
use crate::diagnostic::Diagnostic;
use crate::origin::{self, Argument};
use crate::source::Span;
use crate::value::{PrimOp, Value};

const ORDINALS: [&str; 4] = ["first ", "second ", "third ", "fourth "];

impl<'a> Evaluator<'a> {
    /// An error of a builtin that is called at `at`, put at the argument that it is about, or at
    /// that argument's element.
    #[cold]
    pub(crate) fn blame(
        &self,
        mut error: Box<Diagnostic>,
        primop: &PrimOp<'a>,
        args: &[Value<'a>],
        at: Span,
    ) -> Box<Diagnostic> {
        if error.span != at {
            return error;
        }
        let Some(culprit) = error.culprit else {
            return self.blame_by_code(error, primop, args, at);
        };
        let sources = &self.world.sources;
        let Some(call) = origin::call(sources, at, primop.name()) else { return error };
        let known: Vec<Value<'a>> = args.iter().map(|value| seen(*value)).collect();
        let direct = known.iter().position(|value| culprit.is(*value));
        let within = || {
            known.iter().enumerate().find_map(|(index, value)| {
                let Value::List(list) = value else { return None };
                let element = list.iter().position(|item| culprit.is(seen(item)))?;
                Some((index, Some(element)))
            })
        };
        let Some((index, element)) = direct.map(|index| (index, None)).or_else(within) else {
            // What a function gave that the builtin called: the last thing it does is at fault.
            let mut results = call.iter().filter_map(|argument| argument.result);
            if let Some(result) = results.next().filter(|_| culprit.expected == "a boolean") {
                error.span = result;
                error.label = Some(format!("what `{}` is given by its function", primop.name()));
            }
            return error;
        };
        let Some(argument) = call.get(index) else { return error };
        let which = if args.len() == 1 { "" } else { ORDINALS.get(index).copied().unwrap_or("") };
        let name = format!("the {which}argument of `{}`", primop.name());
        match element {
            None => {
                error.span = argument.span;
                error.label.get_or_insert(name);
            }
            Some(element) => point_at_element(&mut error, argument, element, name),
        }
        if let ([_, _], None, Some(other)) = (args, element, call.get(1 - index.min(1)))
            && !other.kind.is_empty()
            && other.kind == culprit.expected
        {
            let help =
                format!("the other argument is {}: are the two in the wrong order?", other.kind);
            error.help.get_or_insert(help);
        }
        error
    }

    /// An error that names no value: of reading it is about the path, of a text about the text.
    fn blame_by_code(
        &self,
        mut error: Box<Diagnostic>,
        primop: &PrimOp<'a>,
        args: &[Value<'a>],
        at: Span,
    ) -> Box<Diagnostic> {
        let index = match error.code.as_str() {
            "type::regex" | "type::json" | "type::toml" => 0,
            code if code.starts_with("file::") => args.len().saturating_sub(1),
            _ => return error,
        };
        let call = origin::call(&self.world.sources, at, primop.name());
        if let Some(argument) = call.as_ref().and_then(|call| call.get(index)) {
            error.span = argument.span;
        }
        error
    }
}

/// A value that is there already, if it is; nothing is evaluated for an error's sake.
fn seen(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Thunk(thunk) => thunk.forced().unwrap_or(value),
        value => value,
    }
}

fn point_at_element(error: &mut Diagnostic, argument: &Argument, element: usize, name: String) {
    match argument.elements.get(element) {
        Some(span) => {
            error.span = *span;
            error.label.get_or_insert(format!("an element of {name}"));
            if !argument.written_here {
                error.related.push((argument.span, "the list is used here".to_owned()));
            }
            if let Some(call) = argument.uncalled(element) {
                error.help = Some(format!("a call in a list needs parentheses: `{call}`"));
            }
        }
        None => {
            error.span = argument.span;
            error.label.get_or_insert(format!("element {element} of {name}, counted from 0"));
        }
    }
}
