//! What is wrong, where, and what helps.

use super::super::Layer;
use super::{errors, group, render, with};

const SCHEMA: &str = "{ lib, config, ... }: with lib; {
  options.networking.hostName = mkOption { type = types.str; };
  options.networking.firewall.allowedTCPPorts = mkOption { type = types.listOf types.port; default = [ ]; };
  options.services.k3s.role = mkOption { type = types.enum [ \"server\" \"agent\" ]; default = \"server\"; };
  options.users.users = mkOption { default = { }; type = types.attrsOf (types.submodule { options.home = mkOption { type = types.str; }; }); };
  options.fixed = mkOption { type = types.int; readOnly = true; default = 1; };
  options.greeting = mkOption { type = types.str; default = \"hello ${config.networking.hostName}\"; };
}";

#[test]
fn all_at_once() {
    let host = "{ config, lib, ... }: {
  networking.hostname = \"a\";
  networking.firewall.allowedTCPPorts = [ 22 \"80\" 443 99999 ];
  services.k3s.role = \"agnet\";
  services.k3s.tokenFile = \"/x\";
  users.users.alice = { home = 3; shel = \"x\"; };
  fixed = 2;
  role = \"x\";
}";
    insta::assert_snapshot!(errors(&[SCHEMA, host]), @r#"
    option::undefined at m0.nix:2:22 ‹hostName›: the option `networking.hostName` is used, but no module defines it
      help: define it: `networking.hostName = …;`
    option::unknown at m1.nix:2:14 ‹hostname›: there is no option `networking.hostname`
      m0.nix:2:22 ‹hostName›: `networking.hostName` is declared here
      help: did you mean `networking.hostName`?
    type::mismatch at m1.nix:3:46 ‹"80"›: `networking.firewall.allowedTCPPorts[1]` takes a port (0 to 65535), found the string "80"
      m0.nix:3:31 ‹allowedTCPPorts›: the option is declared here
      help: write it without quotes: 80
    type::mismatch at m1.nix:3:55 ‹99999›: `networking.firewall.allowedTCPPorts[3]` takes a port (0 to 65535), found the integer 99999
      m0.nix:3:31 ‹allowedTCPPorts›: the option is declared here
    type::mismatch at m1.nix:4:23 ‹"agnet"›: `services.k3s.role` takes one of "server", "agent", found the string "agnet"
      m0.nix:4:24 ‹role›: the option is declared here
      help: did you mean `agent`?
    option::unknown at m1.nix:5:16 ‹tokenFile›: there is no option `services.k3s.tokenFile`
      help: the options in `services.k3s` are role
    type::mismatch at m1.nix:6:32 ‹3›: `users.users.alice.home` takes a string, found the integer 3
      m0.nix:5:99 ‹home›: the option is declared here
      help: write it as a string: "3"
    option::unknown at m1.nix:6:35 ‹shel›: there is no option `users.users.alice.shel`
      help: the options in `users.users.alice` are home
    option::read-only at m1.nix:7:3 ‹fixed›: the option `fixed` is read-only: it has its one value already
      m0.nix:6:11 ‹fixed›: declared here
      m0.nix:6:65 ‹default›: the other definition
      help: remove this definition
    option::unknown at m1.nix:8:3 ‹role›: there is no option `role`
      help: did you mean `services.k3s.role`?
    "#);
}

#[test]
fn one_broken_module_hides_nothing() {
    let broken = "{ lib, ... }: { networking.hostName = 3; oops = nope; }";
    let throws = "throw \"this module fails\"";
    let host = "{ networking.hostName = 4; networking.firewall = [ ]; }";
    insta::assert_snapshot!(errors(&[SCHEMA, broken, throws, host]), @r#"
    type::mismatch at m1.nix:1:39 ‹3›: `networking.hostName` takes a string, found the integer 3
      m0.nix:2:22 ‹hostName›: the option is declared here
      help: write it as a string: "3"
    option::unknown at m1.nix:1:42 ‹oops›: there is no option `oops`
      help: the options here are fixed, greeting, networking, services, users
    name::unbound at m1.nix:1:49 ‹nope›: `nope` is not defined
    eval::throw at m2.nix:1:1 ‹throw "this module fails"›: this module fails
    type::mismatch at m3.nix:1:25 ‹4›: `networking.hostName` takes a string, found the integer 4
      m0.nix:2:22 ‹hostName›: the option is declared here
      help: write it as a string: "4"
    type::mismatch at m3.nix:1:50 ‹[ ]›: `networking.firewall` holds options; found an empty list
      help: its options are allowedTCPPorts
    "#);
}

#[test]
fn modules_that_are_none() {
    insta::assert_snapshot!(errors(&["3"]), @"
    module::not-a-module at m0.nix:1:1 ‹3›: a module is a function, an attribute set or a path, not the integer 3
      help: a module looks like `{ config, lib, ... }: { … }`
    ");
    insta::assert_snapshot!(errors(&["{ imports = ./x.nix; }"]), @r"
    type::mismatch at m0.nix:1:13 ‹./x.nix›: `imports` is a list of modules, not the path x.nix
      help: write the modules between brackets: `imports = [ ./a.nix ];`
    ");
    insta::assert_snapshot!(errors(&["{ imports = [ ./x.nix ]; }"]), @r"
    file::not-found at m0.nix:1:15 ‹./x.nix›: cannot read x.nix: there is no such file
      help: check the name; paths start at the file they are written in
    ");
    insta::assert_snapshot!(errors(&["{ lib, pksg, ... }: { config._module.args.pkgs = { }; options.x = lib.mkOption { default = pksg; }; }"]), @r"
    module::unknown-argument at m0.nix:1:8 ‹pksg›: no module argument is called `pksg`
      help: did you mean `pkgs`?
    ");
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options.x = lib.mkOption { }; x = 1; }"]), @r"
    module::unknown-key at m0.nix:1:47 ‹x›: `x` stands beside `options` in a module, where only modules' own keys may
      m0.nix:1:17 ‹options›: because of this `options`, definitions belong into `config`
      help: write `config.x`, or move it into `config = { … }`
    ");
    insta::assert_snapshot!(errors(&["{ lib, config, ... }: { imports = if config.x then [ ] else [ ]; options.x = lib.mkOption { }; }"]), @r"
    eval::infinite-recursion at m0.nix:1:38 ‹config›: infinite recursion
      help: a value must not depend on itself; look at what the trace leads through
    ");
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options.a = lib.mkOption { }; }", "{ lib, ... }: { options.a.b = lib.mkOption { }; }"]), @r"
    option::declaration at m1.nix:1:25 ‹a›: `a` is declared as an option and as a set of options
      m0.nix:1:25 ‹a›: the option
      help: rename one of the two; only submodules may have options added
    ");
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options.a = lib.mkOption { type = \"str\"; }; }"]), @r#"
    type::not-a-type at m0.nix:1:51 ‹"str"›: an option's type is needed here, not the string "str"
      help: types are in `lib.types`, such as `types.str`
    "#);
    insta::assert_snapshot!(errors(&["{ lib, config, ... }: { options.a = lib.mkOption { default = config.b; }; options.b = lib.mkOption { default = config.a; }; }"]), @r"
    eval::infinite-recursion at m0.nix:1:119 ‹a›: infinite recursion
      help: a value must not depend on itself; look at what the trace leads through
    ");
}

#[test]
fn files_that_are_no_modules() {
    let importer = "{ imports = [ ./_it.nix ]; }";
    let mut out = String::new();
    for text in ["5", "\"x\"", "[ { } ]", "x: 5", "{ lib, ... }: let y = 1; in [ ]"] {
        let files = [("m.nix", Layer::Host, importer), ("_it.nix", Layer::Host, text)];
        out += &with(&files, |configuration, sources| render(&configuration.force_all(), sources));
    }
    insta::assert_snapshot!(out, @r#"
    module::not-a-module at _it.nix:1:1 ‹5›: a module is a function, an attribute set or a path, not the integer 5
      m.nix:1:15 ‹./_it.nix›: imported here
      help: a module looks like `{ config, lib, ... }: { … }`
    module::not-a-module at _it.nix:1:1 ‹"x"›: a module is a function, an attribute set or a path, not the string "x"
      m.nix:1:15 ‹./_it.nix›: imported here
      help: a module looks like `{ config, lib, ... }: { … }`
    module::not-a-module at _it.nix:1:1 ‹[ { } ]›: a module is a function, an attribute set or a path, not a list of one element
      m.nix:1:15 ‹./_it.nix›: imported here
      help: a file is one module: others are in its `imports`, `{ imports = [ … ]; }`
    module::not-a-module at _it.nix:1:4 ‹5›: a module is a function, an attribute set or a path, not the integer 5
      m.nix:1:15 ‹./_it.nix›: imported here
      help: a module looks like `{ config, lib, ... }: { … }`
    module::not-a-module at _it.nix:1:15 ‹let y = 1; in [ ]›: a module is a function, an attribute set or a path, not an empty list
      m.nix:1:15 ‹./_it.nix›: imported here
      help: a file is one module: others are in its `imports`, `{ imports = [ … ]; }`
    "#);
    insta::assert_snapshot!(errors(&["{ imports = [ 5 \"x\" null ]; }"]), @r#"
    module::not-a-module at m0.nix:1:15 ‹5›: a module is a function, an attribute set or a path, not the integer 5
      help: a module looks like `{ config, lib, ... }: { … }`
    module::not-a-module at m0.nix:1:17 ‹"x"›: a module is a function, an attribute set or a path, not the string "x"
      help: a file is written without quotes: ./x
    module::not-a-module at m0.nix:1:21 ‹null›: a module is a function, an attribute set or a path, not null
      help: a module looks like `{ config, lib, ... }: { … }`
    "#);
}

#[test]
fn submodules_without_end() {
    let schema = "{ lib, ... }: let
  t = lib.types.submodule { options.c = lib.mkOption { type = t; default = { }; }; };
in { options.a = lib.mkOption { type = t; default = { }; }; }";
    insta::assert_snapshot!(errors(&[schema]), @"
    type::endless at m0.nix:2:37 ‹c›: the submodules in `a` are inside of each other without end
      help: leave out the default, or make the type a `nullOr` and the default `null`
    ");
}

#[test]
fn mk_option_takes_what_it_takes() {
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options.a = lib.mkOption { typ = lib.types.int; }; }"]), @"
    type::argument at m0.nix:1:44 ‹typ›: `mkOption` takes no `typ`
      help: did you mean `type`?
    ");
    insta::assert_snapshot!(errors(&["{ lib, ... }: { options.a = lib.mkOption { colour = 1; }; }"]), @"
    type::argument at m0.nix:1:44 ‹colour›: `mkOption` takes no `colour`
      help: it takes apply, default, defaultText, description, example, internal, readOnly, relatedPackages, type, visible
    ");
}

#[test]
fn one_broken_definition_hides_no_other() {
    let schema = "{ lib, ... }: with lib; {
  options.s = mkOption { type = types.submodule { options.a = mkOption { type = types.int; default = 1; }; }; };
  options.l = mkOption { type = types.listOf types.int; };
}";
    let host = "{ lib, ... }: {
  s = lib.mkMerge [ (throw \"this part fails\") { a = \"x\"; b = 1; } ];
  l = [ 1 (throw \"this element fails\") \"two\" ];
}";
    insta::assert_snapshot!(errors(&[schema, host]), @r#"
    eval::throw at m1.nix:2:21 ‹(throw "this part fails")›: this part fails
    type::mismatch at m1.nix:2:53 ‹"x"›: `s.a` takes an integer, found the string "x"
      m0.nix:2:59 ‹a›: the option is declared here
    option::unknown at m1.nix:2:58 ‹b›: there is no option `s.b`
      m0.nix:2:59 ‹a›: `s.a` is declared here
      help: did you mean `s.a`?
    eval::throw at m1.nix:3:11 ‹(throw "this element fails")›: this element fails
    type::mismatch at m1.nix:3:40 ‹"two"›: `l[2]` takes an integer, found the string "two"
      m0.nix:3:11 ‹l›: the option is declared here
    "#);
}

#[test]
fn conflicts() {
    let files = [
        ("schema.nix", Layer::Standard, SCHEMA),
        ("group.nix", group(), "{ networking.hostName = \"weak\"; }"),
        ("host.nix", Layer::Host, "{ networking.hostName = \"a\"; }"),
        (
            "other.nix",
            Layer::Host,
            "{ lib, ... }: { config = lib.mkIf true { networking.hostName = \"b\"; }; }",
        ),
    ];
    let out = with(&files, |configuration, sources| render(&configuration.force_all(), sources));
    insta::assert_snapshot!(out, @r#"
    module::conflict at host.nix:1:14 ‹hostName›: `networking.hostName` has two values: the string "b" and the string "a"
      other.nix:1:53 ‹hostName›: and here, equally strong
      schema.nix:2:22 ‹hostName›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    "#);
}

#[test]
fn explained() {
    let files = [
        ("schema.nix", Layer::Standard, SCHEMA),
        (
            "group.nix",
            group(),
            "{ lib, ... }: { services.k3s.role = \"server\"; users.users.alice.home = lib.mkDefault \"/g\"; }",
        ),
        (
            "host.nix",
            Layer::Host,
            "{ lib, ... }: { services.k3s.role = lib.mkMerge [ (lib.mkIf false \"server\") \"agent\" ]; users.users.alice.home = \"/h\"; }",
        ),
    ];
    let out = with(&files, |configuration, sources| {
        let mut out = String::new();
        for path in [&["services", "k3s", "role"][..], &["users", "users", "alice", "home"]] {
            let explanation = configuration.explain(path).unwrap();
            out.push_str(&format!(
                "{}: {} = {}\n",
                explanation.path,
                explanation.type_description,
                explanation.value.unwrap()
            ));
            for each in explanation.definitions {
                let place = super::place(each.span, sources);
                let (won, holds) = (each.won, each.holds);
                out.push_str(&format!(
                    "  {} {} in {} at {place}: won {won}, holds {holds}\n",
                    each.priority, each.layer, each.file
                ));
            }
        }
        let error = configuration.explain(&["services", "k3s", "rol"]).unwrap_err();
        out + &render(&[*error], sources)
    });
    insta::assert_snapshot!(out, @r#"
    services.k3s.role: one of "server", "agent" = "agent"
      100 host in host.nix at host.nix:1:77 ‹"agent"›: won true, holds true
      100 group in group.nix at group.nix:1:37 ‹"server"›: won false, holds true
      1500 standard in schema.nix at schema.nix:4:92 ‹"server"›: won false, holds true
      100 host in host.nix at host.nix:1:51 ‹(lib.mkIf false "server")›: won false, holds false
    users.users.alice.home: string = "/h"
      100 host in host.nix at host.nix:1:113 ‹"/h"›: won true, holds true
      1000 group in group.nix at group.nix:1:72 ‹lib.mkDefault "/g"›: won false, holds true
    option::unknown at nowhere: there is no option `services.k3s.rol`
      help: did you mean `services.k3s.role`?
    "#);
}

#[test]
fn reference() {
    let out = with(&[("schema.nix", Layer::Standard, SCHEMA)], |configuration, _| {
        let all = configuration.reference();
        assert_eq!(all.problems, []);
        let line = |option: &super::super::OptionDoc| {
            let default = option.default.as_ref().map(super::super::Shown::text);
            format!("{}: {} = {default:?}", option.path, option.type_description)
        };
        all.options.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(out, @r#"
    fixed: integer = Some("1")
    greeting: string = Some("\"hello ${config.networking.hostName}\"")
    networking.firewall.allowedTCPPorts: list of ports (0 to 65535) = Some("[ ]")
    networking.hostName: string = None
    services.k3s.role: one of "server", "agent" = Some("\"server\"")
    users.users: attribute set of submodules = Some("{ }")
    users.users.<name>.home: string = None
    "#);
}

#[test]
fn help_lists_no_hidden_options() {
    let schema = "{ lib, ... }: with lib; {
      options.a.seen = mkOption { };
      options.a.hidden = mkOption { visible = false; };
      options.a.own = mkOption { internal = true; };
      options.b.traps.hidden = mkOption { visible = false; };
      options.c.shallow = mkOption { visible = \"shallow\"; };
    }";
    let unknown = "{ zzzzzzzz = 1; a.zzzzzzzz = 1; b.traps.zzzzzzzz = 1; }";
    insta::assert_snapshot!(errors(&[schema, unknown, "{ a = [ ]; }"]), @"
    option::unknown at m1.nix:1:3 ‹zzzzzzzz›: there is no option `zzzzzzzz`
      help: the options here are a, c
    option::unknown at m1.nix:1:19 ‹zzzzzzzz›: there is no option `a.zzzzzzzz`
      help: the options in `a` are seen
    option::unknown at m1.nix:1:41 ‹zzzzzzzz›: there is no option `b.traps.zzzzzzzz`
    type::mismatch at m2.nix:1:7 ‹[ ]›: `a` holds options; found an empty list
      help: its options are seen
    ");
}
