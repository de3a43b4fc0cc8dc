builtins.readFile ./link-loop
