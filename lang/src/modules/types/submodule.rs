//! `submodule`: a set with options of its own.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::Value;

use super::super::collect::RawModule;
use super::super::definition::{Definition, Layer, Origin};
use super::super::location::{Place, Step};
use super::super::property::kind_of;
use super::super::tree::ModuleTree;
use super::super::unknown::unknown_options;
use super::{OptionType, Type, make};

/// Submodules inside of more than this have no end.
const DEEPEST: usize = 500;

/// Value 0 is the list of modules, value 1 the special arguments (a set).
#[derive(Clone, Default)]
pub(crate) struct Submodule {
    /// Whether a set that defines it is its `config`, not a whole module; `None` leaves it to
    /// another declaration of the same option.
    pub(crate) only_config: Option<bool>,
    /// The description, if the type gives one.
    pub(crate) description: Option<String>,
    /// What its modules are made for: see `_class`.
    pub(crate) class: Option<String>,
}

/// The type of submodules that are made of these modules (a list).
pub(crate) fn submodule_of<'a>(
    eval: &Evaluator<'a>,
    only_config: Option<bool>,
    modules: Value<'a>,
    special: Value<'a>,
) -> Value<'a> {
    make(eval, Submodule { only_config, ..Submodule::default() }, &[modules, special])
}

impl Submodule {
    /// The submodule's own modules and what defines it, in nixpkgs' order: sets of definitions
    /// first; whole modules last, for they are imported by something that stands in their place.
    fn all_modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Vec<RawModule<'a>>> {
        let listed = listed_modules(eval, ty, place.declared)?;
        let shorthand = self.only_config.unwrap_or(false);
        let is_config =
            |definition: &Definition<'a>| shorthand && matches!(definition.value, Value::Attrs(_));
        let raw = |definition: &Definition<'a>| {
            let module = RawModule::new(definition.value, definition.origin);
            let config_only = is_config(definition);
            RawModule { at: definition.span(eval), config_only, ..module }
        };
        let mut modules = Vec::with_capacity(listed.len() + definitions.len() + 1);
        modules.extend(definitions.iter().filter(|one| is_config(one)).map(raw));
        let own = |module| RawModule { origin: *place.origin, ..module };
        modules.extend(listed.into_iter().map(own));
        modules.extend(definitions.iter().filter(|one| !is_config(one)).map(raw));
        Ok(modules)
    }
}

impl OptionType for Submodule {
    fn name(&self) -> &str {
        "submodule"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(self.description.clone().unwrap_or_else(|| "submodule".to_owned()))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Attrs(_) => kind_of(eval, value)?.is_none(),
            // A function of the library is no module: an argument of `mkIf` is missing.
            Value::Path(_) | Value::Lambda(_) => true,
            _ => false,
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        if place.path.is_longer_than(DEEPEST) {
            return Err(endless(place));
        }
        let modules = self.all_modules(eval, ty, place, definitions)?;
        let special = special(eval, ty, place.path.last())?;
        let class = self.class.as_deref().map(|class| eval.alloc_str(class));
        let tree = ModuleTree::of_class(eval, place, &special, modules, class);
        let config = tree.config(eval);
        if !place.session.tolerant {
            // Nobody will look for unknown options later.
            let config = eval.force(config)?;
            return match unknown_options(eval, tree)?.into_iter().next() {
                Some(error) => Err(error.into()),
                None => Ok(config),
            };
        }
        Ok(config)
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, self.clone(), values))
    }

    /// Two declarations of a submodule have the options of both.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let def: &dyn std::any::Any = other.def;
        let Some(second) = def.downcast_ref::<Submodule>() else { return Ok(None) };
        let (Some(only_config), Some(class)) = (
            agreed(self.only_config, second.only_config),
            agreed(self.class.clone(), second.class.clone()),
        ) else {
            return Ok(None);
        };
        let modules = join_lists(eval, ty, other)?;
        let args = [ty, other].map(|ty| ty.values.get(1).copied().unwrap_or(Value::Null));
        let args = match (eval.force(args[0])?, eval.force(args[1])?) {
            (Value::Attrs(left), Value::Attrs(right)) => {
                // The same argument twice is one only if it is the same module's.
                let same = left.iter().find(|attr| right.get(attr.name).is_some());
                if same.is_some() && !std::ptr::eq(left, right) {
                    return Ok(None);
                }
                eval.update(left, right)
            }
            (Value::Null, other) => other,
            (one, _) => one,
        };
        let description = self.description.clone().or_else(|| second.description.clone());
        let both = make(eval, Submodule { only_config, description, class }, &[modules, args]);
        Type::of(eval, both, Span::NONE).map(Some)
    }

    fn modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        at: Span,
    ) -> Result<Option<Vec<RawModule<'a>>>> {
        listed_modules(eval, ty, at).map(Some)
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>) -> Result<Option<Value<'a>>> {
        Ok(Some(eval.attrs::<Symbol>([])))
    }

    fn is_submodule(&self) -> bool {
        true
    }
}

