//! `lib`: each line an expression and its value in Nix.

use super::value;

fn evaluate(expression: &str) -> String {
    let module = format!(
        "{{ lib, ... }}: with lib; {{ options.x = mkOption {{ default = {expression}; }}; }}"
    );
    value(&[&module])
}

#[test]
fn functions() {
    let cases = [
        ("concatMapStringsSep \",\" toString [ 1 2 ]", "\"1,2\""),
        ("optionals true [ 1 ] ++ optional false 2", "[1]"),
        ("mapAttrs' (n: v: nameValuePair (n + \"x\") v) { a = 1; }", "{ax: 1}"),
        ("mapAttrsToList (n: v: n) { b = 1; a = 2; }", "[\"a\", \"b\"]"),
        ("filterAttrs (n: v: v > 1) { a = 1; b = 2; }", "{b: 2}"),
        ("genAttrs [ \"a\" \"b\" ] (n: n)", "{a: \"a\", b: \"b\"}"),
        ("recursiveUpdate { a.b = 1; a.c = 2; } { a.b = 3; d = 4; }", "{a: {b: 3, c: 2}, d: 4}"),
        ("flatten [ 1 [ 2 [ 3 ] ] ]", "[1, 2, 3]"),
        ("unique [ 1 2 1 ]", "[1, 2]"),
        ("imap1 (i: v: i + v) [ 10 20 ]", "[11, 22]"),
        ("zipLists [ 1 2 ] [ 3 ]", "[{fst: 1, snd: 3}]"),
        ("hasPrefix \"ab\" \"abc\" && hasSuffix \"bc\" \"abc\" && hasInfix \"b\" \"abc\"", "true"),
        ("removePrefix \"ab\" \"abc\" + removeSuffix \"c\" \"abc\"", "\"cab\""),
        ("splitString \".\" \"a.b.c\"", "[\"a\", \"b\", \"c\"]"),
        ("escapeShellArgs [ \"a b\" \"c\" ]", "\"'a b' c\""),
        ("toInt \"42\" + 1", "43"),
        ("attrByPath [ \"a\" \"b\" ] 7 { a.b = 3; }", "3"),
        ("attrByPath [ \"a\" \"b\" ] 7 { a.c = 3; }", "7"),
        ("setAttrByPath [ \"a\" \"b\" ] 1", "{a: {b: 1}}"),
        ("sort (a: b: a < b) [ 3 1 2 ]", "[1, 2, 3]"),
        ("naturalSort [ \"a10\" \"a9\" ]", "[\"a9\", \"a10\"]"),
        ("range 1 3 ++ [ (last [ 1 2 ]) ] ++ init [ 5 6 ]", "[1, 2, 3, 2, 5]"),
        ("take 2 [ 1 2 3 ] ++ drop 2 [ 1 2 3 ]", "[1, 2, 3]"),
        ("findFirst (x: x > 1) 0 [ 1 2 3 ]", "2"),
        ("count (x: x > 1) [ 1 2 3 ]", "2"),
        ("(partition (x: x > 1) [ 1 2 3 ]).right", "[2, 3]"),
        (
            "groupBy (x: if x > 1 then \"big\" else \"small\") [ 1 2 3 ]",
            "{big: [2, 3], small: [1]}",
        ),
        ("zipAttrsWith (n: vs: vs) [ { a = 1; } { a = 2; } ]", "{a: [1, 2]}"),
        ("pipe 1 [ (x: x + 1) (x: x * 2) ]", "4"),
        ("fix (self: { a = 1; b = self.a; })", "{a: 1, b: 1}"),
        ("versionAtLeast \"1.31.4\" \"1.31\"", "true"),
        ("toUpper \"abc\" + toLower \"ABC\"", "\"ABCabc\""),
        ("trim \"  a b  \"", "\"a b\""),
        ("subtractLists [ 1 ] [ 1 2 ] ++ intersectLists [ 1 ] [ 1 2 ]", "[2, 1]"),
        ("foldr (a: b: a + b) \"\" [ \"a\" \"b\" ]", "\"ab\""),
        ("generators.toKeyValue { } { a = 1; b = true; }", "\"a=1\\nb=true\\n\""),
        ("cidr.contains \"10.42.1.1\" \"10.42.0.0/16\"", "true"),
        ("cidr.host 10 \"10.42.0.0/16\"", "\"10.42.0.10\""),
        ("cidr.host (-2) \"10.42.0.0/24\"", "\"10.42.0.254\""),
        ("cidr.subnet 8 3 \"10.42.0.0/16\"", "\"10.42.3.0/24\""),
        ("(cidr.parse \"2001:cafe:42::/56\").prefixLength", "56"),
        ("ip.family \"::1\"", "6"),
        (
            "(fetchPackage { name = \"k\"; url = \"https://e.org/k\"; hash = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"; }).outPath",
            "\"/var/lib/cairn/store/dbc89ab903528338c8dd068c65312f5a3cb48aa9419213efcc4e8128f09480f5-k\"",
        ),
        (
            "(fetchPackage { name = \"k\"; url = \"https://e.org/k\"; hash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; }).sha256",
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        ),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression), format!("{{x: {expected}}}"), "{expression}");
    }
}

/// Names that the standard modules or fleets may use: each must be there and evaluate.
#[test]
fn every_name_evaluates() {
    let all = evaluate("length (attrNames (mapAttrs (n: v: builtins.seq v n) lib)) > 250");
    assert_eq!(all, "{x: true}");
    let forced = evaluate(
        "builtins.deepSeq (mapAttrs (n: v: builtins.typeOf v) (removeAttrs lib [ \"types\" ])) true",
    );
    assert_eq!(forced, "{x: true}");
    let types = evaluate("builtins.deepSeq (mapAttrs (n: v: builtins.typeOf v) lib.types) true");
    assert_eq!(types, "{x: true}");
}
