//! The definitions of one host, out of its modules.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::{Attrs, Diagnostic, Evaluator, Formals, Result, Span, Symbol, Value, VirtualPath};

use super::Standins;
use super::known::{Known, Place};
use super::words::{Written, quoted};

/// Modules do not import each other deeper than this.
const DEEPEST: usize = 100;

/// How often a host is read, at most: each time with what was known of its configuration before.
const ROUNDS: usize = 5;

/// What stands in a module beside its definitions.
const STRUCTURE: [&str; 9] = [
    "_class",
    "_file",
    "_module",
    "disabledModules",
    "freeformType",
    "imports",
    "key",
    "meta",
    "options",
];

/// A host as far as it can be known.
pub(super) struct Host<'a> {
    pub(super) name: String,
    pub(super) taken: Vec<Definition<'a>>,
    pub(super) left_out: Vec<Left>,
}

/// A definition of an option that Cairn has.
#[derive(Clone)]
pub(super) struct Definition<'a> {
    pub(super) path: Vec<String>,
    /// What `mkForce` and its like make of it, the outermost first.
    pub(super) wraps: Vec<String>,
    pub(super) text: String,
    pub(super) at: Span,
    pub(super) files: Vec<String>,
    value: Value<'a>,
    priority: i64,
}

/// Something that is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Left {
    pub(super) at: Span,
    pub(super) what: String,
    pub(super) why: String,
}

/// Reads a host until nothing more comes of knowing what was read.
pub(super) fn read<'a>(
    eval: &Evaluator<'a>,
    known: &Known,
    standins: &Standins<'a>,
    name: &str,
    said: &'a Attrs<'a>,
) -> Result<Host<'a>> {
    let Some(modules) = said.get_str("modules") else {
        let message = format!("the host `{name}` is not made by nixpkgs' `lib.nixosSystem`");
        let help = "only what that is given can be read: its `modules`";
        return Err(Diagnostic::error("nixos::no-hosts", Span::NONE, message)
            .with_help(help)
            .into());
    };
    let mut arguments = BTreeMap::from([
        (Symbol::new("lib"), standins.lib),
        (Symbol::new("pkgs"), standins.pkgs),
        (Symbol::new("modulesPath"), standins.modules_path),
        (Symbol::new("options"), eval.attrs::<&str>([])),
        (Symbol::new("config"), eval.attrs::<&str>([])),
    ]);
    if let Some(special) = said.get_str("specialArgs") {
        let set = eval.force_attr(special)?;
        let set = eval.expect_attrs(set, special.span)?;
        arguments.extend(set.iter().map(|attr| (attr.name, attr.value.get())));
    }
    let mut own = BTreeMap::new();
    let mut last = None;
    loop {
        let mut reading = Reading {
            eval,
            known,
            arguments: &arguments,
            own,
            values: Vec::new(),
            taken: Vec::new(),
            left_out: Vec::new(),
            seen: BTreeSet::new(),
        };
        reading.list(modules.value.get(), modules.span, 0);
        let now = (reading.taken.len(), reading.left_out.clone());
        let rounds = last.as_ref().map_or(1, |(rounds, _)| rounds + 1);
        if rounds == ROUNDS || last.is_some_and(|(_, before)| before == now) {
            let Reading { mut taken, left_out, .. } = reading;
            taken.sort_by_key(|one| one.at);
            return Ok(Host { name: name.to_owned(), taken, left_out });
        }
        let config = reading.config();
        own = reading.own;
        arguments.insert(Symbol::new("config"), config);
        last = Some((rounds, now));
    }
}

struct Reading<'r, 'a> {
    eval: &'r Evaluator<'a>,
    known: &'r Known,
    arguments: &'r BTreeMap<Symbol, Value<'a>>,
    /// Options that the flake's modules declare, with their defaults.
    own: BTreeMap<Vec<String>, Option<Value<'a>>>,
    /// What is defined of those.
    values: Vec<(Vec<String>, Value<'a>, i64)>,
    taken: Vec<Definition<'a>>,
    left_out: Vec<Left>,
    seen: BTreeSet<VirtualPath>,
}

/// How a definition came about.
#[derive(Clone)]
struct Way {
    wraps: Vec<String>,
    priority: i64,
}

impl<'a> Reading<'_, 'a> {
    fn leave(&mut self, at: Span, what: &str, why: &str) {
        let left = Left { at, what: what.to_owned(), why: why.to_owned() };
        if !self.left_out.contains(&left) {
            self.left_out.push(left);
        }
    }