#[cold]
fn endless(place: Place<'_>) -> Box<Diagnostic> {
    let whole = place.path.first_name().map_or("…", |name| name.as_str());
    let message = format!("the submodules in `{whole}` are inside of each other without end");
    Diagnostic::error("type::endless", place.declared, message)
        .with_label("one more of them is its value, by default")
        .with_help("leave out the default, or make the type a `nullOr` and the default `null`")
        .into()
}

/// What two declarations say together; `None` where they contradict each other.
fn agreed<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (None, other) => Some(other),
        (one, None) => Some(one),
        (one, other) => (one == other).then_some(one),
    }
}

/// The modules that a type was made of: value 0.
pub(super) fn listed_modules<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    at: Span,
) -> Result<Vec<RawModule<'a>>> {
    let list = ty.values.first().copied().unwrap_or(Value::Null);
    let list = eval.expect_list(list, at)?;
    let origin = Origin { file: "", layer: Layer::Standard };
    Ok(list.iter().map(|value| RawModule { at, ..RawModule::new(value, origin) }).collect())
}

/// The lists in value 0 of both types, one after the other.
pub(super) fn join_lists<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    other: Type<'a>,
) -> Result<Value<'a>> {
    let list = |ty: Type<'a>| {
        let list = ty.values.first().copied().unwrap_or(Value::Null);
        eval.expect_list(list, Span::NONE)
    };
    let all: Vec<_> = list(ty)?.iter().chain(list(other)?.iter()).collect();
    Ok(eval.list(all))
}

/// The arguments of a submodule's modules.
pub(super) fn special<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    name: Option<Step>,
) -> Result<Vec<(Symbol, Value<'a>)>> {
    let mut out = Vec::new();
    if let Some(name) = name {
        out.push((symbol!("name"), name.value(eval)));
    }
    let args = ty.values.get(1).copied().unwrap_or(Value::Null);
    if let Value::Attrs(args) = eval.force(args)? {
        out.retain(|(name, _)| args.get(*name).is_none());
        out.extend(args.iter().map(|attr| (attr.name, attr.value.get())));
    }
    Ok(out)
}

/// `submoduleWith { modules; specialArgs ? { }; shorthandOnlyDefinesConfig ? false; … }`.
pub(super) fn submodule_with<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    const KNOWN: [&str; 5] =
        ["class", "description", "modules", "shorthandOnlyDefinesConfig", "specialArgs"];
    let set = eval.expect_attrs(args[0], at)?;
    if let Some(other) = set.sorted().into_iter().find(|a| !KNOWN.contains(&a.name.as_str())) {
        let message = format!("`submoduleWith` takes no `{}`", other.name);
        let mut error = Diagnostic::error("type::argument", other.span.or(at), message);
        error.help = crate::diagnostic::did_you_mean(other.name.as_str(), KNOWN)
            .or_else(|| Some(format!("it takes {}", KNOWN.join(", "))));
        return Err(error.into());
    }
    let field = |name: &str| set.get_str(name).map(|attr| attr.value.get());
    let text = |name: &str| match field(name).map(|value| eval.force(value)).transpose()? {
        None | Some(Value::Null) => Ok::<_, Box<Diagnostic>>(None),
        Some(value) => Ok(Some(eval.expect_str(value, at)?.to_owned())),
    };
    let shorthand =
        field("shorthandOnlyDefinesConfig").map(|value| eval.force(value)).transpose()?;
    let only_config = match shorthand {
        None => Some(false),
        Some(Value::Null) => None,
        Some(value) => Some(eval.expect_bool(value, at)?),
    };
    let Some(modules) = field("modules") else {
        return Err(eval.missing(Value::Attrs(set), "modules".into(), at));
    };
    let special = field("specialArgs").unwrap_or(Value::Null);
    let def = Submodule { only_config, description: text("description")?, class: text("class")? };
    Ok(make(eval, def, &[modules, special]))
}
