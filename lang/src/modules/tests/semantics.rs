//! What modules mean: imports, properties, precedence, laziness. NixOS's behaviour, with layers.

use super::super::Layer;
use super::{group, layered, value};

#[test]
fn modules() {
    let cases: &[(&[&str], &str)] = &[
        // A value may depend on any other.
        (
            &[
                "{ lib, config, ... }: { options.a = lib.mkOption { default = config.b + 1; }; options.b = lib.mkOption { }; config.b = 1; }",
            ],
            "{a: 2, b: 1}",
        ),
        // Which names a conditional set has, does not depend on its condition.
        (
            &[
                "{ lib, config, ... }: { options.on = lib.mkEnableOption \"it\"; options.a = lib.mkOption { default = 1; }; config = lib.mkIf config.on { a = 2; }; }",
                "{ on = true; }",
            ],
            "{a: 2, on: true}",
        ),
        (
            &[
                "{ lib, config, ... }: { options.a = lib.mkOption { type = lib.types.listOf lib.types.int; }; config = lib.mkMerge [ { a = [ 1 ]; } (lib.mkIf true { a = lib.mkAfter [ 2 ]; }) ]; }",
                "{ a = [ 3 ]; }",
            ],
            "{a: [3, 1, 2]}",
        ),
        // Priorities.
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { default = 1; }; config.a = lib.mkDefault 2; }",
                "{ a = 3; }",
            ],
            "{a: 3}",
        ),
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { default = 1; }; config.a = lib.mkForce 2; }",
                "{ a = 3; }",
            ],
            "{a: 2}",
        ),
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { default = 1; }; config.a = lib.mkOverride 10 2; }",
                "{ lib, ... }: { a = lib.mkForce 3; }",
            ],
            "{a: 2}",
        ),
        (
            &[
                "{ lib, ... }: { options.a.b = lib.mkOption { default = 1; }; config.a = lib.mkForce (lib.mkIf true { b = 2; }); }",
                "{ a.b = 3; }",
            ],
            "{a: {b: 2}}",
        ),
        // What is weaker is never computed.
        (
            &[
                "{ lib, config, ... }: { options.a = lib.mkOption { default = throw \"no\"; }; config.a = lib.mkDefault (throw \"no\"); }",
                "{ a = 3; }",
            ],
            "{a: 3}",
        ),
        (
            &[
                "{ lib, config, ... }: { options.a = lib.mkOption { default = 1; }; config.a = lib.mkForce (lib.mkIf false 2); }",
                "{ a = 3; }",
            ],
            "{a: 3}",
        ),
        // Arguments by `_module.args`.
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { }; config._module.args.answer = 42; }",
                "{ answer, ... }: { a = answer; }",
            ],
            "{a: 42}",
        ),
        // A default counts where no module defines the argument, and may use the others.
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { }; config._module.args.known = 1; }",
                "{ known ? 5, free ? known + 1, ... }: { a = [ known free ]; }",
            ],
            "{a: [1, 2]}",
        ),
        // Two declarations of an option whose types have something in common.
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.submodule { options.x = lib.mkOption { default = 1; }; }; default = { }; }; }",
                "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.submodule { options.y = lib.mkOption { default = 2; }; }; }; }",
            ],
            "{a: {x: 1, y: 2}}",
        ),
        // A definition that is never used is never computed.
        (
            &[
                "{ lib, ... }: { options.a = lib.mkOption { type = lib.types.lazyAttrsOf lib.types.int; apply = set: set.x; }; config.a = { x = 1; y = throw \"no\"; }; }",
            ],
            "{a: 1}",
        ),
        // Free definitions beside declared options, nested ones too.
        (
            &[
                "{ lib, ... }: { freeformType = lib.types.attrsOf lib.types.anything; options.a.b = lib.mkOption { default = 1; }; config = { a.c = 2; d = 3; }; }",
            ],
            "{a: {b: 1, c: 2}, d: 3}",
        ),
        (
            &[
                "{ lib, ... }: { imports = [ (lib.mkAliasOptionModule [ \"old\" ] [ \"new\" \"a\" ]) ]; options.new.a = lib.mkOption { type = lib.types.int; }; config.old = 1; }",
            ],
            "{new: {a: 1}, old: 1}",
        ),
        (
            &[
                "{ lib, ... }: { imports = [ (lib.mkRenamedOptionModule [ \"old\" ] [ \"new\" ]) ]; options.new = lib.mkOption { default = 1; }; options.warnings = lib.mkOption { type = lib.types.listOf lib.types.str; }; config.old = lib.mkForce 2; }",
                "{ new = 3; }",
            ],
            "{new: 2, old: 2, warnings: [\"The option `old' defined in `m0.nix' has been renamed to `new'.\"]}",
        ),
        (
            &[
                "{ lib, options, ... }: { options.a = lib.mkOption { default = 1; }; options.b = lib.mkOption { default = options.a.isDefined; }; options.c = lib.mkOption { default = options.a.highestPrio; }; config.a = lib.mkDefault 2; }",
            ],
            "{a: 2, b: true, c: 1000}",
        ),
    ];
    for (modules, expected) in cases {
        assert_eq!(&value(modules), expected, "{modules:?}");
    }
}

