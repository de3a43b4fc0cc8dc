//! The standard modules, embedded: what `<cairn>` is.

use cairn_lang::MemoryFs;

/// Every file of `modules/`, by path.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// The files under `<cairn>`.
pub fn standard_modules() -> MemoryFs {
    MemoryFs::new(FILES.iter().map(|(path, text)| (*path, *text)))
}

/// The names of the packages that the catalogue has, in the order of the alphabet.
pub fn catalogue() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter_map(|(path, _)| path.strip_prefix("packages/")?.strip_suffix(".nix"))
}
