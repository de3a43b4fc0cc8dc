//! Which arguments the builtins ask for first.

/// The arguments that a builtin forces before anything else can happen, in that order: they are
/// computed before the call, and need no thunk.
pub(super) fn asks_first(name: &str) -> &'static [usize] {
    match name {
        "add" | "sub" | "mul" | "div" | "lessThan" => &[0, 1],
        "map" | "filter" | "elem" | "genList" | "sort" | "mapAttrs" => &[1],
        "bitAnd" | "bitOr" | "bitXor" | "ceil" | "floor" | "typeOf" | "isNull" | "isBool"
        | "isInt" | "isFloat" | "isString" | "isPath" | "isList" | "isAttrs" | "isFunction"
        | "length" | "head" | "tail" | "elemAt" | "concatLists" | "attrNames" | "attrValues"
        | "listToAttrs" | "removeAttrs" | "intersectAttrs" | "hasAttr" | "getAttr" | "catAttrs"
        | "functionArgs" | "toString" | "stringLength" | "substring" | "concatStringsSep"
        | "replaceStrings" | "seq" | "deepSeq" | "throw" | "abort" | "foldl'" | "concatMap" => &[0],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::asks_first;
    use crate::arena::Arena;
    use crate::builtins::TABLES;
    use crate::diagnostic::Diagnostic;
    use crate::eval::Evaluator;
    use crate::fs::Roots;
    use crate::source::Span;
    use crate::value::Value;
    use crate::world::{Mode, World};

    /// Each builtin is called with arguments that fail and say which was asked for.
    #[test]
    fn the_table_is_true() {
        let arena = Arena::new();
        let world = World::new(Roots::new(), Mode::Eval);
        let evaluator = Evaluator::new(&arena, &world);
        let asked: &Cell<Option<usize>> = evaluator.alloc(Cell::new(None));
        let mut checked = 0;
        for builtin in TABLES.iter().flat_map(|table| table.iter()) {
            for (turn, &expected) in asks_first(builtin.name).iter().enumerate() {
                let before = &asks_first(builtin.name)[..turn];
                let args: Vec<_> = (0..builtin.arity)
                    .map(|number| match before.contains(&number) {
                        true => Value::Int(1),
                        false => evaluator.thunk(move |_| {
                            asked.set(Some(number));
                            Err(Diagnostic::error("eval::throw", Span::NONE, "asked").into())
                        }),
                    })
                    .collect();
                asked.set(None);
                assert!((builtin.body)(&evaluator, &args, Span::NONE).is_err());
                assert_eq!(asked.get(), Some(expected), "{}", builtin.name);
                checked += 1;
            }
        }
        assert!(checked > 50);
    }
}
