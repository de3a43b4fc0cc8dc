//! Texts that are nearly programs: bytes, soups of tokens, real programs with parts changed, and
//! programs that try to read what they may not.

use rnix::ast::Expr;
use rowan::ast::AstNode;

use crate::choices::Choices;

/// What a text was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Any bytes, those that are not UTF-8 replaced.
    Bytes,
    /// Tokens in any order.
    Soup,
    /// A real program with characters changed.
    Characters,
    /// A real program with tokens changed.
    Tokens,
    /// A real program with expressions put in the place of others.
    Expressions,
    /// Builtins called with anything.
    Calls,
    /// Ways to the world outside of the root.
    Escapes,
}

/// Real programs to make others of.
#[derive(Default)]
pub struct Corpus {
    texts: Vec<String>,
    expressions: Vec<String>,
    /// Names of builtins (without `builtins.`), for calls.
    builtins: Vec<String>,
}

/// Longer texts are no better and slower.
const LONGEST: usize = 8 << 10;
/// More expressions than this are forgotten by chance.
const EXPRESSIONS: usize = 50_000;

impl Corpus {
    /// Nothing yet, but the names of builtins.
    pub fn new(builtins: impl IntoIterator<Item = String>) -> Corpus {
        Corpus { builtins: builtins.into_iter().collect(), ..Corpus::default() }
    }

    /// Adds a program, and every expression in it.
    pub fn add(&mut self, text: &str) {
        if text.len() > LONGEST * 4 {
            return;
        }
        self.texts.push(text.to_owned());
        if self.expressions.len() < EXPRESSIONS {
            let ranges = expressions(text);
            let short = ranges.iter().map(|&(start, end)| &text[start..end]);
            self.expressions.extend(short.filter(|text| text.len() < 400).map(str::to_owned));
        }
    }

    /// How many programs there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// A text, and what it was made of.
    pub fn text(&self, choices: &mut Choices) -> (Kind, String) {
        let kind = choices.pick(&[
            Kind::Bytes,
            Kind::Soup,
            Kind::Characters,
            Kind::Tokens,
            Kind::Tokens,
            Kind::Expressions,
            Kind::Expressions,
            Kind::Expressions,
            Kind::Expressions,
            Kind::Calls,
            Kind::Calls,
            Kind::Escapes,
        ]);
        (kind, self.text_of(kind, choices))
    }

    /// A text of a kind.
    pub fn text_of(&self, kind: Kind, choices: &mut Choices) -> String {
        match kind {
            Kind::Bytes => bytes(choices),
            Kind::Soup => soup(choices),
            Kind::Characters => self.changed_characters(choices),
            Kind::Tokens => self.changed_tokens(choices),
            Kind::Expressions => self.changed_expressions(choices),
            Kind::Calls => self.calls(choices),
            Kind::Escapes => escapes(choices),
        }
    }

    fn program(&self, choices: &mut Choices) -> String {
        match self.texts.is_empty() {
            true => "1".to_owned(),
            false => choices.pick(&self.texts),
        }
    }

    fn expression(&self, choices: &mut Choices) -> String {
        match self.expressions.is_empty() || choices.chance(10) {
            true => choices.pick(ATOMS).to_owned(),
            false => choices.pick(&self.expressions),
        }
    }

    fn changed_characters(&self, choices: &mut Choices) -> String {
        let mut characters: Vec<char> = self.program(choices).chars().collect();
        for _ in 0..choices.pick(&[1, 1, 2, 4, 8]) {
            let at = choices.below(characters.len() + 1);
            match choices.below(4) {
                0 => drop(
                    characters
                        .splice(at..(at + 1 + choices.below(20)).min(characters.len()).max(at), []),
                ),
                1 => drop(characters.splice(at..at, choices.pick(PIECES).chars())),
                2 => {
                    if let Some(character) = characters.get_mut(at) {
                        *character = char::from(choices.below(128) as u8);
                    }
                }
                _ => {
                    let end = (at + choices.below(60)).min(characters.len());
                    let copy = characters[at..end].to_vec();
                    let to = choices.below(characters.len() + 1);
                    characters.splice(to..to, copy);
                }
            }
        }
        characters.into_iter().take(LONGEST).collect()
    }

