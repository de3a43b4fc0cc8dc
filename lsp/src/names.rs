//! Names of one text: what binds them, what uses them, and what they can be renamed to.

use std::collections::BTreeMap;

use rnix::SyntaxKind;
use rnix::ast::{self, Entry, HasEntry};
use rowan::ast::AstNode;
use rowan::{NodeOrToken, WalkEvent};

type Node = rnix::SyntaxNode;
/// Bytes of the text.
pub(crate) type Bytes = (u32, u32);

/// What binds a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `let`.
    Let,
    /// `x:`, or the whole of a set, `args@{ … }:`.
    Parameter,
    /// A name of a set that a function takes: callers give it.
    Argument,
    /// An attribute of a `rec { … }`.
    Attribute,
}

/// A name that is bound.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Where it is written.
    pub(crate) places: Vec<Bytes>,
    scope: usize,
}

/// A name that stands for a value.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) name: String,
    pub(crate) place: Bytes,
    /// What it means; none for builtins and what a `with` brings.
    pub(crate) binding: Option<usize>,
    scope: usize,
    /// `inherit name;`, and the scope that this stands in.
    inherited: Option<usize>,
}

#[derive(Debug, Default)]
struct Scope {
    up: Option<usize>,
    names: BTreeMap<String, usize>,
}

/// An `inherit`, taken apart.
#[derive(Debug)]
struct Inherit {
    whole: Bytes,
    text: String,
    /// `(source)`
    from: Option<String>,
    names: Vec<(String, Bytes)>,
}

impl Inherit {
    /// One of its names as it is written.
    fn written(&self, (start, end): Bytes) -> &str {
        let range = (start - self.whole.0) as usize..(end - self.whole.0) as usize;
        self.text.get(range).unwrap_or_default()
    }
}

/// All names of a text.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) uses: Vec<Use>,
    scopes: Vec<Scope>,
    inherits: Vec<Inherit>,
    broken: bool,
}

impl Names {
    /// The names of a text; none of one that nests too deep.
    pub(crate) fn of(text: &str) -> Names {
        let read = cairn_lang::look_at_syntax(text, |parse| {
            let mut names = Names { broken: !parse.errors().is_empty(), ..Names::default() };
            names.scopes.push(Scope::default());
            names.walk(parse.tree().syntax());
            names
        });
        read.unwrap_or_default()
    }

    fn walk(&mut self, root: &Node) {
        // The scopes around, each with the node that opens it.
        let mut around: Vec<(usize, Option<Node>)> = vec![(0, None)];
        for event in root.preorder() {
            match event {
                WalkEvent::Enter(node) => {
                    let here = around.last().map_or(0, |(scope, _)| *scope);
                    if let Some(scope) = self.open(&node, here) {
                        around.push((scope, Some(node.clone())));
                    }
                    let outside = around.iter().rev().nth(1).map_or(0, |(scope, _)| *scope);
                    let here = around.last().map_or(0, |(scope, _)| *scope);
                    self.visit(&node, here, outside);
                }
                WalkEvent::Leave(node) => {
                    if around.last().is_some_and(|(_, opener)| opener.as_ref() == Some(&node)) {
                        around.pop();
                    }
                }
            }
        }
        self.resolve_all();
    }

    /// The scope that a node opens.
    fn open(&mut self, node: &Node, up: usize) -> Option<usize> {
        let scope = self.scopes.len();
        let mut names = Vec::new();
        match node.kind() {
            SyntaxKind::NODE_LET_IN => {
                names = entries(&ast::LetIn::cast(node.clone())?, Kind::Let);
            }
            SyntaxKind::NODE_LEGACY_LET => {
                names = entries(&ast::LegacyLet::cast(node.clone())?, Kind::Attribute);
            }
            SyntaxKind::NODE_ATTR_SET => {
                let set = ast::AttrSet::cast(node.clone())?;
                set.rec_token()?;
                names = entries(&set, Kind::Attribute);
            }
            SyntaxKind::NODE_LAMBDA => match ast::Lambda::cast(node.clone())?.param()? {
                ast::Param::IdentParam(param) => {
                    names.extend(param.ident().map(|ident| named(&ident, Kind::Parameter)));
                }
                ast::Param::Pattern(pattern) => {
                    let formals = pattern.pat_entries().filter_map(|entry| entry.ident());
                    names.extend(formals.map(|ident| named(&ident, Kind::Argument)));
                    let whole = pattern.pat_bind().and_then(|bind| bind.ident());
                    names.extend(whole.map(|ident| named(&ident, Kind::Parameter)));
                }
            },
            _ => return None,
        }
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (name, place, kind) in names {
            let binding = *known.entry(name.clone()).or_insert_with(|| {
                self.bindings.push(Binding { name, kind, places: Vec::new(), scope });
                self.bindings.len() - 1
            });
            if let Some(binding) = self.bindings.get_mut(binding) {
                binding.places.push(place);
            }
        }
        self.scopes.push(Scope { up: Some(up), names: known });
        Some(scope)
    }

