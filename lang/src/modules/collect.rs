//! From modules as written to declarations and definitions: imports followed, functions called.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::symbol::symbol;
use crate::tree::ExprKind;
use crate::value::{Attr, Attrs, PathValue, Value};

use super::arguments::arguments;
use super::definition::{Definition, Layer, Origin};
use super::disabled::{self, Disabled};
use super::level::Declaration;
use super::property::{kind_of, property};
use super::shared::DeclarationKey;
use super::tree::ModuleTree;
use crate::brief::found;

/// What a module may hold besides its options' definitions.
pub(crate) const RESERVED: [&str; 9] = [
    "_class",
    "_file",
    "config",
    "disabledModules",
    "freeformType",
    "imports",
    "key",
    "meta",
    "options",
];

/// A module as it was given or imported.
#[derive(Clone, Copy)]
pub(crate) struct RawModule<'a> {
    /// A path, a function or a set, perhaps a thunk.
    pub(crate) value: Value<'a>,
    pub(crate) origin: Origin<'a>,
    /// Where it is mentioned.
    pub(crate) at: Span,
    /// A set stands for its `config` alone: a definition of a submodule.
    pub(crate) config_only: bool,
    /// `mkOverride`'s number for all of it.
    pub(crate) priority: Option<i64>,
}

impl<'a> RawModule<'a> {
    pub(crate) fn new(value: Value<'a>, origin: Origin<'a>) -> RawModule<'a> {
        RawModule { value, origin, at: Span::NONE, config_only: false, priority: None }
    }
}

/// A module taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Loaded<'a> {
    /// The file that it is.
    pub(crate) file: Option<&'a PathValue<'a>>,
    pub(crate) options: Option<Declaration<'a>>,
    pub(crate) config: Option<Definition<'a>>,
    /// The type of definitions without an option.
    pub(crate) freeform: Option<&'a Definition<'a>>,
}

/// What is imported once: a file, or whatever a module calls itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    File(Rc<VirtualPath>),
    Named(String),
}

/// A file that is a module, as every tree of an evaluator knows it.
pub(super) struct ModuleFile<'a> {
    path: Rc<VirtualPath>,
    value: &'a PathValue<'a>,
    /// Its name for people.
    name: &'a str,
}

/// A module and what it imports.
pub(super) struct Node<'a> {
    pub(super) keys: Vec<Key>,
    loaded: &'a Loaded<'a>,
    imports: Vec<usize>,
    /// What its value is: one that is no file may import itself.
    value: Option<*const ()>,
    above: Option<usize>,
    depth: usize,
}

/// A module that is to be looked at, and the one that imports it.
struct Pending<'a> {
    raw: RawModule<'a>,
    above: Option<usize>,
}

/// Modules on their way from `imports` to declarations and definitions.
struct Collector<'a> {
    tree: &'a ModuleTree<'a>,
    queue: VecDeque<Pending<'a>>,
    nodes: Vec<Node<'a>>,
    roots: Vec<usize>,
    known: FxHashMap<Key, usize>,
    disabled: Vec<Disabled>,
    /// The strongest layer that each file was met in.
    layers: FxHashMap<Rc<VirtualPath>, Layer>,
    /// Whether a file was met again in a stronger layer.
    raised: bool,
}

/// The number of no module: of one that could not be evaluated.
const NONE: usize = usize::MAX;

/// Chains of imports longer than this have no end: no module of them is a file.
const LONGEST: usize = 500;

/// All modules of a tree, imports followed, in the order in which their definitions merge:
/// NixOS's, which is imported before importing and later before earlier, and weak layers first.
pub(crate) fn collect<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
) -> Result<Vec<&'a Loaded<'a>>> {
    let plain = tree.initial.iter().map(|raw| plain(eval, raw));
    if let Some(mut loaded) = plain.collect::<Option<Vec<&'a Loaded<'a>>>>() {
        in_order(&mut loaded);
        return Ok(loaded);
    }
    let mut layers = FxHashMap::default();
    loop {
        let initial = tree.initial.iter().map(|raw| Pending { raw: *raw, above: None });
        let mut collector = Collector {
            tree,
            queue: initial.collect(),
            nodes: Vec::with_capacity(tree.initial.len()),
            roots: Vec::new(),
            known: FxHashMap::default(),
            disabled: Vec::new(),
            layers,
            raised: false,
        };
        while let Some(pending) = collector.queue.pop_front() {
            let raw = pending.raw;
            // Sets that functions make have no name to know them by.
            let held = collector.queue.len() * size_of::<Pending<'_>>()
                + collector.nodes.len() * size_of::<Node<'_>>();
            eval.check_limits(held, raw.at)?;
            if let Err(error) = collector.load(eval, pending) {
                let text = text_of(eval, raw);
                tree.session.tolerate_broken(error, text)?;
            }
        }
        // A file of two layers belongs to the stronger one, and so does what it imports: once
        // more, now that this is known. Layers only rise, so this ends.
        if collector.raised {
            layers = collector.layers;
            continue;
        }
        for warning in disabled::unknown(&collector.disabled, &collector.nodes) {
            tree.session.warn(warning);
        }
        let mut loaded = collector.kept();
        in_order(&mut loaded);
        return Ok(loaded);
    }
}

