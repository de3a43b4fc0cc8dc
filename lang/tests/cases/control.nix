with builtins;
[
  (tryEval (throw "x")) (tryEval (assert false; 1)) (tryEval 1) (tryEval { a = 1; }) ((tryEval { a = throw "x"; }).success)
  (tryEval (let x = throw "y"; in x)).success (seq (tryEval (throw "a")) 1) (let t = throw "x"; in [ (tryEval t).success (tryEval t).success ])
  (addErrorContext "context" 1) (trace "shown" 1) (import ./data/imported.nix) (import ./data).x (scopedImport { y = 5; } ./data/scoped.expr)
  (readFile ./data/text) (attrNames (readDir ./data)) (readDir ./data).text (pathExists ./data/text) (pathExists ./data/none) (baseNameOf ./data/text)
  (hashFile "sha256" ./data/text) (toString (dirOf ./data/text) == toString ./data) (baseNameOf (dirOf ./data/text))
  (let p = "text"; in readFile ./data/${p}) (readFile (./data + "/text")) (readFile (./data + "/../data/text")) (./data + "/x" == ./data/x)
  (baseNameOf (toString ./a/../b)) (isPath (./data + "/x")) (isString "${toString ./data}") (import (toString ./data/imported.nix))
  (deepSeq [ 1 { a = 2; } ] "deep") (let x = [ 1 x ]; in head x) (typeOf (./. + "/a")) /etc/passwd /a/../b (/a + "/b") (/a + "b") (dirOf /a/b) (toString /a/b)
  (/a == /a) (/a < /b) "${toString /x}/y" (baseNameOf /.)
]