    fn visit(&mut self, node: &Node, here: usize, outside: usize) {
        match node.kind() {
            SyntaxKind::NODE_IDENT if is_use(node) => {
                let (name, place) = (node.text().to_string(), bytes(node));
                self.uses.push(Use { name, place, binding: None, scope: here, inherited: None });
            }
            SyntaxKind::NODE_INHERIT => {
                let Some(inherit) = ast::Inherit::cast(node.clone()) else { return };
                let names: Vec<_> = inherit.attrs().filter_map(|attr| written(&attr)).collect();
                let from = inherit.from().map(|from| from.syntax().text().to_string());
                if from.is_none() {
                    let opens = node.parent().is_some_and(|parent| has_scope(&parent));
                    for (name, place) in &names {
                        self.uses.push(Use {
                            name: name.clone(),
                            place: *place,
                            binding: None,
                            scope: if opens { outside } else { here },
                            inherited: Some(here),
                        });
                    }
                }
                let (whole, text) = (bytes(node), node.text().to_string());
                self.inherits.push(Inherit { whole, text, from, names });
            }
            _ => {}
        }
    }

    fn resolve_all(&mut self) {
        for index in 0..self.uses.len() {
            let Some(one) = self.uses.get(index) else { continue };
            let binding = self.lookup(&one.name, one.scope, |_, name| name.to_owned());
            if let Some(one) = self.uses.get_mut(index) {
                one.binding = binding;
            }
        }
    }

    /// What a name means in a scope, where `called` says what each binding is called.
    fn lookup(
        &self,
        name: &str,
        scope: usize,
        called: impl Fn(usize, &str) -> String,
    ) -> Option<usize> {
        let mut here = Some(scope);
        while let Some(scope) = here.and_then(|here| self.scopes.get(here)) {
            let mut names = scope.names.iter();
            let found = names.find(|(known, binding)| called(**binding, known) == name);
            if let Some((_, binding)) = found {
                return Some(*binding);
            }
            here = scope.up;
        }
        None
    }

    /// The names that are bound where the name at this place stands, the innermost first.
    pub(crate) fn around(&self, at: u32) -> Vec<&Binding> {
        let mut found: Vec<&Binding> = Vec::new();
        let here = self.uses.iter().find(|one| holds(one.place, at));
        let mut scope = here.map(|one| one.scope);
        while let Some(here) = scope.and_then(|scope| self.scopes.get(scope)) {
            for binding in here.names.values().filter_map(|index| self.bindings.get(*index)) {
                // What is no name without quotes is for `inherit` alone.
                let is_plain = cairn_lang::is_identifier(&binding.name);
                if is_plain && !found.iter().any(|known| known.name == binding.name) {
                    found.push(binding);
                }
            }
            scope = here.up;
        }
        found
    }

    /// The binding of the name at a place, and the name's bytes.
    pub(crate) fn at(&self, at: u32) -> Option<(&Binding, Bytes)> {
        // `inherit x;` in a `let` is a name of that `let`, and one from outside: the own comes first.
        let own = self.bindings.iter().find_map(|binding| {
            let place = binding.places.iter().find(|place| holds(**place, at))?;
            Some((binding, *place))
        });
        own.or_else(|| {
            let one = self.uses.iter().find(|one| holds(one.place, at))?;
            Some((self.bindings.get(one.binding?)?, one.place))
        })
    }

