builtins.readFile ./link-device
