//! The programs, and how each side runs them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A program, as two commands that print the same value.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) cairn: Vec<OsString>,
    /// Nothing where Nix has no like.
    pub(crate) nix: Option<Vec<OsString>>,
}

/// Programs that are one file.
const FILES: [(&str, &str); 7] = [
    ("start-up", "start"),
    ("fold over a million", "fold"),
    ("fib 27", "fib"),
    ("sort 100,000", "sort"),
    ("10,000 updates", "update"),
    ("strings", "strings"),
    ("sets and lists", "data"),
];

/// How many services the configurations of `modules.nix` have; each is four options.
const SERVICES: [u32; 2] = [12, 125];

/// Hosts in the fleet.
const HOSTS: u32 = 1000;

pub(crate) fn all(nixpkgs_lib: Option<&Path>) -> Vec<Program> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/lang/programs");
    let mut programs: Vec<_> = FILES
        .into_iter()
        .map(|(name, file)| {
            let text = format!("import {}", folder.join(file).with_extension("nix").display());
            Program { name: name.to_owned(), cairn: cairn(&folder, &text), nix: Some(nix(&text)) }
        })
        .collect();
    for services in SERVICES {
        programs.extend(modules(&folder, services, nixpkgs_lib));
    }
    programs.push(fleet());
    programs
}

/// A configuration: by the native modules, and by nixpkgs' own library where there is a copy.
fn modules(folder: &Path, services: u32, nixpkgs_lib: Option<&Path>) -> Vec<Program> {
    let options = services * 4;
    let file = folder.join("modules.nix");
    let with = |lib: &str| {
        format!("import {} {{ lib = import {lib}; count = {services}; }}", file.display())
    };
    let native = cairn(folder, &with("<cairn/lib>"));
    let Some(lib) = nixpkgs_lib else {
        return vec![Program {
            name: format!("native, {options} options"),
            cairn: native,
            nix: None,
        }];
    };
    let lib = lib.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", lib.display()));
    let text = with(&lib.display().to_string());
    // Both the library and the program are to be read.
    let root = common(&lib, folder);
    vec![
        Program {
            name: format!("nixpkgs' lib, {options} options"),
            cairn: cairn(&root, &text),
            nix: Some(nix(&text)),
        },
        Program {
            name: format!("native, {options} options"),
            cairn: native,
            nix: Some(nix(&text)),
        },
    ]
}

/// The innermost folder that both are in.
fn common(a: &Path, b: &Path) -> PathBuf {
    a.ancestors().find(|folder| b.starts_with(folder)).unwrap_or(Path::new("/")).to_owned()
}

/// A fleet of many hosts, all checked. Nix has no like.
fn fleet() -> Program {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-fleet");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cairn.nix"), include_str!("programs/fleet.nix")).unwrap();
    let words = ["check".into(), "--fleet".into(), folder.into_os_string()];
    let cairn = [program()].into_iter().chain(words).collect();
    Program { name: format!("a fleet of {HOSTS} hosts"), cairn, nix: None }
}

fn program() -> OsString {
    cairn_tests::program().into_os_string()
}

fn cairn(root: &Path, text: &str) -> Vec<OsString> {
    let words = ["eval".into(), "--root".into(), root.into(), "--expr".into(), text.into()];
    [program()].into_iter().chain(words).collect()
}

fn nix(text: &str) -> Vec<OsString> {
    ["nix-instantiate", "--eval", "--strict", "--expr", text].map(OsString::from).into()
}
