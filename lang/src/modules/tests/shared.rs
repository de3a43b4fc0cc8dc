//! What calls of one module have in common is computed once, and nothing else is.

use super::value;

/// A submodule of the options `module`, and two of it.
fn two(module: &str, definitions: [&str; 2]) -> String {
    let schema = format!(
        "{{ lib, ... }}: {{ options.x = lib.mkOption {{ type = with lib.types; \
         attrsOf (submodule ({module})); }}; }}"
    );
    let host = format!("{{ x.a = {}; x.b = {}; }}", definitions[0], definitions[1]);
    value(&[&schema, &host])
}

#[test]
fn what_depends_on_the_call_is_its_own() {
    for (module, expected) in [
        // Options side by side, of which one depends on an argument.
        (
            "{ name, lib, ... }: { options = { \
               own = lib.mkOption { default = name; }; same = lib.mkOption { default = 1; }; }; }",
            r#"{x: {a: {own: "a", same: 1}, b: {own: "b", same: 1}}}"#,
        ),
        // By way of `let`, of each other, of functions, of `inherit` and of `with`.
        (
            "{ name, lib, config, ... }: let \
               option = default: lib.mkOption { inherit default; }; \
               one = other + \"!\"; other = name; three = 3; \
             in { options = { u = option one; v = option three; w = option config.v; }; }",
            r#"{x: {a: {u: "a!", v: 3, w: 3}, b: {u: "b!", v: 3, w: 3}}}"#,
        ),
        (
            "{ name, lib, ... }: let inherit (lib) mkOption; own = { inherit name; description = name; }; in { \
               options.u = mkOption { inherit (own) description; default = own.name; }; \
               options.v = with own; mkOption { default = name; }; \
               options.w = with { default = 2; }; mkOption { inherit default; }; }",
            r#"{x: {a: {u: "a", v: "a", w: 2}, b: {u: "b", v: "b", w: 2}}}"#,
        ),
        (
            "{ lib, ... }@args: with lib; with args; { \
               options.u = mkOption { default = name; }; options.v = mkOption { default = 1; }; }",
            r#"{x: {a: {u: "a", v: 1}, b: {u: "b", v: 1}}}"#,
        ),
        (
            "{ lib, name, ... }: { \
               options.u = lib.mkOption { default = (n: n + name) \"u\"; }; \
               options.v = lib.mkOption { default = (name: name) \"v\"; }; \
               config.u = lib.mkIf (name == \"b\") \"set\"; }",
            r#"{x: {a: {u: "ua", v: "v"}, b: {u: "set", v: "v"}}}"#,
        ),
    ] {
        assert_eq!(two(module, ["{ }", "{ }"]), expected, "{module}");
    }
}

#[test]
fn a_default_serves_only_where_nothing_is_defined() {
    let module = "{ lib, ... }: { options.u = lib.mkOption { type = lib.types.int; default = 1; }; \
                  options.l = lib.mkOption { type = with lib.types; listOf int; default = [ ]; }; }";
    assert_eq!(
        two(module, ["{ }", "{ u = 2; l = [ 3 ]; }"]),
        "{x: {a: {l: [], u: 1}, b: {l: [3], u: 2}}}"
    );
    assert_eq!(
        two(module, ["{ u = 2; l = [ 3 ]; }", "{ }"]),
        "{x: {a: {l: [3], u: 2}, b: {l: [], u: 1}}}"
    );
    let hidden = "{ lib, ... }: { options.u = lib.mkOption { default = 1; apply = x: x + 1; }; }";
    assert_eq!(two(hidden, ["{ }", "{ u = 2; }"]), "{x: {a: {u: 2}, b: {u: 3}}}");
}

#[test]
fn another_library_or_other_packages_are_another_call() {
    let fleet = "{ lib, ... }: let \
        module = { lib, pkgs, ... }: { \
          options.lib = lib.mkOption { default = lib.mine or \"theirs\"; }; \
          options.pkgs = lib.mkOption { default = pkgs.own; }; }; \
        of = specialArgs: (lib.evalModules { inherit specialArgs; modules = [ module ]; }).config; \
      in { options.x = lib.mkOption { }; config.x = map of [ \
        { pkgs.own = 1; } { pkgs.own = 2; } { pkgs.own = 3; lib = lib // { mine = \"mine\"; }; } ]; }";
    assert_eq!(
        value(&[fleet]),
        r#"{x: [{lib: "theirs", pkgs: 1}, {lib: "theirs", pkgs: 2}, {lib: "mine", pkgs: 3}]}"#
    );
}
