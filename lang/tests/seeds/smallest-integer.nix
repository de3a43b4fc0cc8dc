map (f: builtins.tryEval (f (-9223372036854775807 - 1) (-1))) [ builtins.div builtins.mul builtins.sub builtins.bitXor (builtins.genList) ]
