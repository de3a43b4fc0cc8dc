with builtins;
[
  (stringLength "hello") (stringLength "é") (substring 1 3 "hello") (substring 3 100 "hello") (substring 9 1 "hello")
  (substring 0 (-1) "hello") (concatStringsSep ", " [ "a" "b" ]) (concatStringsSep "," [ ])
  (replaceStrings [ "a" "b" ] [ "b" "a" ] "abc") (replaceStrings [ "" ] [ "-" ] "abc") (replaceStrings [ "ab" "a" ] [ "1" "2" ] "aab")
  (replaceStrings [ "a" "" ] [ "x" "-" ] "bab") (replaceStrings [ "c" ] [ "d" ] "abc") (replaceStrings [ ] [ ] "abc")
  (replaceStrings [ "abc" ] [ "" ] "abcabc") (replaceStrings [ "" "c" ] [ "-" "z" ] "abc")
  (split "," "a,b,c") (split "(a)|b" "xaybz") (split "[[:space:]]+" " a  b ") (split "x" "") (split "(,)(;)?" "a,;b,c")
  (match "a(b+)c" "abbc") (match "a" "b") (match ".*" "any
thing") (match "([a-z]+)-([0-9]+)" "foo-42") (match "(x)?y" "y") (match "[^]]+" "ab") (match "a\\.b" "a.b") (match "a\\.b" "axb")
  (match "[[:alpha:]_][[:alnum:]_]*" "foo_1") (match "([0-9]+)\\.([0-9]+)(\\.([0-9]+))?" "1.2") (match "" "") (match "a|ab" "ab")
  (match "[\\.]+" "a") (match "[a\\]+" "\\a") (match "(.)*" "abc")
  (splitVersion "1.2.3pre-4") (splitVersion "2.3a1") (compareVersions "1.0" "1.0.1") (compareVersions "2.3pre1" "2.3")
  (compareVersions "2.3a" "2.3.1") (compareVersions "1.10" "1.9") (compareVersions "1" "1") (compareVersions "1.0a" "1.0b")
  (parseDrvName "nix-0.12pre1") (parseDrvName "hello") (parseDrvName "a-b-1.0-x")
  (baseNameOf "/a/b/c") (baseNameOf "c") (baseNameOf "/a/b/") (baseNameOf "") (dirOf "/a/b/c") (dirOf "c") (dirOf "/a") (dirOf "a/b")
  (hashString "md5" "a") (hashString "sha1" "a") (hashString "sha256" "a") (hashString "sha512" "")
  (toString (-0.5)) (toString 123456789.123) (hasContext "x")
  (unsafeDiscardStringContext "x") (lessThan "a" "b") (concatStringsSep "" (map toString [ 1 2 ]))
]
