//! What a checker that watched can tell of a place: names, types, options, as plain data.

use std::collections::BTreeMap;

use crate::fs::VirtualPath;
use crate::modules::{Level, Node, OptionDoc, option_doc};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, Value};

use super::Checker;
use super::display::quoted;
use super::schema::OptionShape;
use super::shape::Shape;
use super::ty::{Mode, SetTy, Ty};
use super::want::Want;
use super::watch::Seen;

/// What is known of the text at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The text.
    pub span: Span,
    /// Its type, as signatures write it.
    pub ty: Option<String>,
    /// The option that it names.
    pub option: Option<OptionDoc>,
    /// Where what it names is written: the declarations of an option, the name of an attribute.
    pub declared: Vec<Span>,
    /// The file that it is a path to.
    pub file: Option<VirtualPath>,
}

/// What a name that is being written may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name, or the value, as it is written.
    pub name: String,
    /// What it is.
    pub kind: CandidateKind,
    /// Its type.
    pub detail: String,
    /// What it is for.
    pub documentation: Option<String>,
}

/// What may stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// An option.
    Option,
    /// A set of options.
    Options,
    /// A function.
    Function,
    /// Another attribute.
    Attribute,
    /// One of the values that an option takes.
    Value,
}

/// How a text mentions an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It declares it.
    Declaration,
    /// It defines it.
    Definition,
    /// It reads it.
    Read,
}

/// A place that mentions an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The option's name there.
    pub span: Span,
    /// Where the option is declared, which tells it from others; nowhere, if no text names it.
    pub declared: Span,
    /// The option's path, as [`OptionDoc`] has it.
    pub path: String,
    /// How it is mentioned.
    pub how: Use,
}

