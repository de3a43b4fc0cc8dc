//! `cairn options`

use std::fs;
use std::path::Path;

use crate::common::{Output, cairn_in, fleet};

/// Runs `cairn options` where there is no fleet.
fn options(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let args: Vec<&str> = [&["options"], args].concat();
    cairn_in(folder.path(), &args)
}

/// A fleet whose host `a` has an option of its own, and `b` has not.
fn own() -> tempfile::TempDir {
    fleet(&[
        (
            "cairn.nix",
            "{ description = \"Two <hosts>.\"; outputs = { ... }: { hosts.a = ./a.nix; hosts.b = { }; }; }\n",
        ),
        (
            "a.nix",
            "{ lib, ... }:\n{\n  options.app.rules = lib.mkOption {\n    type = lib.types.attrsOf (lib.types.submodule {\n      \
             options.script = lib.mkOption {\n        type = lib.types.lines;\n        default = \"</script><b>&\";\n        \
             description = \"Runs `a < b` & *more*.\\n\\n- see {option}`app.rules`\\n- <script>alert(1)</script> [x](javascript:y)\";\n      };\n    });\n    \
             default = { };\n    description = \"Rules \\\"of\\\" the app.\";\n  };\n  options.app.hidden = lib.mkEnableOption \"it\" // { internal = true; };\n}\n",
        ),
    ])
}

