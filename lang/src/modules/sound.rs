//! Whether anything is wrong with a configuration, and nothing more.
//!
//! [`Configuration::force_all`] goes from option to option in the order of their names, so that
//! its errors have the same words each time. Where there is no error, any order does.

use rustc_hash::FxHashSet;

use crate::diagnostic::{Diagnostic, Result, Severity};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, List, Value};

use super::configuration::Configuration;
use super::level::{Level, Met};
use super::location::{Location, Step};
use super::unknown::unknown_options;

/// How a part of a value is reached, on the stack: mostly nobody asks.
#[derive(Clone, Copy)]
enum Trail<'t, 'a> {
    Option(&'a Level<'a>, Symbol),
    Step(&'t Trail<'t, 'a>, Step),
}

/// A walk through all values of a configuration.
struct Walk<'w, 'e, 'a> {
    of: &'w Configuration<'e, 'a>,
    walked: FxHashSet<*const ()>,
}

impl<'a> Configuration<'_, 'a> {
    /// The warnings, if nothing is wrong: then they are all that [`Configuration::force_all`]
    /// would give.
    pub fn warnings(&self) -> Option<Vec<Diagnostic>> {
        let root = self.tree.root(self.eval).ok()?;
        let mut walk = Walk { of: self, walked: FxHashSet::default() };
        if !walk.level(root) {
            return None;
        }
        let mut seen = 0;
        loop {
            let trees = self.tree.session.trees_from(seen);
            if trees.is_empty() {
                break;
            }
            seen += trees.len();
            for tree in trees {
                if !unknown_options(self.eval, tree).ok()?.is_empty() {
                    return None;
                }
            }
        }
        let quiet = |found: &[Diagnostic]| found.iter().all(|one| one.severity != Severity::Error);
        let in_files = self.eval.world.file_diagnostics();
        if !self.tree.session.is_quiet() || !quiet(&in_files) {
            return None;
        }
        let mut warnings = self.tree.session.take_errors();
        warnings.extend(in_files);
        Some(warnings)
    }
}

impl<'a> Walk<'_, '_, 'a> {
    fn level(&mut self, level: &'a Level<'a>) -> bool {
        let eval = self.of.eval;
        let Ok(mut each) = level.each_met(eval) else { return false };
        let sound = each.all(|(name, met)| match met {
            Ok(Met::Settled) => true,
            Ok(Met::Level(inner)) => self.level(inner),
            Ok(Met::Option(cell)) => {
                self.part(eval.force_cell(cell, Span::NONE), Trail::Option(level, name))
            }
            Err(_) => false,
        });
        sound && level.settle(eval).is_ok()
    }

    fn part(&mut self, result: Result<Value<'a>>, trail: Trail<'_, 'a>) -> bool {
        match result {
            Ok(value) => self.inside(value, trail),
            // An option without a value is no error unless it is used.
            Err(error) => self.of.is_for_readers(&error, self.location(trail)),
        }
    }

    fn inside(&mut self, value: Value<'a>, trail: Trail<'_, 'a>) -> bool {
        let address = match value {
            Value::List(list) if !list.is_empty() => std::ptr::from_ref::<List<'a>>(list).cast(),
            Value::Attrs(set) if !set.is_empty() => std::ptr::from_ref::<Attrs<'a>>(set).cast(),
            _ => return true,
        };
        if !self.walked.insert(address) {
            return true;
        }
        let eval = self.of.eval;
        let sound = eval.deeper(Span::NONE, || match value {
            Value::List(list) => Ok(list.cells().iter().enumerate().all(|(number, cell)| {
                let trail = Trail::Step(&trail, Step::Index(number));
                self.part(eval.force_cell(cell, Span::NONE), trail)
            })),
            Value::Attrs(set) if !self.of.is_opaque(set)? => Ok(set.iter().all(|attr| {
                let trail = Trail::Step(&trail, Step::Name(attr.name));
                self.part(eval.force_cell(&attr.value, attr.span), trail)
            })),
            _ => Ok(true),
        });
        sound.unwrap_or(false)
    }

    fn location(&self, trail: Trail<'_, 'a>) -> Location<'a> {
        match trail {
            Trail::Option(level, name) => level.path.name(self.of.eval, name),
            Trail::Step(up, Step::Name(name)) => self.location(*up).name(self.of.eval, name),
            Trail::Step(up, Step::Index(index)) => self.location(*up).index(self.of.eval, index),
            Trail::Step(up, Step::Entry(definition, index)) => {
                self.location(*up).entry(self.of.eval, definition as usize, index as usize)
            }
        }
    }
}
