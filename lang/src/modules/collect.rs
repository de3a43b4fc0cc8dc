//! From modules as written to declarations and definitions: imports followed, functions called.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator, Formals};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attr, Attrs, PathValue, Value};

use super::brief::found;
use super::definition::{Definition, Layer, Origin};
use super::level::Declaration;
use super::property::kind_of;
use super::tree::ModuleTree;

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
    pub(crate) freeform: Option<Definition<'a>>,
}

/// What is imported once: a file, or whatever a module calls itself.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    File(VirtualPath),
    Named(String),
}

/// Modules on their way from `imports` to declarations and definitions.
struct Collector<'a> {
    tree: &'a ModuleTree<'a>,
    queue: VecDeque<RawModule<'a>>,
    known: FxHashSet<Key>,
    disabled: Vec<VirtualPath>,
    out: Vec<(Option<VirtualPath>, Loaded<'a>)>,
    /// The strongest layer that each file was met in.
    layers: FxHashMap<VirtualPath, Layer>,
    /// Whether a file was met again in a stronger layer.
    raised: bool,
}

/// All modules of a tree, imports followed, in the order in which their definitions merge:
/// NixOS's, which is imported before importing and later before earlier, and weak layers first.
pub(crate) fn collect<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
) -> Result<Vec<Loaded<'a>>> {
    let mut layers = FxHashMap::default();
    loop {
        let mut collector = Collector {
            tree,
            queue: tree.initial.iter().copied().collect(),
            known: FxHashSet::default(),
            disabled: Vec::new(),
            out: Vec::new(),
            layers,
            raised: false,
        };
        while let Some(raw) = collector.queue.pop_front() {
            // Sets that import themselves have no name to know them by.
            let held = collector.queue.len() * size_of::<RawModule<'_>>()
                + collector.out.len() * size_of::<Loaded<'_>>();
            eval.check_limits(held, raw.at)?;
            match collector.load(eval, raw) {
                Ok(()) => {}
                Err(error) => {
                    let text = text_of(eval, raw);
                    tree.session.tolerate_broken(error, text)?;
                }
            }
        }
        // A file of two layers belongs to the stronger one, and so does what it imports: once
        // more, now that this is known. Layers only rise, so this ends.
        if collector.raised {
            layers = collector.layers;
            continue;
        }
        let Collector { mut out, disabled, .. } = collector;
        out.retain(|(path, _)| !path.as_ref().is_some_and(|path| disabled.contains(path)));
        out.reverse();
        let mut loaded: Vec<_> = out.into_iter().map(|(_, loaded)| loaded).collect();
        loaded.sort_by_key(|module| module.config.map(|config| config.origin.layer));
        return Ok(loaded);
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
fn file_of(eval: &Evaluator<'_>, path: VirtualPath) -> VirtualPath {
    eval.world.module_path(&path).unwrap_or(path)
}

impl<'a> Collector<'a> {
    fn load(&mut self, eval: &Evaluator<'a>, mut raw: RawModule<'a>) -> Result<()> {
        let mut file = None;
        let mut value = eval.force_at(raw.value, raw.at)?;
        if let Value::Path(_) | Value::Str(_) = value {
            let path = file_of(eval, eval.expect_path(value, raw.at)?);
            let first = self.known.insert(Key::File(path.clone()));
            let layer = self.layers.entry(path.clone()).or_insert(raw.origin.layer);
            if *layer < raw.origin.layer {
                *layer = raw.origin.layer;
                self.raised |= !first;
            }
            if !first {
                return Ok(());
            }
            raw.origin.layer = *layer;
            raw.origin.file = eval.alloc_str(&path.to_string());
            raw.config_only = false;
            value = eval.import(&path, raw.at)?;
            file = Some(path);
        }
        if let Some(formals) = eval.formals(value, raw.at)? {
            let args = arguments(eval, self.tree, &formals);
            value = eval.call(value, &[args], raw.at)?;
            raw.config_only = false;
        }
        let set = match value {
            Value::Attrs(set) => set,
            Value::List(_) if !raw.config_only => {
                return import(eval, value, raw.at, raw.origin, self.tree, &mut self.queue);
            }
            other => return Err(no_module(eval, other, raw)),
        };
        if let Some(attr) = set.get_str("key").filter(|_| !raw.config_only) {
            let key = eval.force_attr(attr)?;
            let key = Key::Named(eval.expect_str(key, attr.span)?.to_owned());
            if !self.known.insert(key) {
                return Ok(());
            }
        }
        let (queue, disabled) = (&mut self.queue, &mut self.disabled);
        let mut loaded = take_apart(eval, self.tree, set, raw, queue, disabled)?;
        loaded.file = file.as_ref().and_then(|file| match eval.path(file) {
            Value::Path(path) => Some(path),
            _ => None,
        });
        self.out.push((file, loaded));
        Ok(())
    }
}

fn take_apart<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    set: &'a Attrs<'a>,
    mut raw: RawModule<'a>,
    queue: &mut VecDeque<RawModule<'a>>,
    disabled: &mut Vec<VirtualPath>,
) -> Result<Loaded<'a>> {
    let wrapped = kind_of(eval, Value::Attrs(set))?.is_some();
    if raw.config_only || wrapped {
        let mut config = Definition::new(Value::Attrs(set), raw.at, raw.origin);
        config.at = raw.at;
        config.priority = raw.priority;
        return Ok(Loaded { file: None, options: None, config: Some(config), freeform: None });
    }
    if let Some(attr) = set.get_str("_file") {
        raw.origin.file = eval.coerce_to_str(eval.force_attr(attr)?, attr.span)?;
    }
    if let Some(attr) = set.get_str("imports") {
        let imports = eval.force_attr(attr)?;
        import(eval, imports, eval.value_span(attr.span), raw.origin, tree, queue)?;
    }
    if let Some(attr) = set.get_str("disabledModules") {
        let list = eval.force_attr(attr)?;
        for item in eval.expect_list(list, attr.span)?.iter() {
            disabled.push(disabled_path(eval, item, attr.span)?);
        }
    }
    let freeform = set.get_str("freeformType").map(|attr| defined(attr, raw));
    let long = set.get_str("config").is_some() || set.get_str("options").is_some();
    if long {
        for attr in set.sorted() {
            if !RESERVED.contains(&attr.name.as_str()) {
                tree.session.tolerate(mixed(attr, set))?;
            }
        }
    }
    let options = set.get_str("options").map(|attr| Declaration {
        value: attr.value.get(),
        span: attr.span,
        origin: raw.origin,
    });
    let config = if long {
        set.get_str("config").map(|attr| defined(attr, raw))
    } else {
        let mut config = AttrsBuilder::with_capacity(set.len());
        for attr in set.iter().filter(|attr| !RESERVED.contains(&attr.name.as_str())) {
            config.copy(attr);
        }
        let mut config = Definition::new(config.finish(eval), raw.at, raw.origin);
        config.at = raw.at;
        config.priority = raw.priority;
        Some(config)
    };
    Ok(Loaded { file: None, options, config, freeform })
}

