//! The options that there are, as data.
#![allow(clippy::expect_used, reason = "a test program")]

use cairn_compiler::{Fleet, FleetOption};
use cairn_lang::modules::Shown;
use cairn_lang::{Features, MemoryFs};

fn fleet(files: &[(&str, &str)]) -> Fleet {
    Fleet::load(MemoryFs::new(files.iter().copied()), &[], Features::default()).expect("a fleet")
}

fn standard() -> Vec<FleetOption> {
    let fleet = Fleet::standard(Features::default()).expect("the standard modules");
    let (options, report) = fleet.options();
    assert_eq!(report.diagnostics, []);
    options
}

/// An option in one line.
fn line(option: &FleetOption) -> String {
    let doc = &option.doc;
    let shown = |name: &str, shown: &Option<Shown>| match shown {
        Some(Shown::Code(text)) => format!("; {name} {text}"),
        Some(Shown::Words(text)) => format!("; {name} ({text})"),
        None => String::new(),
    };
    let (default, example) = (shown("default", &doc.default), shown("example", &doc.example));
    let flag = |name: &str, set: bool| if set { format!("; {name}") } else { String::new() };
    let (only, internal) = (flag("read-only", doc.read_only), flag("internal", doc.internal));
    let hidden = flag("hidden", !doc.visible);
    let hosts = match &option.hosts {
        Some(hosts) => format!("; on [{}]", hosts.join(" ")),
        None => String::new(),
    };
    let path = &doc.path;
    format!("{path}: {}{default}{example}{only}{internal}{hidden}{hosts}\n", doc.type_description)
}

#[test]
fn every_standard_option_says_what_it_is() {
    let options = standard();
    assert!(options.len() > 500, "{}", options.len());
    let lacking = options.iter().filter(|option| {
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| text.ends_with('.'));
        let doc = &option.doc;
        // A default that others make needs words: its expression has names that readers do not know.
        let clear = match &doc.default {
            Some(Shown::Code(text)) => !text.contains("cfg") && !text.contains("<name>"),
            _ => true,
        };
        let types = ["unspecified value", "raw value"];
        let untyped = doc.is_listed() && types.iter().any(|ty| doc.type_description.contains(ty));
        !said(&doc.description) || !clear || untyped || doc.declared.is_empty()
    });
    let lacking: String = lacking.map(line).collect();
    assert_eq!(lacking, "", "these lack a description (a sentence), a type, or a `defaultText`");
}

#[test]
fn examples_and_defaults_are_values_of_their_options() {
    let mut definitions = String::new();
    for FleetOption { doc, .. } in standard().iter().filter(|option| option.doc.is_listed()) {
        let path: Vec<String> =
            doc.loc.iter().map(|name| format!("\"{}\"", name.replace("<name>", "a"))).collect();
        // What is in lists has no path, and what is read only no definition.
        if doc.read_only || doc.loc.iter().any(|name| name == "*") {
            continue;
        }
        for shown in [&doc.default, &doc.example].into_iter().flatten() {
            if let Shown::Code(text) = shown {
                definitions += &format!("    ({{ {} = {text}; }})\n", path.join("."));
            }
        }
    }
    let module =
        format!("{{ lib, pkgs, ... }}:\n{{\n  config = lib.mkMerge [\n{definitions}  ];\n}}\n");
    let fleet = fleet(&[
        ("cairn.nix", "{ outputs = { ... }: { hosts.a = ./a.nix; }; }"),
        ("a.nix", &module),
    ]);
    let report = fleet.check(&fleet.hosts());
    // All of them together make no host; what each is by itself must be right.
    let about_types =
        |code: &str| ["type::", "option::unknown"].iter().any(|a| code.starts_with(a));
    let wrong = report.diagnostics.iter().filter(|error| about_types(&error.code));
    let wrong = wrong.map(|error| {
        let place = report.sources.place(error.span);
        let line = place.and_then(|at| module.lines().nth(at.start.line as usize - 1));
        format!("{}: {}\n{}\n", error.code, error.message, line.unwrap_or_default())
    });
    assert_eq!(wrong.collect::<String>(), "");
}

