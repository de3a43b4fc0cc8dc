let
  lib = import <cairn/lib>;
in
lib.concatMapStringSep "," toString [ 1 2 3 ]
