//! Expressions that there are of every type.

use super::Generator;
use super::scope::{Helper, Meaning};
use super::term::{APPLY, Term, alone, atom, attr, call, is_plain, open, quoted};
use super::types::{self, Type, any_type, data_type};

impl Generator<'_> {
    pub(super) fn any(&mut self, of: &Type, depth: usize) -> Term {
        match self.choices.below(24) {
            0 => self.reached(of, depth),
            1 => {
                let condition = self.expr(&Type::Bool, depth);
                let (yes, no) = (self.expr(of, depth), self.expr(of, depth));
                open(format!("if {} then {} else {}", condition.text, yes.text, no.text))
            }
            2..=4 => self.let_in(of, depth),
            5 => self.with(of, depth),
            6 => self.assert(of, depth),
            7 | 8 => self.select(of, depth),
            9 => self.select_or(of, depth),
            10 | 11 => self.applied(of, depth),
            12 => self.helped(of, depth),
            13 => self.narrowed(of, depth),
            14 => self.element(of, depth),
            15 => self.folded(of, depth),
            16 => self.forced(of, depth),
            17 => self.tried(of, depth),
            18 => self.functor(of, depth),
            19 => self.recursive(of, depth),
            20 => self.looked_up(of, depth),
            21 => self.through_json(of, depth),
            22 => self.rec_select(of, depth),
            _ => self.reached(of, depth),
        }
    }

    /// Something in scope that gives this type: a variable's field, or a function's result.
    fn reached(&mut self, of: &Type, depth: usize) -> Term {
        let mut ways: Vec<(String, Option<Type>)> = Vec::new();
        for (name, meaning) in self.scope.visible() {
            match meaning {
                Meaning::Value(Type::Record(fields)) | Meaning::AtLeast(fields) => {
                    for (field, known) in fields {
                        if known == of {
                            ways.push((format!("{name}.{}", attr(field)), None));
                        }
                    }
                }
                Meaning::Value(Type::Function(from, to)) if **to == *of => {
                    ways.push((name.to_owned(), Some((**from).clone())));
                }
                Meaning::Value(Type::Pattern(pattern)) if pattern.result == *of => {
                    let argument = Type::Pattern(pattern.clone());
                    ways.push((name.to_owned(), Some(argument)));
                }
                _ => {}
            }
        }
        if ways.is_empty() {
            return self.leaf(of);
        }
        let (way, argument) = self.choices.pick(&ways);
        match argument {
            None => atom(way),
            Some(Type::Pattern(pattern)) => {
                let argument = self.argument_of(&pattern, depth);
                call(&way, &[argument])
            }
            Some(from) => {
                let argument = self.expr(&from, depth);
                call(&way, &[argument])
            }
        }
    }

    /// `with set; …`
    fn with(&mut self, of: &Type, depth: usize) -> Term {
        let fields = types::fields(self.choices, 1);
        let set = self.expr(&Type::Record(fields.clone()), depth);
        let mark = self.scope.mark();
        for (name, known) in fields.iter().filter(|(name, _)| is_plain(name)) {
            self.scope.add_weak(name, Meaning::Value(known.clone()));
        }
        let body = self.expr(of, depth);
        self.scope.reset(mark);
        open(format!("with {}; {}", set.text, body.text))
    }

    fn assert(&mut self, of: &Type, depth: usize) -> Term {
        let condition = match self.choices.below(4) {
            0 => "true".to_owned(),
            1 => "1 < 2".to_owned(),
            2 => "{ a = 1; } ? a".to_owned(),
            _ => {
                let data = data_type(self.choices, 1);
                let value = self.expr(&data, depth.saturating_sub(1));
                alone(&value, "==", &value, super::term::EQUAL).text
            }
        };
        let body = self.expr(of, depth);
        open(format!("assert {condition}; {}", body.text))
    }

    /// A field of a set, perhaps nested, perhaps by a name that is worked out.
    fn select(&mut self, of: &Type, depth: usize) -> Term {
        let mut fields = types::fields(self.choices, 1);
        let name = self.choices.pick(types::NAMES).to_string();
        fields.retain(|(known, _)| *known != name);
        fields.push((name.clone(), of.clone()));
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        if self.choices.chance(25) {
            let outer = self.choices.pick(types::NAMES).to_string();
            let nested = Type::Record(vec![(outer.clone(), Type::Record(fields))]);
            let set = self.expr(&nested, depth);
            return atom(format!("{}.{}.{}", set.tight(), attr(&outer), attr(&name)));
        }
        let set = self.expr(&Type::Record(fields), depth);
        match self.choices.below(6) {
            5 => call(&self.builtin("getAttr"), &[atom(quoted(&name)), set]),
            4 => atom(format!("{}.${{{}}}", set.tight(), quoted(&name))),
            3 => atom(format!("{}.{}", set.tight(), quoted(&name))),
            2 => {
                let (start, end) = name.split_at(1);
                let name = format!("\"{start}${{{}}}\"", quoted(end));
                atom(format!("{}.{name}", set.tight()))
            }
            _ => atom(format!("{}.{}", set.tight(), attr(&name))),
        }
    }

    /// `set.a or default`, where it is there or not.
    fn select_or(&mut self, of: &Type, depth: usize) -> Term {
        let mut fields = types::fields(self.choices, 1);
        let name = self.choices.pick(types::NAMES).to_string();
        fields.retain(|(known, _)| *known != name);
        if self.choices.chance(60) {
            fields.push((name.clone(), of.clone()));
            fields.sort_by(|a, b| a.0.cmp(&b.0));
        }
        let set = self.expr(&Type::Record(fields), depth);
        let default = self.expr(of, depth);
        atom(format!("({}.{} or {})", set.tight(), attr(&name), default.tight()))
    }

    /// A function called at once.
    fn applied(&mut self, of: &Type, depth: usize) -> Term {
        let (function, argument) = match self.choices.below(3) {
            0 => {
                let from = any_type(self.choices, 1);
                let argument = self.expr(&from, depth);
                (Type::Function(Box::new(from), Box::new(of.clone())), argument)
            }
            1 => {
                // Two arguments, one after the other.
                let (one, two) = (any_type(self.choices, 1), any_type(self.choices, 1));
                let inner = Type::Function(Box::new(two.clone()), Box::new(of.clone()));
                let function = Type::Function(Box::new(one.clone()), Box::new(inner));
                let function = self.expr(&function, depth);
                let (one, two) = (self.expr(&one, depth), self.expr(&two, depth));
                return call(&function.at(APPLY), &[one, two]);
            }
            _ => {
                let pattern = self.any_pattern(of);
                let argument = self.argument_of(&pattern, depth);
                (Type::Pattern(Box::new(pattern)), argument)
            }
        };
        let function = self.expr(&function, depth);
        call(&function.at(APPLY), &[argument])
    }

    /// What a helper in scope makes of something.
    fn helped(&mut self, of: &Type, depth: usize) -> Term {
        let helpers: Vec<(String, Helper)> = self
            .scope
            .visible()
            .filter_map(|(name, meaning)| match meaning {
                Meaning::Helper(helper) => Some((name.to_owned(), *helper)),
                _ => None,
            })
            .collect();
        if helpers.is_empty() {
            return self.let_helper(of, depth);
        }
        let (name, helper) = self.choices.pick(&helpers);
        let function =
            |from: &Type, to: &Type| Type::Function(Box::new(from.clone()), Box::new(to.clone()));
        let args = match (helper, of) {
            (Helper::Identity, _) => vec![of.clone()],
            (Helper::Constant, _) => vec![of.clone(), any_type(self.choices, 1)],
            (Helper::Apply, _) => {
                let from = any_type(self.choices, 1);
                vec![function(&from, of), from]
            }
            (Helper::Compose, _) => {
                let (from, between) = (any_type(self.choices, 1), any_type(self.choices, 1));
                vec![function(&between, of), function(&from, &between), from]
            }
            (Helper::Twice, _) => vec![function(of, of), of.clone()],
            (Helper::Flip, _) => {
                let (one, two) = (any_type(self.choices, 1), any_type(self.choices, 1));
                vec![function(&two, &function(&one, of)), one, two]
            }
            (Helper::Default, of) if !matches!(of, Type::Null | Type::Maybe(_)) => {
                vec![of.clone(), Type::Maybe(Box::new(of.clone()))]
            }
            (Helper::Field, _) => {
                let mut fields = types::fields(self.choices, 1);
                fields.retain(|(name, _)| name != "a");
                fields.push(("a".to_owned(), of.clone()));
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                vec![Type::Record(fields)]
            }
            (Helper::Single, Type::List(item)) => vec![(**item).clone()],
            (Helper::Pair, Type::List(item)) => vec![(**item).clone(), (**item).clone()],
            _ => return self.let_helper(of, depth),
        };
        let args: Vec<Term> = args.iter().map(|arg| self.expr(arg, depth)).collect();
        call(&name, &args)
    }

    /// `let m = …; in if m == null then … else (m is not null here)`
    fn narrowed(&mut self, of: &Type, depth: usize) -> Term {
        let some = types::some_type(self.choices, 1);
        let value = self.expr(&Type::Maybe(Box::new(some.clone())), depth);
        let name = self.fresh(&[]);
        let mark = self.scope.mark();
        self.scope.add(&name, Meaning::Hidden);
        let missing = self.expr(of, depth);
        self.scope.reset(mark);
        let found = self.with_value(&name, some, |this| this.expr(of, depth));
        // The value is outside of the binding's scope: it does not speak of it.
        let choice = match self.choices.below(4) {
            0 => format!("if {name} == null then {} else {}", missing.text, found.text),
            1 => format!("if {name} != null then {} else {}", found.text, missing.text),
            2 => format!("if builtins.isNull {name} then {} else {}", missing.text, found.text),
            _ => format!("if !({name} == null) then {} else {}", found.text, missing.text),
        };
        call(&format!("({name}: {choice})"), &[value])
    }

    /// An element of a list that has it.
    fn element(&mut self, of: &Type, depth: usize) -> Term {
        let list = Type::List(Box::new(of.clone()));
        let item = self.expr(of, depth);
        let more = self.expr(&list, depth);
        match self.choices.below(4) {
            0 => call(&self.builtin("head"), &[atom(format!("[ {} ]", item.tight()))]),
            1 => {
                let joined = super::term::right(
                    &atom(format!("[ {} ]", item.tight())),
                    "++",
                    &more,
                    super::term::CONCAT,
                );
                call(&self.builtin("head"), &[joined])
            }
            2 => {
                let other = self.expr(of, depth);
                let list = format!("[ {} {} ]", item.tight(), other.tight());
                let index = self.choices.below(2).to_string();
                call(&self.builtin("elemAt"), &[atom(list), atom(index)])
            }
            _ => {
                let name = self.fresh(&[]);
                // `item` and `more` are outside of the lambda's scope.
                let body =
                    format!("{name}: other: if {name} == [ ] then other else builtins.head {name}");
                if !of.is_data() {
                    return item;
                }
                call(&format!("({body})"), &[more, item])
            }
        }
    }

    fn folded(&mut self, of: &Type, depth: usize) -> Term {
        let item = any_type(self.choices, 1);
        let (start, list) =
            (self.expr(of, depth), self.expr(&Type::List(Box::new(item.clone())), depth));
        if self.recursion > 1 {
            return start;
        }
        self.recursion += 1;
        let names = [self.fresh(&[]), String::new()];
        let second = self.fresh(&names[..1]);
        let mark = self.scope.mark();
        self.scope.add(&names[0], Meaning::Value(of.clone()));
        self.scope.add(&second, Meaning::Value(item));
        let body = self.expr(of, depth);
        self.scope.reset(mark);
        self.recursion -= 1;
        let function = open(format!("{}: {second}: {}", names[0], body.text));
        call(&self.builtin("foldl'"), &[function, start, list])
    }

    fn forced(&mut self, of: &Type, depth: usize) -> Term {
        let first = any_type(self.choices, 1);
        let first = self.expr(&first, depth);
        let value = self.expr(of, depth);
        let name = self.choices.pick(&["seq", "deepSeq"]);
        call(&self.builtin(name), &[first, value])
    }

    /// What `tryEval` caught, or the value.
    fn tried(&mut self, of: &Type, depth: usize) -> Term {
        let value = match self.choices.below(4) {
            0 => open("throw \"caught\""),
            1 => open("assert false; throw \"not reached\""),
            2 if of.is_data() => {
                let value = self.expr(of, depth);
                call("builtins.deepSeq", &[value.clone(), value])
            }
            _ => self.expr(of, depth),
        };
        let other = self.expr(of, depth);
        let name = self.fresh(&[]);
        let tried = call(&self.builtin("tryEval"), &[value]);
        call(
            &format!("({name}: other: if {name}.success then {name}.value else other)"),
            &[tried, other],
        )
    }

    fn functor(&mut self, of: &Type, depth: usize) -> Term {
        let from = any_type(self.choices, 1);
        let argument = self.expr(&from, depth);
        let inside = any_type(self.choices, 1);
        let field = self.expr(&inside, depth);
        let (own, name) = ("self".to_owned(), self.fresh(&[]));
        let mark = self.scope.mark();
        self.scope.add(&own, Meaning::AtLeast(vec![("x'".to_owned(), inside)]));
        self.scope.add(&name, Meaning::Value(from));
        let body = self.expr(of, depth);
        self.scope.reset(mark);
        let set = format!("{{ __functor = {own}: {name}: {}; x' = {}; }}", body.text, field.text);
        call(&set, &[argument])
    }

    /// A function that calls itself a few times.
    fn recursive(&mut self, of: &Type, depth: usize) -> Term {
        if self.recursion > 1 {
            return self.leaf(of);
        }
        self.recursion += 1;
        let base = self.expr(of, depth);
        let times = self.choices.below(5);
        let mark = self.scope.mark();
        for name in ["go", "n", "rest"] {
            self.scope.add(name, Meaning::Hidden);
        }
        self.scope.reveal("n", Meaning::Value(Type::Int));
        self.scope.reveal("rest", Meaning::Value(of.clone()));
        let step = self.expr(of, depth);
        self.scope.reset(mark);
        self.recursion -= 1;
        // The base is written outside, where it sees no `n`.
        let shape = match self.choices.below(2) {
            0 => "let go = n: if n <= 0 then base else let rest = go (n - 1); in STEP; in go TIMES",
            _ => {
                "let go = { n, rest }: if n == 0 then rest else go { n = n - 1; rest = STEP; }; in go { n = TIMES; rest = base; }"
            }
        };
        let body = shape.replace("STEP", &step.tight()).replace("TIMES", &times.to_string());
        call(&format!("(base: {body})"), &[base])
    }

    /// A value of a set whose names are not known.
    fn looked_up(&mut self, of: &Type, depth: usize) -> Term {
        let map = self.expr(&Type::Map(Box::new(of.clone())), depth);
        let default = self.expr(of, depth);
        let key = match self.choices.below(2) {
            0 => attr(self.choices.pick(types::NAMES)),
            _ => format!("${{{}}}", self.expr(&Type::Str, depth.saturating_sub(1)).text),
        };
        match self.choices.below(3) {
            0 => atom(format!("({}.{key} or {})", map.tight(), default.tight())),
            1 => {
                let key = self.expr(&Type::Str, depth.saturating_sub(1));
                let body =
                    "(m: k: other: if builtins.hasAttr k m then builtins.getAttr k m else other)";
                call(body, &[map, key, default])
            }
            _ => {
                let key = self.expr(&Type::Str, depth.saturating_sub(1));
                let body = "(m: k: other: if m ? ${k} then m.${k} else other)";
                call(body, &[map, key, default])
            }
        }
    }

    fn through_json(&mut self, of: &Type, depth: usize) -> Term {
        let value = self.expr(of, depth);
        if !self.options.dynamic || !of.is_json() {
            return value;
        }
        let json = call(&self.builtin("toJSON"), &[value]);
        call(&self.builtin("fromJSON"), &[json])
    }
}
