{ x = import ./imported.nix; }
