//! Sessions with an editor, as frames over a pipe.

#![allow(clippy::expect_used, clippy::panic, reason = "a test program")]

mod client;

use cairn_compiler::FleetInputs;
use cairn_fetch::Lock;
use cairn_fetch::input::Policy;
use cairn_lang::Features;
use client::{Client, fleet};
use serde_json::{Value as Json, json};

const HOST: &str = "\
{ config, lib, pkgs, ... }:
let
  port = 8080;
in
{
  imports = [ ../web.nix ];
  networking.hostName = \"a\";
  networking.firewall.allowedTCPPorts = [ port ];
  environment.etc.\"port\".text = toString port + config.networking.hostName;
}
";

const FILES: &[(&str, &str)] = &[
    (
        "cairn.nix",
        "{ outputs = { self, ... }: { hosts.a = ./hosts/a.nix; hosts.b = ./hosts/b.nix; }; }\n",
    ),
    ("hosts/a.nix", HOST),
    (
        "hosts/b.nix",
        "{ imports = [ ../web.nix ]; networking.hostName = \"b\"; web.enable = true; }\n",
    ),
    (
        "web.nix",
        "{ config, lib, ... }: {\n  options.web.enable = lib.mkEnableOption \"the web\";\n  \
         config = lib.mkIf config.web.enable { networking.firewall.allowedTCPPorts = [ 80 ]; };\n}\n",
    ),
];

fn codes(diagnostics: &[Json]) -> Vec<&str> {
    diagnostics.iter().filter_map(|one| one["code"].as_str()).collect()
}

fn labels(items: &Json) -> Vec<&str> {
    items.as_array().into_iter().flatten().filter_map(|item| item["label"].as_str()).collect()
}

/// `file:line:column` of each place, from 0, in order.
fn places(client: &Client, places: &Json) -> Vec<String> {
    let place = |place: &Json| {
        let uri = place["uri"].as_str().expect("an address");
        let file = uri.strip_prefix(&client.root()).unwrap_or("elsewhere");
        let start = &place["range"]["start"];
        format!("{file}:{}:{}", start["line"], start["character"])
    };
    let mut places: Vec<_> = places.as_array().into_iter().flatten().map(place).collect();
    places.sort();
    places
}

#[test]
fn diagnostics_come_with_every_keystroke() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    assert_eq!(client.diagnostics("hosts/a.nix", 1), [] as [Json; 0]);
    // Types, in a branch that is never taken.
    let text = HOST.replace("[ port ]", "lib.mkIf false \"8080\"");
    client.change("hosts/a.nix", &text);
    let found = client.diagnostics("hosts/a.nix", 2);
    assert_eq!(codes(&found), ["type::mismatch"], "{found:#?}");
    // Syntax comes first and alone.
    client.change("hosts/a.nix", &text.replace("= lib.mkIf", "lib.mkIf"));
    let found = client.diagnostics("hosts/a.nix", 3);
    assert!(codes(&found).iter().all(|code| code.starts_with("syntax::")), "{found:#?}");
    // What only evaluation finds comes later, in other files too.
    let text = HOST.replace("\"a\"", "lib.mkForce (throw \"no name\")");
    client.change("hosts/a.nix", &text);
    client.diagnostics("hosts/a.nix", 4);
    let found = client.diagnostics_that("hosts/a.nix", |found| !found.is_empty());
    assert_eq!(codes(&found), ["eval::throw"], "{found:#?}");
    client.change("hosts/a.nix", HOST);
    client.diagnostics_that("hosts/a.nix", <[Json]>::is_empty);
    client.shut_down();
}

#[test]
fn a_change_of_a_range_counts_in_utf16() {
    let mut client = fleet(FILES);
    let text = "{\n  networking.hostName = \"😀\" + 1;\n}\n";
    client.open("hosts/a.nix", text);
    let found = client.diagnostics("hosts/a.nix", 1);
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 31 }), "{found:#?}");
    let at = |character: u32| json!({ "line": 1, "character": character });
    let change = json!({ "range": { "start": at(25), "end": at(32) }, "text": "a\"" });
    client.change_by("hosts/a.nix", &change);
    assert_eq!(client.diagnostics("hosts/a.nix", 2), [] as [Json; 0]);
    client.shut_down();
}