    fn changed_tokens(&self, choices: &mut Choices) -> String {
        let program = self.program(choices);
        let mut tokens: Vec<String> =
            rnix::tokenize(&program).map(|(_, token)| token.to_owned()).collect();
        // One change often leaves a program.
        for _ in 0..choices.pick(&[1, 1, 1, 2, 3, 6]) {
            let at = choices.below(tokens.len());
            let other = choices.below(tokens.len());
            match choices.below(5) {
                0 if !tokens.is_empty() => drop(tokens.remove(at)),
                1 if !tokens.is_empty() => tokens.swap(at, other),
                2 if !tokens.is_empty() => tokens[at] = tokens[other].clone(),
                3 if !tokens.is_empty() => tokens[at] = choices.pick(PIECES).to_owned(),
                _ => tokens.insert(at, choices.pick(PIECES).to_owned()),
            }
        }
        tokens.concat()
    }

    fn changed_expressions(&self, choices: &mut Choices) -> String {
        let mut text = match choices.chance(50) {
            true => self.expression(choices),
            false => self.program(choices),
        };
        for _ in 0..=choices.below(4) {
            let places = expressions(&text);
            let Some(&(start, end)) = places.get(choices.below(places.len())) else { break };
            let new = match choices.below(4) {
                0 => choices.pick(ATOMS).to_owned(),
                1 => choices.pick(WRAPPERS).replace('@', &text[start..end]),
                _ => self.expression(choices),
            };
            text.replace_range(start..end, &format!("({new})"));
            if text.len() > LONGEST {
                break;
            }
        }
        // Parts of programs use names that are not theirs.
        match choices.chance(80) {
            true => format!("{NAMES} {text}"),
            false => text,
        }
    }

    fn calls(&self, choices: &mut Choices) -> String {
        let mut text = String::new();
        for _ in 0..=choices.below(2) {
            let name = match self.builtins.is_empty() {
                true => "map".to_owned(),
                false => choices.pick(&self.builtins),
            };
            let mut call = format!("builtins.{name}");
            for _ in 0..=choices.below(3) {
                let argument = match choices.below(3) {
                    0 => self.expression(choices),
                    _ => choices.pick(ATOMS).to_owned(),
                };
                call = format!("{call} ({argument})");
            }
            text = match text.is_empty() {
                true => call,
                false => format!("({text}) ({call})"),
            };
        }
        text
    }
}

/// Where the expressions of a program are, outermost first.
fn expressions(text: &str) -> Vec<(usize, usize)> {
    let root = rnix::Root::parse(text).tree();
    let nodes = root.syntax().descendants().filter_map(Expr::cast);
    let ranges = nodes.map(|node| node.syntax().text_range());
    ranges.map(|range| (range.start().into(), range.end().into())).collect()
}

