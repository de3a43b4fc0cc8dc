//! The language: text to syntax to types to values; and the module system.
pub mod literal;
