//! A set of options at one path: declarations in, children out, definitions pushed down.

use std::cell::{Cell, OnceCell};
use std::hash::{Hash, Hasher};

use bumpalo::Bump;
use rustc_hash::FxHasher;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attr, Attrs, Value};

use super::definition::{Definition, Origin, priority};
use super::location::Location;
use super::option::{Declared, OptionNode, declared_at};
use super::property::{Conditions, kind_of, unwrap};
use super::shared::DeclarationKey;
use super::tree::ModuleTree;
use super::types::{Type, submodule_of};
use crate::brief::{found, not_called};

/// What a module says under one name of `options`.
#[derive(Clone, Copy)]
pub(crate) struct Declaration<'a> {
    pub(crate) value: Value<'a>,
    /// Where the name is written.
    pub(crate) span: Span,
    pub(crate) origin: Origin<'a>,
}

/// The names that declarations make at one path, for all configurations that have them there.
pub(crate) struct Schema<'a> {
    /// Sorted by symbol.
    entries: &'a [Entry<'a>],
    by_name: OnceCell<&'a [usize]>,
    digest: OnceCell<u64>,
    /// The values where nothing defines any of them, once they are known and the same everywhere.
    settled: OnceCell<Value<'a>>,
}

/// A name in a schema.
pub(crate) struct Entry<'a> {
    name: Symbol,
    declarations: &'a [Declaration<'a>],
    /// What it is, once that is known; never where a declaration fails.
    known: OnceCell<Known<'a>>,
}

/// What a name in a schema is.
#[derive(Clone, Copy)]
enum Known<'a> {
    Level(&'a Schema<'a>),
    Option(&'a Declared<'a>),
}

/// Options by name.
pub(crate) struct Level<'a> {
    pub(crate) tree: &'a ModuleTree<'a>,
    pub(crate) path: Location<'a>,
    schema: &'a Schema<'a>,
    /// By the schema's entries, each made when somebody asks for it.
    children: &'a [OnceCell<&'a Child<'a>>],
    bump: &'a Bump,
    /// The level above and the name there; `None` at a tree's root.
    above: Option<(&'a Level<'a>, Symbol)>,
    spread: OnceCell<&'a [Spread<'a>]>,
    /// By the schema's entries: whether a module defines it, under whatever condition.
    defined: OnceCell<&'a [bool]>,
    value: OnceCell<Value<'a>>,
}

/// A definition of a whole level: a set of definitions for its children.
#[derive(Clone, Copy)]
pub(crate) struct Spread<'a> {
    pub(crate) set: &'a Attrs<'a>,
    /// How strong it is, and under which conditions.
    pub(crate) whole: Definition<'a>,
}

/// A name in a level.
pub(crate) struct Child<'a> {
    pub(crate) name: Symbol,
    level: &'a Level<'a>,
    entry: &'a Entry<'a>,
    node: OnceCell<Node<'a>>,
}

/// What a name in a level is.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Level(&'a Level<'a>),
    Option(&'a OptionNode<'a>),
}

/// What a walk through all values meets at a name.
pub(super) enum Met<'a> {
    /// What is the same everywhere, and was looked at elsewhere.
    Settled,
    Level(&'a Level<'a>),
    /// An option's value.
    Option(&'a Cell<Value<'a>>),
}

impl<'a> Node<'a> {
    pub(crate) fn level(self) -> Option<&'a Level<'a>> {
        match self {
            Node::Level(level) => Some(level),
            Node::Option(_) => None,
        }
    }
}

