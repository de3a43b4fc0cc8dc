//! Every option there is, for documentation and completion.

use crate::diagnostic::Result;
use crate::source::Span;
use crate::symbol::Symbol;

use super::configuration::Configuration;
use super::explain::{brief, default_of, text};
use super::level::{Level, Node};
use super::location::Place;
use super::option::OptionNode;
use super::types::{Type, modules_of, sample};

/// A declared option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// Its path; `<name>` stands for any name, `*` for any element.
    pub path: String,
    /// What its type takes, in words.
    pub type_description: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its default in brief.
    pub default: Option<String>,
    /// An example in brief.
    pub example: Option<String>,
    /// Where it is declared.
    pub declared: Vec<Span>,
    /// Whether it can be read only.
    pub read_only: bool,
}

/// Submodules nested deeper than this are the same over and over.
const DEEPEST: usize = 5;

impl<'a> Configuration<'_, 'a> {
    /// All options by path, those of submodules too, without internal and invisible ones.
    ///
    /// # Errors
    /// Errors of declarations.
    pub fn reference(&self) -> Result<Vec<OptionInfo>> {
        let mut out = Vec::new();
        self.list_level(self.tree.root(self.eval)?, 0, &mut out)?;
        Ok(out)
    }

    fn list_level(
        &self,
        level: &'a Level<'a>,
        depth: usize,
        out: &mut Vec<OptionInfo>,
    ) -> Result<()> {
        for child in level.children() {
            if child.name.as_str() == "_module" {
                continue;
            }
            match child.node(self.eval)? {
                Node::Level(level) => self.list_level(level, depth, out)?,
                Node::Option(option) => self.list_option(option, depth, out)?,
            }
        }
        Ok(())
    }

    fn list_option(
        &self,
        option: &'a OptionNode<'a>,
        depth: usize,
        out: &mut Vec<OptionInfo>,
    ) -> Result<()> {
        let eval = self.eval;
        let hidden = option.field("visible").map(|(attr, _)| eval.force_attr(attr)).transpose()?;
        let hidden = matches!(hidden, Some(crate::value::Value::Bool(false)));
        if hidden || option.flag(eval, "internal")? {
            return Ok(());
        }
        let ty = option.ty(eval)?;
        let example = text(eval, option, "example")
            .or_else(|| option.field("example").map(|(attr, _)| brief(eval, attr.value.get())));
        out.push(OptionInfo {
            path: option.path.to_string(),
            type_description: ty.description(eval)?,
            description: text(eval, option, "description"),
            default: default_of(eval, option),
            example,
            declared: option.declared(),
            read_only: option.flag(eval, "readOnly")?,
        });
        self.list_inside(ty, option.place(), depth, out)
    }

    fn list_inside(
        &self,
        ty: Type<'a>,
        place: Place<'a>,
        depth: usize,
        out: &mut Vec<OptionInfo>,
    ) -> Result<()> {
        if depth >= DEEPEST {
            return Ok(());
        }
        for (names, inner) in modules_of(self.eval, ty)? {
            let path =
                names.iter().fold(place.path, |path, name| path.name(self.eval, Symbol::new(name)));
            // Its own session: a sample is nobody's configuration, and its errors nobody's
            // mistakes.
            let session = self.eval.alloc(super::session::Session::new(true));
            let place = Place { session, declared: place.declared, ..self.at(path) };
            let tree = sample(self.eval, inner, place)?;
            self.list_level(tree.root(self.eval)?, depth + 1, out)?;
        }
        Ok(())
    }
}
