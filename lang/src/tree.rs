//! The lowered form of a file: names resolved to slots, symbols interned, nested attribute paths
//! merged. It borrows nothing, so one tree serves every host and thread.

use rustc_hash::FxHashMap;

use crate::diagnostic::Diagnostic;
use crate::fs::VirtualPath;
use crate::source::{FileId, Span};
use crate::symbol::Symbol;

/// A lowered file.
#[derive(Debug)]
pub struct Tree {
    /// The file.
    pub file: FileId,
    /// The expression that the file is.
    pub root: Expr,
    /// By the first byte of an attribute's name: the span of its value's expression.
    pub(crate) value_spans: FxHashMap<u32, Span>,
    /// By the span of a list's expression: the spans of its elements.
    pub(crate) element_spans: FxHashMap<Span, Box<[Span]>>,
    /// Names that nothing binds, and evaluating one fails; names that are defined twice.
    pub(crate) problems: Vec<Diagnostic>,
}

impl Tree {
    /// Names that nothing binds, and names that are defined twice.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }
}

/// An expression and its place.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// The expression forms.
#[derive(Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string without interpolation.
    Str(Symbol),
    /// A string with interpolation.
    Interpolation(Box<[Part]>),
    /// A path.
    Path(Box<VirtualPath>),
    /// A path with interpolation: the folder or root it starts from, then its parts.
    PathInterpolation(Box<VirtualPath>, Box<[Part]>),
    /// A variable: so many environments up, then a slot.
    Var(u32, u32),
    /// A global name (a builtin), by its number in the table of builtins.
    Global(u32),
    /// A name that only enclosing `with`s can bind: environments up, innermost first.
    With(Symbol, Box<[u32]>),
    /// `e.a.b or default`
    Select(Box<Expr>, Box<[Key]>, Option<Box<Expr>>),
    /// `e ? a.b`
    HasAttr(Box<Expr>, Box<[Key]>),
    /// `f a b`
    Apply(Box<Expr>, Box<[Expr]>),
    /// A function.
    Lambda(Box<Lambda>),
    /// A list.
    List(Box<[Expr]>),
    /// An attribute set.
    Attrs(Box<AttrsExpr>),
    /// `let … in …`: bindings (always recursive) and the body.
    Let(Box<AttrsExpr>, Box<Expr>),
    /// `with scope; body`
    WithScope(Box<Expr>, Box<Expr>),
    /// `if c then a else b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `assert c; body`
    Assert(Box<Expr>, Box<Expr>),
    /// An operator with two operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `!e`
    Not(Box<Expr>),
    /// `-e`
    Negate(Box<Expr>),
    /// `__curPos`
    CurPos,
    /// What can only fail, such as `<nixpkgs>` or `derivation`.
    Fail(Box<Diagnostic>),
}

/// A piece of an interpolated string or path.
#[derive(Debug)]
pub enum Part {
    /// Text as it is.
    Text(Box<str>),
    /// `${e}`
    Expr(Expr),
}

/// A step of an attribute path.
#[derive(Debug)]
pub enum Key {
    /// A name known from the text.
    Static(Symbol, Span),
    /// `${e}` or a string with interpolation.
    Dynamic(Expr),
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `++`
    Concat,
    /// `//`
    Update,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    More,
    /// `>=`
    MoreOrEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `->`
    Implies,
}

/// An attribute set, or the bindings of a `let`.
#[derive(Debug)]
pub struct AttrsExpr {
    /// Whether values see the set's own names: slot `i` of the new environment is entry `i`.
    pub recursive: bool,
    /// Names known from the text, sorted by symbol.
    pub entries: Box<[Entry]>,
    /// Names that are computed.
    pub dynamic: Box<[DynamicEntry]>,
    /// The sources of `inherit (e) …`, in slots after the entries'. Where there are any, there
    /// is an environment even if the set is not recursive; its slots are these alone.
    pub sources: Box<[Expr]>,
    /// The entry `__overrides` of a `rec { }`: a set whose attributes take the place of the others.
    pub overrides: Option<usize>,
}

impl AttrsExpr {
    /// Whether evaluation makes a new environment.
    pub fn has_env(&self) -> bool {
        self.recursive || !self.sources.is_empty()
    }
}

/// A named value of an attribute set.
#[derive(Debug)]
pub struct Entry {
    /// The name.
    pub name: Symbol,
    /// Where the name is written.
    pub span: Span,
    /// The value.
    pub value: Expr,
    /// `inherit name;`: the value sees the names outside of the set only.
    pub outer: bool,
}

/// A value whose name is computed.
#[derive(Debug)]
pub struct DynamicEntry {
    /// The name: a string, or null for no attribute.
    pub name: Expr,
    /// The value.
    pub value: Expr,
}

/// A function.
#[derive(Debug)]
pub struct Lambda {
    /// What it binds.
    pub param: Param,
    /// Its result.
    pub body: Expr,
    /// The name that it is bound to where it is written, for traces.
    pub name: Option<Symbol>,
    /// Where its parameter is written.
    pub param_span: Span,
    /// The slots of parameters whose values are the first that the body asks for, in that order
    /// and before anything in it can fail: arguments for them need no thunk.
    pub(crate) asks_first: Box<[u32]>,
}

/// A function's parameter.
#[derive(Debug)]
pub enum Param {
    /// `x: y:`, in slots 0 and 1: functions directly in functions are one with more parameters.
    Names(Box<[(Symbol, Span)]>),
    /// `{ a, b ? 1, ... }@args:`
    Pattern(Pattern),
}

impl Param {
    /// How many arguments it takes.
    pub(crate) fn count(&self) -> usize {
        match self {
            Param::Names(names) => names.len(),
            Param::Pattern(_) => 1,
        }
    }
}

/// `{ a, b ? 1, ... }@args`: slot `i` is formal `i`; `args` follows them.
#[derive(Debug)]
pub struct Pattern {
    /// The names, sorted by symbol.
    pub formals: Box<[Formal]>,
    /// Whether other attributes are allowed.
    pub ellipsis: bool,
    /// The name of the whole argument.
    pub at: Option<(Symbol, Span)>,
}

/// One name of a pattern.
#[derive(Debug)]
pub struct Formal {
    /// The name.
    pub name: Symbol,
    /// Where it is written.
    pub span: Span,
    /// `? e`
    pub default: Option<Expr>,
}