fn defined<'a>(attr: &'a Attr<'a>, raw: RawModule<'a>) -> Definition<'a> {
    let mut definition = Definition::new(attr.value.get(), attr.span, raw.origin);
    definition.priority = raw.priority;
    definition
}

fn import<'a>(
    eval: &Evaluator<'a>,
    imports: Value<'a>,
    at: Span,
    origin: Origin<'a>,
    tree: &'a ModuleTree<'a>,
    queue: &mut VecDeque<RawModule<'a>>,
) -> Result<()> {
    let list = match imports {
        Value::List(list) => list,
        other => {
            let message = format!("`imports` is a list of modules, not {}", found(eval, other));
            let error = Diagnostic::error("type::mismatch", at, message)
                .with_help("write the modules between brackets: `imports = [ ./a.nix ];`");
            return tree.session.tolerate(error.into());
        }
    };
    let spans = eval.element_spans(at).unwrap_or_default();
    for (number, value) in list.iter().enumerate() {
        let at = spans.get(number).copied().unwrap_or(at);
        queue.push_back(RawModule { at, ..RawModule::new(value, origin) });
    }
    Ok(())
}

/// A standard module may be named by its path below `<cairn>`, as in NixOS.
fn disabled_path<'a>(eval: &Evaluator<'a>, item: Value<'a>, at: Span) -> Result<VirtualPath> {
    match eval.force_at(item, at)? {
        Value::Str(text) if !text.starts_with('/') => {
            let path = VirtualPath::new(Root::Cairn, text).map(|path| file_of(eval, path));
            path.ok_or_else(|| {
                let message = format!("{text:?} is not the path of a standard module");
                Diagnostic::error("module::disabled", at, message).into()
            })
        }
        other => eval.expect_path(other, at).map(|path| file_of(eval, path)),
    }
}