impl<'a> Level<'a> {
    pub(crate) fn new(
        eval: &Evaluator<'a>,
        tree: &'a ModuleTree<'a>,
        above: Option<(&'a Level<'a>, Symbol)>,
        path: Location<'a>,
        declarations: &[Declaration<'a>],
    ) -> Result<&'a Level<'a>> {
        let (mut sets, mut failed) = (Vec::with_capacity(declarations.len()), Vec::new());
        for declaration in declarations {
            match declared_set(eval, path, declaration, above.is_none()) {
                Ok(set) => sets.push((declaration, set)),
                Err(error) => failed.push(*error),
            }
        }
        let schema = if failed.is_empty() {
            let key = sets.iter().map(|(declaration, set)| DeclarationKey::new(declaration, set));
            eval.modules.schema(key.collect(), || Schema::new(eval, &sets))
        } else {
            let nothing = above.is_some() && failed.len() == declarations.len();
            tolerate_some(tree, failed, nothing)?;
            Schema::new(eval, &sets)
        };
        Ok(Level::of(eval, tree, above, path, schema))
    }

    /// The options of a schema.
    fn of(
        eval: &Evaluator<'a>,
        tree: &'a ModuleTree<'a>,
        above: Option<(&'a Level<'a>, Symbol)>,
        path: Location<'a>,
        schema: &'a Schema<'a>,
    ) -> &'a Level<'a> {
        let bump = &eval.arena.bump;
        let children: &'a [OnceCell<&'a Child<'a>>] =
            bump.alloc_slice_fill_with(schema.entries.len(), |_| OnceCell::new());
        let (spread, defined, value) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        eval.alloc(Level { tree, path, schema, children, bump, above, spread, defined, value })
    }

    pub(crate) fn child(&'a self, name: Symbol) -> Option<&'a Child<'a>> {
        self.nth(self.schema.number(name)?)
    }

    /// Whether a name is known to be an option, and no set of options.
    pub(super) fn has_option(&self, name: Symbol) -> bool {
        let entry = self.schema.number(name).and_then(|number| self.schema.entries.get(number));
        entry.is_some_and(Entry::is_option)
    }

    fn nth(&'a self, number: usize) -> Option<&'a Child<'a>> {
        let (entry, child) = (self.schema.entries.get(number)?, self.children.get(number)?);
        Some(child.get_or_init(|| {
            let node = OnceCell::new();
            self.bump.alloc(Child { name: entry.name, level: self, entry, node })
        }))
    }

    /// The children by name.
    pub(crate) fn children(&'a self) -> Vec<&'a Child<'a>> {
        self.schema.by_name(self.bump).iter().filter_map(|number| self.nth(*number)).collect()
    }

    /// The first of the names that belong in lists, for a help.
    pub(super) fn some_names(&'a self, eval: &Evaluator<'a>) -> Option<String> {
        let children = self.children();
        let own = |child: &&&Child<'a>| child.name.as_str().starts_with('_');
        let mut listed = children.iter().filter(|child| !own(child) && child.is_listed(eval));
        let shown: Vec<_> = listed.by_ref().take(6).map(|child| child.name.as_str()).collect();
        let more = if listed.next().is_some() { ", …" } else { "" };
        (!shown.is_empty()).then(|| shown.join(", ") + more)
    }

    /// The children's values by name, each a thunk.
    pub(crate) fn value(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.value.get_or_init(|| {
            let each = (0..self.children.len()).map(|number| self.part(eval, number));
            eval.sorted_attrs(self.children.len(), each, None)
        })
    }

    /// As [`Self::value`], where definitions are looked at anyway: an option that nothing defines
    /// has its value at once if it is known.
    pub(crate) fn value_of_defined(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let defined = self.defined(eval)?;
        Ok(*self.value.get_or_init(|| {
            let each = self.schema.entries.iter().zip(defined).enumerate();
            let each = each.map(|(number, (entry, defined))| match entry.settled() {
                Some(value) if !defined => {
                    Attr { name: entry.name, span: Span::NONE, value: Cell::new(value) }
                }
                _ => self.part(eval, number),
            });
            eval.sorted_attrs(self.children.len(), each, None)
        }))
    }

    /// Notes the values for other configurations, after all of them were computed: where nothing
    /// defines any, they may be the same everywhere.
    pub(super) fn settle(&'a self, eval: &Evaluator<'a>) -> Result<()> {
        let known = &self.schema.settled;
        if known.get().is_some() || self.defined(eval)?.contains(&true) {
            return Ok(());
        }
        let each = self.schema.entries.iter().map(|entry| {
            let value = Cell::new(entry.settled()?);
            Some(Attr { name: entry.name, span: Span::NONE, value })
        });
        if let Some(values) = each.collect::<Option<Vec<_>>>() {
            let _ = known.set(eval.sorted_attrs(values.len(), values.into_iter(), None));
        }
        Ok(())
    }

    /// A child's value under its name.
    fn part(&'a self, eval: &Evaluator<'a>, number: usize) -> Attr<'a> {
        let name = self.schema.entries.get(number).map_or(symbol!(""), |entry| entry.name);
        let child = self.children.get(number).and_then(OnceCell::get);
        let known = child.and_then(|child| match child.node.get() {
            Some(Node::Option(option)) => option.known_value(),
            _ => None,
        });
        let value = known.unwrap_or_else(|| {
            eval.thunk(move |eval| {
                if let Some(value) = self.kept(eval, number) {
                    return Ok(value);
                }
                self.nth(number).map_or(Ok(Value::Null), |child| child.compute(eval))
            })
        });
        Attr { name, span: Span::NONE, value: Cell::new(value) }
    }

