let x = builtins.scopedImport { import = x: builtins.scopedImport { } x; } ./itself.nix; in x
