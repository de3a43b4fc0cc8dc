//! What one evaluation of modules shares with the submodules inside it.

use std::cell::{Cell, RefCell};

use crate::diagnostic::{Diagnostic, Result, Severity};

use super::tree::ModuleTree;

/// Shared state of a configuration and its submodules.
#[derive(Default)]
pub(crate) struct Session<'a> {
    /// Whether an error in one module is noted and the others are evaluated nevertheless.
    pub(crate) tolerant: bool,
    broken: Cell<bool>,
    /// The texts of files that failed; none where one cannot be known.
    broken_texts: RefCell<Vec<Option<String>>>,
    errors: RefCell<Vec<Diagnostic>>,
    trees: RefCell<Vec<&'a ModuleTree<'a>>>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(tolerant: bool) -> Session<'a> {
        Session { tolerant, ..Session::default() }
    }

    /// Notes an error and goes on, or gives it back where errors are not tolerated.
    pub(crate) fn tolerate(&self, error: Box<Diagnostic>) -> Result<()> {
        if !self.tolerant {
            return Err(error);
        }
        self.errors.borrow_mut().push(*error);
        Ok(())
    }

    /// Notes a warning, where anybody will look for it.
    pub(crate) fn warn(&self, warning: Diagnostic) {
        if self.tolerant {
            self.errors.borrow_mut().push(warning);
        }
    }

    /// As [`Self::tolerate`], for a module that cannot be evaluated at all. `text` is its file's,
    /// if it can be read.
    pub(crate) fn tolerate_broken(
        &self,
        error: Box<Diagnostic>,
        text: Option<String>,
    ) -> Result<()> {
        self.broken.set(true);
        self.broken_texts.borrow_mut().push(text);
        self.tolerate(error)
    }

    /// Whether a module that failed, or one that it would have imported, may declare an option of
    /// this name.
    pub(crate) fn may_have_declared(&self, name: &str) -> bool {
        let declares = |text: &String| text.contains("options") && text.contains(name);
        self.broken_texts.borrow().iter().any(|text| match text {
            Some(text) => text.contains("imports") || declares(text),
            None => true,
        })
    }

    /// Whether a module is missing, so that an option may well lack its definition.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Whether nothing was noted so far but warnings.
    pub(crate) fn is_quiet(&self) -> bool {
        self.errors.borrow().iter().all(|noted| noted.severity != Severity::Error)
    }

    /// The errors noted so far, taken out.
    pub(crate) fn take_errors(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.errors.borrow_mut())
    }

    /// Registers a tree of options, so that its unknown options are looked for.
    pub(crate) fn register(&self, tree: &'a ModuleTree<'a>) {
        self.trees.borrow_mut().push(tree);
    }

    /// The registered trees from number `from` on.
    pub(crate) fn trees_from(&self, from: usize) -> Vec<&'a ModuleTree<'a>> {
        self.trees.borrow().get(from..).map(<[_]>::to_vec).unwrap_or_default()
    }
}
