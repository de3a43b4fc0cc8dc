//! Inputs as values: what `outputs` of a `cairn.nix` is called with.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use cairn_fetch::input::{Input, Inputs};
use cairn_lang::{
    Attrs, AttrsBuilder, Diagnostic, Evaluator, Result, Root, Span, Value, VirtualPath,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Every input of one evaluation, each computed when somebody asks, and once.
#[derive(Clone, Copy)]
pub(super) struct InputValues<'a>(&'a OnceCell<&'a Attrs<'a>>);

impl<'a> InputValues<'a> {
    pub(super) fn new(eval: &Evaluator<'a>, inputs: &'a Inputs) -> InputValues<'a> {
        let values = InputValues(eval.alloc(OnceCell::new()));
        let each = inputs.all.values().map(|input| {
            let value = eval.thunk(move |eval| values.value(eval, input));
            (input.name.as_str(), value)
        });
        if let Value::Attrs(all) = eval.attrs(each) {
            let _ = values.0.set(all);
        }
        values
    }

    /// The argument of an `outputs`: `self`, and inputs by the names that it has for them.
    pub(super) fn arguments(
        self,
        eval: &Evaluator<'a>,
        this: Value<'a>,
        names: &'a BTreeMap<String, String>,
    ) -> Value<'a> {
        let inputs = names.iter().map(|(name, target)| (name.as_str(), self.of(target)));
        eval.attrs(inputs.chain([("self", this)]))
    }

    /// The input at this place in the tree.
    pub(super) fn of(self, target: &str) -> Value<'a> {
        let known = self.0.get().and_then(|all| all.get_str(target));
        known.map_or(Value::Null, |attr| attr.value.get())
    }

    /// An input: what its `outputs` gives, with what is known of its tree; of a plain tree, that alone.
    fn value(self, eval: &Evaluator<'a>, input: &'a Input) -> Result<Value<'a>> {
        let mut value = AttrsBuilder::new();
        let about = about(eval, input);
        if let Some(file) = &input.file {
            let this = self.of(&input.name);
            let arguments = self.arguments(eval, this, &input.inputs);
            let outputs = call_outputs(eval, input, file, arguments)?;
            for attr in outputs.iter() {
                value.copy(attr);
            }
            let inputs = input.inputs.iter().map(|(name, it)| (name.as_str(), self.of(it)));
            value.set("inputs", eval.attrs(inputs));
            value.set("outputs", Value::Attrs(outputs));
            value.set("_type", eval.str("flake"));
        }
        for (name, about) in about {
            value.set(name, about);
        }
        Ok(value.finish(eval))
    }
}

/// What an input's file gives, called with its inputs.
fn call_outputs<'a>(
    eval: &Evaluator<'a>,
    input: &Input,
    file: &str,
    arguments: Value<'a>,
) -> Result<&'a Attrs<'a>> {
    let path = VirtualPath { root: Root::input(&input.name), path: file.to_owned() };
    let file = eval.import(&path, Span::NONE)?;
    let set = eval.expect_attrs(file, Span::NONE)?;
    let Some(outputs) = set.get_str("outputs") else {
        let message = format!("{path} has no `outputs`");
        let help = "an input gives `outputs = { self, ... }: { modules.<name> = …; };`";
        return Err(Diagnostic::error("input::no-outputs", Span::NONE, message)
            .with_help(help)
            .into());
    };
    let at = eval.value_span(outputs.span);
    let function = eval.force_attr(outputs)?;
    let value = eval.call(function, &[arguments], at)?;
    eval.expect_attrs(value, at)
}

/// What is known of an input's tree, by the names that Nix has for it.
fn about<'a>(eval: &Evaluator<'a>, input: &Input) -> Vec<(&'static str, Value<'a>)> {
    let path = VirtualPath { root: Root::input(&input.name), path: input.dir.clone() };
    let mut about = vec![("outPath", eval.path(&path))];
    if !input.locked.hash.is_empty() {
        about.push(("narHash", eval.str(&input.locked.hash)));
    }
    if let Some(rev) = &input.locked.rev {
        about.push(("rev", eval.str(rev)));
        about.push(("shortRev", eval.str(rev.get(..7).unwrap_or(rev))));
    }
    if let Some(date) = input.locked.date {
        about.push(("lastModified", Value::Int(date)));
        let date = Timestamp::from_second(date).map(|date| date.to_zoned(TimeZone::UTC));
        let date = date.map(|date| date.strftime("%Y%m%d%H%M%S").to_string());
        about.extend(date.map(|date| ("lastModifiedDate", eval.str(&date))));
    }
    about
}
