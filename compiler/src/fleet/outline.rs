//! `cairn.nix`: what the fleet is made of, before any host is looked at.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use cairn_fetch::input::Inputs;
use cairn_lang::{
    Attr, Attrs, Diagnostic, Evaluator, Result, Root, Span, Value, VirtualPath, did_you_mean,
    literal,
};

use super::inputs::InputValues;

/// What may stand in `cairn.nix`.
const KEYS: [&str; 3] = ["description", "inputs", "outputs"];

/// What `outputs` may give.
const OUTPUTS: [&str; 6] = ["groups", "hosts", "lib", "modules", "packages", "templates"];

/// What a group may hold.
const GROUP: [&str; 2] = ["hosts", "module"];

/// The fleet's names, outside of any evaluation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) description: Option<String>,
    /// Where each host is named.
    pub(crate) hosts: BTreeMap<String, Span>,
    pub(crate) groups: BTreeMap<String, Group>,
}

/// A group's static data.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its hosts, each once.
    pub(crate) hosts: Vec<String>,
}

impl Outline {
    /// The groups that a host is in, in the order of the alphabet.
    pub(crate) fn groups_of<'o>(&'o self, host: &'o str) -> impl Iterator<Item = &'o str> {
        let member = move |group: &Group| group.hosts.iter().any(|name| name == host);
        self.groups.iter().filter(move |(_, group)| member(group)).map(|(name, _)| name.as_str())
    }
}

/// The fleet's own value, in one evaluation.
pub(crate) struct FleetValue<'a> {
    root: &'a Attrs<'a>,
    outputs: &'a Attrs<'a>,
}

impl<'a> FleetValue<'a> {
    /// Evaluates `cairn.nix` and calls its `outputs`.
    ///
    /// # Errors
    /// Whatever that meets; also where it is not a set.
    pub(crate) fn load(eval: &Evaluator<'a>, inputs: &'a Inputs) -> Result<FleetValue<'a>> {
        let path = VirtualPath { root: Root::Fleet, path: "cairn.nix".to_owned() };
        let file = eval.import(&path, Span::NONE)?;
        let root = eval.expect_attrs(file, Span::NONE).map_err(|_| no_fleet(file))?;
        let Some(outputs) = root.get_str("outputs") else {
            let message = "cairn.nix has no `outputs`";
            let help = "write `outputs = { self, ... }: { hosts.<name> = ./hosts/<name>.nix; };`";
            let first = root.sorted().first().map_or(Span::NONE, |attr| attr.span);
            return Err(Diagnostic::error("fleet::no-outputs", first, message)
                .with_help(help)
                .into());
        };
        let function = eval.force_attr(outputs)?;
        let result: &'a OnceCell<Value<'a>> = eval.alloc(OnceCell::new());
        let this = eval.thunk(move |eval| match result.get() {
            Some(result) => eval.force(*result),
            None => Ok(Value::Null),
        });
        let at = eval.value_span(outputs.span);
        let known = InputValues::new(eval, inputs);
        let args = known.arguments(eval, this, &inputs.root);
        let call = eval.thunk(move |eval| eval.call(function, &[args], at));
        let _ = result.set(call);
        let value = eval.force_at(call, at)?;
        let outputs = eval.expect_attrs(value, at)?;
        Ok(FleetValue { root, outputs })
    }

    /// What `outputs` gives.
    pub(crate) fn outputs(&self) -> Value<'a> {
        Value::Attrs(self.outputs)
    }

    /// The module of a host; none where there is no such host.
    pub(crate) fn host(&self, eval: &Evaluator<'a>, name: &str) -> Result<Option<Attr<'a>>> {
        Ok(self.set(eval, "hosts")?.and_then(|hosts| hosts.get_str(name)).cloned())
    }

    /// The module of a group, where it has one.
    pub(crate) fn group_module(
        &self,
        eval: &Evaluator<'a>,
        name: &str,
    ) -> Result<Option<Attr<'a>>> {
        let Some(group) = self.set(eval, "groups")?.and_then(|groups| groups.get_str(name)) else {
            return Ok(None);
        };
        let value = eval.force_attr(group)?;
        let group = eval.expect_attrs(value, eval.value_span(group.span))?;
        Ok(group.get_str("module").cloned())
    }

    /// The fleet's own packages.
    pub(crate) fn packages(&self, eval: &Evaluator<'a>) -> Result<Option<&'a Attrs<'a>>> {
        self.set(eval, "packages")
    }

    fn set(&self, eval: &Evaluator<'a>, name: &str) -> Result<Option<&'a Attrs<'a>>> {
        let Some(attr) = self.outputs.get_str(name) else { return Ok(None) };
        let value = eval.force_attr(attr)?;
        eval.expect_attrs(value, eval.value_span(attr.span)).map(Some)
    }

    /// Names, and everything that is wrong with them.
    pub(crate) fn outline(&self, eval: &Evaluator<'a>) -> (Outline, Vec<Diagnostic>) {
        let mut reader = Reader { eval, problems: Vec::new() };
        let mut outline = Outline::default();
        reader.refuse_unknown(self.root, &KEYS, "cairn.nix");
        reader.refuse_unknown(self.outputs, &OUTPUTS, "`outputs`");
        if let Some(attr) = self.root.get_str("description") {
            outline.description = reader.text(attr);
        }
        let hosts = reader.ok(self.set(eval, "hosts")).flatten();
        for attr in hosts.map(Attrs::sorted).unwrap_or_default() {
            if reader.check_name(attr, "host") {
                outline.hosts.insert(attr.name.to_string(), attr.span);
            }
        }
        let groups = reader.ok(self.set(eval, "groups")).flatten();
        for attr in groups.map(Attrs::sorted).unwrap_or_default() {
            if reader.check_name(attr, "group")
                && let Some(group) = reader.group(attr, &outline)
            {
                outline.groups.insert(attr.name.to_string(), group);
            }
        }
        (outline, reader.problems)
    }
}

