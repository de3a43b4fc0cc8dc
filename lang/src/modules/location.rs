//! Where in the tree of options a value stands.

use std::fmt;

use crate::eval::Evaluator;
use crate::print::print_name;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::definition::{Layer, Origin};
use super::session::Session;

/// One step of a location.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An attribute.
    Name(Symbol),
    /// An element of a list, from 0.
    Index(usize),
    /// An element of a list that a definition gives: which of the definitions and which of its
    /// elements, each from 0.
    Entry(u32, u32),
}

impl Step {
    /// What nixpkgs calls it, where steps are names.
    pub(crate) fn value<'a>(self, eval: &Evaluator<'a>) -> Value<'a> {
        match self {
            Step::Name(name) => eval.name(name),
            Step::Index(index) => eval.str(&format!("[{index}]")),
            Step::Entry(definition, entry) => {
                eval.str(&format!("[definition {}-entry {}]", definition + 1, entry + 1))
            }
        }
    }
}

/// A path in the tree of options: `users.users.alice.keys[0]`. Cheap to copy and to extend.
#[derive(Clone, Copy, Default)]
pub(crate) struct Location<'a>(Option<&'a Node<'a>>);

#[derive(Clone, Copy)]
struct Node<'a> {
    up: Location<'a>,
    step: Step,
}

impl<'a> Location<'a> {
    pub(crate) fn name(self, eval: &Evaluator<'a>, name: Symbol) -> Location<'a> {
        self.step(eval, Step::Name(name))
    }

    pub(crate) fn index(self, eval: &Evaluator<'a>, index: usize) -> Location<'a> {
        self.step(eval, Step::Index(index))
    }

    pub(crate) fn entry(
        self,
        eval: &Evaluator<'a>,
        definition: usize,
        entry: usize,
    ) -> Location<'a> {
        self.step(eval, Step::Entry(definition as u32, entry as u32))
    }

    fn step(self, eval: &Evaluator<'a>, step: Step) -> Location<'a> {
        Location(Some(eval.alloc(Node { up: self, step })))
    }

    /// The last step: what a submodule calls `name`.
    pub(crate) fn last(self) -> Option<Step> {
        self.0.map(|node| node.step)
    }

    /// The first step, where that is a name.
    pub(crate) fn first_name(self) -> Option<Symbol> {
        match self.steps().first() {
            Some(Step::Name(name)) => Some(*name),
            _ => None,
        }
    }

    pub(crate) fn is_longer_than(self, steps: usize) -> bool {
        let mut here = self.0;
        for _ in 0..=steps {
            let Some(node) = here else { return false };
            here = node.up.0;
        }
        true
    }

    /// The steps from the root.
    pub(crate) fn steps(self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut here = self.0;
        while let Some(node) = here {
            steps.push(node.step);
            here = node.up.0;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps().into_iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                // The number in its own definition: that is the list that the user sees.
                Step::Entry(_, index) => write!(f, "[{index}]")?,
                Step::Name(name) => {
                    if number > 0 {
                        f.write_str(".")?;
                    }
                    write_name(f, name.as_str())?;
                }
            }
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    // `<name>` stands for any name in the reference.
    if name.starts_with('<') || name == "*" {
        return f.write_str(name);
    }
    let mut written = String::new();
    print_name(name, &mut written);
    f.write_str(&written)
}

/// The module of a place that no module declares.
pub(crate) const NOWHERE: &Origin<'static> = &Origin { file: "", layer: Layer::Standard };

/// What merging needs to know about where it happens.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The path of the value.
    pub(crate) path: Location<'a>,
    /// Where its option is declared.
    pub(crate) declared: Span,
    /// The module that declares it: the weakest, if several do.
    pub(crate) origin: &'a Origin<'a>,
    /// What the whole evaluation shares.
    pub(crate) session: &'a Session<'a>,
}

impl<'a> Place<'a> {
    pub(crate) fn name(self, eval: &Evaluator<'a>, name: Symbol) -> Place<'a> {
        Place { path: self.path.name(eval, name), ..self }
    }

    pub(crate) fn index(self, eval: &Evaluator<'a>, index: usize) -> Place<'a> {
        Place { path: self.path.index(eval, index), ..self }
    }

    pub(crate) fn entry(self, eval: &Evaluator<'a>, definition: usize, entry: usize) -> Place<'a> {
        Place { path: self.path.entry(eval, definition, entry), ..self }
    }
}
