# Packages: where their programs are. Names are nixpkgs'.
lib: native: rec {
  getExe = package: getExe' package (package.meta.mainProgram or (lib.getName package));
  getExe' =
    package: program:
    if builtins.isString program && !lib.hasInfix "/" program then
      "${lib.getBin package}/bin/${program}"
    else
      throw "lib.meta.getExe': `${program}` is not the name of a program";

  addMetaAttrs = more: package: package // { meta = (package.meta or { }) // more; };
  setPrio = priority: addMetaAttrs { inherit priority; };
  lowPrio = setPrio 10;
  hiPrio = setPrio (-10);
}
