//! Limits end in a diagnostic, and nothing outside of the root is read. Whatever else comes: fuzz.rs.

use std::time::Duration;

use cairn_lang::{EvalOptions, Limits, MemoryFs, Mode, Root, Roots, VirtualPath, World, eval_expr};

fn world(mode: Mode) -> World {
    let files = MemoryFs::new([("a.nix", "1"), ("folder/default.nix", "2")]);
    let mut world = World::new(Roots::new().with(Root::Fleet, files), mode);
    world.limits = Limits { depth: 500, memory: 32 << 20, time: Some(Duration::from_millis(100)) };
    world
}

fn run(text: &str, mode: Mode) -> Result<String, Vec<String>> {
    run_in(&world(mode), text)
}

fn run_in(world: &World, text: &str) -> Result<String, Vec<String>> {
    let base = VirtualPath::new(Root::Fleet, "");
    let result = eval_expr(world, text, base.as_ref(), &EvalOptions::default());
    result.map_err(|errors| {
        for error in &errors {
            error.to_json(&world.sources);
        }
        errors.into_iter().map(|error| error.code).collect()
    })
}

/// The code of the error that a text ends in.
fn code(text: &str) -> String {
    let mut world = world(Mode::Build);
    // However slow the machine is, the other limits come first.
    world.limits.time = Some(Duration::from_secs(60));
    match run_in(&world, text) {
        Ok(value) => format!("gives {value}"),
        Err(codes) => codes.join(" "),
    }
}

#[test]
fn nothing_is_without_a_limit() {
    let limits = Limits::default();
    assert!(limits.time.is_some_and(|time| time <= Duration::from_secs(60)));
    assert!(limits.memory <= 2 << 30);
}

#[test]
fn limits_end_in_a_diagnostic() {
    let endless = run("builtins.foldl' (a: x: a) 0 (let f = x: f x; in f 1)", Mode::Eval);
    assert_eq!(endless, Err(vec!["eval::time".to_owned()]));
    assert_eq!(code("let f = x: 1 + f x; in f 1"), "eval::too-deep");
    assert_eq!(
        code("builtins.foldl' (l: _: l ++ l) [ 1 ] (builtins.genList (x: x) 60)"),
        "eval::memory"
    );
    assert_eq!(code("builtins.genList (x: x) 100000000000"), "eval::memory");
    assert_eq!(
        code("builtins.foldl' (s: _: s + s) \"x\" (builtins.genList (x: x) 60)"),
        "eval::memory"
    );
    assert_eq!(code("let x = { a = x; }; in builtins.toJSON x"), "eval::too-deep");
    assert_eq!(code("let x = [ x ]; y = [ y ]; in x == y"), "eval::too-deep");
    assert_eq!(code("let f = n: [ (f (n + 1)) ]; in f 0"), "eval::too-deep");
}

#[test]
fn deep_texts_do_not_overflow() {
    // The parser looks ahead over whole runs of these, so a longer text would only take long.
    let nested = [
        ("[", "", "]"),
        ("(", "1", ")"),
        ("{a=", "1", ";}"),
        ("-", "1", ""),
        ("!", "true", ""),
        ("x: ", "1", ""),
        ("a.", "a", ""),
        ("\"${", "1", "}\""),
        ("if true then ", "1", " else 2"),
    ];
    for (open, middle, close) in nested {
        let text = format!("{}{middle}{}", open.repeat(5_000), close.repeat(5_000));
        run(&text, Mode::Eval).expect_err(open);
    }
    for (link, end) in [("1 + ", "1"), ("[ ] ++ ", "[ ]"), ("map ", "map"), ("1 == 1 -> ", "true")]
    {
        let text = format!("{}{end}", link.repeat(30_000));
        run(&text, Mode::Eval).expect_err(link);
    }
    let chain = format!("1{}", " + 1".repeat(3000));
    assert_eq!(code(&chain), "eval::too-deep");
}

#[test]
fn nothing_outside_is_read() {
    assert_eq!(code("builtins.readFile /etc/passwd"), "file::outside");
    assert_eq!(code("builtins.readFile \"/etc/passwd\""), "file::outside");
    assert_eq!(code("import ../x.nix"), "file::outside");
    assert_eq!(code("builtins.readFile (./. + \"/../../etc/passwd\")"), "file::outside");
    assert_eq!(code("builtins.readFile ./${\"..\"}/x"), "file::outside");
    assert_eq!(code("builtins.pathExists /etc"), "file::outside");
    assert_eq!(code("builtins.readDir /."), "file::outside");
    assert_eq!(code("~/x"), "file::outside");
    assert_eq!(code("<nixpkgs>"), "name::search-path");
    assert_eq!(code("import ./a.nix"), "gives 1");
    assert_eq!(code("import ./folder"), "gives 2");
    assert_eq!(code("\"${./folder}\""), "file::not-a-file");
}