    /// Every place that means this binding, in order.
    pub(crate) fn places(&self, binding: &Binding) -> Vec<Bytes> {
        let is_same = |index: usize| {
            self.bindings.get(index).is_some_and(|other| std::ptr::eq(other, binding))
        };
        let uses = self.uses.iter().filter(|one| one.binding.is_some_and(is_same));
        let mut places: Vec<_> = uses.map(|one| one.place).collect();
        places.extend(&binding.places);
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The changes that give the name at a place another one.
    ///
    /// # Errors
    /// Why that cannot be, or would change what the text means.
    pub(crate) fn rename(&self, at: u32, new: &str) -> Result<Vec<(Bytes, String)>, Refusal> {
        let (binding, _) = self.can_rename(at)?;
        if !is_name(new) {
            return Err(Refusal::new(format!("`{new}` is no name"), None));
        }
        let target = binding_index(&self.bindings, binding).ok_or_else(nothing_here)?;
        self.refuse_collisions(target, binding, new)?;
        let mut edits = Vec::new();
        let mut inherits: BTreeMap<Bytes, Vec<(Bytes, String)>> = BTreeMap::new();
        for place in self.places(binding) {
            let inherit = self
                .inherits
                .iter()
                .find(|inherit| inherit.names.iter().any(|(_, known)| *known == place));
            let Some(inherit) = inherit else {
                edits.push((place, new.to_owned()));
                continue;
            };
            let old = &binding.name;
            // A name that needs its quotes keeps them.
            let quoted = inherit.written(place);
            let is_own = binding.places.contains(&place);
            let entry = match (&inherit.from, is_own) {
                (Some(from), _) => format!("{new} = {from}.{quoted};"),
                (None, true) if !cairn_lang::is_identifier(old) => {
                    let message = format!("`{old}` is from outside, and `inherit` alone reads it");
                    return Err(Refusal::new(message, Some(place)));
                }
                (None, true) => format!("{new} = {old};"),
                (None, false) => format!("{quoted} = {new};"),
            };
            inherits.entry(inherit.whole).or_default().push((place, entry));
        }
        for (whole, renamed) in inherits {
            let inherit = self.inherits.iter().find(|inherit| inherit.whole == whole);
            let Some(inherit) = inherit else { continue };
            let entries: Vec<_> = renamed.iter().map(|(_, entry)| entry.clone()).collect();
            if renamed.len() == inherit.names.len() {
                edits.push((whole, entries.join(" ")));
                continue;
            }
            for ((start, end), _) in &renamed {
                // The blank before it goes too.
                let before = inherit.text.get(..(start - whole.0) as usize).unwrap_or_default();
                let blank = u32::from(before.ends_with([' ', '\n', '\t']));
                edits.push(((start - blank, *end), String::new()));
            }
            edits.push(((whole.1, whole.1), format!(" {}", entries.join(" "))));
        }
        edits.sort();
        Ok(edits)
    }

    /// The binding at a place, if its name is the text's own affair.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn can_rename(&self, at: u32) -> Result<(&Binding, Bytes), Refusal> {
        let (binding, place) = self.at(at).ok_or_else(nothing_here)?;
        if self.broken {
            let message = "the file has syntax errors: names cannot be told for sure";
            return Err(Refusal::new(message.to_owned(), None));
        }
        let name = &binding.name;
        let why = match binding.kind {
            Kind::Let | Kind::Parameter => return Ok((binding, place)),
            Kind::Argument => "is an argument that callers give by this name",
            Kind::Attribute => "is an attribute, which others may read by this name",
        };
        Err(Refusal::new(format!("`{name}` {why}"), binding.places.first().copied()))
    }

    /// Looks whether every name means the same after a renaming.
    fn refuse_collisions(
        &self,
        target: usize,
        binding: &Binding,
        new: &str,
    ) -> Result<(), Refusal> {
        let same = self.scopes.get(binding.scope).and_then(|scope| scope.names.get(new));
        if let Some(other) =
            same.and_then(|other| self.bindings.get(*other)).filter(|_| new != binding.name)
        {
            let message = format!("`{new}` is bound beside `{}` already", binding.name);
            return Err(Refusal::new(message, other.places.first().copied()));
        }
        let called = |index: usize, name: &str| match index == target {
            true => new.to_owned(),
            false => name.to_owned(),
        };
        for one in &self.uses {
            let is_target = one.binding == Some(target);
            let (name, scope) = match is_target {
                true => (new, one.inherited.unwrap_or(one.scope)),
                false => (one.name.as_str(), one.scope),
            };
            let after = self.lookup(name, scope, called);
            if after == one.binding {
                continue;
            }
            let message = match is_target {
                true => format!("another `{new}` is nearer where `{}` is used", binding.name),
                false => format!("`{new}` is used already, and would mean this one"),
            };
            return Err(Refusal::new(message, Some(one.place)));
        }
        Ok(())
    }
}

/// Why a name cannot be another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// The place that is in the way.
    pub(crate) place: Option<Bytes>,
}

impl Refusal {
    fn new(message: String, place: Option<Bytes>) -> Refusal {
        Refusal { message, place }
    }
}

