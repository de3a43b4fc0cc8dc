//! `let`, and sets whose values see each other.

use super::Generator;
use super::scope::{HELPERS, Meaning};
use super::term::{Term, atom, attr, is_plain, open};
use super::types::{self, Type, any_type};

impl Generator<'_> {
    pub(super) fn let_in(&mut self, of: &Type, depth: usize) -> Term {
        if self.choices.chance(20) {
            return self.let_helper(of, depth);
        }
        let mark = self.scope.mark();
        let inherited = self.inherited();
        if let Some((name, meaning)) = inherited.clone() {
            self.scope.add(&name, meaning);
        }
        let inherited = inherited.map(|(name, _)| name);
        let mut names: Vec<String> = inherited.iter().cloned().collect();
        let count = 1 + self.choices.below(3);
        for _ in 0..count {
            let name = self.fresh(&names);
            names.push(name);
        }
        // What is inherited means what it meant; the rest is known once it is made.
        for name in names.iter().filter(|name| inherited.as_ref() != Some(name)) {
            self.scope.add(name, Meaning::Hidden);
        }
        let mut bindings: Vec<String> =
            inherited.iter().map(|name| format!("inherit {name};")).collect();
        for name in names.iter().skip(bindings.len()) {
            let span = self.choices.begin();
            let binding = self.binding(name, depth);
            self.choices.end(span);
            bindings.push(binding);
        }
        let body = self.expr(of, depth);
        self.scope.reset(mark);
        self.shuffle(&mut bindings);
        if self.choices.chance(3) {
            return atom(format!("let {{ {} body = {}; }}", bindings.join(" "), body.text));
        }
        open(format!("let {} in {}", bindings.join(" "), body.text))
    }

    /// A name of the scope around that may be inherited.
    fn inherited(&mut self) -> Option<(String, Meaning)> {
        if !self.choices.chance(15) {
            return None;
        }
        let known: Vec<(String, Meaning)> = self
            .scope
            .visible()
            .filter(|(_, meaning)| matches!(meaning, Meaning::Value(_)))
            .map(|(name, meaning)| (name.to_owned(), meaning.clone()))
            .collect();
        (!known.is_empty()).then(|| self.choices.pick(&known))
    }

    /// One binding; its name has a meaning afterwards, or never (what must not be looked at).
    fn binding(&mut self, name: &str, depth: usize) -> String {
        match self.choices.below(12) {
            11 => match self.choices.below(3) {
                0 => format!("{name} = throw \"trap\";"),
                1 => format!("{name} = {name};"),
                _ => format!("{name} = assert false; [ (abort \"trap\") ];"),
            },
            10 => {
                // A set written in pieces.
                let (one, two) = (any_type(self.choices, 1), any_type(self.choices, 1));
                let first = self.expr(&one, depth);
                let second = self.expr(&two, depth);
                let fields = vec![("a".to_owned(), one), ("b".to_owned(), two)];
                self.scope.reveal(name, Meaning::Value(Type::Record(fields)));
                format!("{name}.b = {}; {name}.a = {};", second.text, first.text)
            }
            9 => {
                let of = any_type(self.choices, 1);
                let fields = vec![(name.to_owned(), of.clone())];
                let set = self.expr(&Type::Record(fields), depth);
                self.scope.reveal(name, Meaning::Value(of));
                format!("inherit ({}) {name};", set.text)
            }
            8 => {
                let (helper, text) = self.choices.pick(HELPERS);
                self.scope.reveal(name, Meaning::Helper(helper));
                format!("{name} = {text};")
            }
            _ => {
                let of = any_type(self.choices, 2);
                let value = self.expr(&of, depth);
                self.scope.reveal(name, Meaning::Value(of));
                format!("{name} = {};", value.text)
            }
        }
    }

    /// A helper for the body to use at several types.
    pub(super) fn let_helper(&mut self, of: &Type, depth: usize) -> Term {
        let name = self.fresh(&[]);
        let (helper, text) = self.choices.pick(HELPERS);
        let mark = self.scope.mark();
        self.scope.add(&name, Meaning::Helper(helper));
        let body = self.expr(of, depth);
        self.scope.reset(mark);
        open(format!("let {name} = {text}; in {}", body.text))
    }

    /// A field of a set whose values see each other.
    pub(super) fn rec_select(&mut self, of: &Type, depth: usize) -> Term {
        let mut fields = types::fields(self.choices, 1);
        let name = self.fresh(&[]);
        fields.retain(|(known, _)| *known != name);
        fields.push((name.clone(), of.clone()));
        let set = self.rec(&fields, depth);
        atom(format!("({}).{}", set.text, attr(&name)))
    }

    /// `rec { … }` with these fields; each may speak of those before it in the list.
    pub(super) fn rec(&mut self, fields: &[(String, Type)], depth: usize) -> Term {
        let mark = self.scope.mark();
        let plain = || fields.iter().filter(|(name, _)| is_plain(name));
        for (name, _) in plain() {
            self.scope.add(name, Meaning::Hidden);
        }
        let mut bindings = Vec::new();
        for (name, of) in fields {
            let value = self.expr(of, depth);
            if is_plain(name) {
                self.scope.reveal(name, Meaning::Value(of.clone()));
            }
            bindings.push(format!("{} = {};", attr(name), value.text));
        }
        self.scope.reset(mark);
        self.shuffle(&mut bindings);
        atom(format!("rec {{ {} }}", bindings.join(" ")))
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = index - self.choices.below(index + 1);
            items.swap(index, other);
        }
    }
}
