//! The module system beyond its everyday use: rarer types, modules that are none, declarations
//! that do not fit, evaluations within evaluations.

use super::super::Layer;
use super::{errors, layered, value};

/// A module with one option `x` of a type, and one with a definition of it.
fn one(ty: &str, definition: &str) -> [String; 2] {
    [
        format!("{{ lib, ... }}: with lib; {{ options.x = mkOption {{ type = {ty}; }}; }}"),
        format!("{{ lib, ... }}: with lib; {{ x = {definition}; }}"),
    ]
}

fn value_of(ty: &str, definition: &str) -> String {
    let [schema, host] = one(ty, definition);
    value(&[&schema, &host])
}

fn refused(ty: &str, definition: &str) -> String {
    let [schema, host] = one(ty, definition);
    errors(&[&schema, &host])
}

const TAG: &str = "types.attrTag { \
                   ip = mkOption { type = types.ipv4; }; \
                   port = mkOption { type = types.port; apply = p: p + 1; }; }";

#[test]
fn types_that_nixpkgs_got_later() {
    for (ty, definition, expected) in [
        (TAG, "{ port = 80; }", "{x: {port: 81}}"),
        (TAG, "mkMerge [ { port = mkDefault 80; } { port = 81; } ]", "{x: {port: 82}}"),
        (
            "types.attrsWith { elemType = types.int; }",
            "{ a = mkIf false 1; b = 2; }",
            "{x: {b: 2}}",
        ),
        (
            "types.attrsWith { elemType = types.nullOr types.int; lazy = true; }",
            "{ a = mkIf false 1; b = 2; }",
            "{x: {a: null, b: 2}}",
        ),
        ("types.pathWith { absolute = false; }", "\"a/b\"", "{x: \"a/b\"}"),
        ("types.pathWith { }", "\"a\"", "{x: \"a\"}"),
        ("types.externalPath", "\"/etc/a\"", "{x: \"/etc/a\"}"),
        (
            "types.pathInStore",
            "\"/var/lib/cairn/store/0a-b\"",
            "{x: \"/var/lib/cairn/store/0a-b\"}",
        ),
        ("types.calendar", "\"Mon..Fri 08:00\"", "{x: \"Mon..Fri 08:00\"}"),
        ("types.numbers.between 0 1.5", "1", "{x: 1}"),
    ] {
        assert_eq!(value_of(ty, definition), expected, "{ty} {definition}");
    }
    let extended = [
        "{ lib, ... }: with lib; { options.x = mkOption { type = types.attrTag { a = mkOption { type = types.int; }; }; }; }",
        "{ lib, ... }: with lib; { options.x = mkOption { type = types.attrTag { b = mkOption { type = types.str; }; }; }; }",
        "{ x.b = \"y\"; }",
    ];
    assert_eq!(value(&extended), "{x: {b: \"y\"}}");
    let shown = "{ lib, ... }: with lib; { options.x = mkOption { default = showOption (types.attrsWith {
        elemType = types.submodule { options.y = mkOption { }; }; placeholder = \"zone\"; }).getSubOptions [ \"a\" ]).y.loc; }; }";
    assert_eq!(
        value(&[&shown.replace("showOption (types", "showOption ((types")]),
        "{x: \"a.<zone>.y\"}"
    );
}

