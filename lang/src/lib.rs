//! The language: text to syntax to types to values; and the module system.
//!
//! A [`World`] holds what evaluations share: sources, files, lowered trees. An [`Evaluator`] works
//! on one [`Arena`]; values are [`Value`]s, 16 bytes each, and errors are [`Diagnostic`]s.

mod arena;
mod arguments;
mod brief;
mod builtins;
pub mod check;
mod data;
mod diagnostic;
mod eval;
mod evaluate;
mod fs;
pub mod literal;
mod lower;
pub mod modules;
mod origin;
mod print;
mod prompt;
mod select;
mod source;
mod symbol;
mod tree;
mod value;
mod world;

pub use arena::Arena;
pub use builtins::global_names;
pub use data::Data;
pub use diagnostic::{Diagnostic, Result, Severity, did_you_mean, nearest};
pub use eval::{AttrsBuilder, Evaluator, Fallback, FormalInfo, Formals};
pub use evaluate::{EvalOptions, Format, eval_expr, eval_file};
pub use fs::{DiskFs, FileKind, FileSystem, FsError, MemoryFs, Root, Roots, VirtualPath};
pub use lower::{NoPath, attribute_path, look_at_syntax, static_name};
pub use prompt::{Typed, definitions};
pub use source::{FileId, Place, Position, SourceFile, Sources, Span};
pub use symbol::{Symbol, is_identifier};
pub use tree::Tree;
pub use value::{
    Attr, Attrs, Closure, List, NativeThunk, PathValue, Payload, PrimOp, PrimOpBody, Thunk, Value,
};
pub use world::{Features, Limits, Mode, TraceSink, World};