    /// The value of an option that has one definition, and that a scalar: most have. None where there
    /// is more to it, which its node finds out.
    fn kept(&'a self, eval: &Evaluator<'a>, number: usize) -> Option<Value<'a>> {
        let entry = self.schema.entries.get(number)?;
        let Known::Option(declared) = entry.known.get()? else { return None };
        let mut each = self.each_definition(eval, entry.name).ok()?;
        let (Some(only), None) = (each.next(), each.next()) else { return None };
        let counts = only.conditions.is_none() && only.strength() < priority::OPTION_DEFAULT;
        counts.then(|| declared.kept(eval, only.value))?
    }

    /// What a walk through all values meets: each name once, in no order that means anything.
    pub(super) fn each_met(
        &'a self,
        eval: &Evaluator<'a>,
    ) -> Result<impl Iterator<Item = (Symbol, Result<Met<'a>>)>> {
        let set = self.value_of_defined(eval)?;
        let set = eval.expect_attrs(set, Span::NONE)?;
        // All are sorted by symbol.
        let each = self.schema.entries.iter().zip(set.entries()).zip(self.defined(eval)?);
        Ok(each.enumerate().map(move |(number, ((entry, attr), defined))| {
            let met = match (entry.settled(), entry.is_option()) {
                (Some(_), _) if !defined => Ok(Met::Settled),
                (_, true) => Ok(Met::Option(&attr.value)),
                (_, false) => self.met(eval, number, attr),
            };
            (entry.name, met)
        }))
    }

    /// What stands at a name that is not known to be an option.
    fn met(&'a self, eval: &Evaluator<'a>, number: usize, attr: &'a Attr<'a>) -> Result<Met<'a>> {
        let node = self.nth(number).map(|child| child.node(eval)).transpose()?;
        Ok(node.and_then(Node::level).map_or(Met::Option(&attr.value), Met::Level))
    }

    /// A child's value, perhaps a thunk, if the set of all was made.
    pub(super) fn known_value(&self, name: Symbol) -> Option<Value<'a>> {
        let Value::Attrs(set) = self.value.get()? else { return None };
        Some(set.get(name)?.value.get())
    }

    /// The children's options by name: what modules see under `options`.
    pub(crate) fn options(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let mut out = AttrsBuilder::with_capacity(self.children.len());
        for child in self.children() {
            let value = eval.thunk(move |eval| match child.node(eval)? {
                Node::Level(level) => level.options(eval),
                Node::Option(option) => Ok(option.describe(eval)),
            });
            out.insert(child.name, value, child.span());
        }
        Ok(out.finish(eval))
    }

    /// The sets that define children here, weak layers first.
    pub(crate) fn spread(&'a self, eval: &Evaluator<'a>) -> Result<&'a [Spread<'a>]> {
        if let Some(spread) = self.spread.get() {
            return Ok(spread);
        }
        let raw = match self.above {
            Some((above, name)) => above.definitions_of(eval, name)?,
            None => self.tree.loaded(eval)?.iter().filter_map(|module| module.config).collect(),
        };
        let mut out = Vec::with_capacity(raw.len());
        let mut parts = Vec::new();
        for definition in raw {
            if let Err(error) = unwrap(eval, definition, Conditions::Keep, &mut parts) {
                self.tree.session.tolerate(error)?;
            }
            for whole in parts.drain(..) {
                match whole.value {
                    Value::Attrs(set) => out.push(Spread { set, whole }),
                    other => {
                        let error = self.no_set(eval, whole, other);
                        self.tree.session.tolerate(error)?;
                    }
                }
            }
        }
        Ok(self.spread.get_or_init(|| eval.arena.bump.alloc_slice_copy(&out)))
    }

    /// What tells these options from others: their names, where each is declared, and its type's form,
    /// which may depend on the configuration.
    pub(crate) fn digest(&'a self, eval: &Evaluator<'a>) -> u64 {
        if let Some(digest) = self.schema.digest.get() {
            return *digest;
        }
        let mut hasher = FxHasher::default();
        let children = self.children();
        for child in &children {
            child.name.as_str().hash(&mut hasher);
            match child.node(eval) {
                Ok(Node::Level(level)) => level.digest(eval).hash(&mut hasher),
                Ok(Node::Option(option)) => {
                    child.span().hash(&mut hasher);
                    if let Ok(ty) = option.ty(eval) {
                        note_type(eval, ty, FORM, &mut hasher);
                    }
                }
                Err(_) => child.span().hash(&mut hasher),
            }
        }
        let digest = hasher.finish();
        if children.iter().all(|child| child.entry.known.get().is_some()) {
            let _ = self.schema.digest.set(digest);
        }
        digest
    }

    /// Whether a module defines one of the children, under whatever condition.
    pub(crate) fn defines(&'a self, eval: &Evaluator<'a>, name: Symbol) -> Result<bool> {
        let number = self.schema.number(name);
        let defined = self.defined(eval)?;
        Ok(number.and_then(|number| defined.get(number)).copied().unwrap_or(false))
    }

    fn defined(&'a self, eval: &Evaluator<'a>) -> Result<&'a [bool]> {
        if let Some(defined) = self.defined.get() {
            return Ok(defined);
        }
        let spread = self.spread(eval)?;
        let defined = eval.arena.bump.alloc_slice_fill_copy(self.children.len(), false);
        for attr in spread.iter().flat_map(|spread| spread.set.iter()) {
            let number = self.schema.number(attr.name);
            if let Some(defined) = number.and_then(|number| defined.get_mut(number)) {
                *defined = true;
            }
        }
        Ok(self.defined.get_or_init(|| defined))
    }

    /// The definitions of one child, perhaps still wrapped in properties.
    pub(crate) fn definitions_of(
        &'a self,
        eval: &Evaluator<'a>,
        name: Symbol,
    ) -> Result<Vec<Definition<'a>>> {
        Ok(self.each_definition(eval, name)?.collect())
    }

    /// As [`Self::definitions_of`], one after the other.
    pub(crate) fn each_definition(
        &'a self,
        eval: &Evaluator<'a>,
        name: Symbol,
    ) -> Result<impl Iterator<Item = Definition<'a>>> {
        let each = self.spread(eval)?.iter();
        Ok(each.filter_map(move |spread| {
            let attr = spread.set.get(name)?;
            Some(spread.whole.part(attr.value.get(), attr.span, Span::NONE))
        }))
    }

    #[cold]
    fn no_set(
        &'a self,
        eval: &Evaluator<'a>,
        of: Definition<'a>,
        value: Value<'a>,
    ) -> Box<Diagnostic> {
        let message = if self.path.steps().is_empty() {
            format!("`config` holds options, and is no {}", value.type_name())
        } else {
            format!("`{}` holds options; found {}", self.path, found(eval, value))
        };
        let error = Diagnostic::error("type::mismatch", of.span(eval), message);
        let options = || Some(format!("its options are {}", self.some_names(eval)?));
        match not_called(value).or_else(options) {
            Some(help) => error.with_help(help).into(),
            None => error.into(),
        }
    }
}

