{ here = toString ./.; name = baseNameOf ./x; other = import ./sibling.nix; }
