# A strict fold over a list of a million integers.
builtins.foldl' (sum: number: sum + number) 0 (builtins.genList (number: number) 1000000)
