//! docs/diagnostics.md has every diagnostic code of the sources, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use libtest_mimic::Failed;

/// The crates that find things wrong.
const CRATES: [&str; 7] = ["lang", "compiler", "generation", "fetch", "deploy", "activator", "cli"];

/// # Errors
/// With the codes that the page lacks, and those that only the page has.
pub(crate) fn compare(repository: &Path) -> Result<(), Failed> {
    let mut real = BTreeSet::new();
    for name in CRATES {
        collect(&repository.join(name).join("src"), &mut real)?;
    }
    let page = fs::read_to_string(repository.join("docs/diagnostics.md"))?;
    let told: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code.to_owned())
        .collect();
    let missing: Vec<_> = real.difference(&told).collect();
    let invented: Vec<_> = told.difference(&real).collect();
    match (missing.as_slice(), invented.as_slice()) {
        ([], []) => Ok(()),
        _ => Err(format!("not on the page: {missing:?}; not in the sources: {invented:?}").into()),
    }
}

/// Codes in the sources below `folder`, tests left out.
fn collect(folder: &Path, codes: &mut BTreeSet<String>) -> Result<(), Failed> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            collect(&path, codes)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            codes.extend(code.split('"').filter(|text| is_code(text)).map(str::to_owned));
        }
    }
    Ok(())
}

/// `area::name`, each of lower-case letters, digits and hyphens.
fn is_code(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    text.split_once("::").is_some_and(|(area, name)| word(area) && word(name))
}