/// Brings modules into the order in which their definitions merge.
fn in_order(loaded: &mut [&Loaded<'_>]) {
    loaded.reverse();
    loaded.sort_by_key(|module| module.config.map(|config| config.origin.layer));
}

/// The parts of a module that is nothing but a set of options, or of definitions: most submodules
/// are made of these.
fn plain<'a>(eval: &Evaluator<'a>, raw: &RawModule<'a>) -> Option<&'a Loaded<'a>> {
    let Value::Attrs(set) = raw.value.settled() else { return None };
    let nothing = Loaded { file: None, options: None, config: None, freeform: None };
    if raw.config_only {
        let mut config = Definition::new(Value::Attrs(set), raw.at, raw.origin);
        config.at = raw.at;
        config.priority = raw.priority;
        return Some(eval.alloc(Loaded { config: Some(config), ..nothing }));
    }
    match set.entries() {
        [attr] if attr.name == symbol!("options") => {
            let options = declared(attr, raw);
            let key = DeclarationKey::new(&options, set);
            let loaded = || eval.alloc(Loaded { options: Some(options), ..nothing });
            Some(eval.modules.declaring(key, loaded))
        }
        _ => None,
    }
}

/// What a module declares.
fn declared<'a>(attr: &'a Attr<'a>, raw: &RawModule<'a>) -> Declaration<'a> {
    Declaration { value: attr.value.get(), span: attr.span, origin: raw.origin }
}

impl<'a> Collector<'a> {
    /// The modules that are not disabled, each once, the nearer to the root the earlier. What
    /// only a disabled module imports is left out with it.
    fn kept(&self) -> Vec<&'a Loaded<'a>> {
        let keys: FxHashSet<&Key> = self.disabled.iter().flat_map(|entry| &entry.keys).collect();
        let is_off = |node: &Node<'a>| node.keys.iter().any(|key| keys.contains(key));
        let mut queue: VecDeque<usize> = self.roots.iter().copied().collect();
        let mut seen = vec![false; self.nodes.len()];
        let mut out = Vec::with_capacity(self.nodes.len());
        while let Some(number) = queue.pop_front() {
            let (Some(node), Some(seen)) = (self.nodes.get(number), seen.get_mut(number)) else {
                continue;
            };
            if !std::mem::replace(seen, true) && !is_off(node) {
                out.push(node.loaded);
                queue.extend(&node.imports);
            }
        }
        out
    }

    /// Notes that a module imports another one, or that it is given.
    fn link(&mut self, above: Option<usize>, number: usize) {
        match above.and_then(|above| self.nodes.get_mut(above)) {
            Some(node) => node.imports.push(number),
            None => self.roots.push(number),
        }
    }
}

/// The text of a module's file; of the file that it stands in, if it is none itself.
fn text_of<'a>(eval: &Evaluator<'a>, raw: RawModule<'a>) -> Option<String> {
    match eval.force(raw.value) {
        Ok(value @ (Value::Path(_) | Value::Str(_))) => {
            let path = file_of(eval, eval.expect_path(value, raw.at).ok()?);
            eval.world.text(&path, raw.at).ok()
        }
        _ => eval.world.sources.get(raw.at.file).map(|file| file.text.clone()),
    }
}

/// The file that a path means: `default.nix` of a folder.
pub(super) fn file_of(eval: &Evaluator<'_>, path: VirtualPath) -> VirtualPath {
    eval.world.module_path(&path).unwrap_or(path)
}

