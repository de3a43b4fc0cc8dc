//! The standard modules, embedded: what `<cairn>` is.

use cairn_lang::MemoryFs;

/// Every file of `modules/`, by path.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The files under `<cairn>`.
pub fn standard_modules() -> MemoryFs {
    MemoryFs::new(FILES.iter().map(|(path, text)| (*path, *text)))
}
