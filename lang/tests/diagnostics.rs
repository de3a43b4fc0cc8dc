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

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(errors(text), expected, "{text}");
}

#[test]
fn syntax_errors() {
    check(
        "{\n  a = 1\n  b = 2;\n}",
        "syntax::error at `1`: a `;` is missing after this | every definition ends in `;`",
    );
    check(
        "{ a = 1 }",
        "syntax::error at `1`: a `;` is missing after this | every definition ends in `;`",
    );
    check(
        "[ 1, 2 ]",
        "syntax::error at `,`: unexpected `,`, expected an expression | lists are separated by blanks: `[ 1 2 ]`; sets by `;`",
    );
    check(
        "{ a = [ 1 2; }",
        "syntax::error at `;`: unexpected `;`, expected an expression | close the `[` | this `[` is not closed: `[`",
    );
    check(
        "let x = 1; x",
        "syntax::error at `x`: the file ends too early, expected `=` | after its definitions comes `in` and an expression | this `let` has no `in`: `let`",
    );
    check(
        "1 )",
        "syntax::error at `)`: unexpected `)` after the expression | a file is one expression; are brackets closed too early?",
    );
    check(
        "",
        "syntax::empty at ``: the file is empty | a file is one expression; an empty module is `{ }`",
    );
    check("{ a = \"x; }", "syntax::error at `\"`: this string is not closed | end it with `\"`");
    // The first string that goes on to the next line, not the last quote.
    check(
        "{ a = \"x;\n  b = \"y\"; }",
        "syntax::error at `\"`: this string is not closed | end it with `\"`",
    );
    check(
        "{ a = \"x;\n  b = \"c = d\"; }",
        "syntax::error at `\"`: a `;` is missing after this | every definition ends in `;` | this string goes on to the next line: is its `\"` missing?: `\"`",
    );
    check(
        "{ a = 'x'; }",
        "syntax::error at `'`: unexpected `'`, expected an expression | a string is between `\"`, or between `''` over several lines",
    );
    check("if true then 1", "syntax::error at `1`: the file ends too early, expected `else`");
    check(
        "{ a = ; }",
        "syntax::error at `;`: unexpected `;`, expected an expression | something before this `;` is unfinished",
    );
}

#[test]
fn names() {
    check(
        "x y (z: 1)",
        "name::unbound at `x`: `x` is not defined\nname::unbound at `y`: `y` is not defined",
    );
    check(
        "let hostName = 1; in hostname",
        "name::unbound at `hostname`: `hostname` is not defined | did you mean `hostName`?",
    );
    check(
        "{ a = foo; b = x: bar; }",
        "name::unbound at `foo`: `foo` is not defined\nname::unbound at `bar`: `bar` is not defined",
    );
    check("head [ 1 ]", "name::unbound at `head`: `head` is not defined | write `builtins.head`");
    check(
        "lib.mkIf",
        "name::unbound at `lib`: `lib` is not defined | name it among the module's arguments: `{ lib, ... }:` at the top of the file",
    );
    check(
        "mapp (x: x) [ ]",
        "name::unbound at `mapp`: `mapp` is not defined | did you mean `map`?",
    );
    check(
        "''\n  echo ${HOME}\n''",
        "name::unbound at `HOME`: `HOME` is not defined | for a variable of the shell, write `''${HOME}` in a string between `''`, and `\\${HOME}` between `\"`",
    );
    check(
        "{ a = 1; a = 2; }",
        "name::duplicate at `a`: the attribute `a` is defined twice | keep one of them; two sets of one name would be merged | it is defined here already: `a`",
    );
    check(
        "{ hosts = 1; }.host",
        "name::missing-attribute at `host`: the attribute `host` is missing | did you mean `hosts`?",
    );
    check(
        "({ config, lib }: 1) { config = 1; lbi = 2; }",
        "name::missing-argument at `({ config, lib }: 1) { config = 1; lbi = 2; }`: this function needs the argument `lib` | the call passes something like it: did you mean `lbi`? | `lib` has no default: `lib`",
    );
    check(
        "({ config, ... }: 1) { }",
        "name::missing-argument at `({ config, ... }: 1) { }`: this function needs the argument `config` | `config` has no default: `config`",
    );
    check(
        "builtins.getEnv \"HOME\"",
        "name::unavailable at `builtins.getEnv \"HOME\"`: there is no variable `HOME`: an evaluation never looks at the machine it runs on | declare an option and set it per host, or pass `--set`",
    );
    check(
        "derivation { }",
        "name::unavailable at `derivation`: there is no `derivation`: there is no Nix store and nothing is built while evaluating | packages come from `pkgs`: Debian's by name, others by `lib.fetchPackage { name; url; hash; }`",
    );
    check(
        "builtins.curentTime",
        "name::missing-attribute at `curentTime`: the attribute `curentTime` is missing",
    );
    check(
        "let f = x: x.name; in map (y: f y) [ { } ] == [ 1 ]",
        "name::missing-attribute at `name`: the attribute `name` is missing | the set is empty",
    );
    check(
        "a: { a, a }: a",
        "name::duplicate at `a`: the argument `a` is declared twice | it is declared here already: `a`",
    );
}

#[test]
fn evaluation() {
    check(
        "let x = y + 1; y = x; in x",
        "eval::infinite-recursion at `x`: infinite recursion | a value must not depend on itself; look at what the trace leads through | the value that needs itself: `y + 1`",
    );
    check(
        "<nixpkgs>",
        "name::search-path at `<nixpkgs>`: there is no search path <nixpkgs> | `<cairn/…>` is the only one: `import <cairn/lib>` is the library; other code comes in as an input of cairn.nix",
    );
    check(
        "1 + \"a\"",
        "type::mismatch at `\"a\"`: expected a number, found a string | to join texts, write `toString` before the number",
    );
    check(
        "[ 1 ] + [ 2 ]",
        "type::mismatch at `[ 1 ]`: expected a number, string or path, found a list | `+` adds numbers and joins strings and paths; `++` joins lists, `//` sets",
    );
    check(
        "\"${1}\"",
        "type::not-a-string at `1`: an integer cannot be used as a string | write `toString` before it",
    );
    check(
        "{ a = 1; } \"x\"",
        "type::not-a-function at `{ a = 1; } \"x\"`: an attribute set is called like a function | a set is callable only with a `__functor` attribute",
    );
    check(
        "import ./bad.nix",
        "syntax::error at `;`: unexpected `;`, expected an expression | something before this `;` is unfinished",
    );
    check(
        "import ./names.nix",
        "name::unbound at `foo`: `foo` is not defined\nname::unbound at `bar`: `bar` is not defined",
    );
    check(
        "import ./none.nix",
        "file::not-found at `import ./none.nix`: cannot read none.nix: there is no such file | check the name; paths start at the file they are written in",
    );
    check("assert 1 == 2; 3", "eval::assert at `1 == 2`: this assertion failed");
    check(
        "9223372036854775807 + 1",
        "eval::overflow at `9223372036854775807 + 1`: the result of `+` does not fit a 64-bit integer | use a float (`1.0 * x`) where the exact value does not matter",
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