    /// A place in the flake: this one, or the one around it.
    fn place(&self, at: Span, around: Span) -> Span {
        if self.eval.world.sources.is_own(at) { at } else { around }
    }

    /// A list of modules.
    fn list(&mut self, modules: Value<'a>, name: Span, depth: usize) {
        let at = self.eval.value_span(name);
        let list = self.eval.force_at(modules, at).and_then(|it| self.eval.expect_list(it, at));
        let list = match list {
            Ok(list) => list,
            Err(error) => return self.leave(at, "its modules", &error.message),
        };
        let spans = self.eval.element_spans(at).unwrap_or_default();
        for (number, module) in list.iter().enumerate() {
            let at = spans.get(number).copied().unwrap_or(at);
            self.module(module, at, depth + 1);
        }
    }

    fn module(&mut self, module: Value<'a>, at: Span, depth: usize) {
        let what = || {
            let text = self.eval.world.sources.text(at).unwrap_or_default();
            let line = text.lines().next().unwrap_or_default().to_owned();
            // One of a list that is put together somewhere is not to be seen there.
            let is_name = !line.is_empty() && line.len() < 60 && !line.contains(['[', '{']);
            if is_name { format!("the module {line}") } else { "a module".to_owned() }
        };
        if depth > DEEPEST {
            return self.leave(at, &what(), "modules import each other too deep");
        }
        let outcome = self.eval.force_at(module, at).and_then(|module| match module {
            Value::Path(path) => {
                let path = VirtualPath { root: path.root, path: path.path.to_owned() };
                match self.seen.insert(path.clone()) {
                    true => self.eval.import(&path, at).map(Some),
                    false => Ok(None),
                }
            }
            function if is_function(function) => self.call(function, at).map(Some),
            module => Ok(Some(module)),
        });
        match outcome {
            Ok(None) => {}
            Ok(Some(Value::Attrs(set))) if set.get_str("__functor").is_none() => {
                self.definitions(set, at, depth);
            }
            Ok(Some(function)) if is_function(function) => self.module(function, at, depth + 1),
            Ok(Some(Value::Str(_))) => self.leave(at, &what(), "it is a module of nixpkgs"),
            Ok(Some(other)) => {
                let why = format!("it is {}, not a module", other.described());
                self.leave(at, &what(), &why);
            }
            Err(error) => self.leave(self.place(error.span, at), &what(), &error.message),
        }
    }

