# Lists. Names and meaning are nixpkgs'.
lib: native:
rec {
  inherit (native) optional optionals;
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    groupBy
    head
    isList
    length
    map
    partition
    sort
    tail
    ;

  singleton = x: [ x ];
  forEach = xs: f: map f xs;
  foldr =
    op: nul: list:
    let
      len = length list;
      go = n: if n == len then nul else op (elemAt list n) (go (n + 1));
    in
    go 0;
  fold = foldr;
  foldl =
    op: nul: list:
    let
      go = n: if n == -1 then nul else op (go (n - 1)) (elemAt list n);
    in
    go (length list - 1);
  imap0 = f: list: genList (n: f n (elemAt list n)) (length list);
  imap1 = f: list: genList (n: f (n + 1) (elemAt list n)) (length list);
  ifilter0 =
    pred: list:
    map (x: x.value) (filter (x: pred x.index x.value) (imap0 (index: value: { inherit index value; }) list));
  flatten = x: if builtins.isList x then concatMap flatten x else [ x ];
  remove = e: filter (x: x != e);
  findFirst =
    pred: default: list:
    let
      index = findFirstIndex pred null list;
    in
    if index == null then default else elemAt list index;
  findFirstIndex =
    pred: default: list:
    let
      found = foldl' (
        state: x:
        if state.found then
          state
        else if pred x then
          state // { found = true; }
        else
          state // { index = state.index + 1; }
      ) { found = false; index = 0; } list;
    in
    if found.found then found.index else default;
  findSingle =
    pred: default: multiple: list:
    let
      found = filter pred list;
      len = length found;
    in
    if len == 0 then
      default
    else if len != 1 then
      multiple
    else
      head found;
  count = pred: foldl' (c: x: if pred x then c + 1 else c) 0;
  toList = x: if builtins.isList x then x else [ x ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  replicate = n: elem: genList (_: elem) n;
  zipListsWith =
    f: fst: snd:
    genList (n: f (elemAt fst n) (elemAt snd n)) (lib.min (length fst) (length snd));
  zipLists = zipListsWith (fst: snd: { inherit fst snd; });
  reverseList =
    xs:
    let
      len = length xs;
    in
    genList (n: elemAt xs (len - n - 1)) len;
  sortOn =
    f: list:
    map (x: elemAt x 1) (
      sort (a: b: head a < head b) (
        map (x: [
          (f x)
          x
        ]) list
      )
    );
  compareLists =
    cmp: a: b:
    if a == [ ] then
      if b == [ ] then 0 else -1
    else if b == [ ] then
      1
    else
      let
        rel = cmp (head a) (head b);
      in
      if rel == 0 then compareLists cmp (tail a) (tail b) else rel;
  # From what has to come first; of several that may, the one that is reached from the front.
  toposort =
    before: list:
    let
      # Follows what must come before `at` until nothing must; `seen` led here, nearest first.
      first =
        at: seen: others:
        let
          earlier = partition (x: before x at) others;
          loops = filter (x: before x at) seen;
        in
        if loops != [ ] then
          {
            inherit loops;
            cycle = reverseList ([ at ] ++ seen);
          }
        else if earlier.right == [ ] then
          {
            inherit at;
            left = seen ++ others;
          }
        else
          first (head earlier.right) ([ at ] ++ seen) (tail earlier.right ++ earlier.wrong);
      step = first (head list) [ ] (tail list);
      rest = toposort before step.left;
    in
    if length list < 2 then
      { result = list; }
    else if step ? loops then
      { inherit (step) cycle loops; }
    else if rest ? result then
      { result = [ step.at ] ++ rest.result; }
    else
      rest;
  naturalSort =
    list:
    let
      vectorise =
        s: map (x: if builtins.isList x then lib.toInt (head x) else x) (builtins.split "(0|[1-9][0-9]*)" s);
      compare = a: b: compareLists lib.compare (elemAt a 0) (elemAt b 0) < 0;
    in
    map (x: elemAt x 1) (
      sort compare (
        map (x: [
          (vectorise x)
          x
        ]) list
      )
    );
  take = count: sublist 0 count;
  takeEnd = n: xs: drop (lib.max 0 (length xs - n)) xs;
  drop = count: list: sublist count (length list) list;
  dropEnd = n: xs: take (lib.max 0 (length xs - n)) xs;
  sublist =
    start: count: list:
    let
      len = length list;
    in
    genList (n: elemAt list (n + start)) (
      if start >= len then
        0
      else if start + count > len then
        len - start
      else
        count
    );
  hasPrefix = prefix: list: take (length prefix) list == prefix;
  removePrefix =
    prefix: list:
    if hasPrefix prefix list then
      drop (length prefix) list
    else
      throw "lists.removePrefix: the first list is no prefix of the second";
  commonPrefix =
    list1: list2:
    let
      matching = filter (n: elemAt list1 n != elemAt list2 n) (
        range 0 (lib.min (length list1) (length list2) - 1)
      );
    in
    take (if matching == [ ] then lib.min (length list1) (length list2) else head matching) list1;
  last =
    list:
    if list == [ ] then
      throw "lists.last: the list is empty"
    else
      elemAt list (length list - 1);
  init =
    list:
    if list == [ ] then throw "lists.init: the list is empty" else take (length list - 1) list;
  crossLists = f: foldl (fs: args: concatMap (f: map f args) fs) [ f ];
  unique = foldl' (acc: e: if elem e acc then acc else acc ++ [ e ]) [ ];
  uniqueStrings = list: builtins.attrNames (groupBy (x: x) list);
  allUnique = list: length (unique list) == length list;
  intersectLists = e: filter (x: elem x e);
  subtractLists = e: filter (x: !(elem x e));
  mutuallyExclusive = a: b: length a == 0 || !(any (x: elem x a) b);
  groupBy' =
    op: nul: pred: list:
    builtins.mapAttrs (name: foldl op nul) (groupBy pred list);
}