/// The module that a path or an absolute text means.
fn module_file<'a>(eval: &Evaluator<'a>, value: Value<'a>, at: Span) -> Result<Rc<ModuleFile<'a>>> {
    // Trees of the same modules have the same paths, the very values.
    let address = match value {
        Value::Path(path) => Some(std::ptr::from_ref(path)),
        _ => None,
    };
    let known = address.and_then(|at| eval.modules.files.borrow().get(&at).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let path = file_of(eval, eval.expect_path(value, at)?);
    let text = eval.alloc_str(&path.path);
    let file = Rc::new(ModuleFile {
        value: eval.alloc(PathValue { root: path.root, path: text }),
        name: eval.alloc_str(&path.to_string()),
        path: Rc::new(path),
    });
    if let Some(address) = address {
        eval.modules.files.borrow_mut().insert(address, file.clone());
    }
    Ok(file)
}

impl<'a> Collector<'a> {
    fn load(&mut self, eval: &Evaluator<'a>, pending: Pending<'a>) -> Result<()> {
        let Pending { mut raw, above } = pending;
        let (mut keys, mut file) = (Vec::new(), None);
        let placed = |error| placed_at(eval, error, raw.at);
        let mut value = eval.force_at(raw.value, raw.at).map_err(placed)?;
        let is_path = |text: &str| text.starts_with('/');
        if matches!(value, Value::Path(_)) || matches!(value, Value::Str(text) if is_path(text)) {
            let module = module_file(eval, value, raw.at)?;
            let key = Key::File(module.path.clone());
            let known = self.known.get(&key).copied();
            let layer = self.layers.entry(module.path.clone()).or_insert(raw.origin.layer);
            if *layer < raw.origin.layer {
                *layer = raw.origin.layer;
                self.raised |= known.is_some();
            }
            if let Some(number) = known {
                self.link(above, number);
                return Ok(());
            }
            raw.origin.layer = *layer;
            raw.origin.file = module.name;
            raw.config_only = false;
            // Before it is evaluated: one that fails fails once.
            self.known.insert(key.clone(), NONE);
            keys.push(key);
            file = Some(module.value);
            value = eval.import(&module.path, raw.at)?;
        }
        let address = address(value);
        if keys.is_empty() && address.is_some() && self.is_inside(above, address) {
            return Ok(());
        }
        if let Some(args) = arguments(eval, self.tree, value, raw.at)? {
            value = super::shared::call(eval, self.tree, value, args, raw.at)?;
            raw.config_only = false;
        }
        let Value::Attrs(set) = value else {
            return Err(match file {
                Some(file) => no_module_in(eval, file, value, raw),
                None => no_module(eval, value, raw),
            });
        };
        if let Some(attr) = set.get(symbol!("key")).filter(|_| !raw.config_only) {
            let key = Key::Named(eval.coerce_to_str(eval.force_attr(attr)?, attr.span)?.to_owned());
            if let Some(number) = self.known.get(&key).copied() {
                self.link(above, number);
                return Ok(());
            }
            self.known.insert(key.clone(), NONE);
            keys.push(key);
        }
        let depth = above.and_then(|above| self.nodes.get(above)).map_or(0, |node| node.depth + 1);
        if depth > LONGEST {
            return Err(endless(raw));
        }
        let (mut loaded, imports) = self.take_apart(eval, set, raw)?;
        loaded.file = file;
        let number = self.nodes.len();
        for key in &keys {
            self.known.insert(key.clone(), number);
        }
        let imported = Vec::with_capacity(imports.len());
        let loaded = eval.alloc(loaded);
        let node = Node { keys, loaded, imports: imported, value: address, above, depth };
        self.nodes.push(node);
        self.link(above, number);
        let imports = imports.into_iter().map(|raw| Pending { raw, above: Some(number) });
        self.queue.extend(imports);
        Ok(())
    }

    /// Whether a value without a file is being imported, by way of others, by itself.
    fn is_inside(&self, mut above: Option<usize>, value: Option<*const ()>) -> bool {
        while let Some(node) = above.and_then(|number| self.nodes.get(number)) {
            if node.value == value {
                return true;
            }
            above = node.above;
        }
        false
    }

    /// A module's parts, and what it imports.
    fn take_apart(
        &mut self,
        eval: &Evaluator<'a>,
        set: &'a Attrs<'a>,
        mut raw: RawModule<'a>,
    ) -> Result<(Loaded<'a>, Vec<RawModule<'a>>)> {
        let tree = self.tree;
        let kind = kind_of(eval, Value::Attrs(set))?;
        let wrapped = matches!(kind, Some("if" | "override" | "merge" | "order" | "definition"));
        if raw.config_only || wrapped {
            let mut config = Definition::new(Value::Attrs(set), raw.at, raw.origin);
            config.at = raw.at;
            config.priority = raw.priority;
            return Ok((
                Loaded { file: None, options: None, config: Some(config), freeform: None },
                Vec::new(),
            ));
        }
        if let Some(kind) = kind.filter(|kind| *kind != "module") {
            return Err(no_module_but(kind, raw));
        }
        if let Some(attr) = set.get(symbol!("_file")) {
            raw.origin.file = eval.coerce_to_str(eval.force_attr(attr)?, attr.span)?;
        }
        if let (Some(class), Some(attr)) = (tree.class, set.get(symbol!("_class"))) {
            check_class(eval, class, attr, raw)?;
        }
        let mut imports = Vec::new();
        if let Some(attr) = set.get(symbol!("imports")) {
            let list = eval.force_attr(attr)?;
            imports = imported(eval, list, eval.value_span(attr.span), raw.origin, tree)?;
        }
        if let Some(attr) = set.get(symbol!("disabledModules")) {
            let entries = disabled::entries(eval, tree, attr)?;
            self.disabled.extend(entries);
        }
        let freeform = set.get(symbol!("freeformType")).map(|attr| eval.alloc(defined(attr, raw)));
        let (config, options) = (set.get(symbol!("config")), set.get(symbol!("options")));
        let long = config.is_some() || options.is_some();
        if long {
            for attr in set.sorted() {
                if !RESERVED.contains(&attr.name.as_str()) {
                    tree.session.tolerate(mixed(attr, set))?;
                }
            }
        }
        let options = options.map(|attr| declared(attr, &raw));
        let config = if long {
            let config = config
                .map(|attr| Definition { key: place_of(eval, attr, raw), ..defined(attr, raw) });
            match set.get(symbol!("meta")) {
                Some(meta) => Some(with_meta(eval, config, meta, raw)),
                None => config,
            }
        } else {
            let mut config = AttrsBuilder::with_capacity(set.len());
            // `meta` is an option like any other, which may stand beside `config` too.
            let is_own = |name: &str| RESERVED.contains(&name) && name != "meta";
            for attr in set.iter().filter(|attr| !is_own(attr.name.as_str())) {
                config.copy(attr);
            }
            let mut config = Definition::new(config.finish(eval), raw.at, raw.origin);
            config.at = raw.at;
            config.priority = raw.priority;
            Some(config)
        };
        Ok((Loaded { file: None, options, config, freeform }, imports))
    }
}

/// What tells one value without a file from another.
fn address(value: Value<'_>) -> Option<*const ()> {
    match value {
        Value::Attrs(set) => Some(std::ptr::from_ref(set).cast()),
        Value::Lambda(function) => Some(std::ptr::from_ref(function).cast()),
        _ => None,
    }
}

fn check_class<'a>(
    eval: &Evaluator<'a>,
    class: &str,
    attr: &'a Attr<'a>,
    raw: RawModule<'a>,
) -> Result<()> {
    let own = match eval.force_attr(attr)? {
        Value::Null => return Ok(()),
        own => eval.expect_str(own, attr.span)?,
    };
    if own == class {
        return Ok(());
    }
    let message = format!("this module is made for `{own}`, and is imported into `{class}`");
    Err(Diagnostic::error("module::class", eval.value_span(attr.span), message)
        .with_related(raw.at, "imported here")
        .with_help("import a module of the same class, or one without `_class`")
        .into())
}