/// The set that a module function is called with: what it asks for, or everything.
fn arguments<'a>(eval: &Evaluator<'a>, tree: &'a ModuleTree<'a>, formals: &Formals) -> Value<'a> {
    let mut args = AttrsBuilder::new();
    let (names, everything) = match formals {
        Formals::Any => (&[][..], true),
        Formals::Set { names, ellipsis } => (&names[..], *ellipsis),
    };
    let asked = |name: Symbol| everything || names.iter().any(|formal| formal.name == name);
    for formal in names {
        let (name, span, optional) = (formal.name, formal.span, formal.has_default);
        let special = tree.special.iter().any(|(known, _)| *known == name);
        if special || ["config", "options", "lib"].contains(&name.as_str()) {
            continue;
        }
        // Without a default the argument comes from `_module.args`; with one, nobody may define
        // it, and only the configuration, which needs this module, could tell.
        if !optional {
            args.set(name, eval.thunk(move |eval| argument(eval, tree, name, span)));
        }
    }
    let own = [
        ("config", tree.full_config(eval)),
        ("options", tree.options(eval)),
        ("lib", super::library::value(eval)),
    ];
    for (name, value) in own.map(|(name, value)| (Symbol::new(name), value)) {
        if asked(name) {
            args.set(name, value);
        }
    }
    for (name, value) in tree.special.iter().filter(|(name, _)| asked(*name)) {
        args.set(*name, *value);
    }
    args.finish(eval)
}

/// The value of a module's argument that modules define by `_module.args`.
///
/// # Errors
/// `module::unknown-argument` where none does.
pub(crate) fn argument<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    name: Symbol,
    span: Span,
) -> Result<Value<'a>> {
    if let Some(value) = tree.argument(eval, name)? {
        return Ok(value);
    }
    let names = tree.argument_names(eval);
    let message = format!("no module argument is called `{name}`");
    let mut error = Diagnostic::error("module::unknown-argument", span, message);
    error.help = did_you_mean(name.as_str(), names.iter().copied()).or_else(|| {
        let names = names.join(", ");
        Some(format!("there are {names}; `_module.args.{name}` would define another"))
    });
    Err(error.into())
}

#[cold]
fn no_module<'a>(eval: &Evaluator<'a>, value: Value<'a>, raw: RawModule<'a>) -> Box<Diagnostic> {
    let message =
        format!("a module is a function, an attribute set or a path, not {}", found(eval, value));
    let mut error = Diagnostic::error("module::not-a-module", raw.at, message);
    if raw.at.is_none() {
        error.message = format!("{}: {}", raw.origin.file, error.message);
    }
    error.with_help("a module looks like `{ config, lib, ... }: { … }`").into()
}

#[cold]
fn mixed<'a>(attr: &'a Attr<'a>, set: &'a Attrs<'a>) -> Box<Diagnostic> {
    let name = attr.name;
    let long = set.get_str("config").or(set.get_str("options"));
    let (kind, span) = long.map_or(("config", Span::NONE), |long| (long.name.as_str(), long.span));
    let message =
        format!("`{name}` stands beside `{kind}` in a module, where only modules' own keys may");
    let mut error = Diagnostic::error("module::unknown-key", attr.span, message)
        .with_related(span, format!("because of this `{kind}`, definitions belong into `config`"));
    error.help = did_you_mean(name.as_str(), RESERVED)
        .or_else(|| Some(format!("write `config.{name}`, or move it into `config = {{ … }}`")));
    error.into()
}
