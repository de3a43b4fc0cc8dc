//! `match` and `split`: POSIX extended regular expressions as Nix has them.
//!
//! Nix uses the C++ library's: bytes, leftmost; alternatives are both tried and the longer match
//! wins, repetitions take the first way that leads to a match. Where the order of trying makes no
//! difference, an expression runs on the `regex` crate; else on a matcher of our own.

use std::cell::RefCell;
use std::rc::Rc;

use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use super::{Builtin, builtin};
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

mod bracket;
mod program;
mod syntax;

use program::{Mode, Program};

pub(super) const TABLE: &[Builtin] = &[builtin("match", 2, matches), builtin("split", 2, split)];

/// Compiled expressions of one evaluator.
#[derive(Default)]
pub(crate) struct RegexCache(RefCell<FxHashMap<(Mode, String), Rc<Compiled>>>);

/// Where a match and its groups start and end; a group that took no part has none.
type Groups = Vec<Option<(usize, usize)>>;

/// Asked now and then, with the bytes that are about to be taken.
type Limits<'l> = &'l dyn Fn(usize) -> Result<()>;

fn limits<'e>(e: &'e Evaluator<'_>, at: Span) -> impl Fn(usize) -> Result<()> + 'e {
    move |bytes| if bytes == 0 { e.tick(at) } else { e.check_limits(bytes, at) }
}

struct Compiled {
    groups: usize,
    engine: Engine,
}

enum Engine {
    Library(Regex),
    Own(Program),
}

impl RegexCache {
    fn get(&self, pattern: &str, mode: Mode, at: Span) -> Result<Rc<Compiled>> {
        let key = (mode, pattern.to_owned());
        if let Some(known) = self.0.borrow().get(&key) {
            return Ok(known.clone());
        }
        let compiled = Rc::new(compile(pattern, mode).map_err(|fault| fault.diagnostic(at))?);
        self.0.borrow_mut().insert(key, compiled.clone());
        Ok(compiled)
    }
}

/// An expression that a text matches as a whole.
pub(crate) struct Whole(Rc<Compiled>);

impl Whole {
    pub(crate) fn new(e: &Evaluator<'_>, pattern: &str, at: Span) -> Result<Whole> {
        e.regexes().get(pattern, Mode::Whole, at).map(Whole)
    }

    pub(crate) fn matches(&self, e: &Evaluator<'_>, text: &str) -> Result<bool> {
        match &self.0.engine {
            Engine::Library(regex) => Ok(regex.is_match(text.as_bytes())),
            Engine::Own(_) => Ok(!self.0.find_all(text, &limits(e, Span::NONE))?.is_empty()),
        }
    }
}

fn compile(pattern: &str, mode: Mode) -> std::result::Result<Compiled, syntax::Fault> {
    let parsed = syntax::parse(pattern)?;
    let groups = parsed.groups;
    let engine = match parsed.library_pattern(mode).map(|pattern| Regex::new(&pattern)) {
        Some(Ok(regex)) => Engine::Library(regex),
        _ => Engine::Own(Program::new(&parsed, mode)?),
    };
    Ok(Compiled { groups, engine })
}

impl Compiled {
    /// Every match in the text, one after the other.
    fn find_all(&self, text: &str, limits: Limits<'_>) -> Result<Vec<Groups>> {
        match &self.engine {
            Engine::Library(regex) => library_matches(regex, text.as_bytes(), limits),
            Engine::Own(program) => program.find_all(text.as_bytes(), self.groups, limits),
        }
    }
}

fn library_matches(regex: &Regex, text: &[u8], limits: Limits<'_>) -> Result<Vec<Groups>> {
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let groups = captures.iter().map(|group| group.map(|group| (group.start(), group.end())));
        found.push(groups.collect());
        limits(0)?;
    }
    Ok(found)
}

/// The part of a text between two bytes; a character is never cut.
fn slice(text: &str, start: usize, end: usize) -> &str {
    &text[text.floor_char_boundary(start)..text.floor_char_boundary(end)]
}

fn groups<'a>(e: &Evaluator<'a>, text: &'a str, found: &Groups) -> Value<'a> {
    e.list(found.iter().skip(1).map(|group| match group {
        Some((start, end)) => e.str_in(slice(text, *start, *end)),
        None => Value::Null,
    }))
}

fn matches<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let pattern = e.expect_str(args[0], at)?;
    let text = e.expect_str(args[1], at)?;
    let compiled = e.regexes().get(pattern, Mode::Whole, at)?;
    let found = compiled.find_all(text, &limits(e, at))?;
    Ok(found.first().map_or(Value::Null, |found| groups(e, text, found)))
}

fn split<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let pattern = e.expect_str(args[0], at)?;
    let text = e.expect_str(args[1], at)?;
    let compiled = e.regexes().get(pattern, Mode::Search, at)?;
    let mut parts = Vec::new();
    let mut last = 0;
    for found in compiled.find_all(text, &limits(e, at))? {
        let Some(Some((start, end))) = found.first().copied() else { continue };
        parts.push(e.str_in(slice(text, last, start)));
        parts.push(groups(e, text, &found));
        last = end;
    }
    parts.push(e.str_in(slice(text, last, text.len())));
    Ok(e.list(parts))
}
