# Conditions with a message, for `assert`. Names and meaning are nixpkgs'.
lib: native:
let
  json = builtins.toJSON;
in
{
  assertMsg = holds: message: holds || throw message;
  assertOneOf =
    name: value: allowed:
    builtins.elem value allowed || throw "${name} must be one of ${json allowed}, and is ${json value}";
  assertEachOneOf =
    name: values: allowed:
    lib.subtractLists allowed values == [ ]
    || throw "each of ${name} must be one of ${json allowed}, and they are ${json values}";
}
