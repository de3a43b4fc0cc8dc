//! stub
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::VirtualPath;
use crate::source::Sources;
use crate::symbol::Symbol;
use crate::tree::Tree;

pub(crate) fn lower(
    _sources: &Sources,
    _name: &str,
    _text: &str,
    _path: Option<&VirtualPath>,
    _scope: &[Symbol],
) -> Result<Tree, Vec<Diagnostic>> {
    Err(Vec::new())
}
