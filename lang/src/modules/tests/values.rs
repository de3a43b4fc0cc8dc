//! Types: what they take, and how they merge.

use super::value;

/// Declares option `x` of a type and defines it once per further argument.
fn typed(ty: &str, definitions: &[&str]) -> String {
    let declare =
        format!("{{ lib, ... }}: with lib; {{ options.x = mkOption {{ type = {ty}; }}; }}");
    let defined: Vec<_> = definitions
        .iter()
        .map(|definition| format!("{{ lib, ... }}: with lib; {{ x = {definition}; }}"))
        .collect();
    let mut modules = vec![declare.as_str()];
    modules.extend(defined.iter().map(String::as_str));
    value(&modules)
}

#[test]
fn accepted() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("types.bool", &["true"], "{x: true}"),
        ("types.int", &["1", "1"], "{x: 1}"),
        ("types.ints.between 1 3", &["3"], "{x: 3}"),
        ("types.ints.u8", &["255"], "{x: 255}"),
        ("types.port", &["6443"], "{x: 6443}"),
        ("types.float", &["1.5"], "{x: 1.5}"),
        ("types.number", &["1"], "{x: 1}"),
        ("types.str", &["\"a\""], "{x: \"a\"}"),
        ("types.singleLineStr", &["\"a\\n\""], "{x: \"a\"}"),
        ("types.strMatching \"[a-z]+\"", &["\"abc\""], "{x: \"abc\"}"),
        ("types.lines", &["\"a\"", "\"b\""], "{x: \"b\\na\"}"),
        ("types.commas", &["\"a\"", "\"b\""], "{x: \"b,a\"}"),
        ("types.separatedString \":\"", &["\"a\"", "mkBefore \"b\""], "{x: \"b:a\"}"),
        ("types.path", &["\"/etc/x\""], "{x: \"/etc/x\"}"),
        ("types.enum [ \"a\" \"b\" ]", &["\"b\""], "{x: \"b\"}"),
        ("types.nullOr types.int", &["null"], "{x: null}"),
        ("types.nullOr types.int", &["2"], "{x: 2}"),
        ("types.listOf types.int", &["[ 1 2 ]", "[ 3 ]"], "{x: [3, 1, 2]}"),
        ("types.listOf types.int", &["[ 1 (mkIf false 2) ]"], "{x: [1]}"),
        ("types.attrsOf types.int", &["{ a = 1; }", "{ b = 2; }"], "{x: {a: 1, b: 2}}"),
        (
            "types.attrsOf types.int",
            &["{ a = mkIf false 1; b = mkForce 2; }", "{ b = 3; }"],
            "{x: {b: 2}}",
        ),
        (
            "types.attrsOf (types.listOf types.int)",
            &["{ a = [ 1 ]; }", "{ a = [ 2 ]; }"],
            "{x: {a: [2, 1]}}",
        ),
        ("types.either types.int types.str", &["\"a\""], "{x: \"a\"}"),
        ("types.oneOf [ types.int types.str types.bool ]", &["true"], "{x: true}"),
        ("types.coercedTo types.int toString types.str", &["5"], "{x: \"5\"}"),
        ("types.uniq types.int", &["5"], "{x: 5}"),
        ("types.anything", &["{ a.b = 1; }", "{ a.c = [ 2 ]; }"], "{x: {a: {b: 1, c: [2]}}}"),
        ("types.attrs", &["{ a = 1; }", "{ b = 2; }"], "{x: {a: 1, b: 2}}"),
        ("types.addCheck types.int (n: n > 3)", &["5"], "{x: 5}"),
        ("types.str // { check = s: s == \"a\"; }", &["\"a\""], "{x: \"a\"}"),
        ("types.secret", &["mkSecret \"a/b\""], "{x: {_type: \"secret\", name: \"a/b\"}}"),
        ("types.ip", &["\"::1\""], "{x: \"::1\"}"),
        ("types.cidr4", &["\"10.42.0.0/16\""], "{x: \"10.42.0.0/16\"}"),
        ("types.portRange", &["\"8000-8100\""], "{x: {from: 8000, to: 8100}}"),
        ("types.portRange", &["{ from = 1; to = 2; }"], "{x: {from: 1, to: 2}}"),
        ("types.fileMode", &["\"0644\""], "{x: \"0644\"}"),
        (
            "types.package",
            &["{ type = \"package\"; name = \"a\"; }"],
            "{x: {name: \"a\", type: \"package\"}}",
        ),
        ("types.mkOptionType { name = \"even\"; check = n: n == 2; }", &["2"], "{x: 2}"),
        (
            "types.submodule { options.a = mkOption { type = types.int; default = 1; }; }",
            &["{ }"],
            "{x: {a: 1}}",
        ),
        (
            "types.attrsOf (types.submodule ({ name, config, ... }: { options.a = mkOption { type = types.str; default = name; }; options.b = mkOption { default = config.a + \"!\"; }; }))",
            &["{ p = { }; q.a = \"z\"; }"],
            "{x: {p: {a: \"p\", b: \"p!\"}, q: {a: \"z\", b: \"z!\"}}}",
        ),
        (
            "types.submodule { freeformType = types.attrsOf types.int; options.a = mkOption { type = types.str; default = \"s\"; }; }",
            &["{ b = 1; c = mkIf false 2; }"],
            "{x: {a: \"s\", b: 1}}",
        ),
        (
            "types.listOf (types.submodule { options.a = mkOption { type = types.int; }; options.b = mkOption { default = 1; }; })",
            &["[ { a = 1; } ]", "[ { a = 2; b = 3; } ]"],
            "{x: [{a: 2, b: 3}, {a: 1, b: 1}]}",
        ),
        (
            "types.flags { scope = \"server\"; flags = [ { name = \"a\"; type = \"list\"; } { name = \"b\"; type = \"bool\"; } { name = \"n\"; type = \"int\"; short = \"m\"; } { name = \"c\"; type = \"list\"; format = \"cidr\"; comma = true; } ]; }",
            &["\"--a=x --a 'y z' --b -m 3 --c 10.42.0.0/16,2001:db8::/32\""],
            "{x: {a: [\"x\", \"y z\"], b: true, c: [\"10.42.0.0/16\", \"2001:db8::/32\"], n: 3}}",
        ),
    ];
    for (ty, definitions, expected) in cases {
        assert_eq!(&typed(ty, definitions), expected, "{ty} of {definitions:?}");
    }
}

