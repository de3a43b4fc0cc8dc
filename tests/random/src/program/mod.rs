//! Random programs that are well typed by construction.
//!
//! [`program`] draws every decision from [`Choices`]; the first alternative of each is the simplest,
//! so that shrinking the decisions shrinks the program.

use crate::choices::Choices;

mod any;
mod binding;
mod collections;
mod functions;
mod numbers;
mod scope;
mod strings;
mod term;
mod types;

use scope::Scope;
use term::{Term, open};
pub use types::{Pattern, Type};

/// What programs may hold.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many of a hundred programs hold an expression that fails at evaluation (a `throw`, a
    /// missing element, a division by zero), though not by a wrong type. It need not be reached.
    pub failing: usize,
    /// How many of a hundred programs hold one expression of another type than its place is for. It
    /// need not be reached, and need not do harm.
    pub wrong: usize,
    /// Whether values may go through `fromJSON` and the like, which have no type of their own.
    pub dynamic: bool,
}

/// A program and the type of its value, which is plain data.
#[derive(Clone, Debug)]
pub struct Program {
    /// The text.
    pub text: String,
    /// The type of its value.
    pub of: Type,
}

impl Program {
    /// About so many decisions make the largest programs.
    pub const DECISIONS: usize = 500;
}

/// A well-typed program.
pub fn program(choices: &mut Choices, options: &Options) -> Program {
    let fails = choices.chance(options.failing);
    let wrong = options.wrong > 0 && choices.chance(options.wrong);
    let of = types::data_type(choices, 2);
    let depth = 2 + choices.below(5);
    let mut generator = Generator {
        choices,
        scope: Scope::default(),
        options: *options,
        fails,
        wrong,
        recursion: 0,
    };
    let text = generator.expr(&of, depth).text;
    Program { text, of }
}

struct Generator<'c> {
    choices: &'c mut Choices,
    scope: Scope,
    options: Options,
    /// Whether something that fails may still be put in.
    fails: bool,
    /// Whether something of a wrong type may still be put in.
    wrong: bool,
    /// How many loops are around.
    recursion: usize,
}

impl Generator<'_> {
    /// An expression of a type.
    fn expr(&mut self, of: &Type, depth: usize) -> Term {
        let mark = self.choices.begin();
        let term = self.unmarked(of, depth);
        self.choices.end(mark);
        match self.choices.below(60) {
            59 => Term { text: format!("({})", term.text), level: 0 },
            58 => Term { text: format!("/* {} */ {}", of.word(), term.text), level: term.level },
            57 => Term { text: format!("{} # {}\n", term.text, of.word()), level: term.level },
            _ => term,
        }
    }

    fn unmarked(&mut self, of: &Type, depth: usize) -> Term {
        if self.wrong && self.choices.chance(20) {
            self.wrong = false;
            let other = self.other(of);
            return self.expr(&other, depth);
        }
        if depth == 0 || self.choices.exhausted() {
            return self.leaf(of);
        }
        // Whether a function is looked at before it is called differs between releases of Nix.
        let callable = matches!(of, Type::Function(..) | Type::Pattern(_));
        if self.fails && !callable && self.choices.chance(4) {
            self.fails = false;
            return self.failing();
        }
        match self.choices.below(16) {
            0 | 1 => self.leaf(of),
            2..=8 => self.of_type(of, depth - 1),
            _ => self.any(of, depth - 1),
        }
    }

    /// Another type: of a set, often one with an attribute less, or with another name for it.
    fn other(&mut self, of: &Type) -> Type {
        if let Type::Record(fields) = of
            && !fields.is_empty()
            && self.choices.chance(60)
        {
            let mut fields = fields.clone();
            let (_, of) = fields.remove(self.choices.below(fields.len()));
            let name = self.choices.pick(types::NAMES);
            if self.choices.chance(50) && fields.iter().all(|(known, _)| known != name) {
                fields.push((name.to_owned(), of));
                fields.sort_by(|a, b| a.0.cmp(&b.0));
            }
            return Type::Record(fields);
        }
        types::any_type(self.choices, 1)
    }

    /// A variable or the shortest text of a type.
    fn leaf(&mut self, of: &Type) -> Term {
        let known = self.scope.of_type(of);
        if !known.is_empty() && self.choices.chance(75) {
            return term::atom(self.choices.pick(&known));
        }
        self.of_type(of, 0)
    }

    /// What only this type has.
    fn of_type(&mut self, of: &Type, depth: usize) -> Term {
        match of {
            Type::Int => self.int(depth),
            Type::Float => self.float(depth),
            Type::Bool => self.bool(depth),
            Type::Null => term::atom("null"),
            Type::Str => self.str(depth),
            Type::Path => self.path(depth),
            Type::List(item) => self.list(item, depth),
            Type::Record(fields) => self.record(fields, depth),
            Type::Map(item) => self.map(item, depth),
            Type::Maybe(some) => match self.choices.below(3) {
                0 => term::atom("null"),
                _ => self.expr(some, depth),
            },
            Type::Function(from, to) => self.function(from, to, depth),
            Type::Pattern(pattern) => self.pattern(pattern, depth),
        }
    }

    /// What fails at evaluation, of any type.
    fn failing(&mut self) -> Term {
        let failing = [
            "throw \"on purpose\"",
            "assert false; null",
            "assert 1 > 2; throw \"never\"",
            "abort \"on purpose\"",
            "builtins.head [ ]",
            "builtins.elemAt [ 1 ] 1",
            "builtins.fromJSON \"{\"",
            "let x = x; in x",
            "builtins.throw (\"a\" + \"b\")",
        ];
        open(self.choices.pick(&failing))
    }

    /// Another name than these, for a binding.
    fn fresh(&mut self, taken: &[String]) -> String {
        let name = self.choices.pick(types::NAMES);
        if taken.iter().all(|known| known != name) {
            return name.to_owned();
        }
        let mut free = types::NAMES.iter().filter(|name| taken.iter().all(|known| known != *name));
        free.next().map_or_else(|| format!("n{}", taken.len()), |name| (*name).to_owned())
    }

    /// `work` with one more value in scope.
    fn with_value<T>(&mut self, name: &str, of: Type, work: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.scope.mark();
        self.scope.add(name, scope::Meaning::Value(of));
        let value = work(self);
        self.scope.reset(mark);
        value
    }

    /// A name of a builtin, as one may write it.
    fn builtin(&mut self, name: &str) -> String {
        const GLOBAL: &[&str] =
            &["map", "toString", "removeAttrs", "throw", "isNull", "baseNameOf", "dirOf", "abort"];
        match self.choices.below(8) {
            7 if !GLOBAL.contains(&name) => format!("__{name}"),
            6 | 5 if GLOBAL.contains(&name) => name.to_owned(),
            _ => format!("builtins.{name}"),
        }
    }
}
