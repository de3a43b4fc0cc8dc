//! `cairn eval`

use crate::common::{cairn_in, fleet};

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