#[test]
fn refused() {
    let cases: &[(&str, &[&str])] = &[
        ("types.bool", &["\"true\""]),
        ("types.port", &["70000"]),
        ("types.str", &["80"]),
        ("types.enum [ \"loose\" \"strict\" ]", &["\"lose\""]),
        ("types.listOf types.str", &["\"a\""]),
        ("types.listOf types.int", &["[ 1 \"two\" 3 ]"]),
        ("types.attrsOf types.int", &["{ a = 1; b = \"2\"; }"]),
        ("types.nullOr types.str", &["[ ]"]),
        ("types.nullOr types.cidr", &["\"10.42.0.1/16\""]),
        ("types.ip", &["mkForce \"192.168.1.256\""]),
        ("types.path", &["\"etc/x\""]),
        ("types.package", &["\"htop\""]),
        ("types.int", &["(x: x)"]),
        ("types.either types.int types.bool", &["\"a\""]),
        ("types.int", &["1", "2"]),
        ("types.nullOr types.int", &["null", "2"]),
        ("types.addCheck types.int (n: n > 3)", &["2"]),
        ("types.either types.ip types.port", &["\"10.0.0.300\""]),
        ("let json = types.oneOf [ types.bool (types.listOf json) ]; in json", &["[ [ true 1 ] ]"]),
        ("let endless = types.either endless types.int; in endless", &["1"]),
        ("types.listOf", &["[ ]"]),
        (
            "types.submodule { options.a = mkOption { type = types.int; }; }",
            &["{ a = \"x\"; bb = 1; }"],
        ),
    ];
    let mut out = String::new();
    for (ty, definitions) in cases {
        out.push_str(&format!("# {ty}\n{}", typed(ty, definitions)));
    }
    insta::assert_snapshot!(out, @r#"
    # types.bool
    type::mismatch at m1.nix:1:31 ‹"true"›: `x` takes a boolean, found the string "true"
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it without quotes: true
    # types.port
    type::mismatch at m1.nix:1:31 ‹70000›: `x` takes a port (0 to 65535), found the integer 70000
      m0.nix:1:35 ‹x›: the option is declared here
    # types.str
    type::mismatch at m1.nix:1:31 ‹80›: `x` takes a string, found the integer 80
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it as a string: "80"
    # types.enum [ "loose" "strict" ]
    type::mismatch at m1.nix:1:31 ‹"lose"›: `x` takes one of "loose", "strict", found the string "lose"
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `loose`?
    # types.listOf types.str
    type::mismatch at m1.nix:1:31 ‹"a"›: `x` takes a list of strings, found the string "a"
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it in brackets: [ "a" ]
    # types.listOf types.int
    type::mismatch at m1.nix:1:35 ‹"two"›: `x[1]` takes an integer, found the string "two"
      m0.nix:1:35 ‹x›: the option is declared here
    # types.attrsOf types.int
    type::mismatch at m1.nix:1:44 ‹"2"›: `x.b` takes an integer, found the string "2"
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it without quotes: 2
    # types.nullOr types.str
    type::mismatch at m1.nix:1:31 ‹[ ]›: `x` takes null or string, found an empty list
      m0.nix:1:35 ‹x›: the option is declared here
    # types.nullOr types.cidr
    type::mismatch at m1.nix:1:32 ‹10.42.0.1›: `x`: host bits are set: the last 16 bits of a /16 must be zero, here they are 0.0.0.1
      m0.nix:1:35 ‹x›: the option is declared here
      help: the network that holds this address is 10.42.0.0/16
    # types.ip
    type::mismatch at m1.nix:1:50 ‹256›: `x`: `256` is too large: each number of an IPv4 address is at most 255
      m0.nix:1:35 ‹x›: the option is declared here
    # types.path
    type::mismatch at m1.nix:1:31 ‹"etc/x"›: `x` takes an absolute path, found the string "etc/x"
      m0.nix:1:35 ‹x›: the option is declared here
      help: a file of the fleet is written without quotes, ./etc/x; a place on the host begins with a slash
    # types.package
    type::mismatch at m1.nix:1:31 ‹"htop"›: `x` takes a package, found the string "htop"
      m0.nix:1:35 ‹x›: the option is declared here
      help: write pkgs.htop, without quotes
    # types.int
    type::mismatch at m1.nix:1:31 ‹(x: x)›: `x` takes an integer, found a function
      m0.nix:1:35 ‹x›: the option is declared here
      help: an argument is missing: this is a function that still wants `x`
    # types.either types.int types.bool
    type::mismatch at m1.nix:1:31 ‹"a"›: `x` takes an integer or boolean, found the string "a"
      m0.nix:1:35 ‹x›: the option is declared here
    # types.int
    module::conflict at m1.nix:1:27 ‹x›: `x` has two values: the integer 2 and the integer 1
      m2.nix:1:27 ‹x›: and here, equally strong
      m0.nix:1:35 ‹x›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    # types.nullOr types.int
    module::conflict at m2.nix:1:27 ‹x›: `x` has two values: null and the integer 2
      m1.nix:1:27 ‹x›: and here, equally strong
      m0.nix:1:35 ‹x›: the option is declared here
      help: both are in the layer `host`: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`
    # types.addCheck types.int (n: n > 3)
    type::mismatch at m1.nix:1:31 ‹2›: `x` takes an integer of a certain kind, not the integer 2
      m0.nix:1:35 ‹x›: the option is declared here
      m0.nix:1:83 ‹n›: this check does not hold
    # types.either types.ip types.port
    type::mismatch at m1.nix:1:39 ‹300›: `x`: `300` is too large: each number of an IPv4 address is at most 255
      m0.nix:1:35 ‹x›: the option is declared here
    # let json = types.oneOf [ types.bool (types.listOf json) ]; in json
    type::mismatch at m1.nix:1:40 ‹1›: `x[0][1]` takes a boolean or list of (boolean or list of (… or …)), found the integer 1
      m0.nix:1:35 ‹x›: the option is declared here
    # let endless = types.either endless types.int; in endless
    type::endless at m0.nix:1:35 ‹x›: this type is nested in itself without end
      help: put a `listOf`, `attrsOf` or submodule between the type and itself
    # types.listOf
    type::not-a-type at m0.nix:1:57 ‹types.listOf›: an option's type is needed here, not a function
      help: this takes an argument, as in `types.listOf types.str`
    # types.submodule { options.a = mkOption { type = types.int; }; }
    type::mismatch at m1.nix:1:37 ‹"x"›: `x.a` takes an integer, found the string "x"
      m0.nix:1:83 ‹a›: the option is declared here
    option::unknown at m1.nix:1:42 ‹bb›: there is no option `x.bb`
      help: the options in `x` are a
    "#);
}

#[test]
fn flags() {
    let table = "types.flags { scope = \"agent\"; flags = [
        { name = \"node-ip\"; type = \"list\"; format = \"ip\"; comma = true; scope = \"both\"; }
        { name = \"flannel-backend\"; type = \"string\"; values = [ \"vxlan\" \"host-gw\" ]; scope = \"both\"; }
        { name = \"cluster-cidr\"; type = \"list\"; format = \"cidr\"; comma = true; scope = \"server\"; }
        { name = \"v\"; type = \"int\"; scope = \"both\"; }
        { name = \"debug\"; type = \"bool\"; scope = \"both\"; }
        { name = \"no-flannel\"; removed = true; use = \"flannel-backend=none\"; scope = \"server\"; }
    ]; }";
    let lines = [
        "\"--node-ip=10.0.0.1,10.0.0.300 --flanel-backend=vxlan --v=x\"",
        "\"--cluster-cidr 10.42.0.0/16 --no-flannel --debug=maybe\"",
        "[ \"--flannel-backend=vxlna\" \"node-ip=1\" \"--v\" ]",
        "''\n  --debug\n  --v 'a\n''",
    ];
    let mut out = String::new();
    for line in lines {
        out.push_str(&format!("# {line}\n{}", typed(table, &[line])));
    }
    insta::assert_snapshot!(out, @r#"
    # "--node-ip=10.0.0.1,10.0.0.300 --flanel-backend=vxlan --v=x"
    flags::value at m1.nix:1:58 ‹300›: `--node-ip`: `300` is too large: each number of an IPv4 address is at most 255
      m0.nix:1:35 ‹x›: the option is declared here
    flags::unknown at m1.nix:1:62 ‹--flanel-backend›: there is no flag `--flanel-backend`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--flannel-backend`?
    flags::value at m1.nix:1:89 ‹x›: `--v`: "x" is not an integer
      m0.nix:1:35 ‹x›: the option is declared here
    # "--cluster-cidr 10.42.0.0/16 --no-flannel --debug=maybe"
    flags::scope at m1.nix:1:32 ‹--cluster-cidr›: the flag `--cluster-cidr` is for the role `server`, and this is `agent`
      m0.nix:1:35 ‹x›: the option is declared here
      help: remove it here, or change the role
    flags::removed at m1.nix:1:60 ‹--no-flannel›: the flag `--no-flannel` has been removed
      m0.nix:1:35 ‹x›: the option is declared here
      help: use `flannel-backend=none` instead
    flags::value at m1.nix:1:81 ‹maybe›: `--debug`: "maybe" is not true or false
      m0.nix:1:35 ‹x›: the option is declared here
      help: write --debug or --debug=false
    # [ "--flannel-backend=vxlna" "node-ip=1" "--v" ]
    flags::value at m1.nix:1:52 ‹vxlna›: `--flannel-backend`: "vxlna" is not one of vxlan, host-gw
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `vxlan`?
    flags::not-a-flag at m1.nix:1:60 ‹node-ip›: `node-ip` is not a flag
      m0.nix:1:35 ‹x›: the option is declared here
      help: write --node-ip
    flags::value at m1.nix:1:72 ‹--v›: the flag `--v` needs a value
      m0.nix:1:35 ‹x›: the option is declared here
      help: write --v=…
    # ''
      --debug
      --v 'a
    ''
    type::mismatch at m1.nix:3:7 ‹'›: `x`: this `'` is never closed
      m0.nix:1:35 ‹x›: the option is declared here
    "#);
}

#[test]
fn places_in_strings_with_escapes() {
    let table =
        "types.flags { scope = \"both\"; flags = [ { name = \"label\"; type = \"list\"; } ]; }";
    let lines = [
        "\"--label \\\"a=b\\\" --label \\\"c\\\" --labell x\"",
        "\"--label é\\t--labell é --labell\"",
        "''\n    --label ''$HOME=1\n      --labell=''${x} ''\\n\n    --labell 'a b'\n  ''",
        "[ \"--label=\\\"a\\\"\" \"--labell=\\\"\" ]",
    ];
    let mut out = String::new();
    for line in lines {
        out.push_str(&format!("# {line}\n{}", typed(table, &[line])));
    }
    insta::assert_snapshot!(out, @r#"
    # "--label \"a=b\" --label \"c\" --labell x"
    flags::unknown at m1.nix:1:62 ‹--labell›: there is no flag `--labell`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--label`?
    # "--label é\t--labell é --labell"
    flags::unknown at m1.nix:1:43 ‹--labell›: there is no flag `--labell`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--label`?
    flags::unknown at m1.nix:1:54 ‹--labell›: there is no flag `--labell`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--label`?
    # ''
        --label ''$HOME=1
          --labell=''${x} ''\n
        --labell 'a b'
      ''
    flags::unknown at m1.nix:3:7 ‹--labell›: there is no flag `--labell`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--label`?
    flags::unknown at m1.nix:4:5 ‹--labell›: there is no flag `--labell`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `--label`?
    # [ "--label=\"a\"" "--labell=\"" ]
    type::mismatch at m1.nix:1:59 ‹\"›: `x`: this `"` is never closed
      m0.nix:1:35 ‹x›: the option is declared here
    "#);
}

#[test]
fn ranges_that_are_none() {
    let sets = [
        "{ from = 9; to = 1; }",
        "{ form = 1; to = 2; }",
        "{ to = 2; }",
        "{ from = 1; to = 70000; }",
    ];
    let mut out = String::new();
    for set in sets {
        out.push_str(&format!("# {set}\n{}", typed("types.portRange", &[set])));
    }
    out.push_str(&typed("types.either types.fileMode types.bool", &["0644"]));
    out.push_str(&typed("types.bool", &["\"no\""]));
    insta::assert_snapshot!(out, @r#"
    # { from = 9; to = 1; }
    type::mismatch at m1.nix:1:31 ‹{ from = 9; to = 1; }›: `x`: the range ends (1) before it starts (9)
      m0.nix:1:35 ‹x›: the option is declared here
    # { form = 1; to = 2; }
    type::mismatch at m1.nix:1:33 ‹form›: `x`: a range of ports has no `form`
      m0.nix:1:35 ‹x›: the option is declared here
      help: did you mean `from`?
    # { to = 2; }
    type::mismatch at m1.nix:1:31 ‹{ to = 2; }›: `x`: a range of ports needs `from`
      m0.nix:1:35 ‹x›: the option is declared here
    # { from = 1; to = 70000; }
    type::mismatch at m1.nix:1:48 ‹70000›: `x.to` takes a port (0 to 65535), found the integer 70000
      m0.nix:1:35 ‹x›: the option is declared here
    type::mismatch at m1.nix:1:31 ‹0644›: `x` takes a file mode or boolean, found the integer 644
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it as a string: "0644"
    type::mismatch at m1.nix:1:31 ‹"no"›: `x` takes a boolean, found the string "no"
      m0.nix:1:35 ‹x›: the option is declared here
      help: write it without quotes: false
    "#);
}
