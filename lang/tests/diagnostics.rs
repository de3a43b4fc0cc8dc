//! What errors say, and where they point.

#![allow(clippy::unwrap_used)]

use cairn_lang::{
    Diagnostic, EvalOptions, MemoryFs, Mode, Root, Roots, Sources, VirtualPath, World, eval_expr,
};

fn render(sources: &Sources, error: &Diagnostic) -> String {
    let at = sources.text(error.span).unwrap_or_default();
    let help = error.help.as_deref().map(|help| format!(" | {help}")).unwrap_or_default();
    let related = error.related.iter().map(|(span, message)| {
        format!(" | {message}: `{}`", sources.text(*span).unwrap_or_default())
    });
    format!("{} at `{at}`: {}{help}{}", error.code, error.message, related.collect::<String>())
}

fn errors(text: &str) -> String {
    let files =
        MemoryFs::new([("bad.nix", "{ a = 1; b = ; }"), ("names.nix", "{ x = foo; y = z: bar; }")]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Build);
    let base = VirtualPath::new(Root::Fleet, "").unwrap();
    let errors = eval_expr(&world, text, Some(&base), &EvalOptions::default()).unwrap_err();
    let lines = errors.iter().map(|error| render(&world.sources, error));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is said about each of these programs, in `tests/snapshots`.
fn check(name: &str, programs: &[&str]) {
    let said = programs.iter().map(|program| format!("{program}\n=> {}\n", errors(program)));
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, said.collect::<Vec<_>>().join("\n"));
    });
}

#[test]
fn syntax_errors() {
    check(
        "syntax_errors",
        &[
            "{\n  a = 1\n  b = 2;\n}",
            "{ a = 1 }",
            "[ 1, 2 ]",
            "{ a = [ 1 2; }",
            "let x = 1; x",
            "1 )",
            "",
            "{ a = \"x; }",
            "{ a = \"x;\n  b = \"y\"; }",
            "{ a = \"x;\n  b = \"c = d\"; }",
            "{ a = 'x'; }",
            "if true then 1",
            "{ a = ; }",
            "{ a = 1\n  b = ;\n  c = [ 1, 2 ];\n  d = if true then 3;\n}",
            "{ a = f(1, 2); b = \"x; }",
            "{\n  a = \"x;\n  b = 1\n  c = 2;\n}",
            "let\n  a = 1\n  b = 2\nin a",
            "let a = 1; a + 2",
            "let a = 1;\n{ b = a; }",
            "assert a = 1; 2",
            "if a = 1 then 2 else 3",
            "{ a = b = 1; }",
            "{ \"a\": 1 }",
            "{ a = 1, b = 2 }",
            "inherit a, b",
            "{ inherit a, b; }",
            "{ a = 1; // one\n  b = ; }",
            "{ a = 1; };",
            "{ a b }: a",
            "{\n  a = {\n    b = {\n      c = 1;\n  };\n}\n",
            "( 1",
            "\"${ 1",
            "{ a = (1 + ; }",
            "{ a = ${; }",
            "{ a = { b = 1; ; }",
            "{ a = ''x; }",
            "if true 1 else 2",
            "f = x: x",
            "x: y: { a = }",
            "{ a = 1; b }",
        ],
    );
}