impl<'a> Entry<'a> {
    fn is_option(&self) -> bool {
        matches!(self.known.get(), Some(Known::Option(_)))
    }

    /// The value where nothing defines it, once that is known.
    fn settled(&self) -> Option<Value<'a>> {
        match self.known.get()? {
            Known::Option(declared) => declared.settled(),
            Known::Level(schema) => schema.settled.get().copied(),
        }
    }
}

impl<'a> Schema<'a> {
    /// The number of a name's entry.
    fn number(&self, name: Symbol) -> Option<usize> {
        self.entries.binary_search_by_key(&name, |entry| entry.name).ok()
    }

    fn new(
        eval: &Evaluator<'a>,
        declarations: &[(&Declaration<'a>, &'a Attrs<'a>)],
    ) -> &'a Schema<'a> {
        let mut parts: Vec<(Symbol, Declaration<'a>)> = Vec::new();
        for (declaration, set) in declarations {
            parts.extend(set.iter().map(|attr| {
                let span = attr.span.or(declaration.span);
                (attr.name, Declaration { value: attr.value.get(), span, ..**declaration })
            }));
        }
        // Stable: declarations of one name stay in their order.
        parts.sort_by_key(|(name, _)| *name);
        let bump = &eval.arena.bump;
        let entries = parts.chunk_by(|(one, _), (other, _)| one == other).filter_map(|same| {
            let (name, _) = *same.first()?;
            let declarations = same.iter().map(|(_, declaration)| *declaration);
            let declarations: &[_] = bump.alloc_slice_fill_iter(declarations.collect::<Vec<_>>());
            let known = known_option(eval, declarations).map(Known::Option);
            Some(Entry {
                name,
                declarations,
                known: known.map_or_else(OnceCell::new, OnceCell::from),
            })
        });
        let entries = bump.alloc_slice_fill_iter(entries.collect::<Vec<_>>());
        let (by_name, digest, settled) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        eval.alloc(Schema { entries, by_name, digest, settled })
    }

    /// The numbers of the entries, sorted by name.
    fn by_name(&'a self, bump: &'a Bump) -> &'a [usize] {
        self.by_name.get_or_init(|| {
            let mut by_name: Vec<usize> = (0..self.entries.len()).collect();
            by_name
                .sort_by_key(|number| self.entries.get(*number).map(|entry| entry.name.as_str()));
            bump.alloc_slice_copy(&by_name)
        })
    }
}

/// The option that declarations make, if they made it elsewhere before.
fn known_option<'a>(
    eval: &Evaluator<'a>,
    declarations: &[Declaration<'a>],
) -> Option<&'a Declared<'a>> {
    let key = declarations.iter().map(|declaration| {
        let value @ Value::Attrs(set) = declaration.value.settled() else { return None };
        let kind = set.get(symbol!("_type"))?.value.get().settled();
        if !matches!(kind, Value::Str(kind) if *kind == "option") {
            return None;
        }
        let declaration = Declaration { value, ..*declaration };
        let span = declared_at(eval, &declaration);
        Some(DeclarationKey::new(&Declaration { span, ..declaration }, set))
    });
    eval.modules.known_option(&key.collect::<Option<Vec<_>>>()?)
}

/// Notes the errors of declarations and goes on with the others; where there are none, what uses
/// the option fails with the same error, and is not found wrong for another reason.
fn tolerate_some<'a>(
    tree: &'a ModuleTree<'a>,
    failed: Vec<Diagnostic>,
    nothing: bool,
) -> Result<()> {
    let mut failed = failed.into_iter();
    let first = failed.next();
    failed.try_for_each(|error| tree.session.tolerate(error.into()))?;
    match first {
        Some(error) if nothing => Err(error.into()),
        Some(error) => tree.session.tolerate(error.into()),
        None => Ok(()),
    }
}

/// Whether a set with this `_type` wraps a definition.
fn is_property(kind: &str) -> bool {
    ["if", "merge", "override", "order"].contains(&kind)
}

#[cold]
fn conditional<'a>(path: &Location<'a>, declaration: &Declaration<'a>) -> Diagnostic {
    let path = path.to_string();
    let place = if path.is_empty() { "options".to_owned() } else { path };
    let message = format!("`{place}` declares options, which no `mkIf` or `mkMerge` can wrap");
    Diagnostic::error("option::declaration", declaration.span, message).with_help(
        "which options there are cannot depend on a condition: declare them, and put the condition \
         around what is defined under `config`",
    )
}

