//! Names that an expression may use.

use super::types::Type;

/// A helper that works for many types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    /// `x: x`
    Identity,
    /// `x: y: x`
    Constant,
    /// `f: x: f x`
    Apply,
    /// `f: g: x: f (g x)`
    Compose,
    /// `f: x: f (f x)`
    Twice,
    /// `f: a: b: f b a`
    Flip,
    /// `d: m: if m == null then d else m`
    Default,
    /// `s: s.a`
    Field,
    /// `x: [ x ]`
    Single,
    /// `x: y: [ x y ]`
    Pair,
}

pub(super) const HELPERS: &[(Helper, &str)] = &[
    (Helper::Identity, "x: x"),
    (Helper::Constant, "x: y: x"),
    (Helper::Apply, "f: x: f x"),
    (Helper::Compose, "f: g: x: f (g x)"),
    (Helper::Twice, "f: x: f (f x)"),
    (Helper::Flip, "f: a: b: f b a"),
    (Helper::Default, "d: m: if m == null then d else m"),
    (Helper::Field, "s: s.a"),
    (Helper::Single, "x: [ x ]"),
    (Helper::Pair, "x: y: [ x y ]"),
];

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// Nothing that may be used (yet); it hides others of its name.
    Hidden,
    /// A value.
    Value(Type),
    /// A set with at least these names.
    AtLeast(Vec<(String, Type)>),
    /// A helper.
    Helper(Helper),
}

#[derive(Clone, Debug)]
struct Binding {
    name: String,
    meaning: Meaning,
    /// From a `with`: any other binding comes first.
    weak: bool,
}

#[derive(Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
}

impl Scope {
    pub(super) fn mark(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets what was added since.
    pub(super) fn reset(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    pub(super) fn add(&mut self, name: &str, meaning: Meaning) {
        self.bindings.push(Binding { name: name.to_owned(), meaning, weak: false });
    }

    /// Adds what a `with` brings.
    pub(super) fn add_weak(&mut self, name: &str, meaning: Meaning) {
        self.bindings.push(Binding { name: name.to_owned(), meaning, weak: true });
    }

    /// Gives the last hidden binding of a name its meaning.
    pub(super) fn reveal(&mut self, name: &str, meaning: Meaning) {
        let mut last = self.bindings.iter_mut().rev();
        if let Some(binding) = last.find(|binding| binding.name == name && !binding.weak) {
            binding.meaning = meaning;
        }
    }

    fn resolves_to(&self, index: usize) -> bool {
        let name = &self.bindings[index].name;
        let same = || self.bindings.iter().enumerate().rev().filter(|(_, b)| b.name == *name);
        let strong = same().find(|(_, binding)| !binding.weak);
        strong.or_else(|| same().next()).is_some_and(|(found, _)| found == index)
    }

    /// The names that can be used, and what they mean.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&str, &Meaning)> {
        let indexed = self.bindings.iter().enumerate();
        let visible = indexed.filter(|(index, binding)| {
            !matches!(binding.meaning, Meaning::Hidden) && self.resolves_to(*index)
        });
        visible.map(|(_, binding)| (binding.name.as_str(), &binding.meaning))
    }

    /// The visible names that hold values of this type.
    pub(super) fn of_type(&self, of: &Type) -> Vec<String> {
        let fitting = self.visible().filter(|(_, meaning)| match meaning {
            Meaning::Value(known) => known == of,
            _ => false,
        });
        fitting.map(|(name, _)| name.to_owned()).collect()
    }

    /// The meaning of a name, where it can be used.
    pub(super) fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.visible().find(|(known, _)| *known == name).map(|(_, meaning)| meaning)
    }
}
