//! Lists and sets of one type: `listOf`, `nonEmptyListOf`, `attrsOf`, `lazyAttrsOf`.

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::property::{Conditions, unwrap};
use super::{OptionType, Type, make, merge_element};

/// Lists: all definitions, one after the other.
#[derive(Clone)]
pub(crate) struct ListOf {
    pub(crate) non_empty: bool,
}

impl OptionType for ListOf {
    fn name(&self) -> &str {
        "listOf"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let inner = ty.inner(eval, 0)?.description(eval)?;
        let kind = if self.non_empty { "non-empty list" } else { "list" };
        Ok(format!("{kind} of {}", in_list(&inner)))
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::List(list) if !self.non_empty || !list.is_empty()))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let inner = ty.inner(eval, 0)?;
        let mut items = Vec::new();
        for (which, definition) in definitions.iter().enumerate() {
            let Value::List(list) = definition.value else { continue };
            let at = definition.span(eval);
            let spans = eval.element_spans(at).unwrap_or_default();
            for (number, value) in list.iter().enumerate() {
                let here = spans.get(number).copied().unwrap_or(at);
                let place = place.entry(eval, which, number);
                let mut parts = Vec::new();
                let element = definition.element(value, here, here);
                // An element that fails is at fault when it is used, not the list.
                if unwrap(eval, element, Conditions::Test, &mut parts).is_err() {
                    parts.push(element);
                }
                if parts.is_empty() {
                    continue;
                }
                let parts = eval.arena.bump.alloc_slice_copy(&parts);
                items.push(eval.thunk(move |eval| {
                    let merged = merge_element(eval, inner, place, parts.to_vec())?;
                    Ok(merged.unwrap_or(Value::Null))
                }));
            }
        }
        Ok(eval.list(items))
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, self.clone(), values))
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(Some("*".to_owned()), 0)]
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>) -> Result<Option<Value<'a>>> {
        Ok((!self.non_empty).then(|| eval.list([])))
    }
}

/// Sets: names from all definitions, each merged by itself.
#[derive(Clone, Default)]
pub(crate) struct AttrsOf {
    /// Whether the values may depend on each other through the set: then a name whose only
    /// definition is `mkIf false` is there, and fails when used.
    pub(crate) lazy: bool,
    /// What stands for any name in the reference: `name`, unless this says another word.
    pub(crate) placeholder: Option<String>,
}

impl OptionType for AttrsOf {
    fn name(&self) -> &str {
        if self.lazy { "lazyAttrsOf" } else { "attrsOf" }
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let inner = ty.inner(eval, 0)?.description(eval)?;
        Ok(format!("attribute set of {}", in_list(&inner)))
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Attrs(_)))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let inner = ty.inner(eval, 0)?;
        let mut names: Vec<Symbol> = Vec::new();
        let mut by_name: FxHashMap<Symbol, Vec<Definition<'a>>> = FxHashMap::default();
        for definition in definitions {
            let Value::Attrs(set) = definition.value else { continue };
            for attr in set.iter() {
                let part = definition.element(attr.value.get(), attr.span, Span::NONE);
                by_name.entry(attr.name).or_insert_with(|| {
                    names.push(attr.name);
                    Vec::new()
                });
                by_name.entry(attr.name).or_default().push(part);
            }
        }
        let mut out = AttrsBuilder::with_capacity(names.len());
        for name in names {
            let definitions = by_name.remove(&name).unwrap_or_default();
            let span = definitions.first().map_or(Span::NONE, |definition| definition.key);
            let (place, lazy) = (place.name(eval, name), self.lazy);
            let definitions = if self.lazy { definitions } else { unwrap_all(eval, definitions)? };
            if definitions.is_empty() {
                continue;
            }
            let definitions = eval.arena.bump.alloc_slice_copy(&definitions);
            let value = eval.thunk(move |eval| {
                let unwrapped = unwrap_all(eval, definitions.to_vec())?;
                match merge_element(eval, inner, place, unwrapped)? {
                    Some(value) => Ok(value),
                    None => match inner.empty(eval)?.filter(|_| lazy) {
                        Some(empty) => eval.force(empty),
                        None => Err(nothing_left(place, definitions.first())),
                    },
                }
            });
            out.insert(name, value, span);
        }
        Ok(out.finish(eval))
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, self.clone(), values))
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(Some(format!("<{}>", self.placeholder.as_deref().unwrap_or("name"))), 0)]
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>) -> Result<Option<Value<'a>>> {
        Ok(Some(eval.attrs::<Symbol>([])))
    }
}

/// Definitions of one name with their properties taken away; one that fails stays as it is, and
/// fails when it is used.
fn unwrap_all<'a>(
    eval: &Evaluator<'a>,
    definitions: Vec<Definition<'a>>,
) -> Result<Vec<Definition<'a>>> {
    let mut out = Vec::with_capacity(definitions.len());
    for definition in definitions {
        let before = out.len();
        if let Err(error) = unwrap(eval, definition, Conditions::Test, &mut out) {
            if error.code == "eval::infinite-recursion" {
                return Err(error);
            }
            out.truncate(before);
            out.push(definition);
        }
    }
    Ok(out)
}

pub(super) fn nothing_left<'a>(
    place: Place<'a>,
    first: Option<&Definition<'a>>,
) -> Box<Diagnostic> {
    let span = first.map_or(Span::NONE, |definition| definition.key);
    let message = super::super::option::OptionNode::undefined_message(place.path);
    Diagnostic::error("option::undefined", span, message)
        .with_help("the conditions of all its definitions are false")
        .into()
}

/// A description of elements as part of a longer one: `string` becomes `strings`.
fn in_list(inner: &str) -> String {
    if inner.contains(" or ") || inner.starts_with("one of") {
        return format!("({inner})");
    }
    let end = [" (", " between", " matching", " separated", " that", " without"];
    let head = end.iter().filter_map(|word| inner.find(word)).min().unwrap_or(inner.len());
    let (head, rest) = inner.split_at(head);
    if head.contains(" of ") || head == "anything" || head.starts_with("the ") {
        return inner.to_owned();
    }
    let ending = if head.ends_with('s') { "es" } else { "s" };
    format!("{head}{ending}{rest}")
}