fn no_fleet(value: Value<'_>) -> Box<Diagnostic> {
    let message = format!("cairn.nix is {}, not a fleet", value.described());
    let help = "write `{ description = \"…\"; outputs = { self, ... }: { … }; }`";
    Diagnostic::error("fleet::no-fleet", Span::NONE, message).with_help(help).into()
}

/// Reads on after a mistake, so that all are told at once.
struct Reader<'e, 'a> {
    eval: &'e Evaluator<'a>,
    problems: Vec<Diagnostic>,
}

impl<'a> Reader<'_, 'a> {
    fn ok<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.problems.push(*error)).ok()
    }

    fn text(&mut self, attr: &Attr<'a>) -> Option<String> {
        let at = self.eval.value_span(attr.span);
        let text = self.eval.force_attr(attr).and_then(|value| self.eval.expect_str(value, at));
        self.ok(text).map(str::to_owned)
    }

    fn refuse_unknown(&mut self, set: &Attrs<'a>, known: &[&'static str], place: &str) {
        for attr in set.sorted() {
            let name = attr.name.as_str();
            if !known.contains(&name) {
                let message = format!("{place} has no `{name}`");
                let help = did_you_mean(name, known.iter().copied())
                    .unwrap_or_else(|| format!("it may hold {}", known.join(", ")));
                let error = Diagnostic::error("fleet::unknown-key", attr.span, message);
                self.problems.push(error.with_help(help));
            }
        }
    }

    /// Names of hosts are folders, arguments and, by default, names in the network.
    fn check_name(&mut self, attr: &Attr<'a>, kind: &str) -> bool {
        let name = attr.name.as_str();
        let Err(fault) = literal::hostname::hostname(&name.replace('_', "-")) else { return true };
        let message = format!("`{name}` is no name for a {kind}: {fault}");
        let help = "names hold letters, digits, `-` and `_`";
        let error = Diagnostic::error("fleet::bad-name", attr.span, message).with_help(help);
        self.problems.push(error);
        false
    }

    fn group(&mut self, attr: &Attr<'a>, outline: &Outline) -> Option<Group> {
        let eval = self.eval;
        let at = eval.value_span(attr.span);
        let set = eval.force_attr(attr).and_then(|value| eval.expect_attrs(value, at));
        let set = self.ok(set)?;
        self.refuse_unknown(set, &GROUP, &format!("the group `{}`", attr.name));
        let mut group = Group { hosts: Vec::new() };
        let Some(hosts) = set.get_str("hosts") else { return Some(group) };
        let list_span = eval.value_span(hosts.span);
        let list = eval.force_attr(hosts).and_then(|value| eval.expect_list(value, list_span));
        let list = self.ok(list)?;
        let spans = eval.element_spans(list_span).unwrap_or_default();
        for (index, item) in list.iter().enumerate() {
            let at = spans.get(index).copied().unwrap_or(list_span);
            let name = eval.force_at(item, at).and_then(|value| eval.expect_str(value, at));
            let Some(name) = self.ok(name) else { continue };
            if !outline.hosts.contains_key(name) {
                self.unknown_host(name, at, attr, outline);
            } else if !group.hosts.iter().any(|known| known == name) {
                group.hosts.push(name.to_owned());
            }
        }
        Some(group)
    }

    fn unknown_host(&mut self, name: &str, at: Span, group: &Attr<'a>, outline: &Outline) {
        let message =
            format!("the group `{}` lists a host `{name}` that does not exist", group.name);
        let hosts = outline.hosts.keys().map(String::as_str);
        let help = did_you_mean(name, hosts)
            .unwrap_or_else(|| format!("define it: `hosts.{name} = ./hosts/{name}.nix;`"));
        self.problems.push(Diagnostic::error("fleet::unknown-host", at, message).with_help(help));
    }
}