    fn call(&self, function: Value<'a>, at: Span) -> Result<Value<'a>> {
        let mut given = self.arguments.clone();
        if let Some(Formals::Set { names, ellipsis }) = self.eval.formals(function, at)? {
            if !ellipsis {
                given.retain(|name, _| names.iter().any(|formal| formal.name == *name));
            }
            for formal in names.iter().filter(|formal| !formal.has_default) {
                let (name, span) = (formal.name.as_str(), formal.span);
                given.entry(formal.name).or_insert_with(|| {
                    self.eval.thunk(move |_| {
                        let message = format!("`{name}` comes from a module that is not there");
                        Err(Diagnostic::error("name::missing-argument", span, message).into())
                    })
                });
            }
        }
        let given = self.eval.attrs(given);
        self.eval.call(function, &[given], at)
    }

    fn definitions(&mut self, module: &'a Attrs<'a>, at: Span, depth: usize) {
        if let Some(imports) = module.get_str("imports") {
            self.list(imports.value.get(), imports.span, depth);
        }
        if let Some(options) = module.get_str("options") {
            self.declare(&[], options.value.get(), options.span, depth);
        }
        let way = Way { wraps: Vec::new(), priority: 100 };
        if let Some(config) = module.get_str("config") {
            return self.walk(&[], config.value.get(), self.place(config.span, at), &way);
        }
        let is_structured = module.get_str("options").is_some();
        for attr in module.sorted().into_iter().filter(|_| !is_structured) {
            if !STRUCTURE.contains(&attr.name.as_str()) {
                let path = [attr.name.to_string()];
                self.walk(&path, attr.value.get(), self.place(attr.span, at), &way);
            }
        }
    }

    /// Notes options that the flake declares for itself.
    fn declare(&mut self, path: &[String], value: Value<'a>, at: Span, depth: usize) {
        let set = self.eval.force_at(value, at).and_then(|it| self.eval.expect_attrs(it, at));
        let (Ok(set), true) = (set, depth < DEEPEST) else { return };
        if kind(self.eval, set) == Some("option") {
            let default = set.get_str("default").map(|default| default.value.get());
            self.own.insert(path.to_vec(), default);
            return;
        }
        for attr in set.sorted() {
            self.declare(&below(path, attr.name), attr.value.get(), attr.span, depth + 1);
        }
    }

    /// What is defined at a path, and below it.
    fn walk(&mut self, path: &[String], value: Value<'a>, at: Span, way: &Way) {
        let eval = self.eval;
        let value = match eval.force_at(value, at) {
            Ok(value) => value,
            Err(error) => return self.leave(at, &dotted(path), &error.message),
        };
        if let Value::Attrs(set) = value
            && let Some(kind) = kind(eval, set)
        {
            return self.property(path, set, kind, at, way);
        }
        if self.own.keys().any(|own| path.starts_with(own)) {
            self.values.push((path.to_vec(), value, way.priority));
            return;
        }
        let place = match path.is_empty() || self.own.keys().any(|own| own.starts_with(path)) {
            true => Place::Above,
            false => self.known.place(path),
        };
        match (place, value) {
            (Place::Above, Value::Attrs(set)) if set.is_empty() && self.known.is_entry(path) => {
                self.take(path, value, at, way);
            }
            (Place::Above, Value::Attrs(set)) if set.get_str("outPath").is_none() => {
                for attr in set.sorted() {
                    let at = self.place(attr.span, at);
                    self.walk(&below(path, attr.name), attr.value.get(), at, way);
                }
            }
            // `mkForce` and its like inside of a value are said of its parts.
            (Place::Option, Value::Attrs(set)) if self.has_properties(set) => {
                for attr in set.sorted() {
                    let at = self.place(attr.span, at);
                    self.walk(&below(path, attr.name), attr.value.get(), at, way);
                }
            }
            (Place::Above | Place::Option, value) => self.take(path, value, at, way),
            (Place::Unknown, value) => self.unknown(path, value, at, 0),
        }
    }

    fn has_properties(&self, set: &'a Attrs<'a>) -> bool {
        set.get_str("outPath").is_none()
            && set.iter().any(|attr| match self.eval.force_attr(attr) {
                Ok(Value::Attrs(inner)) => {
                    kind(self.eval, inner).is_some() || self.has_properties(inner)
                }
                _ => false,
            })
    }

    /// What `mkIf` and its like say.
    fn property(&mut self, path: &[String], set: &'a Attrs<'a>, kind: &str, at: Span, way: &Way) {
        let eval = self.eval;
        let part = |name: &str| set.get_str(name).map_or(Value::Null, |attr| attr.value.get());
        let number = |name| eval.force(part(name)).and_then(|it| eval.expect_int(it, at));
        match kind {
            "if" => {
                match eval.force_at(part("condition"), at).and_then(|it| eval.expect_bool(it, at)) {
                    Ok(true) => self.walk(path, part("content"), at, way),
                    Ok(false) => {}
                    Err(error) => {
                        let why =
                            format!("it depends on what is not known here: {}", error.message);
                        let what =
                            if path.is_empty() { "definitions".to_owned() } else { dotted(path) };
                        self.leave(at, &what, &why);
                    }
                }
            }
            "merge" => {
                let contents = eval.force(part("contents")).and_then(|it| eval.expect_list(it, at));
                for content in contents.iter().flat_map(|contents| contents.iter()) {
                    self.walk(path, content, at, way);
                }
            }
            "override" => {
                let priority = number("priority").unwrap_or(100);
                let wrap = match priority {
                    50 => "lib.mkForce".to_owned(),
                    1000 => "lib.mkDefault".to_owned(),
                    priority => format!("lib.mkOverride {priority}"),
                };
                let wraps = [way.wraps.as_slice(), &[wrap]].concat();
                self.walk(path, part("content"), at, &Way { wraps, priority });
            }
            "order" => {
                let wrap = format!("lib.mkOrder {}", number("priority").unwrap_or(1000));
                let wraps = [way.wraps.as_slice(), &[wrap]].concat();
                self.walk(path, part("content"), at, &Way { wraps, ..way.clone() });
            }
            kind => self.leave(at, &dotted(path), &format!("it is made by Nix: {kind}")),
        }
    }

    fn take(&mut self, path: &[String], value: Value<'a>, at: Span, way: &Way) {
        let is_token = ["services.k3s.token", "services.k3s.agentToken"].contains(&&*dotted(path));
        if is_token && matches!(value, Value::Str(_)) {
            return self.leave(
                at,
                &dotted(path),
                "a token that is written out is no secret any more",
            );
        }
        let mut written = Written::default();
        let text = written.value(self.eval, value, self.eval.value_span(at));
        let is_all_out = !written.left_out.is_empty() && matches!(text.as_deref(), Ok("[ ]"));
        for (span, why) in written.left_out {
            self.leave(self.place(span, at), &format!("an element of {}", dotted(path)), &why);
        }
        let text = match text {
            Ok(_) if is_all_out => return,
            Ok(text) => text,
            Err(error) => return self.leave(at, &dotted(path), &error.message),
        };
        // Who may become root: Debian's name for NixOS's group.
        let is_of_groups = path.last().is_some_and(|name| name == "extraGroups");
        let text = if is_of_groups { text.replace("\"wheel\"", "\"sudo\"") } else { text };
        let Way { wraps, priority } = way.clone();
        let (path, files) = (path.to_vec(), written.files);
        self.taken.push(Definition { path, wraps, text, at, files, value, priority });
    }

    /// Names what is not known: where several things are said below a path, each of them.
    fn unknown(&mut self, path: &[String], value: Value<'a>, at: Span, depth: usize) {
        if let Ok(Value::Attrs(set)) = self.eval.force_at(value, at)
            && kind(self.eval, set).is_none()
            && set.get_str("outPath").is_none()
            && (set.len() == 1 || (depth == 0 && !set.is_empty()))
        {
            let depth = depth + usize::from(set.len() > 1);
            for attr in set.sorted() {
                let at = self.place(attr.span, at);
                self.unknown(&below(path, attr.name), attr.value.get(), at, depth);
            }
            return;
        }
        self.leave(at, &dotted(path), "Cairn has no such option");
    }

    /// The configuration as far as it is known.
    fn config(&self) -> Value<'a> {
        let mut tree = Tree::default();
        for path in self.known.off() {
            tree.put(self.eval, &path, Value::Bool(false), 1500);
        }
        for (path, default) in &self.own {
            if let Some(default) = default {
                tree.put(self.eval, path, *default, 1500);
            }
        }
        for (path, value, priority) in &self.values {
            tree.put(self.eval, path, *value, *priority);
        }
        for one in &self.taken {
            tree.put(self.eval, &one.path, one.value, one.priority);
        }
        tree.value(self.eval)
    }
}

