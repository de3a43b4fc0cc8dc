//! Hosts: a fleet's modules to a checked fleet to generations.

pub mod fetch;
pub mod manifest;