fn nothing_here() -> Refusal {
    let message = "here is no name that a `let` or a function binds";
    Refusal::new(message.to_owned(), None)
}

fn binding_index(bindings: &[Binding], binding: &Binding) -> Option<usize> {
    bindings.iter().position(|other| std::ptr::eq(other, binding))
}

fn holds((start, end): Bytes, at: u32) -> bool {
    start <= at && at <= end
}

pub(crate) fn bytes(node: &Node) -> Bytes {
    let range = node.text_range();
    (range.start().into(), range.end().into())
}

fn named(ident: &ast::Ident, kind: Kind) -> (String, Bytes, Kind) {
    (ident.syntax().text().to_string(), bytes(ident.syntax()), kind)
}

/// The names that entries bind, each as often as it is written.
fn entries(of: &impl HasEntry, kind: Kind) -> Vec<(String, Bytes, Kind)> {
    let mut names = Vec::new();
    for entry in of.entries() {
        match entry {
            Entry::Inherit(inherit) => {
                names.extend(inherit.attrs().filter_map(|attr| written(&attr)));
            }
            Entry::AttrpathValue(entry) => {
                let first = entry.attrpath().and_then(|path| path.attrs().next());
                names.extend(first.and_then(|attr| written(&attr)));
            }
        }
    }
    names.into_iter().map(|(name, place)| (name, place, kind)).collect()
}

/// The name that an attribute has, in quotes or not, and where.
fn written(attr: &ast::Attr) -> Option<(String, Bytes)> {
    let name = cairn_lang::static_name(attr)?;
    Some((name.to_string(), bytes(attr.syntax())))
}

/// Whether a name stands for a value, and is neither bound here nor an attribute's.
fn is_use(ident: &Node) -> bool {
    let Some(parent) = ident.parent() else { return true };
    match parent.kind() {
        SyntaxKind::NODE_ATTRPATH
        | SyntaxKind::NODE_INHERIT
        | SyntaxKind::NODE_PAT_BIND
        | SyntaxKind::NODE_IDENT_PARAM => false,
        SyntaxKind::NODE_PAT_ENTRY => {
            let own = ast::PatEntry::cast(parent).and_then(|entry| entry.ident());
            own.is_none_or(|own| own.syntax() != ident)
        }
        _ => true,
    }
}

fn has_scope(node: &Node) -> bool {
    match node.kind() {
        SyntaxKind::NODE_LET_IN | SyntaxKind::NODE_LEGACY_LET => true,
        SyntaxKind::NODE_ATTR_SET => node
            .children_with_tokens()
            .any(|child| matches!(child, NodeOrToken::Token(token) if token.kind() == SyntaxKind::TOKEN_REC)),
        _ => false,
    }
}