/// Values by path.
#[derive(Default)]
struct Tree<'a> {
    value: Option<(Value<'a>, i64)>,
    below: BTreeMap<String, Tree<'a>>,
}

impl<'a> Tree<'a> {
    /// Puts a value at a path: lists of one priority are joined, of others the strongest stays.
    fn put(&mut self, eval: &Evaluator<'a>, path: &[String], value: Value<'a>, priority: i64) {
        if let Some((first, rest)) = path.split_first() {
            return self.below.entry(first.clone()).or_default().put(eval, rest, value, priority);
        }
        self.value = Some(match (self.value, value) {
            (Some((Value::List(before), old)), Value::List(list)) if old == priority => {
                (eval.list(before.iter().chain(list.iter())), priority)
            }
            (Some((before, old)), _) if old < priority => (before, old),
            (_, value) => (value, priority),
        });
    }

    fn value(&self, eval: &Evaluator<'a>) -> Value<'a> {
        match self.value {
            Some((value, _)) if self.below.is_empty() => value,
            _ => {
                eval.attrs(self.below.iter().map(|(name, tree)| (name.as_str(), tree.value(eval))))
            }
        }
    }
}

fn is_function(value: Value<'_>) -> bool {
    match value {
        Value::Attrs(set) => set.get_str("__functor").is_some(),
        value => value.is_function(),
    }
}

/// The `_type` of a set.
fn kind<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Option<&'a str> {
    let attr = set.get_str("_type")?;
    eval.force_attr(attr).and_then(|value| eval.expect_str(value, attr.span)).ok()
}

fn below(path: &[String], name: Symbol) -> Vec<String> {
    [path, &[name.to_string()]].concat()
}

/// A path as it is written.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(".")
}