#[test]
fn values_that_are_refused() {
    insta::assert_snapshot!(refused(TAG, "{ port = 80; ip = \"::1\"; }"), @r"
    type::mismatch at m1.nix:1:33 ‹port›: `x` is of one kind only, not `ip` and `port`
      m0.nix:1:35 ‹x›: the option is declared here
      help: remove all but one
    ");
    insta::assert_snapshot!(refused(TAG, "{ prot = 80; }"), @r"
    type::mismatch at m1.nix:1:33 ‹prot›: `x` has no kind `prot`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `port`?
    ");
    insta::assert_snapshot!(refused(TAG, "{ port = \"80\"; }"), @r#"
    type::mismatch at m1.nix:1:40 ‹"80"›: `x.port` takes a port (0 to 65535), found the string "80"
      m0.nix:1:111 ‹port›: the option is declared here
      help: write it without quotes: 80
    "#);
    insta::assert_snapshot!(refused(TAG, "mkMerge [ { port = 80; } { ip = \"10.0.0.1\"; } ]"), @r#"
    module::conflict at m1.nix:1:56 ‹{ ip = "10.0.0.1"; }›: `x` has two values: an attribute set (with port) and an attribute set (with ip)
      m1.nix:1:41 ‹{ port = 80; }›: and here, equally strong
      m0.nix:1:35 ‹x›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    "#);
    insta::assert_snapshot!(refused("types.passwdEntry types.str", "\"a:b\""), @r"
    type::mismatch at m1.nix:1:33 ‹:›: `x` is a field of /etc/passwd, and has a colon in it
      m0.nix:1:35 ‹x›: the option is declared here
      help: fields are separated by colons there, and users by line ends
    ");
    insta::assert_snapshot!(refused("types.pathWith { absolute = false; }", "\"/a\""), @r#"
    type::mismatch at m1.nix:1:31 ‹"/a"›: `x` takes a relative path, found the string "/a"
      m0.nix:1:35 ‹x›: the option is declared here
      help: leave out the slash: "a"
    "#);
    insta::assert_snapshot!(refused("types.externalPath", "./m0.nix"), @r"
    type::mismatch at m1.nix:1:31 ‹./m0.nix›: `x` takes an absolute path outside of the store, found the path m0.nix
      m0.nix:1:35 ‹x›: the option is declared here
    ");
    insta::assert_snapshot!(refused("types.numbers.positive", "-1.5"), @r"
    type::mismatch at m1.nix:1:31 ‹-1.5›: `x` takes a positive number, found the float -1.5
      m0.nix:1:35 ‹x›: the option is declared here
    ");
    insta::assert_snapshot!(refused("types.functionTo types.int", "3"), @r"
    type::mismatch at m1.nix:1:31 ‹3›: `x` takes a function that gives an integer, found the integer 3
      m0.nix:1:35 ‹x›: the option is declared here
      help: write a function that gives it: `_: …`
    ");
    insta::assert_snapshot!(refused("types.secret", "\"hunter2\""), @r#"
    type::mismatch at m1.nix:1:31 ‹"hunter2"›: `x` takes a secret, and a secret is named, never written: what stands in the fleet's files is known to whoever can read them
      m0.nix:1:35 ‹x›: the option is declared here
      help: encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put `config.sops.secrets.<name>` here
    "#);
    insta::assert_snapshot!(refused("types.secret", "5"), @r#"
    type::mismatch at m1.nix:1:31 ‹5›: `x` takes a secret (one of `config.sops.secrets`), found the integer 5
      m0.nix:1:35 ‹x›: the option is declared here
      help: encrypt it (`cairn secrets set FILE KEY`), declare `sops.secrets.<name>`, and put `config.sops.secrets.<name>` here
    "#);
    insta::assert_snapshot!(refused("types.secret", "mkSecret \"two words\""), @r#"
    type::argument at m1.nix:1:31 ‹mkSecret "two words"›: the name of a secret is made of letters, digits and `-`, `_`, `.`, `/`
      help: a secret is named here, never written
    "#);
    insta::assert_snapshot!(refused("types.calendar", "\"Mon..Fry 8:00\""), @r"
    type::mismatch at m1.nix:1:37 ‹Fry›: `x`: `Fry` is no weekday
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `Fri`?
    ");
    insta::assert_snapshot!(refused("types.unique { message = \"Only one.\"; } types.int", "mkMerge [ 1 2 ]"), @r"
    module::conflict at m1.nix:1:43 ‹2›: `x` is defined more than once
      m1.nix:1:41 ‹1›: and here, equally strong
      m0.nix:1:35 ‹x›: the option is declared here
      help: Only one.
    ");
    insta::assert_snapshot!(refused("types.int // { check = n: n > 3; }", "2"), @r"
    type::mismatch at m1.nix:1:31 ‹2›: `x` takes an integer of a certain kind, not the integer 2
      m0.nix:1:35 ‹x›: the option is declared here
      m0.nix:1:80 ‹n›: this check does not hold
    ");
    insta::assert_snapshot!(refused("types.coercedTo types.str stringLength (types.ints.between 0 3)", "\"long\""), @r#"
    type::mismatch at m1.nix:1:31 ‹"long"›: `x` takes an integer between 0 and 3, found the integer 4
      m0.nix:1:35 ‹x›: the option is declared here
    "#);
    insta::assert_snapshot!(refused("types.submoduleWith { module = [ ]; }", "{ }"), @r"
    type::argument at m0.nix:1:79 ‹module›: `submoduleWith` takes no `module`
      help: did you mean `modules`?
    ");
    for ty in ["types.submoduleWith { }", "types.attrsWith { }", "mkOptionType { }"] {
        let error = refused(ty, "{ }");
        assert!(error.starts_with("name::missing-attribute"), "{error}");
    }
    insta::assert_snapshot!(refused("types.int", "1.0"), @"
    type::mismatch at m1.nix:1:31 ‹1.0›: `x` takes an integer, found the float 1.0
      m0.nix:1:35 ‹x›: the option is declared here
    ");
    insta::assert_snapshot!(refused("types.strMatching \"\\\\d+\"", "\"1\""), @r#"
    type::regex at m0.nix:1:75 ‹"\\d+"›: this is no regular expression: `\d` is no escape
      help: a digit is `[[:digit:]]` or `[0-9]`
    "#);
    insta::assert_snapshot!(refused("types.strMatching \"(?i)a\"", "\"A\""), @r#"
    type::regex at m0.nix:1:75 ‹"(?i)a"›: this is no regular expression: `?` repeats nothing
      help: the dialect is POSIX extended, as in `grep -E`
    "#);
    insta::assert_snapshot!(refused("types.listOf (types.passwdEntry types.str)", "3"), @"
    type::mismatch at m1.nix:1:31 ‹3›: `x` takes a list of strings without colons and line ends, found the integer 3
      m0.nix:1:35 ‹x›: the option is declared here
    ");
    insta::assert_snapshot!(refused("types.anything", "mkMerge [ [ 1 ] [ 2 ] ]"), @r"
    module::conflict at m1.nix:1:47 ‹[ 2 ]›: `x` has two values: a list of one element and a list of one element
      m1.nix:1:41 ‹[ 1 ]›: and here, equally strong
      m0.nix:1:35 ‹x›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    ");
}

#[test]
fn modules_that_are_no_modules() {
    insta::assert_snapshot!(errors(&["{ imports = [ [ ./m1.nix ] ]; }", "{ }"]), @r"
    module::not-a-module at m0.nix:1:15 ‹[ ./m1.nix ]›: a module is a function, an attribute set or a path, not a list of one element
      help: remove one level of brackets: `imports` takes the modules themselves
    ");
    insta::assert_snapshot!(errors(&["{ imports = [ \"m1.nix\" 3 ]; }", "{ }"]), @r#"
    module::not-a-module at m0.nix:1:15 ‹"m1.nix"›: a module is a function, an attribute set or a path, not the string "m1.nix"
      help: a file is written without quotes: ./m1.nix
    module::not-a-module at m0.nix:1:24 ‹3›: a module is a function, an attribute set or a path, not the integer 3
      help: a module looks like `{ config, lib, ... }: { … }`
    "#);
    insta::assert_snapshot!(errors(&["{ lib, ... }: { imports = [ lib.types.str (lib.mkOption { }) (lib.evalModules { modules = [ ]; }) ]; }"]), @r#"
    module::not-a-module at m0.nix:1:29 ‹lib.types.str›: a module is needed here, not an option's type (`_type` is "option-type")
      help: declare an option of it: `lib.mkOption { type = …; }`
    module::not-a-module at m0.nix:1:43 ‹(lib.mkOption { })›: a module is needed here, not an option (`_type` is "option")
      help: declare it: `{ options.name = …; }`
    module::not-a-module at m0.nix:1:62 ‹(lib.evalModules { modules = [ ]; })›: a module is needed here, not a configuration that is evaluated already (`_type` is "configuration")
      help: import the modules that it was made of, or read its `config`
    "#);
    insta::assert_snapshot!(errors(&["{ imports = [ ./absent.nix ]; }"]), @r"
    file::not-found at m0.nix:1:15 ‹./absent.nix›: cannot read absent.nix: there is no such file
      help: check the name; paths start at the file they are written in
    ");
    insta::assert_snapshot!(errors(&["let next = n: { imports = [ (next (n + 1)) ]; }; in next 0"]), @r"
    module::endless at m0.nix:1:29 ‹(next (n + 1))›: modules import each other without end: 500 of them so far
      help: give the module a `key`: a module with the same key is imported once
    ");
    insta::assert_snapshot!(errors(&["{ config = 3; }"]), @"type::mismatch at m0.nix:1:12 ‹3›: `config` holds options, and is no int");
    // A module that imports itself, without a file or a key, is itself already.
    assert_eq!(
        value(&[
            "let m = { lib, ... }: { imports = [ m ]; options.x = lib.mkOption { default = 1; }; }; in m"
        ]),
        "{x: 1}"
    );
}

#[test]
fn declarations_that_do_not_fit() {
    let declared = |first: &str, second: &str| {
        let module =
            |option: &str| format!("{{ lib, ... }}: with lib; {{ options.x = {option}; }}");
        errors(&[&module(first), &module(second)])
    };
    insta::assert_snapshot!(declared("mkOption { default = 1; }", "mkOption { default = 2; }"), @r"
    option::declaration at m1.nix:1:50 ‹default›: `x` is declared twice, each time with `default`
      m0.nix:1:50 ‹default›: declared here before
      help: rename one of the two options, or leave out this `default`
    ");
    insta::assert_snapshot!(declared("mkOption { type = types.int; }", "mkOption { type = types.str; }"), @r"
    option::declaration at m1.nix:1:35 ‹x›: `x` is declared twice: as integer and as string
      m0.nix:1:35 ‹x›: declared here before
      help: rename one of the two options
    ");
    insta::assert_snapshot!(declared("mkOption { type = types.listOf types.int; }", "mkOption { type = types.listOf types.str; }"), @r"
    option::declaration at m1.nix:1:35 ‹x›: `x` is declared twice: as list of integers and as list of strings
      m0.nix:1:35 ‹x›: declared here before
      help: rename one of the two options
    ");
    insta::assert_snapshot!(declared("mkOption { type = types.int; }", "{ y = mkOption { }; }"), @r"
    option::declaration at m1.nix:1:35 ‹x›: `x` is declared as an option and as a set of options
      m0.nix:1:35 ‹x›: the option
      help: rename one of the two; only submodules may have options added
    ");
    insta::assert_snapshot!(declared("mkOption { type = types.ints.between 0 3; }", "mkOption { type = types.ints.between 5 9; }"), @r"
    option::declaration at m1.nix:1:35 ‹x›: `x` is declared twice: as integer between 0 and 3 and as integer between 5 and 9
      m0.nix:1:35 ‹x›: declared here before
      help: rename one of the two options
    ");
    insta::assert_snapshot!(declared("mkIf true (mkOption { })", "{ y = mkOption { }; }"), @"
    option::declaration at m0.nix:1:35 ‹x›: `x` declares options, which no `mkIf` or `mkMerge` can wrap
      help: which options there are cannot depend on a condition: declare them, and put the condition around what is defined under `config`
    ");
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options = lib.mkMerge [ ]; }"]), @"
    option::declaration at m0.nix:1:17 ‹options›: `options` declares options, which no `mkIf` or `mkMerge` can wrap
      help: which options there are cannot depend on a condition: declare them, and put the condition around what is defined under `config`
    ");
    // A submodule takes options from elsewhere, and integers the bounds of both.
    let both = [
        "{ lib, ... }: with lib; { options.x = mkOption { type = types.submodule { options.a = mkOption { type = types.int; }; }; }; }",
        "{ lib, ... }: with lib; { options.x.b = mkOption { type = types.ints.between 0 5; }; }",
        "{ lib, ... }: with lib; { options.x.b = mkOption { type = types.addCheck types.int (n: n > 1); }; }",
    ];
    assert_eq!(
        value(&[both[0], both[1], both[2], "{ x = { a = 1; b = 4; }; }"]),
        "{x: {a: 1, b: 4}}"
    );
    insta::assert_snapshot!(errors(&[both[0], both[1], both[2], "{ x = { a = 1; b = 6; }; }"]), @r"
    type::mismatch at m3.nix:1:20 ‹6›: `x.b` takes an integer between 0 and 5, found the integer 6
      m1.nix:1:37 ‹b›: the option is declared here
    ");
    insta::assert_snapshot!(errors(&[both[0], both[1], both[2], "{ x = { a = 1; b = 1; c = 2; }; }"]), @r"
    type::mismatch at m3.nix:1:20 ‹1›: `x.b` takes an integer between 0 and 5 of a certain kind, not the integer 1
      m1.nix:1:37 ‹b›: the option is declared here
      m2.nix:1:85 ‹n›: this check does not hold
    option::unknown at m3.nix:1:23 ‹c›: there is no option `x.c`
      m0.nix:1:83 ‹a›: `x.a` is declared here
      help: did you mean `x.a`?
    ");
}

#[test]
fn left_out_modules() {
    let files = |disabled: &'static str, host: &'static str| {
        [
            ("a.nix", Layer::Host, host),
            ("d.nix", Layer::Host, disabled),
            ("_b.nix", Layer::Host, "{ imports = [ ./_c.nix ]; key = \"b\"; x = [ 2 ]; }"),
            ("_c.nix", Layer::Host, "{ x = [ 3 ]; }"),
        ]
    };
    let host = "{ lib, ... }: { imports = [ ./_b.nix ]; options.x = lib.mkOption { type = lib.types.listOf lib.types.int; default = [ ]; }; }";
    for (disabled, expected) in [
        ("{ disabledModules = [ ./_b.nix ]; }", "{x: []}"),
        ("{ disabledModules = [ \"b\" ]; }", "{x: []}"),
        ("{ disabledModules = [ { key = \"b\"; } ]; }", "{x: []}"),
        ("{ disabledModules = [ ./_c.nix ]; }", "{x: [2]}"),
        ("{ disabledModules = [ ./_b.nix ]; imports = [ ./_c.nix ]; }", "{x: [3]}"),
    ] {
        assert_eq!(layered(&files(disabled, host)), expected, "{disabled}");
    }
    insta::assert_snapshot!(layered(&files("{ disabledModules = [ ./_d.nix \"bb\" ]; }", host)), @r#"
    module::disabled at d.nix:1:23 ‹./_d.nix›: no module here is `_d.nix`: there is nothing to disable
      help: did you mean `_b.nix`?
    module::disabled at d.nix:1:32 ‹"bb"›: no module here is `bb`: there is nothing to disable
      help: did you mean `b`?
    "#);
    insta::assert_snapshot!(layered(&files("{ disabledModules = [ { a = 1; } ]; }", host)), @r#"
    module::disabled at d.nix:1:23 ‹{ a = 1; }›: `disabledModules` names files and keys of modules, not an attribute set (with a)
      help: give the module a `key`, and write `{ key = "…"; }` here
    "#);
}

#[test]
fn evaluations_in_the_language() {
    let eval = |call: &str| {
        errors(&[&format!(
            "{{ lib, ... }}: with lib; {{ options.x = mkOption {{ }}; config.x = ({call}).config; }}"
        )])
    };
    insta::assert_snapshot!(eval("evalModules { module = [ ]; }"), @r"
    module::argument at m0.nix:1:79 ‹module›: `evalModules` takes no `module`
      help: did you mean `modules`?
    ");
    insta::assert_snapshot!(eval("evalModules { }"), @"
    name::missing-attribute at m0.nix:1:77 ‹{ }›: the attribute `modules` is missing
      help: the set is empty
    ");
    insta::assert_snapshot!(eval("evalModules { modules = [ { freeformType = types.listOf types.int; a = 1; } ]; }"), @"
    type::mismatch at m0.nix:1:132 ‹a›: a list of integers is needed here, found an attribute set (with a)
      m0.nix:1:64 ‹(evalModules { modules = [ { freeformType = types.listOf types.int; a = 1; } ]; })›: the option is declared here
    ");
    insta::assert_snapshot!(eval("evalModules { class = \"a\"; modules = [ { _class = \"b\"; } ]; }"), @r#"
    module::class at m0.nix:1:115 ‹"b"›: this module is made for `b`, and is imported into `a`
      m0.nix:1:104 ‹{ _class = "b"; }›: imported here
      help: import a module of the same class, or one without `_class`
    "#);
    insta::assert_snapshot!(eval("evalModules { modules = [ { y = 1; } ]; prefix = [ \"p\" ]; }"), @r"
    option::unknown at m0.nix:1:93 ‹y›: there is no option `p.y`
    ");
    insta::assert_snapshot!(eval("(evalModules { modules = [ ]; }).extendModules { modules = [ 1 ]; }"), @r"
    module::not-a-module at m0.nix:1:126 ‹1›: a module is a function, an attribute set or a path, not the integer 1
      help: a module looks like `{ config, lib, ... }: { … }`
    ");
    // What a fleet makes of another evaluation's failure is its own affair, as in Nix.
    assert_eq!(
        value(&[
            "{ lib, ... }: with lib; { options.x = mkOption { }; config.x = (builtins.tryEval (evalModules { modules = [ { y = 1; } ]; }).config.y).success; }"
        ]),
        "{x: false}"
    );
}