fn declared_set<'a>(
    eval: &Evaluator<'a>,
    path: Location<'a>,
    declaration: &Declaration<'a>,
    is_root: bool,
) -> Result<&'a Attrs<'a>> {
    match eval.force_at(declaration.value, declaration.span)? {
        value @ Value::Attrs(_) if is_root && kind_of(eval, value)?.is_some_and(is_property) => {
            Err(conditional(&path, declaration).into())
        }
        Value::Attrs(set) => Ok(set),
        other => {
            let path = path.to_string();
            let place = if path.is_empty() { "`options`".to_owned() } else { format!("`{path}`") };
            let message = format!("{place} declares options, and is {}", other.described());
            let help = match other {
                Value::Lambda(_) | Value::PrimOp(_) => {
                    "an argument is missing: `lib.mkEnableOption \"what it enables\"`, \
                     `lib.mkOption { type = …; }`"
                }
                _ => "an option is declared by `lib.mkOption { type = …; }`",
            };
            let error = Diagnostic::error("option::declaration", declaration.span, message);
            Err(error.with_help(help).into())
        }
    }
}

impl<'a> Child<'a> {
    /// Where the name is first declared.
    pub(crate) fn span(&self) -> Span {
        match self.node.get() {
            Some(Node::Option(option)) => option.span(),
            _ => self.entry.declarations.first().map_or(Span::NONE, |first| first.span),
        }
    }

