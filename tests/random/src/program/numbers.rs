//! Numbers and truth.

use super::Generator;
use super::term::{
    AND, EQUAL, HAS, IMPLIES, NEGATE, NOT, OR, ORDER, PLUS, TIMES, Term, alone, atom, attr, call,
    left, quoted, right,
};
use super::types::{self, Type, any_type, data_type};

impl Generator<'_> {
    pub(super) fn int(&mut self, depth: usize) -> Term {
        if depth == 0 {
            let number = self.choices.pick(&[0, 1, 2, 3, 5, 10, 64, 255, 1000, -1, -7]);
            return match number < 0 {
                true => Term { text: number.to_string(), level: NEGATE },
                false => atom(number.to_string()),
            };
        }
        match self.choices.below(20) {
            0 => self.int(0),
            1..=3 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
                left(&a, self.choices.pick(&["+", "-"]), &b, PLUS)
            }
            4 | 5 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, 0));
                left(&a, "*", &b, TIMES)
            }
            6 => {
                let a = self.expr(&Type::Int, depth);
                let divisor = self.choices.pick(&["1", "2", "3", "7", "(-2)"]);
                left(&a, "/", &atom(divisor), TIMES)
            }
            7 => {
                let a = self.expr(&Type::Int, depth);
                Term { text: format!("-{}", a.at(NEGATE)), level: NEGATE }
            }
            8 => {
                let item = any_type(self.choices, 1);
                let list = self.expr(&Type::List(Box::new(item)), depth);
                call(&self.builtin("length"), &[list])
            }
            9 => {
                let text = self.expr(&Type::Str, depth);
                call(&self.builtin("stringLength"), &[text])
            }
            10 | 11 => {
                let name = self.choices.pick(&["bitAnd", "bitOr", "bitXor", "add", "sub"]);
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
                call(&self.builtin(name), &[a, b])
            }
            12 => {
                let number = self.expr(&Type::Float, depth);
                let name = self.choices.pick(&["floor", "ceil"]);
                call(&self.builtin(name), &[number])
            }
            13 => {
                let (a, b) = (self.version(depth), self.version(depth));
                call(&self.builtin("compareVersions"), &[a, b])
            }
            14 => {
                let list = self.expr(&Type::List(Box::new(Type::Int)), depth);
                let add = atom(self.choices.pick(&["builtins.add", "(a: b: a + b)", "(a: b: b)"]));
                call(&self.builtin("foldl'"), &[add, atom("0"), list])
            }
            15 => {
                let fields = types::fields(self.choices, 1);
                let set = self.expr(&Type::Record(fields), depth);
                let names = call(&self.builtin("attrNames"), &[set]);
                call(&self.builtin("length"), &[names])
            }
            16 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
                call("(a: b: if a < b then a else b)", &[a, b])
            }
            17 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, 0));
                call(&self.builtin("mul"), &[a, b])
            }
            18 => {
                let a = self.expr(&Type::Int, depth);
                call(&self.builtin("div"), &[a, atom("3")])
            }
            _ => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
                let c = self.expr(&Type::Int, depth);
                let first = left(&a, "-", &b, PLUS);
                left(&first, "-", &c, PLUS)
            }
        }
    }

    pub(super) fn float(&mut self, depth: usize) -> Term {
        if depth == 0 {
            let texts = ["0.5", "1.0", "2.25", "0.1", "100.0", "3.14159", "1.5e3", "2.0e-2", ".75"];
            return atom(self.choices.pick(&texts));
        }
        match self.choices.below(8) {
            0 => self.float(0),
            1 | 2 => {
                let (a, b) = (self.expr(&Type::Float, depth), self.expr(&Type::Float, depth));
                left(&a, self.choices.pick(&["+", "-"]), &b, PLUS)
            }
            3 => {
                let (a, b) = (self.expr(&Type::Float, depth), self.expr(&Type::Int, depth));
                left(&a, self.choices.pick(&["+", "-"]), &b, PLUS)
            }
            4 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Float, depth));
                match self.choices.below(2) {
                    0 => left(&a, "+", &b, PLUS),
                    _ => left(&a, "*", &b, TIMES),
                }
            }
            5 => {
                let a = self.expr(&Type::Float, depth);
                left(&a, "/", &atom(self.choices.pick(&["2.0", "3", "0.1"])), TIMES)
            }
            6 => {
                let a = self.expr(&Type::Float, depth);
                Term { text: format!("-{}", a.at(NEGATE)), level: NEGATE }
            }
            _ => {
                let (a, b) = (self.expr(&Type::Float, depth), self.expr(&Type::Float, 0));
                left(&a, "*", &b, TIMES)
            }
        }
    }

    pub(super) fn bool(&mut self, depth: usize) -> Term {
        if depth == 0 {
            return atom(self.choices.pick(&["false", "true"]));
        }
        match self.choices.below(16) {
            0 => self.bool(0),
            1 => {
                let a = self.expr(&Type::Bool, depth);
                Term { text: format!("!{}", a.at(NOT)), level: NOT }
            }
            2 | 3 => {
                let (a, b) = (self.expr(&Type::Bool, depth), self.expr(&Type::Bool, depth));
                match self.choices.below(3) {
                    0 => left(&a, "&&", &b, AND),
                    1 => left(&a, "||", &b, OR),
                    _ => right(&a, "->", &b, IMPLIES),
                }
            }
            4..=6 => {
                let of = data_type(self.choices, 2);
                let (a, b) = (self.expr(&of, depth), self.expr(&of, depth));
                alone(&a, self.choices.pick(&["==", "!="]), &b, EQUAL)
            }
            7 | 8 => {
                let of = self.ordered();
                let (a, b) = (self.expr(&of, depth), self.expr(&of, depth));
                alone(&a, self.choices.pick(&["<", "<=", ">", ">="]), &b, ORDER)
            }
            9 => self.has(depth),
            10 => {
                let of = data_type(self.choices, 1);
                let item = self.expr(&of, depth);
                let list = self.expr(&Type::List(Box::new(of)), depth);
                call(&self.builtin("elem"), &[item, list])
            }
            11 => {
                let of = any_type(self.choices, 1);
                let test = Type::Function(Box::new(of.clone()), Box::new(Type::Bool));
                let test = self.expr(&test, depth);
                let list = self.expr(&Type::List(Box::new(of)), depth);
                let name = self.choices.pick(&["all", "any"]);
                call(&self.builtin(name), &[test, list])
            }
            12 => {
                let of = any_type(self.choices, 2);
                let value = self.expr(&of, depth);
                let name = self.choices.pick(&[
                    "isInt",
                    "isString",
                    "isList",
                    "isAttrs",
                    "isNull",
                    "isFunction",
                    "isFloat",
                    "isBool",
                    "isPath",
                ]);
                call(&self.builtin(name), &[value])
            }
            13 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Int, depth));
                call(&self.builtin("lessThan"), &[a, b])
            }
            14 => {
                let (a, b) = (self.expr(&Type::Int, depth), self.expr(&Type::Float, depth));
                let operator = self.choices.pick(&["<", ">=", ">", "<="]);
                alone(&a, operator, &b, ORDER)
            }
            _ => {
                let text = self.expr(&Type::Str, depth);
                let pattern = self.pattern_text();
                let found = call(&self.builtin("match"), &[atom(quoted(pattern)), text]);
                alone(&found, self.choices.pick(&["==", "!="]), &atom("null"), EQUAL)
            }
        }
    }

    pub(super) fn ordered(&mut self) -> Type {
        let of = self.choices.pick(&[Type::Int, Type::Str, Type::Float]);
        if self.choices.chance(20) { Type::List(Box::new(of)) } else { of }
    }

    /// Whether a set has a name, or a name in a set in it.
    fn has(&mut self, depth: usize) -> Term {
        let fields = types::fields(self.choices, 2);
        let set = self.expr(&Type::Record(fields.clone()), depth);
        let known = fields.first().map(|(name, _)| name.clone());
        let name = match known.filter(|_| self.choices.chance(60)) {
            Some(name) => name,
            None => self.choices.pick(types::NAMES).to_string(),
        };
        match self.choices.below(4) {
            0 => {
                let path = format!("{}.{}", attr(&name), self.choices.pick(types::NAMES));
                Term { text: format!("{} ? {path}", set.at(NEGATE)), level: HAS }
            }
            1 => {
                let name = self.expr(&Type::Str, depth.saturating_sub(1));
                let path = format!("${{{}}}", name.text);
                Term { text: format!("{} ? {path}", set.at(NEGATE)), level: HAS }
            }
            2 => call(&self.builtin("hasAttr"), &[atom(quoted(&name)), set]),
            _ => Term { text: format!("{} ? {}", set.at(NEGATE), attr(&name)), level: HAS },
        }
    }
}