/// Where a module's `config` stands: of one that the library made, what imports it.
fn place_of<'a>(eval: &Evaluator<'a>, attr: &'a Attr<'a>, raw: RawModule<'a>) -> Span {
    let elsewhere = attr.span.file != raw.at.file && !raw.at.is_none();
    if elsewhere && eval.world.sources.is_library(attr.span) { raw.at } else { attr.span }
}

fn defined<'a>(attr: &'a Attr<'a>, raw: RawModule<'a>) -> Definition<'a> {
    let mut definition = Definition::new(attr.value.get(), attr.span, raw.origin);
    definition.priority = raw.priority;
    definition
}

/// The definitions of a module that has `meta` beside `options` or `config`.
fn with_meta<'a>(
    eval: &Evaluator<'a>,
    config: Option<Definition<'a>>,
    meta: &'a Attr<'a>,
    raw: RawModule<'a>,
) -> Definition<'a> {
    let mut own = AttrsBuilder::with_capacity(1);
    own.copy(meta);
    let own = own.finish(eval);
    let Some(config) = config else {
        return Definition {
            priority: raw.priority,
            ..Definition::new(own, meta.span, raw.origin)
        };
    };
    let both = eval.list([config.value, own]);
    let both = property(eval, "merge", &[(symbol!("contents"), both, Span::NONE)]);
    Definition { value: both, ..config }
}

