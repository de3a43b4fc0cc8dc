//! Definitions: a value that a module gives to an option, and how strong it is.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

/// Where a module comes from; later variants are stronger. All groups are one layer: which of two
/// comes later in the alphabet must not matter.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// The standard modules, and what is declared with an option.
    Standard,
    /// The module of the group of this name.
    Group(Symbol),
    /// The host's own module and whatever it imports.
    Host,
    /// `--set` on the command line.
    CommandLine,
}

impl Layer {
    fn rank(self) -> u8 {
        match self {
            Layer::Standard => 0,
            Layer::Group(_) => 1,
            Layer::Host => 2,
            Layer::CommandLine => 3,
        }
    }

    /// The name of the group that it is.
    pub fn group(self) -> Option<&'static str> {
        match self {
            Layer::Group(name) => Some(name.as_str()),
            _ => None,
        }
    }
}

impl PartialEq for Layer {
    fn eq(&self, other: &Layer) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Layer {}

impl PartialOrd for Layer {
    fn partial_cmp(&self, other: &Layer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Layer {
    fn cmp(&self, other: &Layer) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Hash for Layer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::Standard => "standard",
            Layer::Group(_) => "group",
            Layer::Host => "host",
            Layer::CommandLine => "command line",
        })
    }
}

/// NixOS's numbers: the lowest wins.
pub mod priority {
    /// The command line's.
    pub const SET: i64 = 0;
    /// `mkForce`.
    pub const FORCE: i64 = 50;
    /// A plain definition.
    pub const PLAIN: i64 = 100;
    /// `mkDefault`.
    pub const DEFAULT: i64 = 1000;
    /// The option's own default, `mkOptionDefault`.
    pub const OPTION_DEFAULT: i64 = 1500;
}

/// The place among others of a definition without `mkOrder`.
const PLAIN_ORDER: i64 = 1000;

/// The module that a definition or declaration stands in.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// The file's name for people.
    pub(crate) file: &'a str,
    pub(crate) layer: Layer,
}

/// A condition of `mkIf` that has not been looked at yet.
pub(crate) struct Condition<'a> {
    pub(crate) test: Value<'a>,
    pub(crate) span: Span,
    pub(crate) outer: Option<&'a Condition<'a>>,
}

/// A value that a module gives to an option.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    /// The value, perhaps a thunk, perhaps still wrapped in `mkIf` and the like.
    pub(crate) value: Value<'a>,
    /// Where the name is written.
    pub(crate) key: Span,
    /// Where the value is written, once that is known; see [`Definition::span`].
    pub(crate) at: Span,
    pub(crate) origin: Origin<'a>,
    /// `mkOverride`'s number.
    pub(crate) priority: Option<i64>,
    /// `mkOrder`'s number.
    pub(crate) order: Option<i64>,
    pub(crate) conditions: Option<&'a Condition<'a>>,
}

impl<'a> Definition<'a> {
    pub(crate) fn new(value: Value<'a>, key: Span, origin: Origin<'a>) -> Definition<'a> {
        Definition {
            value,
            key,
            at: Span::NONE,
            origin,
            priority: None,
            order: None,
            conditions: None,
        }
    }

    /// Where the value is written.
    pub(crate) fn span(&self, eval: &Evaluator<'a>) -> Span {
        if self.at.is_none() { eval.value_span(self.key) } else { self.at }
    }

    /// How strong it is: the lowest number wins.
    pub(crate) fn strength(&self) -> i64 {
        self.priority.unwrap_or(priority::PLAIN)
    }

    /// Its place among others of the same strength: `mkOrder`'s number, then the layer.
    pub(crate) fn rank(&self) -> (i64, Layer) {
        (self.order.unwrap_or(PLAIN_ORDER), self.origin.layer)
    }

    /// A part of the value, which inherits everything but its place.
    pub(crate) fn part(&self, value: Value<'a>, key: Span, at: Span) -> Definition<'a> {
        let key = key.or(self.key);
        Definition { value, key, at, ..*self }
    }

    /// A part of a value that is being merged: how strong and where the whole was, is settled.
    pub(crate) fn element(&self, value: Value<'a>, key: Span, at: Span) -> Definition<'a> {
        let at = if key.is_none() && at.is_none() { self.at } else { at };
        Definition { priority: None, order: None, conditions: None, ..self.part(value, key, at) }
    }
}
