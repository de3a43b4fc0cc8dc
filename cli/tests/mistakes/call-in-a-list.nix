let
  upper = text: builtins.replaceStrings [ "w" ] [ "W" ] text;
in
builtins.concatStringsSep " " [ upper "web" "db" ]
