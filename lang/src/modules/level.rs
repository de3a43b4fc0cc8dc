//! A set of options at one path: declarations in, children out, definitions pushed down.

use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};

use super::definition::{Definition, Origin};
use super::location::Location;
use super::option::{OptionNode, declared_at};
use super::property::{Conditions, kind_of, unwrap};
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

/// Options by name.
pub(crate) struct Level<'a> {
    pub(crate) tree: &'a ModuleTree<'a>,
    pub(crate) path: Location<'a>,
    /// Sorted by symbol.
    children: &'a [Child<'a>],
    /// The level above and the name there; `None` at a tree's root.
    above: Option<(&'a Level<'a>, Symbol)>,
    spread: OnceCell<&'a [Spread<'a>]>,
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
    level: OnceCell<&'a Level<'a>>,
    declarations: &'a [Declaration<'a>],
    node: OnceCell<Node<'a>>,
    value: OnceCell<Value<'a>>,
}

/// What a name in a level is.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Level(&'a Level<'a>),
    Option(&'a OptionNode<'a>),
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
        let mut by_name: FxHashMap<Symbol, Vec<Declaration<'a>>> = FxHashMap::default();
        let mut failed = Vec::new();
        for declaration in declarations {
            let set = match declared_set(eval, path, declaration) {
                Ok(set) => set,
                Err(error) => {
                    failed.push(*error);
                    continue;
                }
            };
            for attr in set.iter() {
                let part = Declaration {
                    value: attr.value.get(),
                    span: attr.span.or(declaration.span),
                    ..*declaration
                };
                by_name.entry(attr.name).or_default().push(part);
            }
        }
        let nothing = above.is_some() && failed.len() == declarations.len();
        tolerate_some(tree, failed, nothing)?;
        let mut names: Vec<_> = by_name.into_iter().collect();
        names.sort_unstable_by_key(|(name, _)| *name);
        let bump = &eval.arena.bump;
        let children = names.into_iter().map(|(name, declarations)| Child {
            name,
            level: OnceCell::new(),
            declarations: bump.alloc_slice_copy(&declarations),
            node: OnceCell::new(),
            value: OnceCell::new(),
        });
        let children: Vec<_> = children.collect();
        let children: &'a [Child<'a>] = bump.alloc_slice_fill_iter(children);
        let (spread, value) = (OnceCell::new(), OnceCell::new());
        let level: &'a Level<'a> = eval.alloc(Level { tree, path, children, above, spread, value });
        for child in children {
            child.level.get_or_init(|| level);
        }
        Ok(level)
    }

    pub(crate) fn child(&self, name: Symbol) -> Option<&'a Child<'a>> {
        let index = self.children.binary_search_by_key(&name, |child| child.name).ok()?;
        self.children.get(index)
    }

    /// The children by name.
    pub(crate) fn children(&self) -> Vec<&'a Child<'a>> {
        let mut children: Vec<_> = self.children.iter().collect();
        children.sort_unstable_by_key(|child| child.name.as_str());
        children
    }

    /// The children's values by name, each a thunk.
    pub(crate) fn value(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.value.get_or_init(|| {
            eval.attrs(self.children.iter().map(|child| (child.name, child.value(eval))))
        })
    }

    /// The children's options by name: what modules see under `options`.
    pub(crate) fn options(&'a self, eval: &Evaluator<'a>) -> Result<Value<'a>> {
        let mut out = AttrsBuilder::with_capacity(self.children.len());
        for child in self.children {
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
        for definition in raw {
            let mut parts = Vec::new();
            if let Err(error) = unwrap(eval, definition, Conditions::Keep, &mut parts) {
                self.tree.session.tolerate(error)?;
            }
            for whole in parts {
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

    /// The definitions of one child, perhaps still wrapped in properties.
    pub(crate) fn definitions_of(
        &'a self,
        eval: &Evaluator<'a>,
        name: Symbol,
    ) -> Result<Vec<Definition<'a>>> {
        let each = self.spread(eval)?.iter();
        Ok(each
            .filter_map(|spread| {
                let attr = spread.set.get(name)?;
                Some(spread.whole.part(attr.value.get(), attr.span, Span::NONE))
            })
            .collect())
    }

    #[cold]
    fn no_set(
        &self,
        eval: &Evaluator<'a>,
        of: Definition<'a>,
        value: Value<'a>,
    ) -> Box<Diagnostic> {
        let names: Vec<_> = self.children().iter().map(|child| child.name.as_str()).collect();
        let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 5 { ", …" } else { "" };
        let message = if self.path.steps().is_empty() {
            format!("`config` holds options, and is no {}", value.type_name())
        } else {
            format!("`{}` holds options; found {}", self.path, found(eval, value))
        };
        Diagnostic::error("type::mismatch", of.span(eval), message)
            .with_help(not_called(value).unwrap_or(format!("its options are {shown}{more}")))
            .into()
    }
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

fn declared_set<'a>(
    eval: &Evaluator<'a>,
    path: Location<'a>,
    declaration: &Declaration<'a>,
) -> Result<&'a Attrs<'a>> {
    match eval.force_at(declaration.value, declaration.span)? {
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
            _ => self.declarations.first().map_or(Span::NONE, |declaration| declaration.span),
        }
    }

    pub(crate) fn value(&'a self, eval: &Evaluator<'a>) -> Value<'a> {
        *self.value.get_or_init(|| {
            eval.thunk(move |eval| match self.node(eval)? {
                Node::Level(level) => Ok(level.value(eval)),
                Node::Option(option) => Ok(option.value(eval)),
            })
        })
    }

    pub(crate) fn node(&'a self, eval: &Evaluator<'a>) -> Result<Node<'a>> {
        if let Some(node) = self.node.get() {
            return Ok(*node);
        }
        let node = self.make(eval)?;
        Ok(*self.node.get_or_init(|| node))
    }

    fn make(&'a self, eval: &Evaluator<'a>) -> Result<Node<'a>> {
        // `Level::new` sets it for every child before anyone can ask.
        let Some(level) = self.level.get().copied() else {
            return Err(Diagnostic::error("option::declaration", self.span(), "no level").into());
        };
        let path = level.path.name(eval, self.name);
        let (mut options, mut sets, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for declaration in self.declarations {
            let value = match eval.force_at(declaration.value, declaration.span) {
                Ok(value) => value,
                Err(error) => {
                    failed.push(*error);
                    continue;
                }
            };
            let declaration = Declaration { value, ..*declaration };
            if kind_of(eval, value)? == Some("option") {
                let span = declared_at(eval, &declaration);
                options.push(Declaration { span, ..declaration });
            } else {
                sets.push(declaration);
            }
        }
        let nothing = options.is_empty() && sets.is_empty();
        tolerate_some(level.tree, failed, nothing)?;
        match (&options[..], &sets[..]) {
            ([], sets) => {
                let above = Some((level, self.name));
                Ok(Node::Level(Level::new(eval, level.tree, above, path, sets)?))
            }
            (options, []) => {
                Ok(Node::Option(OptionNode::new(eval, level, self.name, path, options)))
            }
            (options, sets) if is_submodule(eval, options)? => {
                let inside = sets.iter().map(|set| as_submodule(eval, set));
                let all: Vec<_> = options.iter().copied().chain(inside).collect();
                Ok(Node::Option(OptionNode::new(eval, level, self.name, path, &all)))
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

/// Whether an option is a submodule wherever it is declared, so that options may be added to it.
fn is_submodule<'a>(eval: &Evaluator<'a>, options: &[Declaration<'a>]) -> Result<bool> {
    for option in options {
        let Value::Attrs(set) = option.value else { return Ok(false) };
        let Some(attr) = set.get_str("type") else { return Ok(false) };
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