#[test]
fn imports_are_followed_once() {
    let files = [
        (
            "a.nix",
            Layer::Host,
            "{ lib, ... }: { imports = [ ./_b.nix ./_c.nix ]; options.x = lib.mkOption { type = lib.types.listOf lib.types.int; }; config.x = [ 1 ]; }",
        ),
        ("_b.nix", Layer::Host, "{ imports = [ ./_c.nix ./a.nix ]; x = [ 2 ]; }"),
        (
            "_c.nix",
            Layer::Host,
            "{ imports = [ ./_b.nix { x = [ 4 ]; } ]; config = { x = [ 3 ]; }; }",
        ),
    ];
    assert_eq!(layered(&files), "{x: [4, 3, 2, 1]}");
}

#[test]
fn modules_can_be_left_out() {
    let files = [
        (
            "a.nix",
            Layer::Host,
            "{ lib, ... }: { imports = [ ./_b.nix ]; disabledModules = [ ./_b.nix ]; options.x = lib.mkOption { default = 1; }; }",
        ),
        ("_b.nix", Layer::Host, "{ x = 2; }"),
    ];
    assert_eq!(layered(&files), "{x: 1}");
}

#[test]
fn a_file_of_two_layers_is_the_stronger_ones() {
    let files = [
        (
            "a.nix",
            Layer::Standard,
            "{ lib, ... }: { imports = [ ./_b.nix ]; options.x = lib.mkOption { type = lib.types.int; }; }",
        ),
        ("g.nix", group(), "{ x = 1; }"),
        ("h.nix", Layer::Host, "{ imports = [ ./_b.nix ]; }"),
        ("_b.nix", Layer::Host, "{ imports = [ ./_c.nix ]; }"),
        ("_c.nix", Layer::Host, "{ x = 2; }"),
    ];
    assert_eq!(layered(&files), "{x: 2}");
}

#[test]
fn layers() {
    let declare = |ty: &str| {
        format!(
            "{{ lib, ... }}: {{ options.x = lib.mkOption {{ type = with lib.types; {ty}; }}; }}"
        )
    };
    type Case<'c> = (&'c str, &'c [(Layer, &'c str)], &'c str);
    let cases: &[Case<'_>] = &[
        ("int", &[(Layer::Host, "3"), (group(), "2"), (Layer::Standard, "1")], "{x: 3}"),
        ("int", &[(Layer::Host, "3"), (group(), "lib.mkForce 2")], "{x: 2}"),
        (
            "listOf int",
            &[(Layer::Host, "[ 3 ]"), (Layer::Standard, "[ 1 ]"), (group(), "[ 2 ]")],
            "{x: [1, 2, 3]}",
        ),
        ("lines", &[(Layer::Host, "\"h\""), (group(), "\"g\"")], "{x: \"g\\nh\"}"),
        (
            "attrsOf int",
            &[(Layer::Host, "{ a = 1; }"), (group(), "{ a = 2; b = 3; }")],
            "{x: {a: 1, b: 3}}",
        ),
        ("nullOr int", &[(Layer::Host, "null"), (group(), "1")], "{x: null}"),
        ("either int str", &[(Layer::Host, "\"h\""), (group(), "1")], "{x: \"h\"}"),
        (
            "submodule { options.a = lib.mkOption { type = lib.types.int; }; }",
            &[(Layer::Host, "{ a = 1; }"), (group(), "{ a = 2; }")],
            "{x: {a: 1}}",
        ),
    ];
    for (ty, definitions, expected) in cases {
        let declaration = declare(ty);
        let texts: Vec<_> = definitions
            .iter()
            .enumerate()
            .map(|(number, (layer, text))| {
                (format!("d{number}.nix"), *layer, format!("{{ lib, ... }}: {{ x = {text}; }}"))
            })
            .collect();
        let mut files = vec![("declare.nix", Layer::Standard, declaration.as_str())];
        files
            .extend(texts.iter().map(|(name, layer, text)| (name.as_str(), *layer, text.as_str())));
        assert_eq!(&layered(&files), expected, "{ty} {definitions:?}");
    }
}

/// What a submodule's own modules define is as strong as the module that declares it.
#[test]
fn submodules_have_the_layer_of_their_declaration() {
    let declaration = "{ lib, ... }: { options.x = lib.mkOption { type = lib.types.submodule {
        options.a = lib.mkOption { type = lib.types.int; }; config.a = 1; }; }; }";
    let host = ("host.nix", Layer::Host, "{ x.a = 2; }");
    let declared = |layer| layered(&[("declare.nix", layer, declaration), host]);
    assert_eq!(declared(Layer::Standard), "{x: {a: 2}}");
    assert_eq!(declared(group()), "{x: {a: 2}}");
    insta::assert_snapshot!(declared(Layer::Host), @"
    module::conflict at host.nix:1:5 ‹a›: `x.a` has two values: the integer 1 and the integer 2
      declare.nix:2:68 ‹a›: and here, equally strong
      declare.nix:2:17 ‹a›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    ");
}

#[test]
fn evaluated_in_the_language() {
    let module = "{ lib, ... }: {
        options.x = lib.mkOption { };
        config.x = (lib.evalModules {
            specialArgs = { extra = 5; };
            modules = [ ({ lib, extra, ... }: { options.a = lib.mkOption { type = lib.types.int; }; config.a = extra; }) ];
        }).config;
    }";
    assert_eq!(value(&[module]), "{x: {a: 5}}");
}
