# Files and folders. Names and meaning are nixpkgs'.
lib: native: rec {
  pathType = builtins.readFileType;
  pathIsDirectory = path: builtins.pathExists path && pathType path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && pathType path == "regular";
  listFilesRecursive =
    folder:
    let
      entries = builtins.readDir folder;
      below =
        name:
        if entries.${name} == "directory" then
          listFilesRecursive (folder + "/${name}")
        else
          [ (folder + "/${name}") ];
    in
    builtins.concatMap below (builtins.attrNames entries);
}
