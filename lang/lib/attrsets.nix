# Attribute sets. Names and meaning are nixpkgs'.
lib: native:
let
  inherit (builtins)
    elemAt
    foldl'
    head
    length
    tail
    ;
in
rec {
  inherit (native)
    filterAttrs
    mapAttrs'
    mapAttrsToList
    optionalAttrs
    setAttrByPath
    ;
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    isAttrs
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if isAttrs set && set ? ${head path} then
      attrByPath (tail path) default set.${head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  longestValidPathPrefix =
    path: set:
    if path != [ ] && isAttrs set && set ? ${head path} then
      [ (head path) ] ++ longestValidPathPrefix (tail path) set.${head path}
    else
      [ ];
  getAttrFromPath =
    path: set:
    attrByPath path (throw "cannot find attribute '${builtins.concatStringsSep "." path}'") set;
  concatMapAttrs =
    f: v: foldl' (a: b: a // b) { } (builtins.attrValues (builtins.mapAttrs f v));
  # What is deeper is updated first. An update of what is not there fails where it looks at it.
  updateManyAttrsByPath =
    let
      split = builtins.partition (update: update.path == [ ]);
      go =
        place: updates: exists: value:
        let
          updates' = split updates;
          below = builtins.groupBy (update: head update.path) updates'.wrong;
          set = if exists then value else { };
          inner =
            name: updates:
            go (place ++ [ name ]) (map (update: update // { path = tail update.path; }) updates) (
              set ? ${name}
            ) (set.${name} or null);
          result = if updates'.wrong == [ ] then value else set // builtins.mapAttrs inner below;
          missing = throw "updateManyAttrsByPath: there is no '${showAttrPath place}' to update";
        in
        foldl' (value: update: update.update value) (
          if exists || updates'.wrong != [ ] then result else missing
        ) updates'.right;
    in
    updates: set:
    go [ ] updates true set;
  attrVals = nameList: set: map (x: set.${x}) nameList;
  getAttrs = names: attrs: genAttrs names (name: attrs.${name});
  filterAttrsRecursive =
    pred: set:
    listToAttrs (
      builtins.concatMap (
        name:
        let
          v = set.${name};
        in
        if pred name v then
          [ (nameValuePair name (if isAttrs v then filterAttrsRecursive pred v else v)) ]
        else
          [ ]
      ) (builtins.attrNames set)
    );
  foldlAttrs =
    f: init: set:
    foldl' (acc: name: f acc name set.${name}) init (builtins.attrNames set);
  foldAttrs =
    op: nul: list:
    lib.foldr (
      n: a: foldl' (o: name: o // { ${name} = op n.${name} (a.${name} or nul); }) a (builtins.attrNames n)
    ) { } list;
  collect =
    pred: attrs:
    if pred attrs then
      [ attrs ]
    else if isAttrs attrs then
      builtins.concatMap (collect pred) (builtins.attrValues attrs)
    else
      [ ];
  cartesianProduct =
    attrsOfLists:
    foldl' (
      listOfAttrs: attrName:
      builtins.concatMap (attrs: map (value: attrs // { ${attrName} = value; }) attrsOfLists.${attrName}) listOfAttrs
    ) [ { } ] (builtins.attrNames attrsOfLists);
  cartesianProductOfSets = cartesianProduct;
  mapCartesianProduct = f: attrsOfLists: map f (cartesianProduct attrsOfLists);
  nameValuePair = name: value: { inherit name value; };
  attrsToList = mapAttrsToList nameValuePair;
  mapAttrsRecursive = f: set: mapAttrsRecursiveCond (as: true) f set;
  mapAttrsRecursiveCond =
    cond: f: set:
    let
      recurse =
        path:
        builtins.mapAttrs (
          name: value:
          if isAttrs value && cond value then recurse (path ++ [ name ]) value else f (path ++ [ name ]) value
        );
    in
    recurse [ ] set;
  mapAttrsToListRecursive =
    f: set:
    map (x: x.leaf) (
      collect (x: isAttrs x && x ? leaf) (mapAttrsRecursive (path: value: { leaf = f path value; }) set)
    );
  genAttrs = names: f: listToAttrs (map (n: nameValuePair n (f n)) names);
  genAttrs' = xs: f: listToAttrs (map f xs);
  isDerivation = value: (value.type or null) == "derivation";
  zipAttrsWithNames =
    names: f: sets:
    listToAttrs (map (name: nameValuePair name (f name (builtins.catAttrs name sets))) names);
  zipAttrs = builtins.zipAttrsWith (name: values: values);
  mergeAttrsList = foldl' (a: b: a // b) { };
  recursiveUpdateUntil =
    pred: lhs: rhs:
    let
      f =
        attrPath:
        builtins.zipAttrsWith (
          n: values:
          let
            here = attrPath ++ [ n ];
          in
          if length values == 1 || pred here (elemAt values 1) (head values) then
            head values
          else
            f here values
        );
    in
    f [ ] [
      rhs
      lhs
    ];
  recursiveUpdate = recursiveUpdateUntil (
    path: lhs: rhs:
    !(isAttrs lhs && isAttrs rhs)
  );
  matchAttrs =
    pattern: attrs:
    builtins.all (
      name:
      attrs ? ${name}
      && (
        if isAttrs pattern.${name} then
          isAttrs attrs.${name} && matchAttrs pattern.${name} attrs.${name}
        else
          pattern.${name} == attrs.${name}
      )
    ) (builtins.attrNames pattern);
  overrideExisting =
    old: new: builtins.mapAttrs (name: value: new.${name} or value) old;
  showAttrPath =
    path:
    if path == [ ] then "<root attribute path>" else lib.concatMapStringsSep "." lib.escapeNixIdentifier path;
  recurseIntoAttrs = attrs: attrs // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = attrs: attrs // { recurseForDerivations = false; };

  # Outputs of packages. A package of Cairn has one, itself.
  getFirstOutput =
    names: package:
    let
      there = builtins.filter (name: package ? ${name}) names;
    in
    if package.outputSpecified or false || there == [ ] then package else package.${head there};
  getOutput =
    name:
    getFirstOutput [
      name
      "out"
    ];
  getBin = getOutput "bin";
  getLib = getFirstOutput [
    "lib"
    "out"
  ];
  getDev = getOutput "dev";
  getMan = getOutput "man";
  unionOfDisjoint =
    x: y:
    let
      both = builtins.intersectAttrs x y;
    in
    if both == { } then
      x // y
    else
      throw "unionOfDisjoint: both sets have ${builtins.concatStringsSep ", " (builtins.attrNames both)}";
}