#[test]
fn columns_are_bytes_where_the_editor_offers_it() {
    let offered = json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } });
    let mut client = Client::start(FILES, &offered);
    let text = "{\n  networking.hostName = \"😀\" + 1;\n}\n";
    client.open("hosts/a.nix", text);
    let found = client.diagnostics("hosts/a.nix", 1);
    assert_eq!(found[0]["range"]["start"]["character"], 33, "{found:#?}");
    client.shut_down();
}

#[test]
fn hover_tells_options_and_types() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    let hover = |client: &mut Client, mark: &str| {
        let told = client.at("textDocument/hover", "hosts/a.nix", HOST, mark, json!({}));
        told["contents"]["value"].as_str().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(hover(&mut client, "allowedTCP|Ports"), @r"
    ```nix
    networking.firewall.allowedTCPPorts : list of ports (0 to 65535)
    ```

    TCP ports that are open on every interface.

    *Default:* `[ ]`

    *Example:* `[ 22 80 ]`
    ");
    insta::assert_snapshot!(hover(&mut client, "config.networking.host|Name"), @r#"
    ```nix
    networking.hostName : host name (at most 63 letters, digits and inner `-`, no dots)
    ```

    Name of the host. Empty leaves the name that it has.

    *Default:* `""`

    *Example:* `"alpha"`
    "#);
    insta::assert_snapshot!(hover(&mut client, "[ po|rt ]"), @r"
    ```nix
    port : int
    ```
    ");
    insta::assert_snapshot!(hover(&mut client, "to|String"), @r"
    ```nix
    toString : shown -> str
    ```
    ");
    insta::assert_snapshot!(hover(&mut client, "net|working.host"), @r"
    ```nix
    networking : options of networking
    ```
    ");
    client.shut_down();
}

#[test]
fn completion_in_texts_that_are_not_finished() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    let mut version = 1;
    let mut complete = |body: &str| {
        version += 1;
        let text = HOST.replace("  imports", &format!("{}\n  imports", body.replace('|', "")));
        client.change("hosts/a.nix", &text);
        client.diagnostics("hosts/a.nix", version);
        client.at("textDocument/completion", "hosts/a.nix", &text, body, json!({}))
    };
    let has = |items: &Json, names: &[&str]| {
        let found = labels(items);
        names.iter().for_each(|name| assert!(found.contains(name), "{name} in {found:?}"));
    };
    let ports = complete("networking.fire|");
    has(&ports, &["firewall", "hostName"]);
    let k3s = complete("services.k3s.|");
    has(&k3s, &["role", "enable", "serverAddr"]);
    let all = k3s.as_array().expect("items");
    let role = all.iter().find(|item| item["label"] == "role").expect("the role");
    assert_eq!(role["detail"], "one of \"server\", \"agent\"");
    has(&complete("networking = { fire| };"), &["firewall"]);
    has(&complete("services.k3s.role = \"|\";"), &["server", "agent"]);
    has(&complete("services.k3s.enable = config.web.|"), &["enable"]);
    has(&complete("services.k3s.enable = |"), &["true", "false", "port", "config", "map"]);
    has(&complete("services.k3s.enable = lib.mk|;"), &["mkIf", "mkForce"]);
    has(&complete("services.k3s.enable = builtins.|;"), &["map", "toJSON"]);
    has(&complete("services.k3s.enable = with lib; mk|;"), &["mkIf", "config"]);
    has(&complete("users.users.alice = { ho|"), &["home"]);
    has(&complete("users.users.alice.|"), &["home", "shell"]);
    has(&complete("w|"), &["web", "imports", "networking"]);
    assert_eq!(complete("# networking.|"), json!([]));
    let text = "{ l| }: { }";
    client.change("hosts/a.nix", "{ l }: { }");
    let items = client.at("textDocument/completion", "hosts/a.nix", "{ l }: { }", text, json!({}));
    has(&items, &["lib", "config", "pkgs", "nodes", "name"]);
    client.shut_down();
}

const INHERITS: &str = "\
{ config, lib, ... }:
let
  r = { x = 1; y = \"a\"; };
  inherit (lib) mkIf;
  inherit (r) y;
  double = number: toString (number * 2);
  pair = { left, right ? 2 }@both: both;
in
{
  networking.hostName = lib.mkDefault y;
  inherit (r) x;
}
";

#[test]
fn hover_tells_what_names_are_bound_to() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", INHERITS);
    client.diagnostics("hosts/a.nix", 1);
    let mut hover = |mark: &str| {
        let told = client.at("textDocument/hover", "hosts/a.nix", INHERITS, mark, json!({}));
        let told = told["contents"]["value"].as_str().unwrap_or_default().to_owned();
        told.trim_start_matches("```nix\n").trim_end_matches("\n```").to_owned()
    };
    insta::assert_snapshot!(hover("  |r = {"), @r#"r : { x : int, y : "a" }"#);
    insta::assert_snapshot!(hover("{ |x = 1"), @"x : int");
    insta::assert_snapshot!(hover("(lib) mk|If"), @"mkIf : bool -> a -> _");
    insta::assert_snapshot!(hover("(r) |y"), @r#"y : "a""#);
    insta::assert_snapshot!(hover("(r) |x"), @"x : int");
    insta::assert_snapshot!(hover("dou|ble ="), @"double : number: …");
    insta::assert_snapshot!(hover("num|ber:"), @"number : anything");
    insta::assert_snapshot!(hover("le|ft,"), @"left : anything");
    insta::assert_snapshot!(hover("ri|ght ?"), @"right : anything");
    insta::assert_snapshot!(hover("@bo|th"), @"both : set");
    insta::assert_snapshot!(hover("{ con|fig"), @"config : configuration");
    let place = client.at("textDocument/definition", "hosts/a.nix", INHERITS, "(r) |y", json!({}));
    assert_eq!(places(&client, &place), ["hosts/a.nix:2:15"]);
    client.shut_down();
}

#[test]
fn completion_offers_what_is_listed_and_can_be_had() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    let mut version = 1;
    let mut complete = |body: &str| {
        version += 1;
        let text = HOST.replace("  imports", &format!("{}\n  imports", body.replace('|', "")));
        client.change("hosts/a.nix", &text);
        client.diagnostics("hosts/a.nix", version);
        client.at("textDocument/completion", "hosts/a.nix", &text, body, json!({}))
    };
    let mut offers = |body: &str, some: &[&str], none: &[&str]| {
        let items = complete(body);
        let found = labels(&items);
        some.iter().for_each(|name| assert!(found.contains(name), "{name} in {found:?}"));
        none.iter().for_each(|name| assert!(!found.contains(name), "{name} in {found:?}"));
    };
    // Options that only say that they are none.
    offers("hosts|", &["networking", "users"], &["fileSystems", "hardware", "i18n", "nix"]);
    offers("services.openssh.|", &["enable", "settings"], &["permitRootLogin"]);
    offers("users.users.a.|", &["home", "hashedPassword"], &["password"]);
    offers("x = config.|", &["networking"], &["fileSystems"]);
    // What is inherited is no new option.
    offers("inherit (config) |;", &["networking"], &["imports"]);
    offers("inherit (rec { mine = 1; }) |;", &["mine"], &["networking", "imports"]);
    offers("inherit po|;", &["port", "config"], &["networking", "imports", "let"]);
    offers("imports = [ ./mo| ];", &[], &["port", "let", "abort"]);
    client.shut_down();
}

#[test]
fn declarations_definitions_and_reads() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    let mut ask = |method: &str, mark: &str, more: Json| {
        let found = client.at(method, "hosts/a.nix", HOST, mark, more);
        places(&client, &found)
    };
    let definition = "textDocument/definition";
    assert_eq!(ask(definition, "[ po|rt ]", json!({})), ["hosts/a.nix:2:2"]);
    assert_eq!(ask(definition, "con|fig.networking", json!({})), ["hosts/a.nix:0:2"]);
    assert_eq!(ask(definition, "../we|b.nix", json!({})), ["web.nix:0:0"]);
    // A standard module, written where the editor can open it.
    assert_eq!(ask(definition, "allowedTCP|Ports", json!({})).len(), 1);
    let all = json!({ "context": { "includeDeclaration": false } });
    assert_eq!(
        ask("textDocument/references", "networking.host|Name =", all.clone()),
        ["hosts/a.nix:6:13", "hosts/a.nix:8:66", "hosts/b.nix:0:39"]
    );
    assert_eq!(
        ask("textDocument/implementation", "allowedTCP|Ports", json!({})),
        ["hosts/a.nix:7:22", "web.nix:2:60"]
    );
    assert_eq!(
        ask("textDocument/references", "po|rt = 8080", all),
        ["hosts/a.nix:7:42", "hosts/a.nix:8:41"]
    );
    client.shut_down();
}

const SUBMODULE: &str = "\
{ config, lib, ... }:
let
  site = lib.types.submodule ({ name, config, ... }: {
    options.port = lib.mkOption { type = lib.types.port; };
    options.next = lib.mkOption { type = lib.types.nullOr site; default = null; };
    options.url = lib.mkOption { default = \"http://${name}:${toString config.port}\"; };
  });
in
{
  options.sites = lib.mkOption { type = with lib.types; attrsOf site; default = { }; };
  config.sites.a.port = 80;
}
";

#[test]
fn options_of_submodules_are_known_where_they_are_declared() {
    let mut files = FILES.to_vec();
    files[3].1 = SUBMODULE;
    files[2].1 = "{ imports = [ ../web.nix ]; sites.b.port = 81; }\n";
    let mut client = fleet(&files);
    client.open("web.nix", SUBMODULE);
    client.diagnostics("web.nix", 1);
    let told = client.at("textDocument/hover", "web.nix", SUBMODULE, "config.po|rt", json!({}));
    assert!(told["contents"]["value"].to_string().contains("port (0 to 65535)"), "{told}");
    let mut ask = |method: &str, mark: &str| {
        let all = json!({ "context": { "includeDeclaration": true } });
        let found = client.at(method, "web.nix", SUBMODULE, mark, all);
        places(&client, &found)
    };
    assert_eq!(ask("textDocument/definition", "config.po|rt"), ["web.nix:3:12"]);
    assert_eq!(
        ask("textDocument/references", "options.po|rt"),
        ["hosts/b.nix:0:36", "web.nix:10:17", "web.nix:3:12", "web.nix:5:77"]
    );
    let text = SUBMODULE.replace("config.port}", "config.}");
    client.change("web.nix", &text);
    client.diagnostics("web.nix", 2);
    let items = client.at("textDocument/completion", "web.nix", &text, "config.|}", json!({}));
    assert_eq!(labels(&items), ["next", "port", "url"]);
    client.shut_down();
}

#[test]
fn options_that_only_have_another_name_are_found() {
    let mut files = FILES.to_vec();
    let renaming = "{ lib, ... }: {\n  imports = [\n    \
        (lib.mkAliasOptionModule [ \"my\" \"alias\" ] [ \"web\" \"enable\" ])\n    \
        (lib.mkRenamedOptionModule [ \"my\" \"old\" ] [ \"networking\" \"hostName\" ])\n  ];\n}\n";
    files.push(("old.nix", renaming));
    let text = "{ config, ... }: {\n  imports = [ ../web.nix ../old.nix ];\n  my.alias = true;\n  \
                my.old = \"a\";\n  environment.etc.b.text = toString config.my.alias;\n}\n";
    files[1].1 = text;
    let mut client = fleet(&files);
    client.open("hosts/a.nix", text);
    client.diagnostics("hosts/a.nix", 1);
    let mut ask = |method: &str, mark: &str| {
        let all = json!({ "context": { "includeDeclaration": false } });
        let found = client.at(method, "hosts/a.nix", text, mark, all);
        places(&client, &found)
    };
    let (alias, old) = ("hosts/a.nix:2:5", "hosts/a.nix:3:5");
    assert_eq!(ask("textDocument/implementation", "my.al|ias ="), [alias]);
    assert_eq!(ask("textDocument/references", "config.my.al|ias"), [alias, "hosts/a.nix:4:46"]);
    assert_eq!(ask("textDocument/references", "my.ol|d"), [old]);
    client.shut_down();
}

#[test]
fn rename_changes_what_is_the_texts_own() {
    let mut client = fleet(FILES);
    client.open("hosts/a.nix", HOST);
    let mut rename = |mark: &str, new: &str| {
        let more = json!({ "newName": new });
        client.at_or_error("textDocument/rename", "hosts/a.nix", HOST, mark, more)
    };
    let edits = rename("[ po|rt ]", "door").expect("a renaming");
    let edits = edits["changes"].as_object().and_then(|all| all.values().next());
    assert_eq!(edits.and_then(Json::as_array).map(Vec::len), Some(3));
    let mut refusal = |mark: &str, new: &str| match rename(mark, new) {
        Err(error) => error["message"].as_str().unwrap_or_default().to_owned(),
        Ok(edits) => panic!("{edits}"),
    };
    let told = refusal("[ po|rt ]", "config");
    assert_eq!(told, "`config` is used already, and would mean this one (line 9)");
    let told = refusal("{ con|fig,", "c");
    assert_eq!(told, "`config` is an argument that callers give by this name (line 1)");
    let told = refusal("networking.host|Name", "name");
    assert_eq!(told, "here is no name that a `let` or a function binds");
    client.shut_down();
}

#[test]
fn whatever_an_editor_says_the_server_stays() {
    let mut client = fleet(FILES);
    client.raw(b"Content-Length: 3\r\n\r\n{a}");
    client.raw(b"Content-Length: 12\r\n\r\n\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe");
    client.raw(b"nonsense\r\nContent-Length: a\r\n\r\n");
    client.raw(b"Content-Length: 99999999999999999\r\n\r\n");
    client.raw(b"Content-Length: 2\r\n\r\n[]");
    assert!(client.request("textDocument/nothing", json!({})).is_err());
    assert!(client.request("textDocument/hover", json!({ "position": 3 })).is_err());
    assert!(client.request("textDocument/hover", json!(null)).is_err());
    assert!(client.request("initialize", json!({ "capabilities": {} })).is_err());
    client.notify("textDocument/didChange", json!({ "textDocument": 7 }));
    client.notify("$/nothing", json!(null));
    // A document that was never opened, and one that is no file.
    let nobody = json!({ "textDocument": { "uri": "file:///nobody.nix" }, "position": { "line": 9, "character": 9 } });
    assert_eq!(client.request("textDocument/hover", nobody), Ok(Json::Null));
    client.open_as("untitled:Untitled-1", "let a = 1; in a + \"x\"");
    let found = client.diagnostics_of("untitled:Untitled-1", 1);
    assert_eq!(codes(&found), ["type::mismatch"], "{found:#?}");
    // A file outside of the fleet.
    client.open_as("file:///somewhere/else.nix", "{ a = b; }");
    assert_eq!(codes(&client.diagnostics_of("file:///somewhere/else.nix", 1)), ["name::unbound"]);
    // What nests too deep, and what is too large.
    let deep = "[".repeat(100_000);
    client.open("deep.nix", &deep);
    assert_eq!(codes(&client.diagnostics("deep.nix", 1)), ["syntax::too-deep"]);
    client.at("textDocument/hover", "deep.nix", &deep, "[|[", json!({}));
    client.at("textDocument/completion", "deep.nix", &deep, "[|[", json!({}));
    let large = format!("[ {} ]", "1234567 ".repeat(400_000));
    client.open("large.nix", &large);
    let found = client.diagnostics("large.nix", 1);
    assert_eq!(found[0]["severity"], 3, "{found:#?}");
    assert_eq!(client.at("textDocument/hover", "large.nix", "[ 1", "[ |1", json!({})), Json::Null);
    // Positions that are none.
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    for (line, character) in [(0, u32::MAX), (u32::MAX, 0), (9999, 9999)] {
        let at = json!({ "line": line, "character": character });
        let uri = client.uri("hosts/a.nix");
        for method in ["hover", "completion", "definition", "prepareRename"] {
            let params = json!({ "textDocument": { "uri": uri }, "position": at });
            let _ = client.request(&format!("textDocument/{method}"), params);
        }
    }
    client.shut_down();
}

#[test]
fn a_fleet_that_does_not_evaluate_is_served() {
    let files = [("cairn.nix", "{ outputs = { self, ... }: throw \"no\"; }\n"), ("m.nix", "1")];
    let mut client = fleet(&files);
    let text = "{ config, lib, ... }: { networking.hostName = 1 + null; }\n";
    client.open("m.nix", text);
    assert_eq!(codes(&client.diagnostics("m.nix", 1)), ["type::mismatch"]);
    let hover = client.at("textDocument/hover", "m.nix", text, "host|Name", json!({}));
    assert!(hover["contents"]["value"].as_str().is_some_and(|told| told.contains("host name")));
    client.diagnostics_that("cairn.nix", |found| codes(found) == ["eval::throw"]);
    // No fleet at all.
    let mut client = fleet(&[("m.nix", "1")]);
    client.open("m.nix", text);
    assert_eq!(codes(&client.diagnostics("m.nix", 1)), ["type::mismatch"]);
    client.shut_down();
}

#[test]
fn the_last_options_that_could_be_evaluated_stay() {
    let mut client = fleet(FILES);
    client.open("web.nix", FILES[3].1);
    client.diagnostics("web.nix", 1);
    client.open("hosts/a.nix", HOST);
    client.diagnostics("hosts/a.nix", 1);
    // What declares an option is broken, and a host that uses it is written.
    client.change("web.nix", "{ config, lib, ... }: {\n  options.web.enable = \n}\n");
    client.diagnostics("web.nix", 2);
    let text = HOST.replace("  imports", "  web.enable = 3;\n  imports");
    client.change("hosts/a.nix", &text);
    let found = client.diagnostics("hosts/a.nix", 2);
    assert_eq!(codes(&found), ["type::mismatch"], "{found:#?}");
    // A new option is known once there is a pause.
    client.change(
        "web.nix",
        "{ config, lib, ... }: { options.site.enable = lib.mkEnableOption \"it\"; }\n",
    );
    client.change("hosts/a.nix", &HOST.replace("  imports", "  site.enable = 3;\n  imports"));
    client.diagnostics_that("hosts/a.nix", |found| {
        codes(found) == ["type::mismatch"] && found[0].to_string().contains("site.enable")
    });
    client.shut_down();
}

/// A fleet with an input beside it, and the lock that covers it.
fn with_input() -> Client {
    Client::start_with(INPUT, &json!({}), |folder| {
        let declared = FleetInputs::read(folder, Features::default()).expect("declared");
        let policy = Policy { add: true, ..Policy::default() };
        let cache = folder.join("../cache");
        let found = declared.resolve(&cache, &Default::default(), &policy, &|_| {});
        let mut lock = Lock::default();
        lock.inputs = found.expect("found").lock;
        lock.write(folder).expect("written");
    })
}

const FROM_INPUT: &str = "\
{
  inputs.common.url = \"path:../common\";
  outputs = { self, common }: { hosts.a = { imports = [ common.modules.web ./a.nix ]; }; };
}
";

const INPUT: &[(&str, &str)] = &[
    ("cairn.nix", FROM_INPUT),
    ("a.nix", "{\n  web.port = 80;\n}\n"),
    ("../common/cairn.nix", "{ outputs = { self }: { modules.web = ./web.nix; }; }\n"),
    (
        "../common/web.nix",
        "{ lib, ... }:\n{\n  options.web.port = lib.mkOption {\n    type = lib.types.port;\n    \
         description = \"The port.\";\n  };\n}\n",
    ),
];

#[test]
fn options_of_inputs_are_known() {
    let mut client = with_input();
    let text = "{\n  web.port = 80;\n}\n";
    client.open("a.nix", text);
    assert_eq!(client.diagnostics("a.nix", 1), [] as [Json; 0]);
    let hover = client.at("textDocument/hover", "a.nix", text, "web.po|rt", json!({}));
    let told = hover["contents"]["value"].as_str().unwrap_or_default();
    assert!(told.contains("port (0 to 65535)") && told.contains("The port."), "{hover}");
    let place = client.at("textDocument/definition", "a.nix", text, "web.po|rt", json!({}));
    let place = place.to_string();
    assert!(place.contains("/common/web.nix") && place.contains("\"line\":2"), "{place}");
    client.change("a.nix", "{\n  web.port = \"80\";\n}\n");
    assert_eq!(codes(&client.diagnostics("a.nix", 2)), ["type::mismatch"]);
    client.change("a.nix", "{\n  web.prt = 80;\n}\n");
    assert_eq!(codes(&client.diagnostics("a.nix", 3)), ["option::unknown"]);
    client.shut_down();
}

#[test]
fn an_input_that_cannot_be_had_is_told_where_it_is_named() {
    // Locked by nobody.
    let mut client = fleet(INPUT);
    client.open("cairn.nix", FROM_INPUT);
    let found = client.diagnostics_that("cairn.nix", |found| !found.is_empty());
    assert_eq!(codes(&found), ["input::not-locked"], "{found:#?}");
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 9 }), "{found:#?}");
    client.shut_down();
}
