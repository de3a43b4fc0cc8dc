//! Types: what is known of a value before anything is evaluated.
//!
//! A type is a *bound*: every value that the expression can have is among the type's. `Dyn` is the
//! bound of which nothing is known. Types are copied freely; what is larger lies in the arena.

use std::cell::{Cell, RefCell};

use crate::diagnostic::Diagnostic;
use crate::fs::VirtualPath;
use crate::modules::{Level, OptionTy};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, Lambda};
use crate::value::{Attrs, Value};

use super::scope::Cx;
use super::signature::SigFun;

/// A type.
#[derive(Clone, Copy)]
pub(crate) enum Ty<'a> {
    /// Anything: the program is dynamic here.
    Dyn,
    /// Nothing: evaluation does not come back, as from `throw`.
    Never,
    Null,
    Bool,
    /// An integer, if it is known which.
    Int(Option<i64>),
    Float,
    /// A string, if it is known which.
    Str(Option<&'a str>),
    /// A path, if it is known which.
    Path(Option<&'a VirtualPath>),
    List(&'a ListTy<'a>),
    Set(SetTy<'a>),
    Fun(Fun<'a>),
    /// One of these; none of them is a union, a thunk or an option's value.
    Union(&'a [Ty<'a>]),
    /// The type of an expression that has not been looked at yet.
    Later(&'a Thunk<'a>),
    /// What reading an option of this type gives.
    Value(OptionTy<'a>),
}

/// A list.
pub(crate) struct ListTy<'a> {
    /// The bound of all elements.
    pub(crate) elem: Ty<'a>,
    /// Whether there is an element.
    pub(crate) non_empty: bool,
    /// Each element, where the list is written out.
    pub(crate) items: Option<&'a [Item<'a>]>,
}

/// An element of a list that is written out.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) ty: Ty<'a>,
    /// Where it is written.
    pub(crate) at: Span,
}

/// An attribute set.
#[derive(Clone, Copy)]
pub(crate) enum SetTy<'a> {
    /// Names and their types.
    Record(&'a Record<'a>),
    /// The values of a set of options; `open` where there may be others.
    Config { level: &'a Level<'a>, open: bool },
    /// The options themselves: what modules see as `options`.
    Options(&'a Level<'a>),
    /// A set that was evaluated, such as `lib` or `builtins`; `open` where it may be another with
    /// more in it.
    Known { attrs: &'a Attrs<'a>, open: bool },
}

/// A set whose names were read off the text.
pub(crate) struct Record<'a> {
    /// Sorted by symbol.
    pub(crate) fields: &'a [Field<'a>],
    /// The bound of all other attributes; none where there are no others.
    pub(crate) rest: Option<Ty<'a>>,
}

/// An attribute of a record.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) name: Symbol,
    pub(crate) ty: Ty<'a>,
    /// Whether it may be missing.
    pub(crate) optional: bool,
    /// Where its name is written.
    pub(crate) key: Span,
    /// Where its value is written.
    pub(crate) at: Span,
}

impl<'a> Record<'a> {
    pub(crate) fn get(&self, name: Symbol) -> Option<&'a Field<'a>> {
        let index = self.fields.binary_search_by_key(&name, |field| field.name).ok()?;
        self.fields.get(index)
    }
}

/// A function.
#[derive(Clone, Copy)]
pub(crate) enum Fun<'a> {
    /// One that the fleet wrote: its body is looked at again for each call, so that one helper can
    /// be used at many types. With the arguments that it was given already.
    Closure(&'a Lambda, Cx<'a>, &'a [Ty<'a>]),
    /// One of the library with a signature, perhaps with some of its arguments.
    Sig(&'static SigFun, &'a [Ty<'a>]),
    /// Nothing is known of it.
    Any,
}

/// How errors that are found now are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The expression is being checked for its own sake.
    All,
    /// The body of a function for one call: what fails here makes the call fail.
    Call,
    /// For its type alone.
    Silent,
}

/// The type of an expression, inferred when it is first needed.
pub(crate) struct Thunk<'a> {
    pub(crate) expr: &'a Expr,
    pub(crate) cx: Cx<'a>,
    /// How errors in it are taken, whoever needs it first.
    pub(crate) home: Mode,
    /// How many rounds calls had taken when it was made.
    pub(crate) born: u32,
    /// The call that made it, of those that are looked at for their own sake.
    pub(crate) site: Option<&'a Site<'a>>,
    pub(crate) state: Cell<State<'a>>,
    /// What fails wherever it is needed.
    pub(crate) faults: RefCell<Vec<Diagnostic>>,
}

