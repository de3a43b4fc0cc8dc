//! Functions, and sets to give to them.

use super::Generator;
use super::scope::Meaning;
use super::term::{Term, atom, attr, call, open};
use super::types::{self, Pattern, Type, any_type};

impl Generator<'_> {
    /// A function of one argument.
    pub(super) fn function(&mut self, from: &Type, to: &Type, depth: usize) -> Term {
        if depth > 0
            && self.choices.chance(25)
            && let Some(known) = self.known_function(from, to, depth)
        {
            return known;
        }
        if let (Type::Record(fields), true) = (from, self.choices.chance(30)) {
            // The same set, taken apart.
            let plain = fields.iter().all(|(name, _)| types::NAMES.contains(&name.as_str()));
            if plain {
                let names = fields.iter().map(|(name, of)| (name.clone(), of.clone(), false));
                let pattern = Pattern { names: names.collect(), open: false, result: to.clone() };
                return self.pattern(&pattern, depth);
            }
        }
        let name = if self.choices.chance(15) { "_".to_owned() } else { self.fresh(&[]) };
        let body = match name.as_str() {
            "_" => self.expr(to, depth),
            _ => self.with_value(&name, from.clone(), |this| this.expr(to, depth)),
        };
        open(format!("{name}: {}", body.text))
    }

    /// A builtin, or one that has some of its arguments.
    fn known_function(&mut self, from: &Type, to: &Type, depth: usize) -> Option<Term> {
        let name = match (from, to) {
            (_, Type::Str) if from.is_text() => "toString",
            (Type::Str, Type::Int) => "stringLength",
            (Type::List(_), Type::Int) => "length",
            (Type::Float, Type::Int) => self.choices.pick(&["floor", "ceil"]),
            (_, Type::Bool) => self.choices.pick(&[
                "isInt",
                "isString",
                "isList",
                "isAttrs",
                "isNull",
                "isFunction",
                "isFloat",
                "isBool",
                "isPath",
            ]),
            (_, Type::Str) => "typeOf",
            (Type::Map(item), Type::List(other)) if item == other => "attrValues",
            (Type::Map(_) | Type::Record(_), Type::List(other)) if **other == Type::Str => {
                "attrNames"
            }
            (Type::List(item), Type::List(other)) => match &**item {
                Type::List(inner) if inner == other => "concatLists",
                _ if item == other && item.is_ordered() => {
                    let name = self.builtin("sort");
                    return Some(call(&name, &[atom("builtins.lessThan")]));
                }
                item => {
                    let function = self.function(item, other, depth - 1);
                    let name = self.builtin("map");
                    return Some(call(&name, &[function]));
                }
            },
            (Type::Int, Type::Int) => {
                let name = self.choices.pick(&["add", "sub", "bitAnd", "bitOr", "bitXor"]);
                let first = self.int(0);
                return Some(call(&format!("builtins.{name}"), &[first]));
            }
            _ => return None,
        };
        Some(atom(self.builtin(name)))
    }

    pub(super) fn any_pattern(&mut self, result: &Type) -> Pattern {
        let names = types::fields(self.choices, 1);
        let names = names.into_iter().filter(|(name, _)| types::NAMES.contains(&name.as_str()));
        let names = names.map(|(name, of)| (name, of, self.choices.chance(40))).collect();
        let open = self.choices.chance(40);
        Pattern { names, open, result: result.clone() }
    }

    /// A function that takes a set apart.
    pub(super) fn pattern(&mut self, pattern: &Pattern, depth: usize) -> Term {
        let mark = self.scope.mark();
        let whole = self.choices.chance(25).then(|| {
            let names: Vec<String> = pattern.names.iter().map(|(name, ..)| name.clone()).collect();
            self.fresh(&names)
        });
        if let Some(whole) = &whole {
            let sure = pattern.names.iter().filter(|(_, _, default)| !default);
            let sure = sure.map(|(name, of, _)| (name.clone(), of.clone())).collect();
            self.scope.add(whole, Meaning::AtLeast(sure));
        }
        for (name, ..) in &pattern.names {
            self.scope.add(name, Meaning::Hidden);
        }
        // Defaults see all arguments; here only those without one, and those before.
        for (name, of, _) in pattern.names.iter().filter(|(_, _, default)| !default) {
            self.scope.reveal(name, Meaning::Value(of.clone()));
        }
        let mut names = Vec::new();
        for (name, of, default) in &pattern.names {
            if *default {
                let value = self.expr(of, depth.saturating_sub(1));
                self.scope.reveal(name, Meaning::Value(of.clone()));
                names.push(format!("{name} ? {}", value.text));
            } else {
                names.push(name.clone());
            }
        }
        let body = self.expr(&pattern.result, depth);
        self.scope.reset(mark);
        self.shuffle(&mut names);
        if pattern.open {
            names.push("...".to_owned());
        }
        let names = names.join(", ");
        open(match whole {
            None => format!("{{ {names} }}: {}", body.text),
            Some(whole) if self.choices.chance(50) => {
                format!("{whole}@{{ {names} }}: {}", body.text)
            }
            Some(whole) => format!("{{ {names} }}@{whole}: {}", body.text),
        })
    }

    /// A set for such a function.
    pub(super) fn argument_of(&mut self, pattern: &Pattern, depth: usize) -> Term {
        let mut bindings = Vec::new();
        for (name, of, default) in &pattern.names {
            if !default || self.choices.chance(50) {
                let value = self.expr(of, depth);
                bindings.push(format!("{} = {};", attr(name), value.text));
            }
        }
        if pattern.open && self.choices.chance(50) {
            let of = any_type(self.choices, 1);
            let value = self.expr(&of, depth);
            bindings.push(format!("more = {};", value.text));
        }
        self.shuffle(&mut bindings);
        atom(format!("{{ {} }}", bindings.join(" ")))
    }
}
