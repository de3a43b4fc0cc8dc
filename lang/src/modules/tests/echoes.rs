//! Each mistake is said once, at its own place: what follows from one is no mistake of its own.

use super::super::Layer;
use super::{errors, render, with};

const SCHEMA: &str = "{ lib, config, ... }: with lib; {
  options.networking.hostName = mkOption { type = types.str; default = \"a\"; };
  options.port = mkOption { type = types.port; default = 1; };
}";

fn in_files(files: &[(&str, &str)]) -> String {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, Layer::Host, *text)).collect();
    with(&files, |configuration, sources| {
        let errors = configuration.force_all();
        let mut out = render(&errors, sources);
        for error in errors {
            for (span, step) in error.trace {
                out.push_str(&format!("  {}: {step}\n", super::place(span, sources)));
            }
        }
        out
    })
}

#[test]
fn an_unbound_name_leaves_the_rest_of_its_file() {
    let notes = "{ lib, ... }: {
  options.notes.port = lib.mkOption { type = lib.types.port; default = prot; };
  options.notes.user = lib.mkOption { type = lib.types.str; };
}";
    let host =
        "{ config, ... }: { notes.user = 3; networking.hostName = toString config.notes.port; }";
    insta::assert_snapshot!(in_files(&[("s.nix", SCHEMA), ("notes.nix", notes), ("host.nix", host)]), @r#"
    type::mismatch at host.nix:1:33 ‹3›: `notes.user` takes a string, found the integer 3
      notes.nix:3:17 ‹user›: the option is declared here
      help: write it as a string: "3"
    name::unbound at notes.nix:2:72 ‹prot›: `prot` is not defined
    "#);
}

