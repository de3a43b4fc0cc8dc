//! The language server: what editors ask of a fleet.
//!
//! Three kinds of threads share the work. The one that talks to the editor (`server`) holds the open
//! documents and answers what syntax alone tells (`names`). An *analyst* keeps the options of one
//! host at hand and compares single texts with them: parse errors and types of the text at hand are
//! there within a keystroke. A *survey* evaluates the whole fleet once nobody has typed for a while,
//! and is stopped when somebody does. Texts that are not saved lie over the disk for all of them.

mod analyst;
mod documents;
mod finding;
mod frames;
mod inputs;
mod mend;
mod names;
mod overlay;
mod place;
mod requests;
mod server;
mod survey;
mod text;
mod words;

pub use server::{Ended, Options, serve};
