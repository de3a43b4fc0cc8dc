# Values that refer to themselves, and their extension. Names and meaning are nixpkgs'.
lib: native: rec {
  fix =
    f:
    let
      x = f x;
    in
    x;
  fix' =
    f:
    let
      x = f x // {
        __unfix__ = f;
      };
    in
    x;
  converge =
    f: x:
    let
      next = f x;
    in
    if next == x then x else converge f next;
  extends =
    overlay: f: final:
    let
      prev = f final;
    in
    prev // overlay final prev;
  composeExtensions =
    first: second: final: prev:
    let
      middle = first final prev;
    in
    middle // second final (prev // middle);
  composeManyExtensions = lib.foldr composeExtensions (final: prev: { });
  # An overlay of what may be a set, a function of the previous set, or an overlay.
  toExtension =
    f: final: prev:
    let
      given = if lib.isFunction f then f prev else f;
      whole = f final prev;
    in
    if lib.isFunction given then whole else given;
  makeExtensible = makeExtensibleWithCustomName "extend";
  makeExtensibleWithCustomName =
    name: f:
    fix' (
      self:
      f self
      // {
        ${name} = overlay: makeExtensibleWithCustomName name (extends overlay f);
      }
    );
}
