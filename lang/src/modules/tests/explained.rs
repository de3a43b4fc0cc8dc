//! Why options inside of others have their values.

use super::super::Layer;
use super::{explained, group};

const SCHEMA: &str = "{ lib, ... }: with lib; {
  options.files = mkOption {
    default = { };
    type = types.attrsOf (types.submodule ({ name, ... }: {
      options.text = mkOption { type = types.str; default = \"none\"; };
      options.mode.of.it = mkOption { type = types.str; };
      config.mode.of.it = mkDefault name;
    }));
  };
  options.on = mkOption { type = types.bool; default = false; };
  options.lists = mkOption { type = types.attrsOf (types.listOf types.int); default = { }; };
}";

fn of(in_group: &str, host: &str, path: &[&str]) -> String {
    let [in_group, host] =
        [in_group, host].map(|text| format!("{{ config, lib, ... }}: with lib; {text}"));
    let files = [
        ("schema.nix", Layer::Standard, SCHEMA),
        ("group.nix", group(), in_group.as_str()),
        ("host.nix", Layer::Host, host.as_str()),
    ];
    explained(&files, path)
}

#[test]
fn what_was_dropped_around_a_submodule_is_listed() {
    let text = ["files", "a", "text"];
    insta::assert_snapshot!(of("{ files.a = mkForce { text = \"g\"; }; }", "{ files.a.text = \"h\"; }", &text), @r#"
    files.a.text = "g"
    ✓ 50 group group.nix:1:62 ‹"g"› = "g"
    · 100 host host.nix:1:50 ‹"h"› = "h"
    · 1500 standard schema.nix:5:61 ‹"none"› = "none"
    "#);
    insta::assert_snapshot!(of("{ files.a = mkIf config.on { text = \"g\"; }; }", "{ files.a.mode.of.it = \"h\"; }", &text), @r#"
    files.a.text = "none"
    ✓ 1500 standard schema.nix:5:61 ‹"none"› = "none"
    ✗ 100 group group.nix:1:69 ‹"g"› = "g"
        if group.nix:1:50 ‹config.on›: Some(false)
    "#);
    insta::assert_snapshot!(of("{ files.a.text = mkDefault \"g\"; }", "{ files.a.text = \"h\"; }", &text), @r#"
    files.a.text = "h"
    ✓ 100 host host.nix:1:50 ‹"h"› = "h"
    · 1000 group group.nix:1:50 ‹mkDefault "g"› = "g"
    · 1500 standard schema.nix:5:61 ‹"none"› = "none"
    "#);
}

#[test]
fn what_a_submodule_says_itself_is_listed_once() {
    let it = ["files", "a", "mode", "of", "it"];
    insta::assert_snapshot!(of("{ files.a.mode = mkForce { of.it = \"g\"; }; }", "{ files.a.mode.of.it = \"h\"; }", &it), @r#"
    files.a.mode.of.it = "g"
    ✓ 50 group group.nix:1:68 ‹"g"› = "g"
    · 100 host host.nix:1:56 ‹"h"› = "h"
    · 1000 standard schema.nix:7:27 ‹mkDefault name› = "a"
    "#);
    insta::assert_snapshot!(of("{ files.a = { }; }", "{ }", &it), @r#"
    files.a.mode.of.it = "a"
    ✓ 1000 standard schema.nix:7:27 ‹mkDefault name› = "a"
    "#);
}

#[test]
fn parts_whose_conditions_do_not_hold_are_listed() {
    insta::assert_snapshot!(of("{ files.bob = mkIf false { text = \"g\"; }; }", "{ }", &["files", "bob", "text"]), @r#"
    files.bob.text = the option `files.bob.text` is used, but no module defines it
    ✗ 100 group group.nix:1:67 ‹"g"› = "g"
        if group.nix:1:52 ‹false›: Some(false)
    "#);
    insta::assert_snapshot!(of("{ lists = { y = mkIf (false) [ 1 ]; }; }", "{ }", &["lists", "y"]), @"
    lists.y = the option `lists.y` is used, but no module defines it
    ✗ 100 group group.nix:1:62 ‹[ 1 ]› = [ 1 ]
        if group.nix:1:54 ‹(false)›: Some(false)
    ");
    insta::assert_snapshot!(of("{ lists.y = [ 1 ]; }", "{ lists.y = mkIf (throw \"no\") [ 2 ]; }", &["lists", "y"]), @r#"
    lists.y = no
    ✓ 100 group group.nix:1:45 ‹[ 1 ]› = [ 1 ]
    ✗ 100 host host.nix:1:63 ‹[ 2 ]› = [ 2 ]
        if host.nix:1:50 ‹(throw "no")›: None
    "#);
    insta::assert_snapshot!(of("{ on = mkIf false true; }", "{ on = mkIf true true; }", &["on"]), @"
    on = true
    ✓ 100 host host.nix:1:40 ‹mkIf true true› = true
        if host.nix:1:45 ‹true›: Some(true)
    · 1500 standard schema.nix:10:56 ‹false› = false
    ✗ 100 group group.nix:1:40 ‹mkIf false true› = true
        if group.nix:1:45 ‹false›: Some(false)
    ");
    insta::assert_snapshot!(of("{ }", "{ }", &["files", "bob", "text"]), @"
    option::unknown at nowhere: nothing defines `files.bob`
      help: `files` is empty
    ");
}