    /// Whether it belongs in lists: an option that is not hidden, or a set that has one. What cannot
    /// be read hides nothing.
    pub(crate) fn is_listed(&'a self, eval: &Evaluator<'a>) -> bool {
        match self.node(eval) {
            Ok(Node::Option(option)) => !option.is_hidden(eval).unwrap_or(false),
            Ok(Node::Level(level)) => level.children().iter().any(|child| child.is_listed(eval)),
            Err(_) => true,
        }
    }

    /// The value: an option's perhaps as a thunk.
    pub(crate) fn value(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        if let Some(value) = self.settled(eval)? {
            return Ok(value);
        }
        Ok(match self.node(eval)? {
            Node::Level(level) => level.value(eval),
            Node::Option(option) => option.value(eval),
        })
    }

    /// Computes the value: the work of the thunk that stands for it in its level's set.
    fn compute(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        if let Some(value) = self.settled(eval)? {
            return Ok(value);
        }
        match self.node(eval)? {
            Node::Level(level) => Ok(level.value(eval)),
            Node::Option(option) => option.compute(eval),
        }
    }

    /// The value of an option, or of a set of options, that nothing defines and that was computed for
    /// others.
    pub(crate) fn settled(&'a self, eval: &Evaluator<'a>) -> Result<Option<Value<'a>>> {
        let Some(value) = self.entry.settled() else { return Ok(None) };
        Ok((!self.level.defines(eval, self.name)?).then_some(value))
    }

    pub(crate) fn node(&'a self, eval: &Evaluator<'a>) -> Result<Node<'a>> {
        if let Some(node) = self.node.get() {
            return Ok(*node);
        }
        let node = self.make(eval)?;
        Ok(*self.node.get_or_init(|| node))
    }

    fn make(&'a self, eval: &Evaluator<'a>) -> Result<Node<'a>> {
        let level = self.level;
        let path = level.path.name(eval, self.name);
        match self.entry.known.get() {
            Some(Known::Level(schema)) => {
                let above = Some((level, self.name));
                return Ok(Node::Level(Level::of(eval, level.tree, above, path, schema)));
            }
            Some(Known::Option(declared)) => {
                return Ok(Node::Option(OptionNode::new(eval, level, self.name, path, declared)));
            }
            None => {}
        }
        let (mut options, mut sets, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for declaration in self.entry.declarations {
            let value = match eval.force_at(declaration.value, declaration.span) {
                Ok(value) => value,
                Err(error) => {
                    failed.push(*error);
                    continue;
                }
            };
            let declaration = Declaration { value, ..*declaration };
            match kind_of(eval, value)? {
                Some("option") => {
                    let span = declared_at(eval, &declaration);
                    options.push(Declaration { span, ..declaration });
                }
                Some(kind) if is_property(kind) => failed.push(conditional(&path, &declaration)),
                _ => sets.push(declaration),
            }
        }
        let nothing = options.is_empty() && sets.is_empty();
        let is_whole = failed.is_empty();
        tolerate_some(level.tree, failed, nothing)?;
        let option = |options: &[Declaration<'a>]| {
            let key = options.iter().filter_map(|declaration| match declaration.value {
                Value::Attrs(set) => Some(DeclarationKey::new(declaration, set)),
                _ => None,
            });
            let declared = eval.modules.option(key.collect(), || Declared::new(eval, options));
            if is_whole {
                let _ = self.entry.known.set(Known::Option(declared));
            }
            Ok(Node::Option(OptionNode::new(eval, level, self.name, path, declared)))
        };
        match (&options[..], &sets[..]) {
            ([], sets) => {
                let above = Some((level, self.name));
                let inner = Level::new(eval, level.tree, above, path, sets)?;
                if is_whole && sets.iter().all(|set| matches!(set.value, Value::Attrs(_))) {
                    let _ = self.entry.known.set(Known::Level(inner.schema));
                }
                Ok(Node::Level(inner))
            }
            (options, []) => option(options),
            (options, sets) if is_submodule(eval, options)? => {
                let inside = sets.iter().map(|set| as_submodule(eval, set));
                let all: Vec<_> = options.iter().copied().chain(inside).collect();
                option(&all)
            }
            ([option, ..], [set, ..]) => {
                let message = format!("`{path}` is declared as an option and as a set of options");
                Err(Diagnostic::error("option::declaration", set.span, message)
                    .with_related(option.span, "the option")
                    .with_help("rename one of the two; only submodules may have options added")
                    .into())
            }
        }
    }
}

