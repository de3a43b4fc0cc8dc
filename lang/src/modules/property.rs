//! `mkIf`, `mkMerge`, `mkOverride`, `mkOrder`: sets with a `_type` that wrap a definition's value.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::origin;
use crate::source::{Sources, Span};
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, Value};

use super::definition::{Condition, Definition, Layer};
use crate::brief::found;

/// The `_type` of a set that has one: `option`, `if`, `option-type`, ….
pub(crate) fn kind_of<'a>(eval: &Evaluator<'a>, value: Value<'a>) -> Result<Option<&'a str>> {
    let Value::Attrs(set) = value else { return Ok(None) };
    let Some(attr) = set.get(symbol!("_type")) else { return Ok(None) };
    match eval.force_attr(attr)? {
        Value::Str(kind) => Ok(Some(kind)),
        _ => Ok(None),
    }
}

/// What to do with conditions on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// Keep them for the parts: which names a set has does not depend on its condition.
    Keep,
    /// Evaluate them, and drop the definition where one is false. What `mkOverride` wraps is not
    /// looked at: a weaker definition is never computed.
    Test,
    /// As `Test`, and look into `mkOverride`: for definitions that turned out the strongest.
    Open,
}

/// Unwraps a definition into those that it stands for; the value of each is forced.
///
/// # Errors
/// The first that forcing a value, or a condition, meets; what could be unwrapped is in `out`
/// nevertheless.
pub(crate) fn unwrap<'a>(
    eval: &Evaluator<'a>,
    definition: Definition<'a>,
    conditions: Conditions,
    out: &mut Vec<Definition<'a>>,
) -> Result<()> {
    if conditions != Conditions::Keep && !holds(eval, definition.conditions)? {
        return Ok(());
    }
    if conditions == Conditions::Test && definition.priority.is_some() {
        out.push(Definition { conditions: None, ..definition });
        return Ok(());
    }
    let value = eval.force_at(definition.value, definition.at)?;
    let definition = Definition { value, ..definition };
    let (Value::Attrs(set), Some(kind)) = (value, kind_of(eval, value)?) else {
        out.push(definition);
        return Ok(());
    };
    match kind {
        "if" => {
            let (test, span) = field(eval, set, symbol!("condition"), &definition)?;
            let content = content(eval, set, &definition)?;
            let outer = definition.conditions;
            if conditions == Conditions::Keep {
                let conditions = Some(eval.alloc(Condition { test, span, outer }));
                return unwrap(eval, Definition { conditions, ..content }, Conditions::Keep, out);
            }
            if condition(eval, test, span)? {
                unwrap(eval, Definition { conditions: None, ..content }, conditions, out)?;
            }
            Ok(())
        }
        "merge" => {
            let (contents, span) = field(eval, set, symbol!("contents"), &definition)?;
            let list = eval.expect_list(contents, span)?;
            let spans = eval.element_spans(span).unwrap_or_default();
            // One that fails hides none of the others.
            let mut result = Ok(());
            for (number, item) in list.iter().enumerate() {
                let at = spans.get(number).copied().unwrap_or(definition.at);
                let conditions_left = pending(&definition, conditions);
                let part = Definition { conditions: conditions_left, ..definition };
                let one = unwrap(eval, part.part(item, Span::NONE, at), conditions, out);
                result = result.and(one);
            }
            result
        }
        "override" => {
            let (priority, span) = field(eval, set, symbol!("priority"), &definition)?;
            let priority = eval.expect_int(priority, span)?;
            let mut content = content(eval, set, &definition)?;
            content.priority.get_or_insert(priority);
            content.conditions = pending(&definition, conditions);
            unwrap(eval, content, conditions, out)
        }
        "definition" => {
            let mut content = as_written(eval, set, &definition)?;
            content.conditions = pending(&definition, conditions);
            unwrap(eval, content, conditions, out)
        }
        "order" => {
            let (order, span) = field(eval, set, symbol!("priority"), &definition)?;
            let order = eval.expect_int(order, span)?;
            let mut content = content(eval, set, &definition)?;
            content.order.get_or_insert(order);
            content.conditions = pending(&definition, conditions);
            unwrap(eval, content, conditions, out)
        }
        _ => {
            out.push(definition);
            Ok(())
        }
    }
}

/// Conditions that were tested already need no second look.
fn pending<'a>(definition: &Definition<'a>, mode: Conditions) -> Option<&'a Condition<'a>> {
    definition.conditions.filter(|_| mode == Conditions::Keep)
}

