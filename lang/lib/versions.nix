# Parts of versions. Names and meaning are nixpkgs'.
lib: native:
let
  part = number: version: builtins.elemAt (builtins.splitVersion version) number;
in
{
  inherit (builtins) splitVersion;
  major = part 0;
  minor = part 1;
  patch = part 2;
  majorMinor = version: builtins.concatStringsSep "." (lib.take 2 (builtins.splitVersion version));
  # Exactly so many parts; what follows a `-` stays.
  pad =
    count: version:
    let
      whole = builtins.match "([^-]*)(.*)" version;
      parts = lib.splitString "." (builtins.head whole);
      zeros = lib.replicate (lib.max 0 (count - builtins.length parts)) "0";
    in
    builtins.concatStringsSep "." (lib.take count parts ++ zeros) + builtins.elemAt whole 1;
}