/// A call of a function of the fleet.
pub(crate) struct Site<'a> {
    pub(crate) lambda: &'a Lambda,
    /// All of it.
    pub(crate) call: Span,
    /// What is at fault where it fails: its argument, or all of it where there are several.
    pub(crate) at: Span,
}

#[derive(Clone, Copy)]
pub(crate) enum State<'a> {
    Waiting,
    /// It needs itself: nothing is known of it there.
    Busy,
    Done(Ty<'a>),
}

/// Sets of kinds of values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    pub(crate) const NONE: Kinds = Kinds(0);
    pub(crate) const NULL: Kinds = Kinds(1);
    pub(crate) const BOOL: Kinds = Kinds(2);
    pub(crate) const INT: Kinds = Kinds(4);
    pub(crate) const FLOAT: Kinds = Kinds(8);
    pub(crate) const STR: Kinds = Kinds(16);
    pub(crate) const PATH: Kinds = Kinds(32);
    pub(crate) const LIST: Kinds = Kinds(64);
    pub(crate) const SET: Kinds = Kinds(128);
    pub(crate) const FUN: Kinds = Kinds(256);
    pub(crate) const ALL: Kinds = Kinds(511);
    pub(crate) const NUMBER: Kinds = Kinds(12);

    pub(crate) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(crate) fn meets(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// The kind of a value.
    pub(crate) fn of_value(value: Value<'_>) -> Kinds {
        match value {
            Value::Null => Kinds::NULL,
            Value::Bool(_) => Kinds::BOOL,
            Value::Int(_) => Kinds::INT,
            Value::Float(_) => Kinds::FLOAT,
            Value::Str(_) => Kinds::STR,
            Value::Path(_) => Kinds::PATH,
            Value::List(_) => Kinds::LIST,
            Value::Attrs(_) => Kinds::SET,
            Value::Lambda(_) | Value::PrimOp(_) => Kinds::FUN,
            Value::Thunk(_) => Kinds::ALL,
        }
    }
}

impl<'a> Ty<'a> {
    /// The kinds of a resolved type; those of an unresolved one are all.
    pub(crate) fn kinds(self) -> Kinds {
        match self {
            Ty::Dyn | Ty::Later(_) | Ty::Value(_) => Kinds::ALL,
            Ty::Never => Kinds::NONE,
            Ty::Null => Kinds::NULL,
            Ty::Bool => Kinds::BOOL,
            Ty::Int(_) => Kinds::INT,
            Ty::Float => Kinds::FLOAT,
            Ty::Str(_) => Kinds::STR,
            Ty::Path(_) => Kinds::PATH,
            Ty::List(_) => Kinds::LIST,
            Ty::Set(_) => Kinds::SET,
            Ty::Fun(_) => Kinds::FUN,
            Ty::Union(members) => {
                members.iter().fold(Kinds::NONE, |all, member| all.or(member.kinds()))
            }
        }
    }

    /// The alternatives of a resolved type; none for `Never`.
    pub(crate) fn members(&self) -> &[Ty<'a>] {
        match self {
            Ty::Union(members) => members,
            Ty::Never => &[],
            one => std::slice::from_ref(one),
        }
    }

    /// Whether nothing can be said about it.
    pub(crate) fn is_vague(&self) -> bool {
        matches!(self, Ty::Never) || self.members().iter().any(|member| matches!(member, Ty::Dyn))
    }

    /// What a value is, in a sentence: `a string`, `null or an integer`.
    pub(crate) fn described(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for member in self.members() {
            let word = match member {
                Ty::Null => "null",
                Ty::Bool => "a boolean",
                Ty::Int(_) => "an integer",
                Ty::Float => "a float",
                Ty::Str(_) => "a string",
                Ty::Path(_) => "a path",
                Ty::List(_) => "a list",
                Ty::Set(_) => "an attribute set",
                Ty::Fun(_) => "a function",
                _ => "a value",
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        match words.split_last() {
            None => "a value".to_owned(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }
}