fn bytes(choices: &mut Choices) -> String {
    let bytes: Vec<u8> = (0..choices.below(200)).map(|_| choices.below(256) as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn soup(choices: &mut Choices) -> String {
    let separator = choices.pick(&[" ", ""]);
    let pieces: Vec<&str> = (0..choices.below(60)).map(|_| choices.pick(PIECES)).collect();
    pieces.join(separator)
}

/// Ways to what is outside: every builtin that takes a path, every way to write a path.
fn escapes(choices: &mut Choices) -> String {
    let mut path = String::new();
    for _ in 0..=choices.below(5) {
        let step = choices.pick(STEPS);
        path.push_str(step);
    }
    let place = match choices.below(8) {
        0 => format!("./{path}"),
        1 => format!("(./. + \"/{path}\")"),
        2 => format!("\"${{toString ./.}}/{path}\""),
        3 => format!("(./a + \"{path}\")"),
        4 => format!("(/. + \"{path}\")"),
        5 => format!("\"/{path}\""),
        6 => format!("./${{\"{path}\"}}"),
        _ => format!("(builtins.dirOf ./. + \"/{path}\")"),
    };
    let place = place.replace("//", "/");
    match choices.below(12) {
        0 => format!("import {place}"),
        1 => format!("builtins.readFile {place}"),
        2 => format!("builtins.readDir {place}"),
        3 => format!("builtins.pathExists {place}"),
        4 => format!("builtins.scopedImport {{ x = 1; }} {place}"),
        5 => format!("\"${{{place}}}\""),
        6 => format!("builtins.hashFile \"sha256\" {place}"),
        7 => format!("builtins.readFileType {place}"),
        8 => format!("builtins.toJSON {place}"),
        9 => format!(
            "map (f: builtins.tryEval (f {place})) [ import builtins.readFile builtins.readDir builtins.pathExists ]"
        ),
        10 => format!("(import <cairn/{path}>)"),
        _ => format!(
            "builtins.mapAttrs (n: t: builtins.readFile ({place} + \"/${{n}}\")) (builtins.readDir {place})"
        ),
    }
}

const STEPS: &[&str] = &[
    "..",
    "/..",
    "/../",
    ".",
    "/",
    "a",
    "b",
    "link-file",
    "link-folder",
    "link-absolute",
    "link-chain",
    "link-loop",
    "link-inside",
    "link-parent",
    "link-device",
    "outside",
    "secret.nix",
    "secret.txt",
    "/outside/",
    "/secret.nix",
    "/secret.txt",
    "root",
    "/../outside/secret.nix",
    "/etc/passwd",
    "/proc/self/environ",
    "default.nix",
    "folder",
    "\\0",
    " ",
    "~",
    "%2e%2e/",
    "pipe",
];

/// Most of the names that parts of programs use.
const NAMES: &str = "with builtins // { lib = import <cairn/lib>; config = { }; options = { }; pkgs = { };
cfg = { enable = true; }; name = \"n\"; value = [ 1 ]; a = 1; b = \"b\"; c = [ 1 2 ]; d = { a = 1; }; f = x: x;
x = 2; y = \"y\"; n = 3; l = [ ]; s = \"s\"; k = \"k\"; v = { }; t = true; acc = { }; xs = [ 3 1 2 ]; };
with lib;";

/// An expression around another, which is `@`.
const WRAPPERS: &[&str] = &[
    "let x = @; in x",
    "rec { a = @; b = a; }",
    "x: @",
    "{ a ? @, ... }@args: a",
    "[ (@) (@) ]",
    "map (x: @) [ 1 2 ]",
    "builtins.deepSeq (@) (@)",
    "builtins.tryEval (@)",
    "with @; @",
    "(@).a or (@)",
    "\"${@}\"",
    "''\n  ${@}\n''",
    "(@) // (@)",
    "(@) ++ (@)",
    "(@) == (@)",
    "(@) < (@)",
    "if @ then @ else @",
    "assert @; @",
    "builtins.toJSON (@)",
    "toString (@)",
    "builtins.foldl' (a: b: @) (@) [ 1 2 3 ]",
    "builtins.genericClosure { startSet = [ { key = @; } ]; operator = x: [ { key = @; } ]; }",
    "let f = x: f (@); in f (@)",
    "{ __functor = self: x: @; } (@)",
    "{ outPath = @; }",
    "{ __toString = self: @; }",
    "{ ${@} = @; }",
    "{ inherit (@) a b; }",
    "builtins.sort (a: b: @) [ 3 1 2 ]",
    "builtins.listToAttrs [ { name = @; value = @; } ]",
    "(@) (@)",
    "(@) ? a.${@}",
    "!(@)",
    "-(@)",
    "import (@)",
    "(import <cairn/lib>).evalModules { modules = [ (@) ]; }",
    "let { body = @; }",
];

const ATOMS: &[&str] = &[
    "1",
    "0",
    "-1",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "1.5",
    "1.0e300",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"é\"",
    "\"a/b\"",
    "\"[a-z]+\"",
    "\"(\"",
    "\"1.2.3\"",
    "\"sha256\"",
    "\"{\\\"a\\\":[1,2.5,null]}\"",
    "\"a = 1\\n[b]\\nc = 2\"",
    "[ ]",
    "[ 1 2 3 ]",
    "[ \"a\" \"b\" ]",
    "[ [ 1 ] [ ] ]",
    "[ { name = \"a\"; value = 1; } ]",
    "{ }",
    "{ a = 1; b = \"x\"; }",
    "{ a.b.c = 1; }",
    "rec { a = b; b = a; }",
    "x: x",
    "a: b: a",
    "a: b: a < b",
    "{ a, b ? a }: b",
    "{ a, ... }@s: s",
    "{ __functor = s: x: x; }",
    "{ outPath = \"/x\"; }",
    "{ type = \"derivation\"; outPath = \"x\"; drvPath = \"y\"; }",
    "map",
    "builtins",
    "throw \"t\"",
    "abort \"a\"",
    "./a.nix",
    "./.",
    "/etc/passwd",
    "<cairn/lib>",
    "import <cairn/lib>",
    "let x = x; in x",
    "let x = [ x ]; in x",
    "let x = { a = x; }; in x",
    "let f = x: f x; in f 1",
    "builtins.genList (x: x) 100",
    "builtins.foldl' (s: _: s + s) \"x\" (builtins.genList (x: x) 30)",
    "builtins.foldl' (l: _: l ++ l) [ 1 ] (builtins.genList (x: x) 30)",
];

/// Pieces that put together are nearly programs.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "${",
    "\"",
    "''",
    "'''",
    "''${",
    "''\\",
    "let",
    "in",
    "rec",
    "with",
    "inherit",
    "if",
    "then",
    "else",
    "assert",
    "or",
    "?",
    "//",
    "++",
    "+",
    "-",
    "*",
    "/",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "->",
    "|>",
    "<|",
    "!",
    ";",
    ":",
    "@",
    ",",
    "...",
    ".",
    "=",
    "a",
    "b",
    "x",
    "a'",
    "_",
    "1",
    "2.5",
    ".5",
    "1.",
    "1e5",
    "1.e",
    "00",
    "null",
    "true",
    "builtins",
    "map",
    "toString",
    "./a.nix",
    "../x",
    "/etc/passwd",
    "<cairn/lib>",
    "<a",
    "~/x",
    "a/b",
    "./${",
    "$",
    "$$",
    "'",
    "\\",
    "\\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    "#",
    "/*",
    "*/",
    "/**",
    "import",
    "throw",
    "http://x.y",
    "x:y",
    "__functor",
    "__overrides",
    "body",
    "builtins.genList",
    "builtins.toJSON",
    "builtins.sort",
    "builtins.split",
    "9223372036854775807",
    "9223372036854775808",
    "é",
    "\u{feff}",
    "\u{0}",
    "x: x",
    "{ a = 1; }",
    "rec { a = b; b = a; }",
    "let x = x; in x",
    "f: f f",
    "(f: f f)",
    "{ }: ",
    "{ a }: ",
    "{ a, ... }: ",
    "a@{ b }: ",
    "{ b }@a: ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_gives_texts() {
        let mut corpus = Corpus::new(["map".to_owned()]);
        corpus.add("let a = [ 1 2 ]; in { b = map (x: x + 1) a; }");
        for kind in [
            Kind::Bytes,
            Kind::Soup,
            Kind::Characters,
            Kind::Tokens,
            Kind::Expressions,
            Kind::Calls,
            Kind::Escapes,
        ] {
            let texts =
                (0..100).map(|seed| corpus.text_of(kind, &mut Choices::from_seed(seed, 10_000)));
            let different: std::collections::BTreeSet<String> = texts.collect();
            assert!(different.len() > 20, "{kind:?}: {}", different.len());
        }
    }
}