#[test]
fn characters_that_nobody_sees() {
    insta::assert_snapshot!(errors("{\u{a0}\u{a0}a = \"\u{a0}\"; # \u{a0}\n b = ;\u{2003} }"), @"
    syntax::error at `  `: unexpected U+00A0, a no-break space | write a plain space: pages that one copies from have others
    syntax::error at `;`: a value is missing before this `;` | something before it is unfinished
    syntax::error at ` `: unexpected U+2003, a blank of another kind | write a plain space
    ");
    insta::assert_snapshot!(errors("\u{feff}{ a = \0 1; b = \u{200b}2; }"), @"syntax::error at `\u{feff}`: unexpected U+FEFF, a byte order mark | save the file without it, as plain UTF-8\nsyntax::error at `\0`: unexpected U+0000, a control character | take it out\nsyntax::error at `\u{200b}`: unexpected U+200B, a character that is not seen | take it out");
}

#[test]
fn where_the_parser_gives_up() {
    let text = format!("let f = x: x; in\n{}1{}", "f (\n".repeat(900), ")".repeat(900));
    insta::assert_snapshot!(errors(&text), @"syntax::too-deep at `f`: expressions nest more than 512 deep here");
}

#[test]
fn names() {
    check(
        "names",
        &[
            "x y (z: 1)",
            "let hostName = 1; in hostname",
            "{ a = foo; b = x: bar; }",
            "head [ 1 ]",
            "lib.mkIf",
            "mapp (x: x) [ ]",
            "''\n  echo ${HOME}\n''",
            "{ a = 1; a = 2; }",
            "{ hosts = 1; }.host",
            "({ config, lib }: 1) { config = 1; lbi = 2; }",
            "({ config, ... }: 1) { }",
            "builtins.getEnv \"HOME\"",
            "derivation { }",
            "builtins.curentTime",
            "let f = x: x.name; in map (y: f y) [ { } ] == [ 1 ]",
            "a: { a, a }: a",
            "x -> x * 2",
            "let port = 1; in rec { port = port + 1; }.port",
        ],
    );
}

#[test]
fn evaluation() {
    check(
        "evaluation",
        &[
            "let x = y + 1; y = x; in x",
            "<nixpkgs>",
            "1 + \"a\"",
            "[ 1 ] + [ 2 ]",
            "\"${1}\"",
            "{ a = 1; } \"x\"",
            "import ./bad.nix",
            "import ./names.nix",
            "import ./none.nix",
            "assert 1 == 2; 3",
            "9223372036854775807 + 1",
            "\"${{ a = 1; }}\"",
            "builtins.length 1",
            "builtins.elem [ ] 1",
            "map 1 2",
            "builtins.filter (x: 1) [ 2 ]",
            "builtins.foldl' (a: b: a + b) 0 [ 1 \"2\" ]",
            "builtins.head [ ]",
            "builtins.elemAt [ 1 2 ] 7",
            "builtins.concatStringsSep \",\" [ \"a\" 1 ]",
            "let l = [ \"a\" 1 ]; in builtins.concatStringsSep \",\" l",
            "let f = x: x; in builtins.concatStringsSep \",\" [ f \"a\" ]",
            "let x = \"a\"; in x 1",
            "null.a",
            "[ 1 ].a",
            "let f = { a, b }: a; in f { }",
            "let f = { a }: a; in builtins.elemAt (map f [ { a = 1; } { b = 1; } ]) 1",
            "(a: b: a) { } 1 2",
            "1 / 0",
            "\"a\" < 1",
            "if 1 then 2 else 3",
            "!null",
            "1 && true",
            "[ ] // { }",
            "{ } ++ [ ]",
            "builtins.readFile \"motd\"",
            "builtins.readFile 1",
            "import ./bda.nix",
            "import ./sub/none.nix",
            "builtins.match \"(\" \"a\"",
            "builtins.fromJSON \"{\"",
            "-\"a\"",
            "{ }.${1}",
            "let f = a: b: a + b; in \"${f 1}\"",
            "throw \"no\"",
            "abort \"no\"",
            "builtins.toString { }",
            "with 1; a",
            "with { a = 1; }; b",
        ],
    );
}

#[test]
fn the_trace_leads_from_the_error_outwards() {
    let files = MemoryFs::new([("f.nix", "{ x }:\n  x.name\n")]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Build);
    let base = VirtualPath::new(Root::Fleet, "").unwrap();
    let text = "let f = import ./f.nix; in { a = 1 + f { x = { }; }; }";
    let errors = eval_expr(&world, text, Some(&base), &EvalOptions::default()).unwrap_err();
    let trace = errors[0].trace.iter().map(|(span, message)| {
        format!("{message}: `{}`", world.sources.text(*span).unwrap_or_default())
    });
    assert_eq!(
        trace.collect::<Vec<_>>(),
        ["while calling a function: `f { x = { }; }`", "while evaluating the attribute `a`: `a`"]
    );
}
