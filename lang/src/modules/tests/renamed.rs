//! Options that were removed, renamed, or go by a second name.

use super::super::Layer;
use super::{errors, explained};

/// What the standard modules declare for them.
const BASE: &str = "{ lib, ... }: {
  options.assertions = lib.mkOption { default = [ ]; };
  options.warnings = lib.mkOption { default = [ ]; };
}";

#[test]
fn what_was_removed_fails_for_its_readers_alone() {
    let removed = r#"{ lib, ... }: { imports = [ (lib.mkRemovedOptionModule [ "my" "gone" ] "It is gone.") ]; }"#;
    assert_eq!(errors(&[BASE, removed]), "");
    // The assertion says it.
    assert_eq!(errors(&[BASE, removed, "{ my.gone = 1; }"]), "");
    let reader =
        "{ config, lib, ... }: { options.x = lib.mkOption { default = config.my.gone; }; }";
    insta::assert_snapshot!(errors(&[BASE, removed, reader]), @r#"eval::throw at <cairn>/lib/modules.nix:110:24 ‹throw "The option `${showOption path}' can no longer be used since it's been removed. ${replacement}"›: The option `my.gone' can no longer be used since it's been removed. It is gone."#);
}

#[test]
fn what_was_removed_from_a_submodule_fails_for_its_readers_alone() {
    let schema = r#"{ lib, ... }: with lib; {
  options.s = mkOption { type = types.listOf (types.submodule {
    imports = [ (mkRemovedOptionModule [ "gone" ] "It is gone.") ];
    options.assertions = mkOption { default = [ ]; };
    options.x = mkOption { type = types.int; };
  }); };
}"#;
    assert_eq!(errors(&[schema, "{ s = [ { x = 1; } { x = 2; } ]; }"]), "");
    assert_eq!(errors(&[schema, "{ s = [ { x = 1; gone = 3; } ]; }"]), "");
}

#[test]
fn a_name_for_an_option_without_a_value_needs_none() {
    for function in ["mkRenamedOptionModule", "mkAliasOptionModule"] {
        let alias = format!(
            r#"{{ lib, ... }}: {{
  imports = [ (lib.{function} [ "old" "v" ] [ "site" "v" ]) ];
  options.site.v = lib.mkOption {{ type = lib.types.int; }};
}}"#
        );
        assert_eq!(errors(&[BASE, &alias]), "", "{function}");
    }
}

