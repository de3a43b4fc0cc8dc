//! Lists and sets.

use super::Generator;
use super::scope::Meaning;
use super::term::{CONCAT, Term, UPDATE, atom, attr, call, quoted, right};
use super::types::{self, NAMES, Type, any_type, data_type, fields};

impl Generator<'_> {
    pub(super) fn list(&mut self, item: &Type, depth: usize) -> Term {
        if depth == 0 {
            return self.items(item, 0);
        }
        let of = || Type::List(Box::new(item.clone()));
        let function =
            |from: &Type, to: &Type| Type::Function(Box::new(from.clone()), Box::new(to.clone()));
        match self.choices.below(24) {
            0..=5 => self.items(item, depth),
            6 | 7 => {
                let (a, b) = (self.expr(&of(), depth), self.expr(&of(), depth));
                right(&a, "++", &b, CONCAT)
            }
            8..=10 => {
                let from = any_type(self.choices, 1);
                let mapping = self.expr(&function(&from, item), depth);
                let list = self.expr(&Type::List(Box::new(from)), depth);
                call(&self.builtin("map"), &[mapping, list])
            }
            11 => {
                let test = self.expr(&function(item, &Type::Bool), depth);
                let list = self.expr(&of(), depth);
                call(&self.builtin("filter"), &[test, list])
            }
            12 => {
                let make = self.expr(&function(&Type::Int, item), depth);
                let count = self.choices.below(5).to_string();
                call(&self.builtin("genList"), &[make, atom(count)])
            }
            13 => {
                let lists = self.expr(&Type::List(Box::new(of())), depth);
                call(&self.builtin("concatLists"), &[lists])
            }
            14 => {
                let from = any_type(self.choices, 1);
                let mapping = self.expr(&function(&from, &of()), depth);
                let list = self.expr(&Type::List(Box::new(from)), depth);
                call(&self.builtin("concatMap"), &[mapping, list])
            }
            15 => {
                let map = self.expr(&Type::Map(Box::new(item.clone())), depth);
                call(&self.builtin("attrValues"), &[map])
            }
            16 => {
                let test = self.expr(&function(item, &Type::Bool), depth);
                let list = self.expr(&of(), depth);
                let parts = call(&self.builtin("partition"), &[test, list]);
                let part = self.choices.pick(&["right", "wrong"]);
                atom(format!("({}).{part}", parts.text))
            }
            17 => {
                let list = self.expr(&of(), depth);
                let other = self.expr(&of(), depth);
                call("(l: other: if l == [ ] then other else builtins.tail l)", &[list, other])
            }
            18 => {
                let list = self.expr(&of(), depth);
                call("(builtins.foldl' (a: b: [ b ] ++ a) [ ])", &[list])
            }
            19 => {
                let name = self.choices.pick(NAMES);
                let mut other = fields(self.choices, 1);
                other.retain(|(known, _)| known != name);
                let without = Type::Record(other.clone());
                other.push((name.to_owned(), item.clone()));
                other.sort_by(|a, b| a.0.cmp(&b.0));
                let with = self.expr(&Type::Record(other), depth);
                let without = self.expr(&without, depth);
                let list = atom(format!("[ {} {} ]", with.tight(), without.tight()));
                call(&self.builtin("catAttrs"), &[atom(quoted(name)), list])
            }
            20 => {
                let pattern = vec![("key".to_owned(), Type::Int), ("v".to_owned(), item.clone())];
                self.closure(pattern, depth)
            }
            _ => self.list_of(item, depth),
        }
    }

    /// Lists of particular types.
    fn list_of(&mut self, item: &Type, depth: usize) -> Term {
        let of = Type::List(Box::new(item.clone()));
        match item {
            _ if item.is_ordered() && self.choices.chance(40) => {
                let list = self.expr(&of, depth);
                let less = match self.choices.below(4) {
                    0 => "builtins.lessThan",
                    1 => "(a: b: a < b)",
                    2 => "(a: b: a > b)",
                    _ => "(a: b: false)",
                };
                call(&self.builtin("sort"), &[atom(less), list])
            }
            Type::Str => match self.choices.below(5) {
                0 => {
                    let fields = fields(self.choices, 1);
                    let set = self.expr(&Type::Record(fields), depth);
                    call(&self.builtin("attrNames"), &[set])
                }
                1 => {
                    let version = self.version(depth);
                    call(&self.builtin("splitVersion"), &[version])
                }
                2 => {
                    let text = self.expr(&Type::Str, depth);
                    let pattern =
                        self.choices.pick(&["/", "[ \n]+", "a", "(-)", "[.]", "(x|y)", "b+"]);
                    let split = call(&self.builtin("split"), &[atom(quoted(pattern)), text]);
                    call(&self.builtin("filter"), &[atom("builtins.isString"), split])
                }
                3 => {
                    let item = any_type(self.choices, 1);
                    let map = self.expr(&Type::Map(Box::new(item)), depth);
                    call(&self.builtin("attrNames"), &[map])
                }
                _ => {
                    let text = self.expr(&Type::Str, depth);
                    let split = call(&self.builtin("split"), &[atom("\"([a-z])\""), text]);
                    let lists = call(&self.builtin("filter"), &[atom("builtins.isList"), split]);
                    call(&self.builtin("concatLists"), &[lists])
                }
            },
            Type::Record(parts) => {
                let names = parts.iter().map(|(name, _)| name.as_str());
                if names.eq(["name", "value"]) && parts[0].1 == Type::Str {
                    let map = self.expr(&Type::Map(Box::new(parts[1].1.clone())), depth);
                    let names = "(m: map (name: { inherit name; value = m.${name}; }) (builtins.attrNames m))";
                    return call(names, &[map]);
                }
                let list = self.expr(&of, depth);
                match parts
                    .iter()
                    .find(|(name, of)| *of == Type::Int && types::NAMES.contains(&name.as_str()))
                {
                    Some((name, _)) => {
                        let less = format!("(a: b: a.{name} < b.{name})");
                        call(&self.builtin("sort"), &[atom(less), list])
                    }
                    None => list,
                }
            }
            _ => self.items(item, depth),
        }
    }

    fn items(&mut self, item: &Type, depth: usize) -> Term {
        let mut text = "[ ".to_owned();
        let count = self.choices.below(if depth == 0 { 3 } else { 5 });
        for _ in 0..count {
            text.push_str(&self.expr(item, depth.saturating_sub(1)).tight());
            text.push(' ');
        }
        atom(format!("{text}]"))
    }

    /// What `genericClosure` finds, one field of each.
    fn closure(&mut self, fields: Vec<(String, Type)>, depth: usize) -> Term {
        let set = Type::Record(fields.clone());
        let start = self.expr(&Type::List(Box::new(set)), depth);
        let mark = self.scope.mark();
        self.scope.add("item", Meaning::AtLeast(fields.clone()));
        let value = self.expr(&fields[1].1, depth.saturating_sub(1));
        self.scope.reset(mark);
        let next = self.choices.pick(&["item.key + 1", "item.key - 3", "item.key * 2", "0"]);
        let operator = format!(
            "item: if item.key > 20 || item.key < (-20) then [ ] else [ {{ key = {next}; v = {}; }} ]",
            value.text
        );
        let spec = atom(format!("{{ startSet = {}; operator = {operator}; }}", start.text));
        let found = call(&self.builtin("genericClosure"), &[spec]);
        call(&self.builtin("map"), &[atom("(i: i.v)"), found])
    }

    pub(super) fn record(&mut self, parts: &[(String, Type)], depth: usize) -> Term {
        if depth == 0 {
            return self.braces(parts, 0);
        }
        let of = |parts: &[(String, Type)]| Type::Record(parts.to_vec());
        match self.choices.below(12) {
            0..=3 => self.braces(parts, depth),
            4 | 5 => self.rec(parts, depth),
            6 | 7 => {
                // Some fields on the left, all others (and some again) on the right.
                let mut one = Vec::new();
                let mut two = Vec::new();
                for part in parts {
                    let side = self.choices.below(3);
                    if side != 1 {
                        one.push(part.clone());
                    }
                    if side != 0 {
                        two.push(part.clone());
                    }
                }
                if let (Some(last), true) = (two.last(), self.choices.chance(30)) {
                    // What is hidden may be of another type.
                    one.retain(|(name, _)| *name != last.0);
                    one.push((last.0.clone(), any_type(self.choices, 1)));
                    one.sort_by(|a, b| a.0.cmp(&b.0));
                }
                let (one, two) = (self.expr(&of(&one), depth), self.expr(&of(&two), depth));
                right(&one, "//", &two, UPDATE)
            }
            8 => {
                let mut more = fields(self.choices, 1);
                more.retain(|(name, _)| parts.iter().all(|(known, _)| known != name));
                let names: Vec<String> = more.iter().map(|(name, _)| quoted(name)).collect();
                more.extend_from_slice(parts);
                more.sort_by(|a, b| a.0.cmp(&b.0));
                let set = self.expr(&of(&more), depth);
                let names = atom(format!("[ {} \"missing\" ]", names.join(" ")));
                call(&self.builtin("removeAttrs"), &[set, names])
            }
            9 => {
                let mut more = fields(self.choices, 1);
                more.retain(|(name, _)| parts.iter().all(|(known, _)| known != name));
                more.extend_from_slice(parts);
                more.sort_by(|a, b| a.0.cmp(&b.0));
                let names: Vec<String> =
                    parts.iter().map(|(name, _)| format!("{} = null;", attr(name))).collect();
                let set = self.expr(&of(&more), depth);
                let wanted = atom(format!("{{ {} none = 1; }}", names.join(" ")));
                call(&self.builtin("intersectAttrs"), &[wanted, set])
            }
            _ => self.braces(parts, depth),
        }
    }

    /// `{ … }`, written in one of many ways.
    fn braces(&mut self, parts: &[(String, Type)], depth: usize) -> Term {
        let mut bindings = Vec::new();
        for (name, of) in parts {
            let known = self.scope.meaning(name);
            let same = matches!(known, Some(Meaning::Value(known)) if known == of);
            if same && self.choices.chance(60) {
                bindings.push(format!("inherit {name};"));
                continue;
            }
            if let (Type::Record(inner), true) = (of, self.choices.chance(25))
                && !inner.is_empty()
            {
                for (below, of) in inner {
                    let value = self.expr(of, depth.saturating_sub(1));
                    bindings.push(format!("{}.{} = {};", attr(name), attr(below), value.text));
                }
                continue;
            }
            let value = self.expr(of, depth.saturating_sub(1));
            let name = match self.choices.below(12) {
                11 => quoted(name),
                10 => format!("${{{}}}", quoted(name)),
                9 => format!("\"${{{}}}\"", quoted(name)),
                _ => attr(name),
            };
            bindings.push(format!("{name} = {};", value.text));
        }
        self.shuffle(&mut bindings);
        atom(format!("{{ {} }}", bindings.join(" ")))
    }

    pub(super) fn map(&mut self, item: &Type, depth: usize) -> Term {
        let of = || Type::Map(Box::new(item.clone()));
        let function =
            |from: &Type, to: &Type| Type::Function(Box::new(from.clone()), Box::new(to.clone()));
        match self.choices.below(if depth == 0 { 2 } else { 16 }) {
            0 => atom("{ }"),
            1..=3 => {
                let mut names: Vec<String> = Vec::new();
                for _ in 0..self.choices.below(3) {
                    let name = self.fresh(&names);
                    names.push(name);
                }
                let parts: Vec<(String, Type)> =
                    names.into_iter().map(|name| (name, item.clone())).collect();
                self.braces(&parts, depth)
            }
            4 | 5 => {
                let (a, b) = (self.expr(&of(), depth), self.expr(&of(), depth));
                right(&a, "//", &b, UPDATE)
            }
            6 => {
                let pairs =
                    vec![("name".to_owned(), Type::Str), ("value".to_owned(), item.clone())];
                let list = self.expr(&Type::List(Box::new(Type::Record(pairs))), depth);
                call(&self.builtin("listToAttrs"), &[list])
            }
            7 | 8 => {
                let from = any_type(self.choices, 1);
                let inner = function(&from, item);
                let mapping = self.expr(&function(&Type::Str, &inner), depth);
                let map = self.expr(&Type::Map(Box::new(from)), depth);
                call(&self.builtin("mapAttrs"), &[mapping, map])
            }
            9 => {
                let (set, names) =
                    (self.expr(&of(), depth), self.expr(&Type::List(Box::new(Type::Str)), depth));
                call(&self.builtin("removeAttrs"), &[set, names])
            }
            10 => {
                let (a, b) = (any_type(self.choices, 1), self.expr(&of(), depth));
                let a = self.expr(&Type::Map(Box::new(a)), depth);
                call(&self.builtin("intersectAttrs"), &[a, b])
            }
            11 => {
                // A name that may be null, and then is none.
                let name = self.expr(&Type::Maybe(Box::new(Type::Str)), depth);
                let value = self.expr(item, depth);
                atom(format!("{{ ${{{}}} = {}; }}", name.text, value.text))
            }
            12 => {
                let from = any_type(self.choices, 1);
                let list = Type::List(Box::new(from.clone()));
                let mapping = function(&Type::Str, &function(&list, item));
                let mapping = self.expr(&mapping, depth);
                let sets = self.expr(&Type::List(Box::new(Type::Map(Box::new(from)))), depth);
                call(&self.builtin("zipAttrsWith"), &[mapping, sets])
            }
            13 => match item {
                Type::List(inner) => {
                    let key = self.expr(&function(inner, &Type::Str), depth);
                    let list = self.expr(item, depth);
                    call(&self.builtin("groupBy"), &[key, list])
                }
                Type::Bool => {
                    let result = data_type(self.choices, 1);
                    let pattern = self.any_pattern(&result);
                    let function = self.expr(&Type::Pattern(Box::new(pattern)), depth);
                    call(&self.builtin("functionArgs"), &[function])
                }
                _ => self.braces(&[], 0),
            },
            14 => {
                let map = self.expr(&of(), depth);
                let test = self.expr(&function(item, &Type::Bool), depth);
                call(
                    "(t: m: removeAttrs m (builtins.filter (n: t m.${n}) (builtins.attrNames m)))",
                    &[test, map],
                )
            }
            _ => {
                let (name, value) = (self.expr(&Type::Str, depth), self.expr(item, depth));
                let map = self.expr(&of(), depth);
                let one = atom(format!("{{ ${{{}}} = {}; }}", name.text, value.text));
                right(&map, "//", &one, UPDATE)
            }
        }
    }
}