#[test]
fn what_a_fleet_declares_is_among_them_and_depends_on_no_host() {
    let fleet = fleet(&[
        (
            "cairn.nix",
            "{ outputs = { ... }: { hosts.a = ./a.nix; hosts.b = { networking.hostName = \"b\"; }; }; }",
        ),
        ("a.nix", "{ imports = [ ./app.nix ]; app.port = 81; app.name = \"x\"; }"),
        (
            "app.nix",
            r#"{ config, lib, name, pkgs, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.app = {
    port = mkOption { type = types.port; default = 80; description = "A port."; };
    other = mkOption {
      type = types.port;
      default =
        config.app.port + 1;
    };
    title = mkOption { default = "x"; defaultText = lib.literalMD "the *name*"; readOnly = true; };
    run = mkOption { type = types.functionTo types.str; default = x: "a"; internal = true; };
    secret = mkOption { type = types.attrsOf (types.submodule {
      options.key = mkOption { type = types.str; };
    }); visible = false; };
    rules = mkOption {
      type = types.listOf (types.submodule ({ config, ... }: {
        options.from = mkOption { type = types.nullOr types.int; default = -1; example = [ (-1) 2.5 ]; };
        options.to = mkOption { type = types.int; default = config.from; };
      }));
      default = [ ];
      example = [ { from = 1; } { from = 2; to = null; } ];
    };
    text = mkOption {
      type = types.lines;
      default = "one\n  ''two'' \${x}\n";
      example = { a.b.c = { "d e" = 1; f = pkgs.htop; }; };
    };
    none = mkOption { };
  };
}
"#,
        ),
        (
            "spare.nix",
            "{ lib, ... }: { options.spare = lib.mkEnableOption \"a spare\"; config = { }; }",
        ),
    ]);
    let (options, report) = fleet.options();
    assert_eq!(report.diagnostics, []);
    let own = options.iter().filter(|option| ["app", "spare"].contains(&&*option.doc.loc[0]));
    insta::assert_snapshot!(own.map(line).collect::<String>(), @r#"
    app.none: unspecified value; on [a]
    app.other: port (0 to 65535); default config.app.port + 1; on [a]
    app.port: port (0 to 65535); default 80; on [a]
    app.rules: list of submodules; default [ ]; example [ { from = 1; } { from = 2; to = null; } ]; on [a]
    app.rules.*.from: null or integer; default -1; example [ (-1) 2.5 ]; on [a]
    app.rules.*.to: integer; default -1; on [a]
    app.run: function that gives a string; default x: "a"; internal; on [a]
    app.secret: attribute set of submodules; hidden; on [a]
    app.secret.<name>.key: string; hidden; on [a]
    app.text: string of lines; default ''
    one
      '''two''' ''${x}
    ''; example { a.b.c = { "d e" = 1; f = pkgs.htop; }; }; on [a]
    app.title: unspecified value; default (the *name*); read-only; on [a]
    spare: boolean; default false; example true; on []
    "#);
    let everywhere = options.iter().find(|option| option.doc.path == "networking.hostName");
    assert_eq!(everywhere.expect("an option").hosts, None);
}

#[test]
fn what_cannot_be_read_hides_nothing_else() {
    let fleet = fleet(&[(
        "cairn.nix",
        "{ outputs = { ... }: { hosts.a = { lib, ... }: { options.a = 1; options.b = lib.mkOption { type = lib.types.strr; }; \
         options.c = lib.mkEnableOption \"c\"; }; }; }",
    )]);
    let (options, report) = fleet.options();
    let codes: Vec<_> = report.diagnostics.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["option::declaration", "name::missing-attribute"]);
    assert!(options.iter().any(|option| option.doc.path == "c"));
    assert!(options.iter().any(|option| option.doc.path == "networking.hostName"));
}