fn holds<'a>(eval: &Evaluator<'a>, mut next: Option<&'a Condition<'a>>) -> Result<bool> {
    let mut outermost_first = Vec::new();
    while let Some(condition) = next {
        outermost_first.push(condition);
        next = condition.outer;
    }
    for Condition { test, span, .. } in outermost_first.into_iter().rev() {
        if !condition(eval, *test, *span)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn condition<'a>(eval: &Evaluator<'a>, test: Value<'a>, span: Span) -> Result<bool> {
    match eval.force_at(test, span)? {
        Value::Bool(holds) => Ok(holds),
        other => {
            let message =
                format!("the condition of `mkIf` is a boolean, not {}", found(eval, other));
            let span = condition_span(&eval.world.sources, span);
            let mut error = Diagnostic::error("type::mismatch", span, message);
            error.catchable = true;
            Err(error.into())
        }
    }
}

/// Where a condition is written: of one that was a value before the call, `mkIf` knows the call alone.
pub(super) fn condition_span(sources: &Sources, span: Span) -> Span {
    let is_call = sources.text(span).is_some_and(|text| text.contains("mkIf"));
    let arguments = is_call.then(|| origin::call(sources, span, "mkIf")).flatten();
    arguments.and_then(|arguments| Some(arguments.first()?.span)).unwrap_or(span)
}

/// What a definition keeps where it is handed on to another option: hidden in its set. Not its order,
/// which is one among the first option's definitions.
struct Written {
    key: Span,
    at: Span,
    layer: Layer,
}

/// A definition as a value, `{ file; value; }`, that [`handed_on`] knows again.
pub(super) fn definition_set<'a>(eval: &Evaluator<'a>, definition: &Definition<'a>) -> Value<'a> {
    let Definition { value, key, origin, .. } = *definition;
    let at = definition.span(eval);
    let mut set = AttrsBuilder::with_capacity(2);
    set.set(symbol!("file"), eval.str_in(origin.file));
    set.insert(symbol!("value"), value, at);
    set.finish_with(eval, Written { key, at, layer: origin.layer }, &[])
}

/// `{ file; value; }` as a definition of another option, made where the first one was.
pub(super) fn handed_on<'a>(
    eval: &Evaluator<'a>,
    definition: Value<'a>,
    at: Span,
) -> Result<Value<'a>> {
    let given = eval.expect_attrs(definition, at)?;
    let mut set = AttrsBuilder::with_capacity(given.len() + 1);
    given.iter().for_each(|attr| {
        set.copy(attr);
    });
    set.set(symbol!("_type"), eval.str_in("definition"));
    let written = given.payload().and_then(|payload| payload.data.downcast_ref::<Written>());
    Ok(match written {
        Some(&Written { key, at, layer }) => set.finish_with(eval, Written { key, at, layer }, &[]),
        None => set.finish(eval),
    })
}

/// The definition that `mkDefinition` made, with what it says of its place.
fn as_written<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    definition: &Definition<'a>,
) -> Result<Definition<'a>> {
    let (value, at) = field(eval, set, symbol!("value"), definition)?;
    let mut content = Definition { value, at, ..*definition };
    if let Some(attr) = set.get(symbol!("file")) {
        content.origin.file = eval.coerce_to_str(eval.force_attr(attr)?, attr.span)?;
    }
    if let Some(payload) = set.payload()
        && let Some(written) = payload.data.downcast_ref::<Written>()
    {
        content.key = written.key;
        content.at = written.at;
        content.origin.layer = written.layer;
    }
    Ok(content)
}

fn content<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    definition: &Definition<'a>,
) -> Result<Definition<'a>> {
    let (value, at) = field(eval, set, symbol!("content"), definition)?;
    Ok(Definition { value, at, ..*definition })
}

fn field<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    name: Symbol,
    definition: &Definition<'a>,
) -> Result<(Value<'a>, Span)> {
    match set.get(name) {
        Some(attr) => Ok((attr.value.get(), attr.span.or(definition.span(eval)))),
        None => {
            let message =
                format!("a property without `{name}`: it was not made by `lib.mkIf` or such");
            Err(Diagnostic::error("module::property", definition.span(eval), message).into())
        }
    }
}

/// A set that [`unwrap`] understands. Each field comes with the place where it is written.
pub(crate) fn property<'a>(
    eval: &Evaluator<'a>,
    kind: &'static str,
    fields: &[(Symbol, Value<'a>, Span)],
) -> Value<'a> {
    let mut set = AttrsBuilder::with_capacity(fields.len() + 1);
    set.set(symbol!("_type"), eval.str_in(kind));
    for (name, value, span) in fields {
        set.insert(*name, *value, *span);
    }
    set.finish(eval)
}

/// The value of a definition with its strength and conditions written into it again.
pub(crate) fn rewrap<'a>(eval: &Evaluator<'a>, definition: &Definition<'a>) -> Value<'a> {
    let at = definition.span(eval);
    let mut value = definition.value;
    if let Some(order) = definition.order {
        let fields =
            [(symbol!("priority"), Value::Int(order), at), (symbol!("content"), value, at)];
        value = property(eval, "order", &fields);
    }
    if let Some(priority) = definition.priority {
        let fields =
            [(symbol!("priority"), Value::Int(priority), at), (symbol!("content"), value, at)];
        value = property(eval, "override", &fields);
    }
    let mut next = definition.conditions;
    while let Some(condition) = next {
        let fields = [
            (symbol!("condition"), condition.test, condition.span),
            (symbol!("content"), value, at),
        ];
        value = property(eval, "if", &fields);
        next = condition.outer;
    }
    value
}
