//! `cairn lock`, `cairn inputs`, `cairn vendor`, and fleets that take modules from elsewhere.

use std::fs;
use std::path::Path;

use crate::common::{Output, cairn_in, commit, fleet, git};

/// A module with a typed option, in a repository of its own that has an input of its own.
const WEB: &str = "{ config, lib, base, ... }:
{
  options.web.port = lib.mkOption {
    type = lib.types.port;
    default = 80;
    description = \"The port.\";
  };
  config.environment.etc.port.text = \"${toString config.web.port} ${base}\\n\";
}
";

/// A folder with two repositories, `common` (which takes `base`) and `base`, and a fleet of one host.
fn place() -> tempfile::TempDir {
    let place = fleet(&[
        ("base/cairn.nix", "{ outputs = { self, ... }: { lib.word = \"first\"; }; }\n"),
        (
            "common/cairn.nix",
            "{\n  inputs.base.url = \"git+file:../base\";\n  outputs = { self, base, ... }: {\n    \
             modules.web = { lib, ... }: { imports = [ ./web.nix ]; _module.args.base = base.lib.word; };\n  };\n}\n",
        ),
        ("common/web.nix", WEB),
        ("fleet/cairn.nix", FLEET),
    ]);
    for name in ["base", "common"] {
        git(place.path(), name, &["init", "-q"]);
        commit(place.path(), name, "first");
    }
    place
}

const FLEET: &str = "{
  inputs.base.url = \"git+file:../base\";
  inputs.common.url = \"git+file:../common\";
  inputs.common.inputs.base.follows = \"base\";
  outputs = { self, common, ... }: {
    hosts.demo = { imports = [ common.modules.web ]; web.port = 8080; };
  };
}
";

fn run(place: &tempfile::TempDir, words: &[&str]) -> Output {
    cairn_in(&place.path().join("fleet"), words)
}

fn built(place: &tempfile::TempDir) -> String {
    built_with(place, &[])
}