#[test]
fn a_default_that_throws_asks_its_readers_for_a_definition() {
    let option = r#"{ lib, ... }: { options.a = lib.mkOption { type = lib.types.str; default = throw "set a"; }; options.b = lib.mkOption { default = "b"; }; }"#;
    assert_eq!(errors(&[option]), "");
    assert_eq!(errors(&[option, "{ a = \"x\"; }"]), "");
    let reader = "{ config, ... }: { b = config.a; }";
    insta::assert_snapshot!(errors(&[option, reader]), @r#"eval::throw at m0.nix:1:76 ‹throw "set a"›: set a"#);
    let thrown = "{ a = throw \"not this\"; }";
    insta::assert_snapshot!(errors(&[option, thrown]), @r#"eval::throw at m1.nix:1:7 ‹throw "not this"›: not this"#);
}

#[test]
fn an_apply_that_fails_is_a_mistake_where_the_option_is_defined() {
    let schema =
        "{ lib, ... }: { options.x = lib.mkOption { apply = x: throw \"no ${toString x}\"; }; }";
    assert_eq!(errors(&[schema, "{ }"]), "");
    insta::assert_snapshot!(errors(&[schema, "{ x = 1; }"]), @r#"eval::throw at m0.nix:1:55 ‹throw "no ${toString x}"›: no 1"#);
}

/// A group with a second name for an option, and what it and the host say.
fn alias(ty: &str, group_says: &str, host: &str, path: &[&str]) -> String {
    let group = format!(
        r#"{{ lib, ... }}: {{
  imports = [ (lib.mkAliasOptionModule [ "my" "alias" ] [ "my" "new" ]) ];
  options.my.new = lib.mkOption {{ type = lib.types.{ty}; }};
  {group_says}
}}"#
    );
    let files = [("group.nix", super::group(), group.as_str()), ("host.nix", Layer::Host, host)];
    super::layered(&files) + "\n" + &explained(&files, path)
}

#[test]
fn a_definition_by_another_name_keeps_its_layer_and_place() {
    let new = ["my", "new"];
    insta::assert_snapshot!(alias("int", "config.my.new = 5;", "{ my.alias = 7; }", &new), @"
    {my: {alias: 7, new: 7}}
    my.new = 7
    ✓ 100 host host.nix:1:14 ‹7› = 7
    · 100 group group.nix:4:19 ‹5› = 5
    ");
    insta::assert_snapshot!(
        alias("int", "config.my.new = lib.mkForce 5;", "{ lib, ... }: { my.alias = lib.mkForce 7; }", &new),
        @"
    {my: {alias: 7, new: 7}}
    my.new = 7
    ✓ 50 host host.nix:1:28 ‹lib.mkForce 7› = 7
    · 50 group group.nix:4:19 ‹lib.mkForce 5› = 5
    "
    );
    insta::assert_snapshot!(
        alias("listOf lib.types.int", "config.my.alias = [ 1 ];", "{ lib, ... }: { my.alias = [ 2 ]; my.new = lib.mkBefore [ 0 ]; }", &new),
        @"
    {my: {alias: [0, 1, 2], new: [0, 1, 2]}}
    my.new = [ 0 1 2 ]
    ✓ 100 host host.nix:1:28 ‹[ 2 ]› = [ 2 ]
    ✓ 100 host host.nix:1:57 ‹[ 0 ]› = [ 0 ]
    ✓ 100 group group.nix:4:21 ‹[ 1 ]› = [ 1 ]
    "
    );
    insta::assert_snapshot!(
        alias("submodule { options.a = lib.mkOption { type = lib.types.int; }; }", "config.my.new.a = 1;", "{ lib, ... }: { my.alias.a = 2; }", &["my", "new", "a"]),
        @"
    {my: {alias: {a: 2}, new: {a: 2}}}
    my.new.a = 2
    ✓ 100 host host.nix:1:30 ‹2› = 2
    · 100 group group.nix:4:21 ‹1› = 1
    "
    );
    insta::assert_snapshot!(alias("int", "config.my.new = 5;", "{ my.alias = \"7\"; }", &new), @r#"
    type::mismatch at host.nix:1:14 ‹"7"›: `my.alias` takes an integer, found the string "7"
      help: write it without quotes: 7

    my.new = `my.new` takes an integer, found the string "7"
    ✓ 100 host host.nix:1:14 ‹"7"› = "7"
    · 100 group group.nix:4:19 ‹5› = 5
    "#);
}

#[test]
fn paths_that_lead_nowhere_are_mistakes_where_they_are_written() {
    let mut out = String::new();
    for module in [
        "lib.mkRemovedOptionModule \"a.b\" \"gone\"",
        "lib.mkRenamedOptionModule \"a.b\" [ \"c\" ]",
        "lib.mkRenamedOptionModule [ \"old\" \"x\" ] [ \"warnin\" ]",
    ] {
        let module = format!("{{ lib, ... }}: {{ imports = [ ({module}) ]; }}");
        out += &errors(&[BASE, &module]);
    }
    insta::assert_snapshot!(out, @r#"
    type::argument at m1.nix:1:29 ‹(lib.mkRemovedOptionModule "a.b" "gone")›: `mkRemovedOptionModule` takes an option's path as a list of names, not the string "a.b"
      help: write it as a list: [ "a" "b" ]
    type::argument at m1.nix:1:29 ‹(lib.mkRenamedOptionModule "a.b" [ "c" ])›: `mkRenamedOptionModule` takes an option's path as a list of names, not the string "a.b"
      help: write it as a list: [ "a" "b" ]
    option::unknown at m1.nix:1:29 ‹(lib.mkRenamedOptionModule [ "old" "x" ] [ "warnin" ])›: there is no option `warnin`
      m0.nix:3:11 ‹warnings›: `warnings` is declared here
      help: did you mean `warnings`?
    "#);
}