#[test]
fn a_name_defined_twice_leaves_the_rest_of_its_file() {
    let notes = "{ lib, ... }: { options.a = lib.mkOption { }; options.b = lib.mkOption { }; options.b = lib.mkOption { }; }";
    insta::assert_snapshot!(in_files(&[("notes.nix", notes), ("host.nix", "{ a = 1; b = 2; }")]), @r#"
    name::duplicate at notes.nix:1:85 ‹b›: the attribute `b` is defined twice
      notes.nix:1:55 ‹b›: it is defined here already
      help: keep one of them; two sets of one name would be merged
    "#);
}

#[test]
fn what_a_broken_file_may_declare_is_not_unknown() {
    let notes = "{ lib, ... }: { options.notes.port = lib.mkOption { }; oops }";
    let host = "{ config, ... }: { notes.port = 3; port = config.notes.port; hostName = \"a\"; }";
    insta::assert_snapshot!(in_files(&[("s.nix", SCHEMA), ("notes.nix", notes), ("host.nix", host)]), @r#"
    option::unknown at host.nix:1:62 ‹hostName›: there is no option `hostName`
      help: did you mean `networking.hostName`?
    syntax::error at notes.nix:1:56 ‹oops›: this has no value
      help: write `oops = …;`, or `inherit oops;` to take it from around
    "#);
    // Nobody knows what it imports; of a file that is not there, nothing at all.
    let group = "{ imports = [ ./_notes.nix ]; a = }";
    insta::assert_snapshot!(in_files(&[("s.nix", SCHEMA), ("group.nix", group), ("host.nix", host)]), @r#"
    syntax::error at group.nix:1:35 ‹}›: a value is missing before this `}`
      help: something before it is unfinished
    "#);
    let group = "{ imports = [ ./none.nix ]; }";
    insta::assert_snapshot!(in_files(&[("s.nix", SCHEMA), ("group.nix", group), ("host.nix", host)]), @r#"
    file::not-found at group.nix:1:15 ‹./none.nix›: cannot read none.nix: there is no such file
      help: check the name; paths start at the file they are written in
    "#);
    // A broken file that declares nothing hides nothing.
    insta::assert_snapshot!(in_files(&[("s.nix", SCHEMA), ("group.nix", "{ a = }"), ("host.nix", host)]), @r#"
    syntax::error at group.nix:1:7 ‹}›: a value is missing before this `}`
      help: something before it is unfinished
    option::unknown at host.nix:1:20 ‹notes›: there is no option `notes`
      help: the options here are networking, port
    name::missing-attribute at host.nix:1:50 ‹notes›: the attribute `notes` is missing
      help: the set has: networking, port
    option::unknown at host.nix:1:62 ‹hostName›: there is no option `hostName`
      help: did you mean `networking.hostName`?
    "#);
}

#[test]
fn a_declaration_that_fails_is_no_empty_set() {
    let notes = "{ lib, config, ... }: {
  options.notes.enable = lib.mkEnableOption;
  options.notes.port = nope;
  config = lib.mkIf config.notes.enable { port = config.notes.port; };
}";
    insta::assert_snapshot!(errors(&[SCHEMA, notes, "{ notes.prot = 1; }"]), @r#"
    option::declaration at m1.nix:2:17 ‹enable›: `notes.enable` declares options, and is a function
      help: an argument is missing: `lib.mkEnableOption "what it enables"`, `lib.mkOption { type = …; }`
    name::unbound at m1.nix:3:24 ‹nope›: `nope` is not defined
    option::unknown at m2.nix:1:9 ‹prot›: there is no option `notes.prot`
      m1.nix:3:17 ‹port›: `notes.port` is declared here
      help: did you mean `notes.port`?
    "#);
}

#[test]
fn options_of_helpers_are_declared_where_they_are_made() {
    let helper = "{ lib, ... }: {
  options.settings = lib.listToAttrs (map (name: lib.nameValuePair name (lib.mkOption {
    type = lib.types.int;
  })) [ \"speed\" \"depth\" ]);
  options.plain = lib.genAttrs [ \"x\" ] (name: lib.mkEnableOption name);
}";
    insta::assert_snapshot!(errors(&[helper, "{ settings.speed = \"x\"; settings.deth = 1; plain.x = 1; }"]), @r#"
    type::mismatch at m1.nix:1:20 ‹"x"›: `settings.speed` takes an integer, found the string "x"
      m0.nix:2:74 ‹lib.mkOption›: the option is declared here
    option::unknown at m1.nix:1:34 ‹deth›: there is no option `settings.deth`
      m0.nix:2:74 ‹lib.mkOption›: `settings.depth` is declared here
      help: did you mean `settings.depth`?
    type::mismatch at m1.nix:1:54 ‹1›: `plain.x` takes a boolean, found the integer 1
    "#);
}

#[test]
fn the_library_is_no_step_of_somebodys_own_mistake() {
    let module = "{ lib, config, ... }: {
  options.x = lib.mkOption { type = lib.types.int; };
  options.y = lib.mkOption { default = lib.mapAttrsToList (name: value: value + 1) { a = config.x; }; };
}";
    insta::assert_snapshot!(in_files(&[("m.nix", module), ("host.nix", "{ x = \"a\"; }")]), @r#"
    type::mismatch at host.nix:1:7 ‹"a"›: `x` takes an integer, found the string "a"
      m.nix:2:11 ‹x›: the option is declared here
    "#);
}

#[test]
fn every_element_of_a_list_that_is_applied() {
    let schema = "{ lib, ... }: with lib; { options.ports = mkOption {
  type = types.listOf types.port; apply = map (port: port + 0); }; }";
    let host = "{ ports = [ 80 70000 \"443\" ]; }";
    insta::assert_snapshot!(errors(&[schema, host]), @r#"
    type::mismatch at m1.nix:1:16 ‹70000›: `ports[1]` takes a port (0 to 65535), found the integer 70000
      m0.nix:1:35 ‹ports›: the option is declared here
    type::mismatch at m1.nix:1:22 ‹"443"›: `ports[2]` takes a port (0 to 65535), found the string "443"
      m0.nix:1:35 ‹ports›: the option is declared here
      help: write it without quotes: 443
    "#);
}

#[test]
fn every_definition_that_fails() {
    let schema =
        "{ lib, ... }: { options.l = lib.mkOption { type = lib.types.listOf lib.types.int; }; }";
    let one = "{ lib, ... }: { l = lib.mkIf True [ 1 ]; }";
    let other = "{ l = [ 1 ] + [ 2 ]; }";
    insta::assert_snapshot!(errors(&[schema, one, other]), @r#"
    name::unbound at m1.nix:1:30 ‹True›: `True` is not defined
      help: did you mean `true`?
    type::mismatch at m2.nix:1:7 ‹[ 1 ]›: expected a number, string or path, found a list of one element
      help: `+` adds numbers and joins strings and paths; `++` joins lists, `//` sets
    "#);
}

#[test]
fn a_set_of_options_is_none() {
    let schema = "{ lib, ... }: with lib; { options.etc = mkOption { type = types.attrsOf (types.submodule {
  options.text = mkOption { type = types.str; }; options.mode = mkOption { default = 1; }; }); }; }";
    let files = [("s.nix", Layer::Host, schema), ("h.nix", Layer::Host, "{ etc.a.text = \"a\"; }")];
    let said = with(&files, |configuration, sources| {
        render(&[*configuration.explain(&["etc", "a"]).unwrap_err()], sources)
    });
    insta::assert_snapshot!(said, @r#"
    option::unknown at nowhere: `etc.a` is a set of options, not one
      help: it holds mode, text
    "#);
}

#[test]
fn a_submodule_is_a_set() {
    let schema =
        "{ lib, ... }: with lib; { options.etc = mkOption { type = types.attrsOf (types.submodule {
  options.text = mkOption { type = types.str; }; }); }; }";
    let host =
        "{ lib, ... }: { etc.a = lib.mkIf true; etc.b = \"hello\"; imports = [ ../x.nix ]; }";
    insta::assert_snapshot!(errors(&[schema, host]), @r#"
    type::mismatch at m1.nix:1:25 ‹lib.mkIf true›: `etc.a` takes a submodule, found a function
      m0.nix:1:35 ‹etc›: the option is declared here
      help: `mkIf` takes a condition and what holds then: `lib.mkIf config.a.enable { … }`
    type::mismatch at m1.nix:1:48 ‹"hello"›: `etc.b` takes a submodule, found the string "hello"
      m0.nix:1:35 ‹etc›: the option is declared here
      help: write a set of its options: `{ name = value; }`
    file::outside at m1.nix:1:69 ‹../x.nix›: the path ../x.nix leads out of what may be read
      help: only the fleet's folder and the standard modules can be read: copy the file into the fleet
    "#);
}

#[test]
fn functions_that_lack_an_argument() {
    let host =
        "{ lib, ... }: { networking = lib.mkIf { hostName = \"a\"; }; port = lib.mkOverride 10; }";
    insta::assert_snapshot!(errors(&[SCHEMA, host]), @r#"
    type::mismatch at m1.nix:1:30 ‹lib.mkIf { hostName = "a"; }›: `networking` holds options; found a function
      help: `mkIf` takes a condition and what holds then: `lib.mkIf config.a.enable { … }`
    type::mismatch at m1.nix:1:67 ‹lib.mkOverride 10›: `port` takes a port (0 to 65535), found a function
      m0.nix:3:11 ‹port›: the option is declared here
      help: `mkOverride` takes 2 arguments, and has 1
    "#);
}
