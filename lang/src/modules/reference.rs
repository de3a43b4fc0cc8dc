//! Every option there is, for documentation and completion.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::configuration::Configuration;
use super::level::{Child, Level, Node};
use super::location::{Place, Step};
use super::option::OptionNode;
use super::session::Session;
use super::shown::{Shown, default_of, example_of, text};
use super::types::{Type, modules_of, sample};

/// A declared option, as people look it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDoc {
    /// Its path as it is written; `<name>` stands for any name, `*` for any element.
    pub path: String,
    /// The names of that path.
    pub loc: Vec<String>,
    /// What its type takes, in words.
    pub type_description: String,
    /// What it is for, in the Markdown of NixOS's manual.
    pub description: Option<String>,
    /// Its default, if it has one.
    pub default: Option<Shown>,
    /// An example.
    pub example: Option<Shown>,
    /// Where it is declared.
    pub declared: Vec<Span>,
    /// Whether it can be read only.
    pub read_only: bool,
    /// Whether it is for modules alone (`internal`, or inside of such an option).
    pub internal: bool,
    /// Whether lists of options show it (`visible`, and that of the options it is in).
    pub visible: bool,
}

impl OptionDoc {
    /// Whether it belongs in lists: neither internal nor hidden.
    pub fn is_listed(&self) -> bool {
        self.visible && !self.internal
    }
}

/// All options of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// The options by path, those of submodules after the option that they are in.
    pub options: Vec<OptionDoc>,
    /// Declarations that cannot be read; their options are not among the others.
    pub problems: Vec<Diagnostic>,
}

/// Submodules nested deeper than this are the same over and over.
const DEEPEST: usize = 5;

/// What an option inherits from those that it is in.
#[derive(Clone, Copy)]
struct Around {
    depth: usize,
    internal: bool,
    visible: bool,
}

/// What is declared of one option, whatever it is in.
///
/// # Errors
/// Errors of its declarations.
pub(crate) fn option_doc<'a>(eval: &Evaluator<'a>, option: &OptionNode<'a>) -> Result<OptionDoc> {
    let loc = option.path.steps().into_iter().map(|step| match step {
        Step::Name(name) => name.to_string(),
        Step::Index(index) => index.to_string(),
        Step::Entry(_, index) => index.to_string(),
    });
    Ok(OptionDoc {
        path: option.path.to_string(),
        loc: loc.collect(),
        type_description: option.ty(eval)?.description(eval)?,
        description: text(eval, option, "description"),
        default: default_of(eval, option),
        example: example_of(eval, option),
        declared: option.declared(),
        read_only: option.flag(eval, "readOnly")?,
        internal: option.flag(eval, "internal")?,
        visible: true,
    })
}

impl<'a> Configuration<'_, 'a> {
    /// All options, those of submodules, internal and hidden ones too. What cannot be read hides
    /// nothing of the rest.
    pub fn reference(&self) -> Reference {
        let mut out = Reference::default();
        let around = Around { depth: 0, internal: false, visible: true };
        match self.tree.root(self.eval) {
            Ok(root) => self.list_level(root, around, &mut out),
            Err(error) => out.problems.push(*error),
        }
        out.problems.extend(self.tree.session.take_errors());
        out
    }

    fn list_level(&self, level: &'a Level<'a>, around: Around, out: &mut Reference) {
        for child in level.children() {
            if child.name.as_str() != "_module"
                && let Err(error) = self.list_child(child, around, out)
            {
                out.problems.push(*error);
            }
        }
    }

    fn list_child(&self, child: &'a Child<'a>, around: Around, out: &mut Reference) -> Result<()> {
        match child.node(self.eval)? {
            Node::Level(level) => self.list_level(level, around, out),
            Node::Option(option) => self.list_option(option, around, out)?,
        }
        Ok(())
    }

    fn list_option(
        &self,
        option: &'a OptionNode<'a>,
        around: Around,
        out: &mut Reference,
    ) -> Result<()> {
        let eval = self.eval;
        let visible = match option.field("visible") {
            Some((attr, _)) => eval.force_attr(attr)?,
            None => Value::Bool(true),
        };
        // NixOS's words: which of an option and those inside of it are shown.
        let (itself, inside) = match visible {
            Value::Bool(shown) => (shown, shown),
            Value::Str(word) if *word == "shallow" => (true, false),
            Value::Str(word) if *word == "transparent" => (false, true),
            _ => (true, true),
        };
        let mut doc = option_doc(eval, option)?;
        doc.internal |= around.internal;
        doc.visible = around.visible && itself;
        let (visible, internal) = (around.visible && inside, doc.internal);
        out.options.push(doc);
        let around = Around { depth: around.depth + 1, internal, visible };
        self.list_inside(option.ty(eval)?, option.place(), around, out)
    }

    fn list_inside(
        &self,
        ty: Type<'a>,
        place: Place<'a>,
        around: Around,
        out: &mut Reference,
    ) -> Result<()> {
        if around.depth > DEEPEST {
            return Ok(());
        }
        for (names, inner) in modules_of(self.eval, ty)? {
            let path =
                names.iter().fold(place.path, |path, name| path.name(self.eval, Symbol::new(name)));
            // Its own session: a sample is nobody's configuration, and its errors nobody's
            // mistakes.
            let session = self.eval.alloc(Session::new(true));
            let place = Place { session, path, ..place };
            let tree = sample(self.eval, inner, place)?;
            self.list_level(tree.root(self.eval)?, around, out);
        }
        Ok(())
    }
}