/// So deep does one look into a type to tell it from others of the same declaration.
const FORM: u32 = 3;

/// The names of a type and of those inside of it, the texts that it lists, and its words, which
/// tell its bounds.
fn note_type<'a>(eval: &Evaluator<'a>, ty: Type<'a>, depth: u32, hasher: &mut FxHasher) {
    ty.name().hash(hasher);
    if let Ok(words) = ty.description(eval) {
        words.hash(hasher);
    }
    let Some(below) = depth.checked_sub(1) else { return };
    for value in ty.values {
        match eval.force(*value) {
            Ok(Value::List(list)) => list.iter().for_each(|item| {
                if let Ok(Value::Str(text)) = eval.force(item) {
                    text.hash(hasher);
                }
            }),
            Ok(value @ Value::Attrs(_)) => {
                if let Ok(inner) = Type::of(eval, value, Span::NONE) {
                    note_type(eval, inner, below, hasher);
                }
            }
            _ => {}
        }
    }
}

/// Whether an option is a submodule wherever it is declared, so that options may be added to it.
fn is_submodule<'a>(eval: &Evaluator<'a>, options: &[Declaration<'a>]) -> Result<bool> {
    for option in options {
        let Value::Attrs(set) = option.value else { return Ok(false) };
        let Some(attr) = set.get(symbol!("type")) else { return Ok(false) };
        if !Type::of(eval, eval.force_attr(attr)?, option.span)?.is_submodule() {
            return Ok(false);
        }
    }
    Ok(!options.is_empty())
}

/// Options at a submodule's place, as a declaration of that submodule.
fn as_submodule<'a>(eval: &Evaluator<'a>, options: &Declaration<'a>) -> Declaration<'a> {
    let module = eval.attrs([("options", options.value)]);
    let ty = submodule_of(eval, None, eval.list([module]), Value::Null);
    Declaration { value: eval.attrs([("_type", eval.str_in("option")), ("type", ty)]), ..*options }
}