fn built_with(place: &tempfile::TempDir, options: &[&str]) -> String {
    let output = run(place, &[&["build", "demo", "--format", "json"], options].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    let path = output.objects()[0]["path"].as_str().expect("a path").to_owned();
    fs::read_to_string(Path::new(&path).join("etc/port")).expect("read")
}

/// Revisions, sizes and ids, which another run has otherwise.
fn hide(text: &str) -> String {
    let hidden = |word: &str| {
        let is_rev = word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit());
        if is_rev { "<rev>".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(hidden).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_from_elsewhere_is_locked_built_updated_and_had_offline() {
    let place = place();
    let output = run(&place, &["build", "demo"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @r#"
    input::not-locked

      × cairn.lock does not have the input `base`
       ╭─[cairn.nix:2:10]
     1 │ {
     2 │   inputs.base.url = "git+file:../base";
       ·          ────
     3 │   inputs.common.url = "git+file:../common";
       ╰────
      help: take it in with `cairn lock`

    1 error in 1 file
    "#);
    let output = run(&place, &["lock"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(hide(&output.stdout), @r"
    + base  2026-01-02 <rev> git+file:../base
    + common  2026-01-02 <rev> git+file:../common
    + common/base  follows base
    ");
    assert_eq!(built(&place), "8080 first\n");
    let again = run(&place, &["lock"]);
    assert_eq!(again.stdout, "nothing to do: cairn.lock covers the fleet\n");
    assert_eq!(run(&place, &["lock", "--check"]).code, 0);

    // What moves there moves here when it is asked for, with what that changes.
    fs::write(
        place.path().join("base/cairn.nix"),
        "{ outputs = { self, ... }: { lib.word = \"second\"; }; }\n",
    )
    .expect("written");
    commit(place.path(), "base", "Another word");
    let web = WEB.replace("80;", "81;").replace(
        "  config.",
        "  options.web.host = lib.mkOption { type = lib.types.str; default = \"x\"; description = \"x\"; };\n  config.",
    );
    fs::write(place.path().join("common/web.nix"), web).expect("written");
    commit(place.path(), "common", "A host, and another port");
    assert_eq!(built(&place), "8080 first\n");
    let moved = run(&place, &["lock", "--update"]);
    assert_eq!((moved.code, moved.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(hide(&moved.stdout), @r"
    ~ base  2026-01-02 <rev> git+file:../base → 2026-01-02 <rev> git+file:../base
        <rev> Another word
    ~ common  2026-01-02 <rev> git+file:../common → 2026-01-02 <rev> git+file:../common
        <rev> A host, and another port
    + option web.host: string
    ~ option web.port: its default 80 → 81
    ~ host demo: <rev> → <rev>
    ");
    assert_eq!(built(&place), "8080 second\n");

    // The cache is enough; so are copies in the fleet, without one.
    for name in ["base", "common"] {
        fs::rename(place.path().join(name), place.path().join(format!("{name}.gone")))
            .expect("renamed");
    }
    assert_eq!(built(&place), "8080 second\n");
    let vendored = run(&place, &["vendor"]);
    assert_eq!(vendored.stdout, "✓ vendor/base\n✓ vendor/common\n");
    fs::remove_dir_all(place.path().join("fleet/.cache")).expect("removed");
    assert_eq!(built(&place), "8080 second\n");
    let checked = run(&place, &["check"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""));
}

#[test]
fn a_mistake_in_an_input_is_shown_where_it_is() {
    let place = place();
    let broken = WEB.replace("${toString config.web.port}", "${config.web.port}");
    fs::write(place.path().join("common/web.nix"), broken).expect("written");
    commit(place.path(), "common", "A mistake");
    // It is pinned all the same: how else would it be seen?
    assert_eq!(run(&place, &["lock"]).code, 1);
    assert!(place.path().join("fleet/cairn.lock").exists());
    let output = run(&place, &["check", "--format", "json"]);
    assert_eq!(output.code, 1);
    let errors = output.objects();
    let error = errors.iter().find(|error| error["file"] == "<common>/web.nix");
    let error = error.unwrap_or_else(|| panic!("{errors:#?}"));
    assert_eq!((&error["line"], &error["column"]), (&8.into(), &41.into()), "{error:#}");
}

#[test]
fn both_sides_at_once() {
    let place = place();
    assert_eq!(run(&place, &["lock"]).code, 0);
    let lock = fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read");
    fs::write(
        place.path().join("base/cairn.nix"),
        "{ outputs = { self, ... }: { lib.word = \"mine\"; }; }\n",
    )
    .expect("written");
    assert_eq!(built_with(&place, &["--override-input", "base", "../base"]), "8080 mine\n");
    assert_eq!(built(&place), "8080 first\n");
    assert_eq!(fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read"), lock);
}

#[test]
fn inputs_as_a_tree() {
    let place = place();
    assert_eq!(run(&place, &["lock"]).code, 0);
    let output = run(&place, &["inputs"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let shown = hide(&output.stdout);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("├── base  2026-01-02 <rev> git+file:../base"), "{shown}");
    assert_eq!(lines[2], "    └── base  follows base");
    // Without the line that has one follow the other, there are two; under another name, too.
    let fleet = place.path().join("fleet/cairn.nix");
    let common = place.path().join("common/cairn.nix");
    let text = fs::read_to_string(&common).expect("read").replace("git+file:", "path:");
    fs::write(common, text).expect("written");
    let of_folders = FLEET.replace("git+file:", "path:");
    for name in ["base", "ground"] {
        let apart = of_folders.replace("  inputs.common.inputs.base.follows = \"base\";\n", "");
        let apart = apart.replace("inputs.base", &format!("inputs.{name}"));
        fs::write(&fleet, apart).expect("written");
        assert_eq!(run(&place, &["lock"]).code, 0);
        let output = run(&place, &["inputs", "--format", "json"]);
        let objects = output.objects();
        let twice: Vec<_> = objects.iter().filter(|it| it["type"] == "duplicate").collect();
        let mut names = ["common/base", name];
        names.sort_unstable();
        assert_eq!(twice.len(), 1, "{objects:#?}");
        assert_eq!(twice[0]["inputs"], serde_json::json!(names));
        let said = run(&place, &["inputs"]).stdout;
        let line = format!("`inputs.common.inputs.base.follows = \"{name}\";` has them be one");
        assert!(said.contains(&line), "{said}");
    }
}

#[test]
fn the_old_lock_stays_when_something_is_wrong() {
    let place = place();
    assert_eq!(run(&place, &["lock"]).code, 0);
    let lock = fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read");
    fs::rename(place.path().join("base"), place.path().join("gone")).expect("renamed");
    let output = run(&place, &["lock", "--update", "base"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("input::unreachable"), "{}", output.stderr);
    assert!(output.stderr.contains("[cairn.nix:2:10]"), "{}", output.stderr);
    let output = run(&place, &["lock", "--update", "bas"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("did you mean `base`?"), "{}", output.stderr);
    assert_eq!(fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read"), lock);
    fs::write(place.path().join("fleet/cairn.lock"), "<<<<<<< ours\n").expect("written");
    let output = run(&place, &["build", "demo"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("cairn.lock is no lock"), "{}", output.stderr);
}

#[test]
fn hosts_and_options_that_come_and_go_with_an_input() {
    let place = fleet(&[
        (
            "common/cairn.nix",
            "{ outputs = { self }: { hosts.one = { }; hosts.two = { }; modules.x = ./x.nix; }; }\n",
        ),
        (
            "common/x.nix",
            "{ lib, ... }: { options.x = lib.mkOption { type = lib.types.int; default = 1; description = \"x\"; }; }\n",
        ),
        (
            "fleet/cairn.nix",
            "{ inputs.common.url = \"git+file:../common\"; outputs = { self, common }: { hosts = common.hosts // \
             { own.imports = [ common.modules.x ]; }; }; }\n",
        ),
    ]);
    git(place.path(), "common", &["init", "-q"]);
    commit(place.path(), "common", "first");
    assert_eq!(run(&place, &["lock"]).code, 0);
    fs::write(
        place.path().join("common/cairn.nix"),
        "{ outputs = { self }: { hosts.two = { }; hosts.three = { }; modules.x = ./x.nix; }; }\n",
    )
    .expect("written");
    fs::write(
        place.path().join("common/x.nix"),
        "{ lib, ... }: { options.y = lib.mkOption { type = lib.types.int; default = 1; description = \"y\"; }; }\n",
    )
    .expect("written");
    commit(place.path(), "common", "Another host, another option");
    let moved = run(&place, &["lock", "--update", "common", "--format", "json"]);
    assert_eq!((moved.code, moved.stderr.as_str()), (0, ""));
    let said: Vec<String> = moved
        .objects()
        .iter()
        .filter(|object| object["type"] == "host" || object["type"] == "option")
        .map(|object| {
            let there = |end: &str| if object[end].is_null() { "-" } else { "+" };
            let name = object.get("host").or(object.get("option")).expect("a name");
            format!("{} {}{}", name.as_str().expect("a text"), there("from"), there("to"))
        })
        .collect();
    assert_eq!(said, ["x +-", "y -+", "one +-", "three -+"]);
}

#[test]
fn bad_inputs_leave_the_lock_as_it_was() {
    let place = place();
    assert_eq!(run(&place, &["lock"]).code, 0);
    let lock = fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read");
    let write = |path: &str, text: &str| {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write("empty/README.md", "");
    write("silent/cairn.nix", "{ description = \"Nothing\"; }\n");
    write("broken/cairn.nix", "{ inputs.x.url = ; }\n");
    write(
        "loop/cairn.nix",
        "{ inputs.self2.url = \"path:../loop\"; outputs = { self, self2 }: { }; }\n",
    );
    let mut said = Vec::new();
    for (name, input) in [
        ("without outputs", "url = \"path:../empty\";"),
        ("that says nothing", "url = \"path:../silent\";"),
        ("with a mistake", "url = \"path:../broken\";"),
        ("of itself", "url = \"path:../loop\";"),
        ("that follows itself", "follows = \"new\";"),
        ("of no kind", "url = \"svn://host/x\";"),
        ("of nowhere", "url = \"path:../nowhere\";"),
    ] {
        write(
            "fleet/cairn.nix",
            &FLEET
                .replace("  outputs", &format!("  inputs.new = {{ {input} }};\n  outputs"))
                .replace("common, ...", "common, new, ..."),
        );
        let output = run(&place, &["lock"]);
        assert_eq!(output.code, 1, "{name}: {}", output.stdout);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        let code = output.stderr.lines().next().unwrap_or_default();
        said.push(format!("an input {name}: {code}"));
        let now = fs::read_to_string(place.path().join("fleet/cairn.lock")).expect("read");
        assert_eq!(now, lock, "{name}");
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    an input without outputs: input::no-outputs
    an input that says nothing: input::no-outputs
    an input with a mistake: syntax::error
    an input of itself: input::cycle
    an input that follows itself: input::cycle
    an input of no kind: input::bad-url
    an input of nowhere: input::unreachable
    ");
}

#[test]
fn a_folder_that_moved_is_compared_with_what_it_was() {
    let place = place();
    let fleet = place.path().join("fleet/cairn.nix");
    fs::write(&fleet, FLEET.replace("git+file:", "path:")).expect("written");
    let common = place.path().join("common/cairn.nix");
    let text = fs::read_to_string(&common).expect("read").replace("git+file:", "path:");
    fs::write(common, text).expect("written");
    assert_eq!(run(&place, &["lock"]).code, 0);
    let word = |word: &str| {
        let text = format!("{{ outputs = {{ self, ... }}: {{ lib.word = \"{word}\"; }}; }}\n");
        fs::write(place.path().join("base/cairn.nix"), text).expect("written");
    };
    word("second");
    let moved = run(&place, &["lock", "--update", "base"]);
    assert_eq!((moved.code, moved.stderr.as_str()), (0, ""));
    assert!(moved.stdout.contains("~ host demo: "), "{}", moved.stdout);
    assert_eq!(built(&place), "8080 second\n");
    // A copy that is not as it was is no answer.
    let copies = place.path().join("fleet/.cache/cairn/inputs");
    for copy in fs::read_dir(copies).expect("copies").flatten() {
        let file = copy.path().join("cairn.nix");
        let text = fs::read_to_string(&file).expect("read");
        fs::write(file, text.replace("second", "evil")).expect("written");
    }
    word("third");
    let moved = run(&place, &["lock", "--update", "base"]);
    assert_eq!(moved.code, 0);
    assert!(moved.stderr.contains("cannot be told"), "{}", moved.stderr);
    assert_eq!(built(&place), "8080 third\n");
}