/// Whether a text is a name that somebody may bind. Those with `__` may stand for operators.
fn is_name(text: &str) -> bool {
    let keywords = ["true", "false", "null", "or", "if", "then", "else", "assert", "with"];
    let others = ["let", "in", "rec", "inherit"];
    cairn_lang::is_identifier(text)
        && !text.starts_with("__")
        && !keywords.iter().chain(&others).any(|keyword| *keyword == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after a renaming of what is at `|`, or why it is refused.
    fn renamed(text: &str, new: &str) -> String {
        let at = text.find('|').expect("a mark") as u32;
        let mut text = text.replacen('|', "", 1);
        let names = Names::of(&text);
        match names.rename(at, new) {
            Ok(mut edits) => {
                edits.reverse();
                for ((start, end), new) in edits {
                    text.replace_range(start as usize..end as usize, &new);
                }
                text
            }
            Err(refusal) => format!("refused: {}", refusal.message),
        }
    }

    #[test]
    fn renames_what_is_the_texts_own() {
        let cases = [
            ("let |a = 1; in a + a", "b", "let b = 1; in b + b"),
            ("let a = 1; in { a = |a; }", "b", "let b = 1; in { a = b; }"),
            ("x: y: |x + (x: x) y", "z", "z: y: z + (x: x) y"),
            ("let a.x = 1; a.y = 2; in |a", "b", "let b.x = 1; b.y = 2; in b"),
            ("let a = 1; in let a = 2; in |a", "b", "let a = 1; in let b = 2; in b"),
            ("args@{ x, ... }: |args.x", "all", "all@{ x, ... }: all.x"),
            ("{ y ? x }: let |x = 1; in x", "z", "{ y ? x }: let z = 1; in z"),
            ("let |f = f; g = { f, h ? f }: f; in f", "k", "let k = k; g = { f, h ? f }: f; in k"),
            ("let a = 1; in \"${|a}\"", "b", "let b = 1; in \"${b}\""),
            ("let a = 1; in x.${|a}", "b", "let b = 1; in x.${b}"),
            ("let a = 1; in x.\"a\" + |a", "b", "let b = 1; in x.\"a\" + b"),
            ("let \"a\" = 1; in |a", "b", "let b = 1; in b"),
            ("let ${\"a\"} = 1; in |a", "b", "let b = 1; in b"),
            ("let a = 1; in let \"a\" = 2; in |a", "b", "let a = 1; in let b = 2; in b"),
            ("let |a = 1; in let \"a\" = 2; in a", "b", "let b = 1; in let \"a\" = 2; in a"),
            (
                "let |a = 1; in rec { ${\"a\"} = 2; c = a; }",
                "b",
                "let b = 1; in rec { ${\"a\"} = 2; c = a; }",
            ),
        ];
        for (text, new, expected) in cases {
            assert_eq!(renamed(text, new), expected, "{text}");
        }
    }

    #[test]
    fn inherit_keeps_the_names_of_attributes() {
        let cases = [
            ("let |a = 1; in { inherit a; }", "b", "let b = 1; in { a = b; }"),
            (
                "let |a = 1; c = 2; in { inherit a c; }",
                "b",
                "let b = 1; c = 2; in { inherit c; a = b; }",
            ),
            ("{ a }: let inherit |a; in a", "b", "{ a }: let b = a; in b"),
            ("s: let inherit (s) |x y; in x + y", "z", "s: let inherit (s) y; z = (s).x; in z + y"),
            (
                "let |s = { x = 1; }; in { inherit (s) x; }",
                "t",
                "let t = { x = 1; }; in { inherit (t) x; }",
            ),
            ("let |a = 1; in { inherit \"a\"; }", "b", "let b = 1; in { \"a\" = b; }"),
            ("let |\"a b\" = 1; in { inherit \"a b\"; }", "b", "let b = 1; in { \"a b\" = b; }"),
            ("{ a }: let inherit |\"a\"; in a", "b", "{ a }: let b = a; in b"),
            (
                "s: let inherit (s) |\"x y\"; in { inherit \"x y\"; }",
                "z",
                "s: let z = (s).\"x y\"; in { \"x y\" = z; }",
            ),
        ];
        for (text, new, expected) in cases {
            assert_eq!(renamed(text, new), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_would_mean_something_else() {
        let cases = [
            ("let |a = 1; b = 2; in a", "b", "`b` is bound beside `a` already"),
            ("let |a = 1; in b: a + b", "b", "another `b` is nearer where `a` is used"),
            ("b: let |a = 1; in a + b", "b", "`b` is used already, and would mean this one"),
            (
                "s: let |a = 1; in with s; a + b",
                "b",
                "`b` is used already, and would mean this one",
            ),
            ("let |a = 1; in map a", "map", "`map` is used already, and would mean this one"),
            (
                "let |a = 1; in rec { inherit a; b = 2; }",
                "b",
                "another `b` is nearer where `a` is used",
            ),
            ("let |a = 1; \"b\" = 2; in a", "b", "`b` is bound beside `a` already"),
            (
                "let |a = 1; in let ${\"b\"} = 2; in a",
                "b",
                "another `b` is nearer where `a` is used",
            ),
            (
                "let |a = 1; in s: let inherit (s) \"b\"; in a",
                "b",
                "another `b` is nearer where `a` is used",
            ),
            (
                "let \"a b\" = 1; in let inherit |\"a b\"; in 1",
                "b",
                "`a b` is from outside, and `inherit` alone reads it",
            ),
            ("{ |a }: a", "b", "`a` is an argument that callers give by this name"),
            (
                "rec { |a = 1; c = a; }",
                "b",
                "`a` is an attribute, which others may read by this name",
            ),
            ("let |a = 1; in a", "2b", "`2b` is no name"),
            ("let |a = 1; in a", "inherit", "`inherit` is no name"),
            ("let |a = 1; in a", "__sub", "`__sub` is no name"),
            ("let |a = 1; in (a", "b", "the file has syntax errors: names cannot be told for sure"),
            ("{ |a = 1; }", "b", "here is no name that a `let` or a function binds"),
        ];
        for (text, new, expected) in cases {
            assert_eq!(renamed(text, new), format!("refused: {expected}"), "{text}");
        }
    }
}
