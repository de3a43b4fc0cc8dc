//! Mistakes that people make in Nix, one file each, and what is said about them:
//! `tests/mistakes/NAME.nix` and `NAME.snap` beside it. `INSTA_UPDATE=always` writes them anew.

use std::path::Path;

use crate::common::cairn_in;

#[test]
fn what_is_said_about_mistakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of mistakes")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".nix").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 50, "there are only {}", names.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names {
            let file = format!("{name}.nix");
            let output = cairn_in(&folder, &["eval", "--root", ".", &file]);
            assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{file}");
            insta::assert_snapshot!(name.as_str(), output.stderr);
        }
    });
}
