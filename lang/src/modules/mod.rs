//! The module system: options, definitions, merging, as in NixOS, native.
//!
//! A *module* declares options and defines values for them. All modules together make one
//! *configuration*: a tree of options whose values are lazy, so that a definition may read any
//! other option's value. How the work is split:
//!
//! - `collect` follows `imports`, calls module functions (`arguments`), leaves out what is
//!   `disabled`, and splits each module into its declarations and definitions;
//! - a `Level` is a set of options at one path, which pushes definitions down to its children;
//! - an `OptionNode` picks the strongest definitions and lets the option's type merge them;
//! - each option type is a file in `types/`;
//! - what configurations of one evaluator have in common is computed once: `shared`;
//! - [`Configuration`] is what the compiler sees: values, errors, explanations.

mod absent;
mod arguments;
mod collect;
mod configuration;
mod definition;
mod disabled;
mod evaluation;
mod explain;
mod hot;
mod level;
mod library;
mod location;
mod merging;
mod network;
mod option;
mod package;
mod parts;
mod property;
mod reference;
mod session;
mod shared;
mod shown;
mod sound;
mod tree;
mod types;
mod unknown;

pub use configuration::{Configuration, ModuleSource, Source, eval_modules, eval_modules_strictly};
pub use definition::{Layer, priority};
pub use explain::{Explained, Explanation, Explanations, Tested};
pub use library::install;
pub use package::{ANY_PLATFORM, Members, PLATFORMS, package_folder};
pub(crate) use reference::option_doc;
pub use reference::{OptionDoc, Reference};
pub use shown::Shown;

pub(crate) use arguments::argument;
pub(crate) use collect::RESERVED;
pub(crate) use definition::{Definition, Origin};
pub(crate) use level::{Child, Level, Node};
pub(crate) use library::{path as library_path, value as library};
pub(crate) use location::Place;
pub(crate) use option::OptionNode;
pub(crate) use shared::Shared;
pub(crate) use tree::ModuleTree;
pub(crate) use types::{DECLARED, SECRET, Type as OptionTy, options_of, with_article};
pub(crate) use unknown::unknown_option;

#[cfg(test)]
mod tests;
