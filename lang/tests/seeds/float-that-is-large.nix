[ (builtins.ceil 1.0e300) (builtins.floor (-1.0e300)) ]
