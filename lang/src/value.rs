//! Values: 16 bytes, copied freely, everything larger in the evaluation's [`Arena`](crate::Arena).

use std::any::Any;
use std::cell::Cell;

use bumpalo::Bump;

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::fs::Root;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, Lambda};

/// A value, or a thunk that will be one. The tag is as wide as the rest: a narrow one is copied
/// byte by byte.
#[derive(Clone, Copy)]
#[repr(u64)]
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

const _: () = assert!(size_of::<Value<'_>>() == 16 && size_of::<Result<Value<'_>>>() == 16);

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

    /// The value of a thunk that was forced; else itself.
    #[inline]
    pub fn settled(self) -> Value<'a> {
        match self {
            Value::Thunk(thunk) => thunk.forced().unwrap_or(self),
            value => value,
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

/// An attribute set: its own attributes, perhaps laid over those of another set.
///
/// `//` of a few attributes over many makes such layers, so that a set that grows by one name at a
/// time is not copied each time. Whoever wants all attributes at once gets them joined, and the
/// set keeps them so.
pub struct Attrs<'a> {
    /// Sorted by symbol. They hide those of the same names below.
    entries: Cell<&'a [Attr<'a>]>,
    beside: Cell<Option<&'a Beside<'a>>>,
}

/// What few sets have beside their attributes.
pub(crate) enum Beside<'a> {
    /// The set's hidden data.
    Payload(Payload<'a>),
    /// The set below, and where to put the attributes of both when they are joined.
    Below(&'a Attrs<'a>, &'a Bump),
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
    /// A set of attributes sorted by symbol, each name once; those of a set below must be more.
    pub(crate) fn new(entries: &'a [Attr<'a>], beside: Option<&'a Beside<'a>>) -> Attrs<'a> {
        Attrs { entries: Cell::new(entries), beside: Cell::new(beside) }
    }

    /// How many attributes.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// At most so many attributes: names that hide others count twice.
    pub(crate) fn len_at_most(&self) -> usize {
        self.top().len() + self.below().map_or(0, Attrs::len_at_most)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.top().is_empty() && self.below().is_none()
    }

    /// The attribute of this name.
    pub fn get(&self, name: Symbol) -> Option<&'a Attr<'a>> {
        let mut entries = self.top();
        let mut below = self.below();
        loop {
            if let Ok(index) = entries.binary_search_by(|entry| entry.name.cmp(&name)) {
                return entries.get(index);
            }
            let next = below?;
            (entries, below) = (next.top(), next.below());
        }
    }

    /// The attribute of this name, given as text.
    pub fn get_str(&self, name: &str) -> Option<&'a Attr<'a>> {
        self.get(Symbol::existing(name)?)
    }

    /// The attributes in no order that means anything.
    pub fn iter(&self) -> std::slice::Iter<'a, Attr<'a>> {
        self.entries().iter()
    }

    /// The attributes sorted by name.
    pub fn sorted(&self) -> Vec<&'a Attr<'a>> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_unstable_by_key(|attr| attr.name.as_str());
        sorted
    }

    /// The names, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + 'a {
        self.iter().map(|attr| attr.name.as_str())
    }

    /// The Rust data hidden in it.
    pub fn payload(&self) -> Option<&'a Payload<'a>> {
        match self.beside.get()? {
            Beside::Payload(payload) => Some(payload),
            Beside::Below(..) => None,
        }
    }

    /// The attributes of the topmost layer.
    pub(crate) fn top(&self) -> &'a [Attr<'a>] {
        self.entries.get()
    }

    /// The set that this one is laid over.
    pub(crate) fn below(&self) -> Option<&'a Attrs<'a>> {
        match self.beside.get()? {
            Beside::Below(below, _) => Some(below),
            Beside::Payload(_) => None,
        }
    }

    /// All attributes, sorted by symbol.
    pub(crate) fn entries(&self) -> &'a [Attr<'a>] {
        match self.beside.get() {
            Some(Beside::Below(below, bump)) => self.join(below, bump),
            _ => self.top(),
        }
    }

    #[cold]
    fn join(&self, mut below: &'a Attrs<'a>, bump: &'a Bump) -> &'a [Attr<'a>] {
        // From the top, where layers are small.
        let mut all = self.top().to_vec();
        loop {
            all = merge(below.top(), &all);
            match below.below() {
                Some(next) => below = next,
                None => break,
            }
        }
        let entries = bump.alloc_slice_fill_iter(all);
        self.entries.set(entries);
        self.beside.set(None);
        entries
    }
}

/// The attributes of both, sorted by symbol; `over` hides those of the same names.
pub(crate) fn merge<'a>(under: &[Attr<'a>], over: &[Attr<'a>]) -> Vec<Attr<'a>> {
    let mut all = Vec::with_capacity(under.len() + over.len());
    let mut rest = under;
    for entry in over {
        // A few names over many are looked up; many over many are walked.
        let place = if over.len() * 8 < under.len() {
            rest.partition_point(|known| known.name < entry.name)
        } else {
            rest.iter().position(|known| known.name >= entry.name).unwrap_or(rest.len())
        };
        let (before, after) = rest.split_at(place);
        all.extend_from_slice(before);
        all.push(entry.clone());
        rest = match after {
            [same, after @ ..] if same.name == entry.name => after,
            after => after,
        };
    }
    all.extend_from_slice(rest);
    all
}

/// Names in scope: a slot for each, and the scope around.
///
/// Scopes are counted and used again, see [`Evaluator::leave`]: most calls leave nothing behind
/// that could look into theirs.
pub(crate) struct Env<'a> {
    pub(crate) up: Cell<Option<&'a Env<'a>>>,
    pub(crate) slots: &'a [Cell<Value<'a>>],
    /// How many hold it: the evaluation that made it, thunks not forced yet, functions, and
    /// scopes within.
    pub(crate) holders: Cell<u32>,
}

/// A function written in the language, with the names that it sees.
pub struct Closure<'a> {
    pub(crate) lambda: &'a Lambda,
    /// The scope around the function; or, once some arguments are `given`, a scope within that
    /// one whose slots are these.
    pub(crate) env: &'a Env<'a>,
    pub(crate) given: usize,
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
    /// As [`Lambda::asks_first`](crate::tree::Lambda), by the arguments' numbers.
    pub(crate) asks_first: &'a [usize],
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

    /// Whether somebody forced it, whatever came of that.
    pub(crate) fn is_begun(&self) -> bool {
        use ThunkState::{Apply, Delayed, Native};
        !matches!(self.state.get(), Delayed(..) | Native(_) | Apply(..))
    }
}

#[derive(Clone, Copy)]
pub(crate) enum ThunkState<'a> {
    /// An expression and the names that it sees.
    Delayed(&'a Expr, &'a Env<'a>),
    /// A Rust closure.
    Native(&'a NativeThunk<'a>),
    /// A call with one argument.
    Apply(&'a Application<'a>, Value<'a>),
    /// Being computed: forcing it now is an infinite recursion. The expression where there is one.
    Forcing(Option<&'a Expr>),
    /// Computed.
    Done(Value<'a>),
    /// Failed, with the number of its error: forcing it again gives the same one.
    Failed(u32),
}

/// A function that is to be called, later and perhaps often.
pub(crate) struct Application<'a> {
    pub(crate) function: Value<'a>,
    /// Where the call is.
    pub(crate) at: Span,
}

const _: () = assert!(size_of::<Thunk<'_>>() == 24);
