//! What native code builds on: thunks, functions and objects made by Rust, errors that do not
//! end the evaluation, plain data between evaluators.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::Cell;
use std::sync::Arc;

use cairn_lang::{
    Arena, AttrsBuilder, Data, Diagnostic, Evaluator, Formals, MemoryFs, Mode, Result, Root, Roots,
    Span, Symbol, Value, VirtualPath, World,
};

fn world(files: &[(&str, &str)]) -> World {
    let files = MemoryFs::new(files.iter().copied());
    World::new(Roots::new().with(Root::Fleet, files), Mode::Build)
}

fn eval<'a>(evaluator: &Evaluator<'a>, text: &str) -> Result<Value<'a>> {
    let base = VirtualPath::new(Root::Fleet, "").unwrap();
    let tree = evaluator.world.tree_of_text("test.nix", text, Some(&base)).unwrap();
    evaluator.eval_tree(&tree)
}

#[test]
fn worlds_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<World>();
    shared::<cairn_lang::Tree>();
    let world = world(&[("a.nix", "{ x = 1 + 1; }")]);
    let results = std::thread::scope(|scope| {
        let run = || {
            let arena = Arena::new();
            let evaluator = Evaluator::new(&arena, &world);
            let path = VirtualPath::new(Root::Fleet, "a.nix").unwrap();
            let value = evaluator.import(&path, Span::NONE).unwrap();
            evaluator.to_data(value, Span::NONE).unwrap()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for data in results {
        assert_eq!(data.get("x").and_then(Data::as_int), Some(2));
    }
}

#[test]
fn native_thunks_run_once_and_fail_alike() {
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let runs: &Cell<u32> = evaluator.alloc(Cell::new(0));
    let value = evaluator.thunk(|_| {
        runs.set(runs.get() + 1);
        Ok(Value::Int(7))
    });
    assert_eq!(evaluator.expect_int(value, Span::NONE).unwrap(), 7);
    assert_eq!(evaluator.expect_int(value, Span::NONE).unwrap(), 7);
    assert_eq!(runs.get(), 1);
    let bad = evaluator.thunk(|_| {
        runs.set(runs.get() + 1);
        Err(Diagnostic::error("test::bad", Span::NONE, "bad").into())
    });
    let set = evaluator.attrs([("good", value), ("bad", bad)]);
    let set = evaluator.expect_attrs(set, Span::NONE).unwrap();
    for _ in 0..2 {
        let error = evaluator.force_attr(set.get_str("bad").unwrap()).unwrap_err();
        assert_eq!(error.code, "test::bad");
        assert_eq!(
            evaluator.expect_int(set.get_str("good").unwrap().value.get(), Span::NONE).unwrap(),
            7
        );
    }
    assert_eq!(runs.get(), 2);
}

#[test]
fn a_native_fixpoint_finds_its_own_recursion() {
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let cell: &Cell<Value<'_>> = evaluator.alloc(Cell::new(Value::Null));
    cell.set(evaluator.thunk(move |evaluator| evaluator.force(cell.get())));
    assert_eq!(evaluator.force(cell.get()).unwrap_err().code, "eval::infinite-recursion");
}

#[test]
fn functions_of_both_kinds_call_each_other() {
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let base = evaluator.list([Value::Int(10)]);
    let add = evaluator.primop("addFirst", 2, move |e, args, at| {
        let first = e.expect_list(base, at)?.iter().next().unwrap_or(Value::Null);
        let sum = e.expect_int(args[0], at)? + e.expect_int(args[1], at)?;
        Ok(Value::Int(sum + e.expect_int(first, at)?))
    });
    let twice = eval(&evaluator, "f: x: map (f x) [ 1 2 ]").unwrap();
    let result = evaluator.call(twice, &[add, Value::Int(5)], Span::NONE).unwrap();
    let result = evaluator.to_data(result, Span::NONE).unwrap();
    assert_eq!(result, Data::List(vec![Data::Int(16), Data::Int(17)]));
    let module = eval(&evaluator, "{ lib, config ? 1, ... }: lib").unwrap();
    let Some(Formals::Set { names, ellipsis: true }) =
        evaluator.formals(module, Span::NONE).unwrap()
    else {
        panic!("a pattern");
    };
    let names: Vec<_> =
        names.iter().map(|formal| (formal.name.as_str(), formal.has_default)).collect();
    assert_eq!(names, [("config", true), ("lib", false)]);
}

#[test]
fn objects_carry_rust_data() {
    struct Kind(&'static str);
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let mut set = AttrsBuilder::new();
    set.set("name", evaluator.str("listOf"));
    let object = set.finish_with(&evaluator, Kind("list"), &[Value::Int(3)]);
    let payload = |value| {
        let payload = evaluator.expect_attrs(value, Span::NONE).unwrap().payload()?;
        Some((payload.data.downcast_ref::<Kind>()?.0, payload.values.len()))
    };
    assert_eq!(payload(object), Some(("list", 1)));
    let extend = eval(&evaluator, "object: object // { name = \"other\"; }").unwrap();
    assert_eq!(payload(evaluator.call(extend, &[object], Span::NONE).unwrap()), None);
}

#[test]
fn spans_lead_to_values_and_elements() {
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let value = eval(&evaluator, "{ a.flags = [ \"--x=1\" \"--y\" ]; }").unwrap();
    let text = |span| world.sources.text(span).unwrap();
    let a = evaluator.expect_attrs(value, Span::NONE).unwrap().get_str("a").unwrap();
    let inner = evaluator.force_attr(a).unwrap();
    let flags = evaluator.expect_attrs(inner, Span::NONE).unwrap().get_str("flags").unwrap();
    assert_eq!(text(flags.span), "flags");
    let list = evaluator.value_span(flags.span);
    assert_eq!(text(list), "[ \"--x=1\" \"--y\" ]");
    let elements = evaluator.element_spans(list).unwrap();
    assert_eq!(
        elements.iter().map(|span| text(*span)).collect::<Vec<_>>(),
        ["\"--x=1\"", "\"--y\""]
    );
    let flag = world.sources.narrow(elements[0], "--x").unwrap();
    assert_eq!(text(flag), "--x");
}

#[test]
fn data_goes_between_evaluators() {
    let world = world(&[("motd", "hello\n")]);
    let (first, second) = (Arena::new(), Arena::new());
    let (one, two) = (Evaluator::new(&first, &world), Evaluator::new(&second, &world));
    let value = eval(&one, "{ a = [ 1 2.5 \"s\" null true ]; motd = \"${./motd}\"; }").unwrap();
    let data = Arc::new(one.to_data(value, Span::NONE).unwrap());
    let copy = two.thunk({
        let data = data.clone();
        move |evaluator| Ok(evaluator.from_data(&data))
    });
    let id = blake3::hash(b"hello\n").to_hex().to_string();
    let printed = two.print(two.force_deep(copy, Span::NONE).unwrap()).unwrap();
    assert_eq!(
        printed,
        format!("{{ a = [ 1 2.5 \"s\" null true ]; motd = \"/var/lib/cairn/store/{id}\"; }}")
    );
    assert_eq!(one.blobs().get(&id).map(ToString::to_string).as_deref(), Some("motd"));
    let function = eval(&one, "{ f = x: x; }").unwrap();
    assert_eq!(one.to_data(function, Span::NONE).unwrap_err().code, "eval::not-data");
}

#[test]
fn rust_provides_files() {
    let (arena, world) = (Arena::new(), world(&[]));
    let evaluator = Evaluator::new(&arena, &world);
    let lib = VirtualPath::new(Root::Cairn, "lib").unwrap();
    evaluator.provide(lib, evaluator.attrs([(Symbol::new("answer"), Value::Int(42))]));
    let value = eval(&evaluator, "(import <cairn/lib>).answer").unwrap();
    assert_eq!(evaluator.expect_int(value, Span::NONE).unwrap(), 42);
}
