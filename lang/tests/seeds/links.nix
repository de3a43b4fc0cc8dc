builtins.mapAttrs (n: t: builtins.readFile (./link-folder + "/${n}")) (builtins.readDir ./link-folder)