/// The modules of a list `imports`.
fn imported<'a>(
    eval: &Evaluator<'a>,
    imports: Value<'a>,
    at: Span,
    origin: Origin<'a>,
    tree: &'a ModuleTree<'a>,
) -> Result<Vec<RawModule<'a>>> {
    let list = match imports {
        Value::List(list) => list,
        other => {
            let message = format!("`imports` is a list of modules, not {}", found(eval, other));
            let error = Diagnostic::error("type::mismatch", at, message)
                .with_help("write the modules between brackets: `imports = [ ./a.nix ];`");
            tree.session.tolerate(error.into())?;
            return Ok(Vec::new());
        }
    };
    let spans = eval.element_spans(at).unwrap_or_default();
    let each = list.iter().enumerate().map(|(number, value)| {
        let at = spans.get(number).copied().unwrap_or(at);
        RawModule { at, ..RawModule::new(value, origin) }
    });
    Ok(each.collect())
}

/// The error of a module that a function of the library should make: a mistake of its caller.
#[cold]
fn placed_at(eval: &Evaluator<'_>, mut error: Box<Diagnostic>, at: Span) -> Box<Diagnostic> {
    if eval.world.sources.is_library(error.span) && !at.is_none() {
        error.span = at;
    }
    error
}

#[cold]
fn endless(raw: RawModule<'_>) -> Box<Diagnostic> {
    let message = format!("modules import each other without end: {LONGEST} of them so far");
    Diagnostic::error("module::endless", raw.at, message)
        .with_help("give the module a `key`: a module with the same key is imported once")
        .into()
}

#[cold]
fn no_module_but(kind: &str, raw: RawModule<'_>) -> Box<Diagnostic> {
    let (what, help) = match kind {
        "option" => ("an option", "declare it: `{ options.name = …; }`"),
        "option-type" => {
            ("an option's type", "declare an option of it: `lib.mkOption { type = …; }`")
        }
        "configuration" => (
            "a configuration that is evaluated already",
            "import the modules that it was made of, or read its `config`",
        ),
        _ => ("a value of another kind", "a module looks like `{ config, lib, ... }: { … }`"),
    };
    let message = format!("a module is needed here, not {what} (`_type` is {kind:?})");
    Diagnostic::error("module::not-a-module", raw.at, message).with_help(help).into()
}

#[cold]
fn no_module<'a>(eval: &Evaluator<'a>, value: Value<'a>, raw: RawModule<'a>) -> Box<Diagnostic> {
    let message =
        format!("a module is a function, an attribute set or a path, not {}", found(eval, value));
    let mut error = Diagnostic::error("module::not-a-module", raw.at, message);
    if raw.at.is_none() {
        error.message = format!("{}: {}", raw.origin.file, error.message);
    }
    let help = match value {
        Value::List(_) => {
            "remove one level of brackets: `imports` takes the modules themselves".to_owned()
        }
        Value::Str(text) => {
            format!("a file is written without quotes: ./{}", text.trim_start_matches("./"))
        }
        _ => "a module looks like `{ config, lib, ... }: { … }`".to_owned(),
    };
    error.with_help(help).into()
}

/// The error of a file that is no module: it stands where the file says what it is.
#[cold]
fn no_module_in<'a>(
    eval: &Evaluator<'a>,
    file: &'a PathValue<'a>,
    value: Value<'a>,
    raw: RawModule<'a>,
) -> Box<Diagnostic> {
    let Ok(tree) = eval.world.tree(&crate::eval::virtual_path(file), raw.at) else {
        return no_module(eval, value, raw);
    };
    let mut body = &tree.root;
    while let ExprKind::Lambda(lambda) = &body.kind {
        body = &lambda.body;
    }
    let message =
        format!("a module is a function, an attribute set or a path, not {}", found(eval, value));
    let help = match value {
        Value::List(_) => {
            "a file is one module: others are in its `imports`, `{ imports = [ … ]; }`"
        }
        _ => "a module looks like `{ config, lib, ... }: { … }`",
    };
    Diagnostic::error("module::not-a-module", body.span, message)
        .with_related(raw.at, "imported here")
        .with_help(help)
        .into()
}

#[cold]
fn mixed<'a>(attr: &'a Attr<'a>, set: &'a Attrs<'a>) -> Box<Diagnostic> {
    let name = attr.name;
    let long = set.get(symbol!("config")).or(set.get(symbol!("options")));
    let (kind, span) = long.map_or(("config", Span::NONE), |long| (long.name.as_str(), long.span));
    let message =
        format!("`{name}` stands beside `{kind}` in a module, where only modules' own keys may");
    let mut error = Diagnostic::error("module::unknown-key", attr.span, message)
        .with_related(span, format!("because of this `{kind}`, definitions belong into `config`"));
    error.help = did_you_mean(name.as_str(), RESERVED)
        .or_else(|| Some(format!("write `config.{name}`, or move it into `config = {{ … }}`")));
    error.into()
}