impl<'a> Checker<'_, 'a> {
    /// What is at the place that was watched.
    pub fn sight(&self) -> Option<Sight> {
        let mut seen = self.seen();
        seen.retain(|(_, seen)| !matches!(seen, Seen::Wanted(_) | Seen::With(_)));
        seen = narrowest(seen);
        // In `inherit (s) x` the name stands for `s` too: what is asked for is the attribute, and
        // where that is written.
        if seen.iter().any(|(_, seen)| matches!(seen, Seen::Name(..))) {
            seen.retain(|(_, seen)| !matches!(seen, Seen::Expr(_) | Seen::Bound(_)));
        }
        // Of one text, what is known best.
        let sights = seen.into_iter().map(|(span, seen)| self.sight_of(span, seen));
        sights.min_by_key(|sight| {
            let vague = sight.ty.as_deref().is_none_or(|ty| ty == "anything");
            (sight.option.is_none(), vague)
        })
    }

    fn sight_of(&self, span: Span, seen: Seen<'a>) -> Sight {
        let mut sight = Sight { span, ty: None, option: None, declared: Vec::new(), file: None };
        match seen {
            Seen::Bound(ty) => sight.ty = Some(self.shown(ty)),
            Seen::Expr(ty) => {
                sight.ty = Some(self.shown(ty));
                if let Ty::Path(Some(path)) = self.resolve(ty) {
                    sight.file = self.eval.world.module_path(path).ok();
                }
            }
            Seen::Entry(level, _, name) | Seen::Declaration(level, name) => {
                self.see_option(&mut sight, level, name);
            }
            Seen::Name(of, name) => self.see_attribute(&mut sight, of, name),
            Seen::Argument(_) | Seen::Part(_) | Seen::With(_) | Seen::Wanted(_) => {}
        }
        sight
    }

    fn see_option(&self, sight: &mut Sight, level: &'a Level<'a>, name: Symbol) {
        let Some(child) = level.child(name) else { return };
        match child.node(self.eval) {
            Ok(Node::Option(option)) => {
                sight.option = option_doc(self.eval, option).ok();
                sight.declared = option.declared();
            }
            Ok(Node::Level(level)) => {
                sight.ty = Some(format!("options of {}", level.path));
                sight.declared.push(child.span());
            }
            Err(_) => {}
        }
    }

    fn see_attribute(&self, sight: &mut Sight, of: Ty<'a>, name: Symbol) {
        let of = self.resolve(of);
        for member in of.members() {
            match member {
                Ty::Set(SetTy::Config { level, .. } | SetTy::Options(level)) => {
                    self.see_option(sight, level, name);
                }
                Ty::Set(SetTy::Record(record)) => {
                    let field = record.get(name);
                    sight.declared.extend(field.map(|field| field.key));
                }
                Ty::Set(SetTy::Known { attrs, .. }) => {
                    sight.declared.extend(attrs.get(name).map(|attr| attr.span));
                }
                _ => {}
            }
        }
        sight.declared.retain(|span| !span.is_none());
        if sight.option.is_none() && sight.ty.is_none() {
            use super::lookup::Look;
            sight.ty = match self.in_mode(Mode::Silent, || self.look_in(of, name)) {
                Look::Has(ty) | Look::Maybe(ty) => Some(self.shown(ty)),
                Look::No => None,
            };
        }
    }

    /// What the name at the place that was watched may become, in the order of the alphabet.
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut here = narrowest(self.seen());
        // A name that is an expression too is inherited: it is one of those that can be had, whatever
        // may be defined.
        if here.iter().any(|(_, seen)| matches!(seen, Seen::Expr(_) | Seen::Name(..))) {
            here.retain(|(_, seen)| {
                let is_given = matches!(seen, Seen::Argument(_) | Seen::Part(_));
                !is_given && !matches!(seen, Seen::Entry(..) | Seen::Declaration(..))
            });
        }
        let mut found = BTreeMap::new();
        let mut add = |candidate: Candidate| {
            found.entry(candidate.name.clone()).or_insert(candidate);
        };
        here.into_iter().for_each(|(_, seen)| self.candidates_of(seen, &mut add));
        found.into_values().collect()
    }

    fn candidates_of(&self, seen: Seen<'a>, add: &mut impl FnMut(Candidate)) {
        match seen {
            Seen::Entry(level, place, _) => {
                self.options_in(level, add);
                if place.path.steps().is_empty() {
                    self.module_keys(add);
                }
            }
            Seen::Declaration(level, _) => self.options_in(level, add),
            Seen::Name(of, _) => self.names_in(of, add),
            Seen::With(sets) => sets.iter().for_each(|set| self.names_in(*set, add)),
            Seen::Argument(fields) => {
                for (name, optional, _) in fields {
                    let detail = if *optional { "optional" } else { "needed" };
                    add(attribute(name, CandidateKind::Attribute, detail.to_owned()));
                }
            }
            Seen::Part(Shape::Fields(fields)) => {
                for (name, _) in fields {
                    add(attribute(name, CandidateKind::Attribute, String::new()));
                }
            }
            Seen::Wanted(Want::Option(ty, _)) => {
                for value in self.values_of(ty) {
                    add(attribute(&value, CandidateKind::Value, String::new()));
                }
            }
            Seen::Part(_) | Seen::Wanted(_) | Seen::Expr(_) | Seen::Bound(_) => {}
        }
    }

    fn options_in(&self, level: &'a Level<'a>, add: &mut impl FnMut(Candidate)) {
        for child in level.children() {
            if child.name.as_str().starts_with('_') || !child.is_listed(self.eval) {
                continue;
            }
            let name = quoted(child.name.as_str());
            match child.node(self.eval) {
                Ok(Node::Level(_)) => add(Candidate {
                    name,
                    kind: CandidateKind::Options,
                    detail: "options".to_owned(),
                    documentation: None,
                }),
                Ok(Node::Option(option)) => {
                    let Ok(info) = option_doc(self.eval, option) else { continue };
                    add(Candidate {
                        name,
                        kind: CandidateKind::Option,
                        detail: info.type_description,
                        documentation: info.description,
                    });
                }
                Err(_) => {}
            }
        }
    }

    /// What a module may hold besides definitions.
    fn module_keys(&self, add: &mut impl FnMut(Candidate)) {
        let keys = [
            ("imports", "other modules"),
            ("options", "declarations of options"),
            ("config", "definitions of options"),
        ];
        for (name, detail) in keys {
            add(attribute(name, CandidateKind::Attribute, detail.to_owned()));
        }
    }

    fn names_in(&self, of: Ty<'a>, add: &mut impl FnMut(Candidate)) {
        for member in self.resolve(of).members() {
            match member {
                Ty::Set(SetTy::Config { level, .. } | SetTy::Options(level)) => {
                    self.options_in(level, add);
                }
                Ty::Set(SetTy::Record(record)) => {
                    for field in record.fields {
                        add(self.attribute_of(field.name, field.ty));
                    }
                }
                Ty::Set(SetTy::Known { attrs, .. }) => self.known_names(attrs, add),
                _ => {}
            }
        }
    }

    fn known_names(&self, attrs: &'a Attrs<'a>, add: &mut impl FnMut(Candidate)) {
        for attr in attrs.sorted().into_iter().filter(|attr| !attr.name.as_str().starts_with('_')) {
            add(self.attribute_of(attr.name, self.of_value(attr.value.get())));
        }
    }

    fn attribute_of(&self, name: Symbol, ty: Ty<'a>) -> Candidate {
        let kind = match self.resolve(ty) {
            Ty::Fun(_) => CandidateKind::Function,
            _ => CandidateKind::Attribute,
        };
        attribute(name.as_str(), kind, self.shown(ty))
    }

    /// The values that an option takes, where they can be counted.
    fn values_of(&self, ty: crate::modules::OptionTy<'a>) -> Vec<String> {
        let named = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match ty.name() {
            "bool" => return named(&["true", "false"]),
            "enum" => {
                let list = ty.values.first().copied().unwrap_or(Value::Null);
                let Ok(list) = self.eval.expect_list(list, Span::NONE) else { return Vec::new() };
                let each = list.iter().filter_map(|item| self.eval.force(item).ok());
                return each.filter_map(|value| self.eval.print(value).ok()).collect();
            }
            _ => {}
        }
        match self.shape(ty) {
            OptionShape::Null(inner) => {
                let mut values = self.values_of(inner);
                values.push("null".to_owned());
                values
            }
            OptionShape::Same(inner) | OptionShape::List(inner) => self.values_of(inner),
            OptionShape::Coerced(_, to) => self.values_of(to),
            _ => Vec::new(),
        }
    }

    /// Every option that the text mentions, in the order of places.
    pub fn mentions(&self) -> Vec<Mention> {
        let mut found = Vec::new();
        let mut note = |span: Span, level: &'a Level<'a>, name: Symbol, how: Use| {
            if let Some(child) = level.child(name)
                && let Ok(Node::Option(option)) = child.node(self.eval)
            {
                let declared = option.declared().first().copied().unwrap_or(Span::NONE);
                found.push((span, how, declared, option.path.to_string()));
            }
        };
        for (span, seen) in self.seen() {
            match seen {
                Seen::Entry(level, _, name) => note(span, level, name, Use::Definition),
                Seen::Declaration(level, name) => note(span, level, name, Use::Declaration),
                Seen::Name(of, name) => {
                    for member in self.resolve(of).members() {
                        if let Ty::Set(SetTy::Config { level, .. } | SetTy::Options(level)) = member
                        {
                            note(span, level, name, Use::Read);
                        }
                    }
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        let mention = |(span, how, declared, path)| Mention { span, declared, path, how };
        found.into_iter().map(mention).collect()
    }
}

/// What was seen of the shortest text.
fn narrowest(mut seen: Vec<(Span, Seen<'_>)>) -> Vec<(Span, Seen<'_>)> {
    let least = seen.iter().map(|(span, _)| span.end - span.start).min();
    seen.retain(|(span, _)| Some(span.end - span.start) == least);
    seen
}

fn attribute(name: &str, kind: CandidateKind, detail: String) -> Candidate {
    let name = if kind == CandidateKind::Value { name.to_owned() } else { quoted(name) };
    Candidate { name, kind, detail, documentation: None }
}
