//! The parts of `lib` that are written in the language, each read when one of its names is used.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

/// A part: a function of `lib` itself and of what is native.
pub(super) struct Part {
    /// Its name below `lib`, and what its file is called.
    pub(super) name: &'static str,
    text: &'static str,
}

macro_rules! part {
    ($name:literal) => {
        Part { name: $name, text: include_str!(concat!("../../lib/", $name, ".nix")) }
    };
}

/// `lib.asserts`, `lib.attrsets` and so on.
pub(super) const PARTS: [Part; 15] = [
    part!("asserts"),
    part!("attrsets"),
    part!("cli"),
    part!("debug"),
    part!("filesystem"),
    part!("fixedPoints"),
    part!("generators"),
    part!("lists"),
    part!("meta"),
    part!("modules"),
    part!("options"),
    part!("path"),
    part!("strings"),
    part!("trivial"),
    part!("versions"),
];

/// The names at the top of `lib` and the part that each is from, so that no part is read to know them.
/// A test holds it against the parts.
const NAMES: &str = include_str!("../../lib/names.txt");

impl Part {
    /// Its value: a set.
    ///
    /// # Errors
    /// None that a test would not meet.
    pub(super) fn value<'a>(
        &self,
        eval: &Evaluator<'a>,
        library: Value<'a>,
        native: Value<'a>,
    ) -> Result<Value<'a>> {
        let path = VirtualPath::new(Root::Cairn, &format!("lib/{}.nix", self.name));
        let path = path.unwrap_or(VirtualPath { root: Root::Cairn, path: String::new() });
        let tree = eval.world.embedded(&path, self.text).map_err(crate::eval::first)?;
        let function = eval.eval_tree(&tree)?;
        eval.call(function, &[library, native], Span::NONE)
    }
}

/// Adds every part, and the names that are at the top.
pub(super) fn add<'a>(
    eval: &Evaluator<'a>,
    library: Value<'a>,
    native: Value<'a>,
    out: &mut AttrsBuilder<'a>,
) {
    let parts = PARTS.map(|part| {
        let name = part.name;
        (name, eval.thunk(move |eval| part.value(eval, library, native)))
    });
    for (part, name) in names() {
        let found = parts.iter().find(|(known, _)| *known == part);
        let value = match found {
            Some((_, part)) => selected(eval, *part, Symbol::new(name)),
            None => eval.builtin(name).unwrap_or(Value::Null),
        };
        out.set(name, value);
    }
    for (name, part) in parts {
        out.set(name, part);
    }
}

/// The part and the name of everything at the top.
pub(super) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = NAMES.lines().filter_map(|line| line.split_once(": "));
    lines.flat_map(|(part, names)| names.split_whitespace().map(move |name| (part, name)))
}

fn selected<'a>(eval: &Evaluator<'a>, part: Value<'a>, name: Symbol) -> Value<'a> {
    eval.thunk(move |eval| match eval.expect_attrs(part, Span::NONE)?.get(name) {
        Some(attr) => eval.force_attr(attr),
        None => {
            let message = format!("`lib` has no `{name}` after all");
            Err(Diagnostic::error("name::missing-attribute", Span::NONE, message).into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Arena;
    use crate::fs::Roots;
    use crate::modules::library::value;
    use crate::world::{Mode, World};

    /// What stands for `builtins` in the list.
    const BUILTINS: &str = "builtins";
    /// Parts whose names are only below the part.
    const APART: [&str; 4] = ["cli", "generators", "path", "versions"];
    /// Names that two parts have: whose is at the top.
    const SHARED: [(&str, &str); 3] =
        [("hasPrefix", "strings"), ("removePrefix", "strings"), ("replicate", "lists")];

    #[test]
    fn the_names_at_the_top_are_those_of_the_parts() {
        let (arena, world) = (Arena::new(), World::new(Roots::new(), Mode::Eval));
        let eval = Evaluator::new(&arena, &world);
        let library = eval.expect_attrs(value(&eval), Span::NONE).unwrap();
        let mut top: std::collections::BTreeMap<&str, &str> = std::collections::BTreeMap::new();
        for part in PARTS.iter().filter(|part| !APART.contains(&part.name)) {
            let set = eval.force_attr(library.get_str(part.name).unwrap()).unwrap();
            for attr in eval.expect_attrs(set, Span::NONE).unwrap().iter() {
                let name = attr.name.as_str();
                let is_builtin = match (eval.force_attr(attr), eval.builtin(name)) {
                    (Ok(Value::PrimOp(one)), Some(Value::PrimOp(other))) => {
                        std::ptr::eq(one, other)
                    }
                    _ => false,
                };
                let from = if is_builtin { BUILTINS } else { part.name };
                let shared = SHARED.iter().find(|(known, _)| *known == name);
                let before = top.insert(name, shared.map_or(from, |(_, part)| part));
                assert!(
                    shared.is_some() || before.is_none_or(|before| before == from),
                    "{name} is in {before:?} and in {from}"
                );
            }
        }
        let mut wanted =
            String::from("# What is at the top of `lib`, by the part that it is from.\n");
        let parts = [BUILTINS].into_iter().chain(PARTS.iter().map(|part| part.name));
        for part in parts.filter(|part| !APART.contains(part)) {
            let names: Vec<_> =
                top.iter().filter(|(_, from)| **from == part).map(|(n, _)| *n).collect();
            wanted += &format!("{part}: {}\n", names.join(" "));
        }
        if std::env::var_os("CAIRN_RECORD").is_some() {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/lib/names.txt");
            std::fs::write(file, &wanted).unwrap();
        }
        assert_eq!(NAMES, wanted, "CAIRN_RECORD=1 writes lang/lib/names.txt anew");
    }

    #[test]
    fn every_name_can_be_used() {
        let (arena, world) = (Arena::new(), World::new(Roots::new(), Mode::Eval));
        let eval = Evaluator::new(&arena, &world);
        let library = eval.expect_attrs(value(&eval), Span::NONE).unwrap();
        for attr in library.iter() {
            let value = eval.force_attr(attr);
            assert!(!matches!(value, Err(_) | Ok(Value::Null)), "{}: {value:?}", attr.name);
        }
    }

    #[test]
    fn every_name_is_in_the_page_on_the_library() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lib.md");
        let page = std::fs::read_to_string(page).unwrap();
        let of_a_name = |c: char| c.is_alphanumeric() || "_'".contains(c);
        let words: std::collections::BTreeSet<&str> = page.split(|c| !of_a_name(c)).collect();
        let missing: Vec<_> = names().filter(|(_, name)| !words.contains(name)).collect();
        assert!(missing.is_empty(), "docs/lib.md lacks {missing:?}");
    }
}
