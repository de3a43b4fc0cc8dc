//! Paths: of the fleet, and of places on a host.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{Evaluator, virtual_path};
use crate::fs::Root;
use crate::symbol::symbol;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::mismatch::{DECLARED, refused};
use super::{OptionType, Type, make, mismatch};
use crate::brief::found;

/// Where a host keeps what a generation brings: the one store that paths may lie in.
const STORE: &str = "/var/lib/cairn/store/";

/// `path`, and `pathWith` with more to say about it.
#[derive(Clone)]
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Whether it must begin with a slash, or must not.
    pub(crate) absolute: Option<bool>,
    /// Whether it must be in the store of the host, as files of the fleet are, or must not.
    pub(crate) in_store: Option<bool>,
}

impl Path {
    /// `types.path`.
    pub(crate) const ABSOLUTE: Path = Path { name: "path", absolute: Some(true), in_store: None };
}

impl OptionType for Path {
    fn name(&self) -> &str {
        self.name
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        let kind = match self.absolute {
            Some(true) => "absolute path",
            Some(false) => "relative path",
            None => "path",
        };
        let place = match self.in_store {
            Some(true) => " in the store",
            Some(false) => " outside of the store",
            None => "",
        };
        Ok(format!("{kind}{place}"))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let of_text = |text: &str| {
            let absolute = self.absolute.is_none_or(|wanted| text.starts_with('/') == wanted);
            let inside = text.strip_prefix(STORE).is_some_and(|name| !name.starts_with('.'));
            absolute && self.in_store.is_none_or(|wanted| inside == wanted)
        };
        // A file of the fleet will be in the store.
        let of_file = self.absolute != Some(false) && self.in_store != Some(false);
        let value = match value {
            Value::Attrs(set) if self.in_store != Some(false) => {
                match set.get(symbol!("outPath")) {
                    Some(attr) => eval.force_attr(attr)?,
                    None => return Ok(false),
                }
            }
            other => other,
        };
        Ok(match value {
            Value::Path(_) => of_file,
            Value::Str(text) => of_text(text),
            _ => false,
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let value = super::one_value(eval, place, definitions)?;
        let Value::Path(path) = value else { return Ok(value) };
        let path = virtual_path(path);
        // A file that is not there would be noticed later, where nobody wrote its name.
        if path.root != Root::Machine && matches!(eval.world.roots.resolved_kind(&path), Ok(None)) {
            let same = |definition: &&Definition<'a>| matches!(definition.value, Value::Path(_));
            let span = definitions.iter().rev().find(same).map(|found| found.span(eval));
            let message = format!("there is no file {path}");
            return Err(Diagnostic::error(
                "file::not-found",
                span.unwrap_or(place.declared),
                message,
            )
            .with_related(place.declared, DECLARED)
            .with_help("check the name; paths start at the file they are written in")
            .into());
        }
        Ok(value)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let value = eval.force(definition.value)?;
        let Value::Str(text) = value else { return mismatch(eval, ty, place, definition) };
        let expected = super::mismatch::with_article(&ty.alone().description(eval)?);
        let message = format!("`{}` takes {expected}, found {}", place.path, found(eval, value));
        let mut error = refused(eval, place, definition, message);
        let relative = text.trim_start_matches("./");
        error.help = match (self.absolute, self.in_store) {
            (Some(false), _) => {
                Some(format!("leave out the slash: \"{}\"", text.trim_start_matches('/')))
            }
            (_, None) => Some(format!(
                "a file of the fleet is written without quotes, ./{relative}; a place on the host \
                 begins with a slash"
            )),
            (_, Some(true)) => {
                Some(format!("a file of the fleet is written without quotes, ./{relative}"))
            }
            (_, Some(false)) => {
                Some("a place on the host that no generation changes is needed".to_owned())
            }
        };
        Ok(error)
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, self.clone(), values))
    }
}

/// `pathWith { absolute ? null; inStore ? null; }`.
pub(super) fn path_with<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: crate::source::Span,
) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let flag = |name: &str| match set.get_str(name) {
        None => Ok(None),
        Some(attr) => match eval.force_attr(attr)? {
            Value::Null => Ok(None),
            value => eval.expect_bool(value, attr.span.or(at)).map(Some),
        },
    };
    let (absolute, in_store) = (flag("absolute")?, flag("inStore")?);
    if absolute == Some(false) && in_store == Some(true) {
        let message = "no path is relative and in the store";
        return Err(Diagnostic::error("type::empty", at, message).into());
    }
    Ok(make(eval, Path { name: "pathWith", absolute, in_store }, &[]))
}
