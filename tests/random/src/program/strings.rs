//! Strings and paths.

use super::Generator;
use super::term::{PLUS, Term, atom, call, left, quoted};
use super::types::{Type, any_type, data_type};

/// What strings are made of: the text, and how it is written in `"…"`.
const LETTERS: &[&str] = &[
    "a", "b", "c", "x", "0", "1", "9", " ", "-", ".", "/", "_", "A", "Z", "$", "\n", "\t", "\"",
    "\\", "${", "''", "ab", "foo", "bar", "\r", "#", "=", "}",
];

impl Generator<'_> {
    pub(super) fn str(&mut self, depth: usize) -> Term {
        if depth == 0 {
            return self.literal();
        }
        match self.choices.below(26) {
            0 => self.literal(),
            1..=3 => self.interpolated(depth),
            4 | 5 => self.indented(depth),
            6 | 7 => {
                let (a, b) = (self.expr(&Type::Str, depth), self.expr(&Type::Str, depth));
                left(&a, "+", &b, PLUS)
            }
            8 | 9 => {
                let of = self.text_type();
                let value = self.expr(&of, depth);
                call(&self.builtin("toString"), &[value])
            }
            10 => {
                let list = self.expr(&Type::List(Box::new(Type::Str)), depth);
                let separator = self.expr(&Type::Str, 0);
                call(&self.builtin("concatStringsSep"), &[separator, list])
            }
            11 | 12 => {
                let text = self.expr(&Type::Str, depth);
                let start = self.choices.below(4).to_string();
                let length = self.choices.pick(&["0", "1", "2", "5", "100", "(-1)"]);
                call(&self.builtin("substring"), &[atom(start), atom(length), text])
            }
            13 | 14 => self.replaced(depth),
            15 => {
                let of = self.json_type();
                let value = self.expr(&of, depth);
                call(&self.builtin("toJSON"), &[value])
            }
            16 => {
                let of = any_type(self.choices, 2);
                let value = self.expr(&of, depth);
                call(&self.builtin("typeOf"), &[value])
            }
            17 => {
                let text = self.expr(&Type::Str, depth);
                let algorithm = self.choices.pick(&["sha256", "md5", "sha1", "sha512"]);
                call(&self.builtin("hashString"), &[atom(quoted(algorithm)), text])
            }
            18 => {
                let text = self.expr(&Type::Str, depth);
                call(&self.builtin("baseNameOf"), &[text])
            }
            19 => {
                let text = self.expr(&Type::Str, depth);
                call(&self.builtin("dirOf"), &[text])
            }
            20 => {
                let text = self.expr(&Type::Str, depth);
                let parsed = call(&self.builtin("parseDrvName"), &[text]);
                let field = self.choices.pick(&["name", "version"]);
                atom(format!("({}).{field}", parsed.text))
            }
            21 => self.captured(depth),
            22 => {
                // A set that says how it is written.
                let text = self.expr(&Type::Str, depth);
                match self.choices.below(3) {
                    0 => atom(format!("\"${{{{ outPath = {}; }}}}\"", text.text)),
                    1 => atom(format!("\"${{{{ __toString = _: {}; }}}}\"", text.text)),
                    _ => call("toString", &[atom(format!("{{ outPath = {}; }}", text.text))]),
                }
            }
            23 => {
                let list = self.expr(&Type::List(Box::new(Type::Str)), depth);
                call(&self.builtin("foldl'"), &[atom("(a: b: a + b)"), atom("\"\""), list])
            }
            24 => {
                let path = self.expr(&Type::Path, depth);
                let name = self.choices.pick(&["toString", "baseNameOf"]);
                call(&self.builtin(name), &[path])
            }
            _ => {
                let text = self.expr(&Type::Str, depth);
                call("(s: if s == \"\" then \"empty\" else s)", &[text])
            }
        }
    }

    fn plain(&mut self) -> String {
        (0..self.choices.below(5)).map(|_| self.choices.pick(LETTERS)).collect()
    }

    fn literal(&mut self) -> Term {
        let text = self.plain();
        if self.choices.chance(4) {
            return atom("(https://example.org/a?b=c&d=%20)");
        }
        atom(quoted(&text))
    }

    fn interpolated(&mut self, depth: usize) -> Term {
        let mut text = "\"".to_owned();
        for _ in 0..=self.choices.below(3) {
            let plain = quoted(&self.plain());
            text.push_str(plain.trim_matches('"').trim_end_matches('\\'));
            // A trimmed quote may have lost its backslash's other half.
            if plain.ends_with("\\\"\"") {
                text.push_str("\\\"");
            }
            let value = self.expr(&Type::Str, depth);
            text.push_str(&format!("${{{}}}", value.text));
        }
        text.push('"');
        atom(text)
    }

    /// `''…''` with lines, indentation and escapes.
    fn indented(&mut self, depth: usize) -> Term {
        let mut text = "''".to_owned();
        if self.choices.chance(60) {
            text.push('\n');
        }
        for _ in 0..self.choices.below(4) {
            text.push_str(&" ".repeat(self.choices.below(7)));
            for _ in 0..self.choices.below(4) {
                match self.choices.below(12) {
                    0..=4 => {
                        text.push_str(self.choices.pick(&["a", "foo", " ", "\"", "#", "{", "}"]))
                    }
                    5 => text.push_str("''${"),
                    6 => text.push_str("'''"),
                    7 => text.push_str("''\\n"),
                    8 => text.push_str("''\\t"),
                    9 => text.push('$'),
                    10 => text.push('\\'),
                    _ => {
                        let value = self.expr(&Type::Str, depth);
                        text.push_str(&format!("${{{}}}", value.text));
                    }
                }
                // `'` and `$` say something else before these.
                text.push_str(self.choices.pick(&["", " ", "x"]));
                if text.ends_with('$') || text.ends_with('\'') || text.ends_with("''\\") {
                    text.push('.');
                }
            }
            if self.choices.chance(85) {
                text.push('\n');
            }
        }
        text.push_str(&" ".repeat(self.choices.below(5)));
        text.push_str("''");
        atom(text)
    }

    fn replaced(&mut self, depth: usize) -> Term {
        let text = self.expr(&Type::Str, depth);
        let count = 1 + self.choices.below(2);
        let mut from = Vec::new();
        let mut to = Vec::new();
        // Replacements that are not used are computed by Nix 2.8, not by later ones.
        let fails = std::mem::take(&mut self.fails);
        for _ in 0..count {
            from.push(self.literal().text);
            to.push(self.expr(&Type::Str, depth.saturating_sub(1)).tight());
        }
        self.fails = fails;
        let list = |items: Vec<String>| atom(format!("[ {} ]", items.join(" ")));
        call(&self.builtin("replaceStrings"), &[list(from), list(to), text])
    }

    /// A part of a string that an expression found, or the whole.
    fn captured(&mut self, depth: usize) -> Term {
        let text = self.expr(&Type::Str, depth);
        let pattern = self.choices.pick(&[
            "([a-z]*)(.*)",
            "([^/]*)/?(.*)",
            "(.)(.*)",
            "([[:alpha:]]+)([[:space:]]*).*",
            "(a|b)(.*)",
            "([0-9]+)(.?).*",
        ]);
        let found = call(&self.builtin("match"), &[atom(quoted(pattern)), text.clone()]);
        let index = self.choices.below(2);
        let body = format!("(m: other: if m == null then other else builtins.elemAt m {index})");
        call(&body, &[found, text])
    }

    /// A regular expression without groups.
    pub(super) fn pattern_text(&mut self) -> &'static str {
        self.choices.pick(&[
            "a*",
            ".*",
            "[a-z]+",
            "[^a]*",
            "(a|b)+",
            "x?",
            "[[:digit:]]+",
            "a{2,3}",
            "\\$.*",
            ".+/.+",
            "[]a]+",
            "[a-]*",
            "",
            "a.c",
            "(foo|bar)?",
        ])
    }

    pub(super) fn version(&mut self, depth: usize) -> Term {
        if self.choices.chance(20) {
            return self.expr(&Type::Str, depth);
        }
        let versions =
            ["1", "1.2", "1.2.3", "2.0pre1", "1.10", "1.a", "", "2-rc", "0.0.1", "1..2", "pre"];
        atom(quoted(self.choices.pick(&versions)))
    }

    fn text_type(&mut self) -> Type {
        let of = any_type(self.choices, 1);
        if of.is_text() { of } else { Type::Int }
    }

    fn json_type(&mut self) -> Type {
        let of = data_type(self.choices, 2);
        if of.is_json() { of } else { Type::Int }
    }

    /// An absolute path, of which nothing is read.
    pub(super) fn path(&mut self, depth: usize) -> Term {
        if depth == 0 {
            let paths = ["/a", "/a/b", "/etc/hosts", "/a/./b", "/a/../b", "/x-1/y_2.z"];
            return atom(self.choices.pick(&paths));
        }
        match self.choices.below(4) {
            0 => self.path(0),
            1 => {
                let path = self.expr(&Type::Path, depth);
                let more = ["\"/c\"", "\"d\"", "\"/../e\"", "\"\"", "\"/./f/\""];
                left(&path, "+", &atom(self.choices.pick(&more)), PLUS)
            }
            2 => {
                let path = self.expr(&Type::Path, depth);
                call(&self.builtin("dirOf"), &[path])
            }
            _ => {
                let names = ["/a/${\"b\"}", "/a/b${\"c\" + \"d\"}", "/a/${toString 1}/b"];
                atom(self.choices.pick(&names))
            }
        }
    }
}
