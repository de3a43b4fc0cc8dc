//! `secret`: the name of a secret, never its text.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::property::kind_of;
use super::mismatch::refused;
use super::{OptionType, Type, mismatch};

/// The `_type` of handles.
pub(crate) const SECRET: &str = "secret";

/// How one is written instead.
const HELP: &str = "encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put \
     `config.sops.secrets.<name>` here";

pub(crate) struct Secret;

impl OptionType for Secret {
    fn name(&self) -> &str {
        SECRET
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("secret (one of `config.sops.secrets`)".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let Value::Attrs(set) = value else { return Ok(false) };
        if kind_of(eval, value)? != Some(SECRET) {
            return Ok(false);
        }
        let Some(name) = set.get(symbol!("name")) else { return Ok(false) };
        Ok(matches!(eval.force_attr(name)?, Value::Str(_)))
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let mut error = match eval.force(definition.value)? {
            // The text may be the secret itself: it is not repeated.
            Value::Str(_) => {
                let message = format!(
                    "`{}` takes a secret, and a secret is named, never written: what stands in the \
                     fleet's files is known to whoever can read them",
                    place.path
                );
                refused(eval, place, definition, message)
            }
            _ => mismatch(eval, ty, place, definition)?,
        };
        error.help = Some(HELP.to_owned());
        Ok(error)
    }
}

/// `mkSecret "name"`: the handle of a secret.
pub(crate) fn mk_secret<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let name = eval.expect_str(args[0], at)?;
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if name.is_empty() || !name.chars().all(fine) {
        // It may be the secret itself: it is not repeated.
        let message = "the name of a secret is made of letters, digits and `-`, `_`, `.`, `/`";
        let error = Diagnostic::error("type::argument", at, message);
        return Err(error.with_help("a secret is named here, never written").into());
    }
    let mut out = AttrsBuilder::with_capacity(2);
    out.insert("_type", eval.str_in(SECRET), at);
    out.set("name", eval.str(name));
    Ok(out.finish(eval))
}
