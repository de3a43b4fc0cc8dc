//! Values: 16 bytes, copied freely, everything larger in the evaluation's [`Arena`](crate::Arena).

use std::any::Any;
use std::cell::Cell;

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::fs::Root;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, Lambda};

/// A value, or a thunk that will be one.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string. Contexts are always empty, as there is no store.
    Str(&'a &'a str),
    /// A path.
    Path(&'a PathValue<'a>),
    /// A list; elements may be thunks.
    List(&'a List<'a>),
    /// An attribute set; values may be thunks.
    Attrs(&'a Attrs<'a>),
    /// A function written in the language.
    Lambda(&'a Closure<'a>),
    /// A function written in Rust, perhaps with some of its arguments.
    PrimOp(&'a PrimOp<'a>),
    /// Not evaluated yet: [`Evaluator::force`] it before looking.
    Thunk(&'a Thunk<'a>),
}

const _: () = assert!(size_of::<Value<'_>>() == 16);

impl<'a> Value<'a> {
    /// The type as `builtins.typeOf` names it; `thunk` where it is not known yet.
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "string",
            Value::Path(_) => "path",
            Value::List(_) => "list",
            Value::Attrs(_) => "set",
            Value::Lambda(_) | Value::PrimOp(_) => "lambda",
            Value::Thunk(_) => "thunk",
        }
    }

    /// The type in a sentence: `a string`, `an attribute set`.
    pub fn described(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Str(_) => "a string",
            Value::Path(_) => "a path",
            Value::List(_) => "a list",
            Value::Attrs(_) => "an attribute set",
            Value::Lambda(_) | Value::PrimOp(_) => "a function",
            Value::Thunk(_) => "an unevaluated value",
        }
    }

    /// Whether it can be called without `__functor`.
    pub fn is_function(self) -> bool {
        matches!(self, Value::Lambda(_) | Value::PrimOp(_))
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Str(value) => write!(f, "{value:?}"),
            Value::Path(value) => write!(f, "{:?}:{}", value.root, value.path),
            other => f.write_str(other.type_name()),
        }
    }
}

/// A path value: a virtual root and a normalised path below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathValue<'a> {
    /// The root.
    pub root: Root,
    /// Relative, normalised, `/` between components.
    pub path: &'a str,
}

/// A list.
pub struct List<'a> {
    pub(crate) items: &'a [Cell<Value<'a>>],
}

impl<'a> List<'a> {
    /// How many elements.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The elements as they are, perhaps thunks.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value<'a>> + DoubleEndedIterator + 'a {
        self.items.iter().map(Cell::get)
    }

    /// The cells, for [`Evaluator::force_cell`], which writes the result back.
    pub fn cells(&self) -> &'a [Cell<Value<'a>>] {
        self.items
    }
}

/// An attribute.
#[derive(Clone)]
pub struct Attr<'a> {
    /// The name.
    pub name: Symbol,
    /// Where the name is written; [`Span::NONE`] where Rust made it.
    pub span: Span,
    /// The value, perhaps a thunk: see [`Evaluator::force_attr`].
    pub value: Cell<Value<'a>>,
}

/// An attribute set.
pub struct Attrs<'a> {
    /// Sorted by symbol.
    pub(crate) entries: &'a [Attr<'a>],
    pub(crate) payload: Option<&'a Payload<'a>>,
}

/// Rust data hidden in an attribute set, which makes it an object of ours (an option type, say).
/// Operators that make a new set leave it behind.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    /// Data that borrows nothing. It is never dropped.
    pub data: &'a dyn Any,
    /// Values that belong to it, such as the types inside a type.
    pub values: &'a [Value<'a>],
}

impl<'a> Attrs<'a> {
    /// How many attributes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The attribute of this name.
    pub fn get(&self, name: Symbol) -> Option<&'a Attr<'a>> {
        let index = self.entries.binary_search_by(|entry| entry.name.cmp(&name)).ok()?;
        self.entries.get(index)
    }

    /// The attribute of this name, given as text.
    pub fn get_str(&self, name: &str) -> Option<&'a Attr<'a>> {
        self.get(Symbol::existing(name)?)
    }

    /// The attributes in no order that means anything.
    pub fn iter(&self) -> std::slice::Iter<'a, Attr<'a>> {
        self.entries.iter()
    }

    /// The attributes sorted by name.
    pub fn sorted(&self) -> Vec<&'a Attr<'a>> {
        let mut sorted: Vec<_> = self.entries.iter().collect();
        sorted.sort_unstable_by_key(|attr| attr.name.as_str());
        sorted
    }

    /// The names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + 'a {
        self.entries.iter().map(|attr| attr.name.as_str())
    }

    /// The Rust data hidden in it.
    pub fn payload(&self) -> Option<&'a Payload<'a>> {
        self.payload
    }
}

/// Names in scope: a slot for each, and the scope around.
pub(crate) struct Env<'a> {
    pub(crate) up: Option<&'a Env<'a>>,
    pub(crate) slots: &'a [Cell<Value<'a>>],
}

/// A function written in the language, with the names that it sees.
pub struct Closure<'a> {
    pub(crate) lambda: &'a Lambda,
    pub(crate) env: &'a Env<'a>,
}

impl<'a> Closure<'a> {
    /// The function's text form: parameter and body.
    pub fn lambda(&self) -> &'a Lambda {
        self.lambda
    }
}

/// The body of a function written in Rust: arguments may be thunks; the span is that of the call.
pub type PrimOpBody<'a> = dyn Fn(&Evaluator<'a>, &[Value<'a>], Span) -> Result<Value<'a>> + 'a;

/// A function written in Rust.
#[derive(Clone, Copy)]
pub struct PrimOp<'a> {
    pub(crate) name: &'a str,
    pub(crate) arity: usize,
    pub(crate) body: &'a PrimOpBody<'a>,
    pub(crate) args: &'a [Value<'a>],
}

impl<'a> PrimOp<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }
}

/// The body of a thunk written in Rust.
pub type NativeThunk<'a> = dyn Fn(&Evaluator<'a>) -> Result<Value<'a>> + 'a;

/// A value that is computed when it is first forced.
pub struct Thunk<'a> {
    pub(crate) state: Cell<ThunkState<'a>>,
}

impl<'a> Thunk<'a> {
    /// The value, if it was computed.
    pub(crate) fn forced(&self) -> Option<Value<'a>> {
        match self.state.get() {
            ThunkState::Done(value) => Some(value),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum ThunkState<'a> {
    /// An expression and the names that it sees.
    Delayed(&'a Expr, &'a Env<'a>),
    /// A Rust closure.
    Native(&'a NativeThunk<'a>),
    /// Being computed: forcing it now is an infinite recursion. The expression where there is one.
    Forcing(Option<&'a Expr>),
    /// Computed.
    Done(Value<'a>),
    /// Failed, with the number of its error: forcing it again gives the same one.
    Failed(u32),
}
