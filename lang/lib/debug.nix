# Looking at values while evaluating, and tests in the language. Names and meaning are nixpkgs'.
lib: native:
let
  inherit (builtins) deepSeq trace;

  # A value down to some depth.
  cut =
    depth: value:
    if builtins.isList value && value != [ ] then
      if depth <= 0 then "[…]" else map (cut (depth - 1)) value
    else if builtins.isAttrs value && value != { } then
      if depth <= 0 then "{…}" else builtins.mapAttrs (_: cut (depth - 1)) value
    else
      value;
in
rec {
  traceIf = on: message: value: if on then trace message value else value;
  traceValFn = f: value: trace (f value) value;
  traceVal = traceValFn (x: x);
  traceSeq = shown: value: trace (deepSeq shown shown) value;
  traceSeqN = depth: shown: traceSeq (cut depth shown);
  traceValSeqFn = f: value: traceSeq (f value) value;
  traceValSeq = traceValSeqFn (x: x);
  traceValSeqNFn =
    f: depth: value:
    traceSeqN depth (f value) value;
  traceValSeqN = traceValSeqNFn (x: x);
  traceFnSeqN =
    depth: name: f: argument:
    let
      result = f argument;
    in
    traceSeqN depth {
      fn = name;
      from = argument;
      to = result;
    } result;

  # The tests (`test…`, or those that `tests` names) whose `expr` is not what is `expected`.
  runTests =
    tests:
    let
      wanted =
        name: if tests ? tests then builtins.elem name tests.tests else lib.hasPrefix "test" name;
      failed =
        name:
        let
          result = tests.${name}.expr;
          inherit (tests.${name}) expected;
        in
        lib.optional (result != expected) { inherit name expected result; };
    in
    builtins.concatMap failed (
      builtins.filter (name: name != "tests" && wanted name) (builtins.attrNames tests)
    );
  testAllTrue = expr: {
    inherit expr;
    expected = map (_: true) expr;
  };
}