#[test]
fn one_option_whole() {
    let output = options(&["users.users.alice.uid"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let place = output.stdout.lines().position(|line| line.contains("declared"));
    let lines: Vec<_> = output.stdout.lines().collect();
    assert!(lines[place.expect("a place")].contains("<cairn>/users.nix:"), "{}", output.stdout);
    let others = lines.iter().filter(|line| !line.contains("declared"));
    insta::assert_snapshot!(others.copied().collect::<Vec<_>>().join("\n"), @"
    users.users.<name>.uid
      type     null or unsigned integer
      default  null

      User id; if null, the host allocates one and keeps it.
    ");
}

#[test]
fn words_and_parts_of_names() {
    let output = options(&["firewall", "ping"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, "3 options\n"));
    insta::assert_snapshot!(output.stdout, @"
    networking.firewall.allowPing      Answer ICMPv4 echo requests.
    networking.firewall.pingLimit      Rate above which echo requests are not answered, in nft's syntax.
    networking.firewall.rejectPackets  Refuse packets with an answer, instead of dropping them.
    ");
    // A set of options is all that is in it.
    let output = options(&["services.openssh.listenAddresses"]);
    assert!(output.stdout.contains("with these inside"), "{}", output.stdout);
    assert!(output.stdout.contains("services.openssh.listenAddresses.*.port"), "{}", output.stdout);
    let output = options(&["time"]);
    assert!(output.stdout.starts_with("time.timeZone\n  type "), "{}", output.stdout);
}

#[test]
fn what_nothing_fits() {
    let output = options(&["fierwall"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"
    error: no option has `fierwall` in it
     help: did you mean `firewall`?
    ");
    let output = options(&["networking.firewal.enable", "--format", "json"]);
    assert_eq!(output.code, 1);
    assert_eq!(output.objects()[0]["hints"][0], "did you mean `networking.firewall.enable`?");
    assert_eq!(options(&["--html", "x", "y"]).code, 2);
    // A value has names that are no options.
    insta::assert_snapshot!(options(&["boot.kernel.sysctl.a.b"]).stderr, @"
    error: no option has `boot.kernel.sysctl.a.b` in it
     help: `boot.kernel.sysctl` is an option, and has none inside of it
    ");
    assert!(!options(&["x"]).stderr.contains("`*`"));
}

#[test]
fn internal_ones_only_by_their_path() {
    let folder = own();
    let output = cairn_in(folder.path(), &["options", "app.hidden"]);
    assert!(output.stdout.starts_with("app.hidden  (internal; on a)\n"), "{}", output.stdout);
    let output = cairn_in(folder.path(), &["options", "hidden"]);
    assert!(!output.stdout.contains("app.hidden"), "{}", output.stdout);
    let output = cairn_in(folder.path(), &["options", "app"]);
    assert!(output.stdout.contains("app.rules") && !output.stdout.contains("app.hidden"));
}

#[test]
fn for_programs() {
    let folder = own();
    let output = cairn_in(folder.path(), &["options", "app.rules.x.script", "--format", "json"]);
    insta::assert_json_snapshot!(output.objects(), @r#"
    [
      {
        "declared": [
          {
            "column": 15,
            "file": "a.nix",
            "line": 5
          }
        ],
        "default": {
          "_type": "literalExpression",
          "text": "\"</script><b>&\""
        },
        "description": "Runs `a < b` & *more*.\n\n- see {option}`app.rules`\n- <script>alert(1)</script> [x](javascript:y)",
        "example": null,
        "hosts": [
          "a"
        ],
        "internal": false,
        "loc": [
          "app",
          "rules",
          "<name>",
          "script"
        ],
        "option": "app.rules.<name>.script",
        "option_type": "string of lines",
        "read_only": false,
        "type": "option",
        "visible": true
      }
    ]
    "#);
    let all = cairn_in(folder.path(), &["options", "--format", "json"]).objects();
    assert!(all.len() > 500);
    assert!(all.iter().all(|object| object["visible"] == true && object["internal"] == false));
}

#[test]
fn a_page_has_every_option_and_escapes_everything() {
    let folder = own();
    let at = folder.path().join("out/reference");
    let page = at.join("index.html");
    let output = cairn_in(folder.path(), &["options", "--html", "out/reference"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let first = fs::read_to_string(&page).expect("a page");
    // A column of `1fr` is as wide as its longest line, which narrow screens have no room for.
    assert!(!first.contains("grid-template-columns: 1fr"));
    let html = Html::read(&first);
    let all = cairn_in(folder.path(), &["options", "--format", "json"]).objects();
    let options: Vec<&Element> = html.having("class", "option").collect();
    assert_eq!(options.len(), all.len());
    for (object, element) in all.iter().zip(options) {
        let text = |name: &str| object[name].as_str().unwrap_or_default();
        let anchor = text("option").replace(['<', '>', '*', '"'], "_");
        assert_eq!(element.attribute("id"), Some(format!("opt-{anchor}").as_str()));
        assert!(element.text.contains(text("option")), "{}", element.text);
        assert!(element.text.contains(text("option_type")), "{}", element.text);
        for shown in ["default", "example"] {
            let shown = object[shown]["text"].as_str().unwrap_or_default().replace('`', "");
            assert!(element.text.replace('`', "").contains(&shown), "{shown}: {}", element.text);
        }
        let declared = object["declared"][0]["file"].as_str().expect("a file");
        assert!(element.text.contains(declared), "{}", element.text);
    }
    // Nothing of an option is markup or a program, and nothing comes from elsewhere.
    assert_eq!(html.elements.iter().filter(|one| one.name == "script").count(), 1);
    assert!(html.elements.iter().all(|one| one.attribute("src").is_none()));
    let links = html.elements.iter().filter_map(|one| one.attribute("href"));
    assert!(links.clone().all(|href| href.starts_with('#')), "{:?}", links.collect::<Vec<_>>());
    let title = html.elements.iter().find(|one| one.name == "title").expect("a title");
    assert_eq!(title.text, "Options of Two <hosts>");
    let ours = html.having("id", "opt-app.rules._name_.script").next().expect("an option");
    insta::assert_snapshot!(ours.text.trim(), @r#"
    app.rules.<name>.script Runs a < b & more.

    Runs a < b & more.
    see app.rules<script>alert(1)</script> [x](javascript:y)

    Typestring of lines
    Default"</script><b>&"
    Noteon a
    Declareda.nix:5:15

    #
    "#);
    // The links to groups lead to options that are there.
    let ids: Vec<_> = html.elements.iter().filter_map(|one| one.attribute("id")).collect();
    let links = html.elements.iter().filter_map(|one| one.attribute("href"));
    assert!(links.into_iter().all(|href| ids.contains(&&href[1..])));

    // Written again in its place, and nothing else left behind.
    let output =
        cairn_in(folder.path(), &["options", "--html", "out/reference", "--format", "json"]);
    assert_eq!(output.objects()[0]["options"], all.len());
    assert_eq!(fs::read_to_string(&page).expect("a page"), first);
    assert_eq!(fs::read_dir(&at).expect("a folder").count(), 1);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = fleet(&[("file", "")]);
    let output = cairn_in(folder.path(), &["options", "--html", "file/x"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"
    error: file/x/index.html cannot be written: Not a directory (os error 20)
     help: give a folder that you may write to, or a name for a new one
    ");
}

#[test]
fn the_page_in_docs_is_what_the_modules_declare() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/options.md");
    let known = fs::read_to_string(docs).expect("docs/options.md");
    let now = options(&["--markdown"]).stdout;
    let differs = known.lines().zip(now.lines()).find(|(known, now)| known != now);
    assert!(
        known == now,
        "docs/options.md is not what the modules declare ({differs:?}): renew it with \
         `cargo run -p cairn -- options --markdown > docs/options.md`"
    );
}

/// A page as a browser takes it apart: enough of HTML for what `cairn` writes.
struct Html {
    elements: Vec<Element>,
}

#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    /// All the text in it.
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Html {
    fn read(text: &str) -> Html {
        const EMPTY: [&str; 5] = ["!doctype", "meta", "input", "wbr", "br"];
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            let words = unescaped(before);
            open.iter().for_each(|number| elements[*number].text.push_str(&words));
            let (tag, mut after) = after.split_once('>').expect("a tag ends");
            if let Some(name) = tag.strip_prefix('/') {
                let last = open.pop().expect("an element is open");
                assert_eq!(elements[last].name, name, "elements are nested");
            } else {
                let (name, mut attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
                let mut found = Vec::new();
                while let Some((name, value)) = attributes.trim().split_once("=\"") {
                    let (value, more) = value.split_once('"').expect("a value ends");
                    let name = name.trim().rsplit(' ').next().expect("a name");
                    found.push((name.to_owned(), unescaped(value)));
                    attributes = more;
                }
                elements.push(Element {
                    name: name.to_owned(),
                    attributes: found,
                    text: String::new(),
                });
                if ["script", "style"].contains(&name) {
                    let end = format!("</{name}>");
                    after = after.split_once(&end).expect("it ends").1;
                } else if !EMPTY.contains(&name) {
                    open.push(elements.len() - 1);
                }
            }
            rest = after;
        }
        assert!(open.is_empty(), "every element ends");
        Html { elements }
    }

    fn having(&self, name: &str, value: &str) -> impl Iterator<Item = &Element> {
        self.elements.iter().filter(move |one| one.attribute(name) == Some(value))
    }
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}
