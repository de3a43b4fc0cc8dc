//! Embeds `modules/`: a table of every file's path and text, sorted, so that builds are equal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let modules = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../modules");
    let modules = modules.canonicalize()?;
    let mut files = BTreeMap::new();
    collect(&modules, "", &mut files)?;
    let mut table = "&[\n".to_owned();
    for (name, path) in &files {
        writeln!(table, "    ({name:?}, include_str!({path:?})),")?;
    }
    table.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("modules.rs"), table)?;
    Ok(())
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    // Cargo asks again when a file in a watched folder appears or goes.
    #[allow(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
    {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}
