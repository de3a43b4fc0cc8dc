//! `cairn eval`

use std::path::Path;
use std::process::Command;

use crate::common::{cairn_in, cairn_with_input, fleet};

#[test]
fn values_as_nix_prints_them() {
    let folder = fleet(&[("data.nix", "{ a = [ 1 \"x\" { b = null; } ]; f = x: x; }\n")]);
    for (args, expected) in [
        (&["--expr", "1 + 1"][..], "2\n"),
        (&["data.nix", "-A", "a"], "[ 1 \"x\" { b = null; } ]\n"),
        (&["data.nix", "-A", "a.1", "--raw"], "x"),
        (&["data.nix", "-A", "a", "--json"], "[1,\"x\",{\"b\":null}]\n"),
        (&["--expr", "(import ./data.nix).a", "-A", "0"], "1\n"),
        (&["--expr", "(import <cairn/lib>).concatStringsSep \"-\" [ \"a\" \"b\" ]"], "\"a-b\"\n"),
        (&["--expr", "1", "--format", "json"], "{\"type\":\"value\",\"value\":1}\n"),
        (&["--parse", "data.nix"], ""),
    ] {
        let args: Vec<&str> = ["eval"].iter().chain(args).copied().collect();
        let output = cairn_in(folder.path(), &args);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, expected),
            "{args:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn errors_of_expressions() {
    let folder = fleet(&[]);
    let output = cairn_in(folder.path(), &["eval", "--expr", "let a = 1; in b"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"
    name::unbound

      × `b` is not defined
       ╭─[<expression>:1:15]
     1 │ let a = 1; in b
       ·               ─
       ╰────
      help: did you mean `a`?

    1 error in 1 file
    ");
    assert_eq!(cairn_in(folder.path(), &["eval"]).code, 2);
    assert_eq!(cairn_in(folder.path(), &["eval", "missing.nix"]).code, 1);
}

/// Runs `cairn eval` with these arguments, for its exit code and both streams.
fn eval(folder: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    let args: Vec<&str> = ["eval"].iter().chain(args).copied().collect();
    let output = cairn_with_input(folder, &args, input);
    (output.code, output.stdout, output.stderr)
}

const FUNCTION: &str = "{ x ? 1, y }:
{
  sum = x + y;
  list = [ 1 { q = 5; } ];
  \"c.d\" = 3;
  defaults = { z ? 7 }: { inherit z; };
  open = { ... }@all: all;
  any = w: w;
  text = \"a\\nb\\${\";
}
";

/// What both programs are asked, in the same words.
const QUESTIONS: &[&[&str]] = &[
    &["f.nix", "--arg", "y", "2"],
    &["f.nix", "--arg", "y", "2", "-A", "sum"],
    &["f.nix", "--arg", "y", "2", "--arg", "x", "40", "-A", "sum"],
    &["f.nix", "--argstr", "y", "b", "--argstr", "x", "a", "--attr", "sum"],
    &["f.nix", "--arg", "y", "1 + 1", "-A", "list.1.q"],
    &["f.nix", "--arg", "y", "2", "-A", "\"c.d\""],
    &["f.nix", "--arg", "y", "2", "-A", "defaults.z"],
    &["f.nix", "--arg", "y", "2", "--arg", "z", "9", "-A", "defaults"],
    &["f.nix", "--arg", "y", "2", "--arg", "z", "9", "-A", "open"],
    &["f.nix", "--arg", "y", "2", "--arg", "z", "9", "-A", "any"],
    &["f.nix", "--arg", "y", "2", "--arg", "z", "throw \"unused\"", "-A", "sum"],
    &["f.nix", "--arg", "y", "2", "--json", "-A", "list"],
    &["f.nix", "--arg", "y", "2", "-A", "list."],
    &["f.nix"],
    &["--expr", "{ a ? 1 }: a"],
    &["--expr", "({ a ? 1 }: { b = a; })", "-A", "b"],
    &["-E", "{ __functor = self: { q }: q; }", "--arg", "q", "1"],
    &["."],
    &["sub/"],
    &["-E", "import ./sub"],
    &["--json", "-E", "{ b = [ 1 2.5 null true ]; a = \"é\\n\"; }"],
    // Both refuse these.
    &["f.nix", "-A", "sum"],
    &["f.nix", "--arg", "y", "2", "-A", "list.5"],
    &["f.nix", "--arg", "y", "2", "-A", "list.x"],
    &["f.nix", "--arg", "y", "2", "-A", "sum.x"],
    &["f.nix", "--arg", "y", "2", "-A", "nothing"],
    &["f.nix", "--arg", "y", "2", "-A", ".sum"],
    &["f.nix", "--arg", "y", "2", "-A", "\"sum"],
    &["f.nix", "--arg", "y", ")", "-A", "list"],
    &["--json", "-E", "{ a = x: x; }"],
    &["missing.nix"],
];

#[test]
fn flags_do_what_those_of_nix_instantiate_do() {
    let folder = fleet(&[
        ("f.nix", FUNCTION),
        ("default.nix", "[ 1 ]"),
        ("sub/default.nix", "import ../sub/other.nix"),
        ("sub/other.nix", "\"other\""),
    ]);
    for question in QUESTIONS {
        let theirs = Command::new("nix-instantiate")
            .args(["--eval", "--strict"])
            .args(*question)
            .current_dir(folder.path())
            .output()
            .expect("Debian's nix-bin is installed");
        let (code, stdout, stderr) = eval(folder.path(), question, "");
        assert_eq!(code == 0, theirs.status.success(), "{question:?}: {stderr}");
        if code == 0 {
            // Its JSON ends without a line break.
            let theirs = String::from_utf8(theirs.stdout).expect("UTF-8");
            assert_eq!(stdout.trim_end(), theirs.trim_end(), "{question:?}");
        }
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = fleet(&[("a.nix", "[ 1 2 ]")]);
    let run = |args: &[&str], input| {
        let (code, stdout, _) = eval(folder.path(), args, input);
        (code, stdout)
    };
    assert_eq!(run(&["-"], "import ./a.nix"), (0, "[ 1 2 ]\n".to_owned()));
    assert_eq!(run(&["-", "-A", "1"], "import ./a.nix"), (0, "2\n".to_owned()));
    assert_eq!(run(&["-", "--parse"], "a b"), (1, String::new()));
    assert_eq!(run(&["-"], ""), (1, String::new()));
}

#[test]
fn what_has_no_json_is_named() {
    let folder = fleet(&[]);
    let text = "{ a = [ 1 { \"b c\" = x: x; } ]; }";
    let (code, stdout, stderr) = eval(folder.path(), &["--json", "--expr", text], "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    insta::assert_snapshot!(stderr, @r#"
    type::json

      × `a.1."b c"` is a function, which has no JSON
       ╭─[<expression>:1:13]
     1 │ { a = [ 1 { "b c" = x: x; } ]; }
       ·             ─────
       ╰────

    1 error in 1 file
    "#);
    let (_, _, stderr) = eval(folder.path(), &["--json", "--expr", "x: x"], "");
    insta::assert_snapshot!(stderr, @"
    type::json

      × a function has no JSON

    1 error
    ");
}

#[test]
fn arguments_that_lack_are_named() {
    let folder = fleet(&[("f.nix", FUNCTION)]);
    let (_, _, stderr) = eval(folder.path(), &["f.nix", "-A", "sum"], "");
    insta::assert_snapshot!(stderr, @"
    name::missing-argument

      × the function needs a value for its argument `y`
       ╭─[f.nix:1:10]
     1 │ { x ? 1, y }:
       ·          ─
     2 │ {
       ╰────
      help: give one with `--arg y EXPR` or `--argstr y TEXT`

    1 error in 1 file
    ");
}

#[test]
fn nothing_is_read_outside_of_the_root() {
    let folder =
        fleet(&[("secret", "s"), ("in/a.nix", "builtins.readFile ../secret"), ("in/b.nix", "1")]);
    std::os::unix::fs::symlink("../secret", folder.path().join("in/link")).expect("linked");
    std::os::unix::fs::symlink("../secret", folder.path().join("in/link.nix")).expect("linked");
    let code = |args: &[&str]| eval(folder.path(), args, "").0;
    assert_eq!(code(&["in/a.nix"]), 1);
    assert_eq!(code(&["in/a.nix", "--root", "."]), 0);
    assert_eq!(code(&["in/a.nix", "--root", "in"]), 1);
    assert_eq!(code(&["--root", "in", "-E", "import ./in/b.nix"]), 0);
    assert_eq!(code(&["--root", "in", "-E", "builtins.readFile ./secret"]), 1);
    assert_eq!(code(&["--root", "in", "-E", "builtins.readFile ./in/link"]), 1);
    assert_eq!(code(&["in/link.nix"]), 1);
    assert_eq!(code(&["--root", "nowhere", "-E", "1"]), 1);
    assert_eq!(code(&["in/b.nix", "--fleet", "in"]), 0);
}

#[test]
fn experimental_features_are_off_unless_asked_for() {
    let folder = fleet(&[]);
    let pipe = ["--expr", "1 |> (x: x + 1)"];
    let run = |flags: &[&str]| {
        let args: Vec<&str> = pipe.iter().chain(flags).copied().collect();
        let (code, stdout, _) = eval(folder.path(), &args, "");
        (code, stdout)
    };
    assert_eq!(run(&[]), (1, String::new()));
    assert_eq!(run(&["--extra-experimental-features", "pipe-operators"]), (0, "2\n".to_owned()));
    assert_eq!(run(&["--extra-experimental-features", "flakes"]).0, 2);
}
