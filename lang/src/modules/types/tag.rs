//! `attrTag`: a set with exactly one of several options.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};

use super::super::collect::RawModule;
use super::super::definition::{Definition, Layer, Origin};
use super::super::location::Place;
use super::super::tree::ModuleTree;
use super::submodule::join_lists;
use super::{OptionType, Type, make, mismatch};

/// Value 0 is a list of sets of options, the tags: more than one where modules extend the type.
pub(crate) struct AttrTag;

impl AttrTag {
    /// The tags' names, sorted.
    fn names<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Vec<&'static str>> {
        let mut names = Vec::new();
        for set in tag_sets(eval, ty)? {
            names.extend(set.names());
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

fn tag_sets<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Vec<&'a Attrs<'a>>> {
    let list = ty.values.first().copied().unwrap_or(Value::Null);
    let list = eval.expect_list(list, Span::NONE)?;
    list.iter().map(|set| eval.expect_attrs(set, Span::NONE)).collect()
}

/// A module with the tags of these names as options.
fn declares<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    wanted: impl Fn(Symbol) -> bool,
) -> RawModule<'a> {
    let mut options = AttrsBuilder::with_capacity(set.len());
    for attr in set.iter().filter(|attr| wanted(attr.name)) {
        options.copy(attr);
    }
    let value = eval.attrs([("options", options.finish(eval))]);
    RawModule::new(value, Origin { file: "", layer: Layer::Standard })
}

impl OptionType for AttrTag {
    fn name(&self) -> &str {
        "attrTag"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        Ok(format!("attribute set with one of {}", AttrTag::names(eval, ty)?.join(", ")))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        let Value::Attrs(set) = value else { return Ok(false) };
        match set.names().collect::<Vec<_>>()[..] {
            [only] => Ok(AttrTag::names(eval, ty)?.contains(&only)),
            _ => Ok(false),
        }
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let tag = |definition: &Definition<'a>| match definition.value {
            Value::Attrs(set) => set.iter().next().map(|attr| attr.name),
            _ => None,
        };
        // The strongest layer says which tag it is; weaker ones add to it where they agree.
        let strongest = super::strongest_layer(definitions);
        let Some((first, chosen)) = strongest.first().and_then(|one| Some((one, tag(one)?))) else {
            return Ok(Value::Null);
        };
        if let Some(other) = strongest.iter().find(|other| tag(other) != Some(chosen)) {
            return Err(super::mismatch::conflict(eval, place, first, other));
        }
        let mut modules = Vec::new();
        for set in tag_sets(eval, ty)? {
            modules.push(declares(eval, set, |name| name == chosen));
        }
        for definition in definitions.iter().filter(|one| tag(one) == Some(chosen)) {
            let module = RawModule::new(definition.value, definition.origin);
            modules.push(RawModule { at: definition.span(eval), config_only: true, ..module });
        }
        Ok(ModuleTree::new(eval, place, &[], modules).config(eval))
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let mut error = mismatch(eval, ty, place, definition)?;
        let Value::Attrs(set) = eval.force(definition.value)? else { return Ok(error) };
        let tags = AttrTag::names(eval, ty)?;
        let names = set.sorted();
        if let Some(unknown) = names.iter().find(|attr| !tags.contains(&attr.name.as_str())) {
            error.span = unknown.span.or(error.span);
            let tag = unknown.name;
            error.message = format!("`{}` has no kind `{tag}`", place.path);
            error.help = did_you_mean(tag.as_str(), tags.iter().copied())
                .or_else(|| Some(format!("its kinds are {}", tags.join(", "))));
        } else if let [first, .., last] = names[..] {
            error.span = last.span.or(error.span);
            error.message = format!(
                "`{}` is of one kind only, not `{}` and `{}`",
                place.path, first.name, last.name
            );
            error.help = Some("remove all but one".to_owned());
        } else {
            error.help =
                Some(format!("write one of them: {{ {} = …; }}", tags.join(" = …; } or { ")));
        }
        Ok(error)
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, AttrTag, values))
    }

    /// Two declarations have the tags of both.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        if other.name() != self.name() {
            return Ok(None);
        }
        let both = join_lists(eval, ty, other)?;
        Type::of(eval, make(eval, AttrTag, &[both]), Span::NONE).map(Some)
    }

    fn modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        _: Span,
    ) -> Result<Option<Vec<RawModule<'a>>>> {
        let sets = tag_sets(eval, ty)?;
        Ok(Some(sets.into_iter().map(|set| declares(eval, set, |_| true)).collect()))
    }
}
