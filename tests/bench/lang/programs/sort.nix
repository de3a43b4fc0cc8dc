# 100,000 numbers in no order, sorted by a comparison that is written in the language.
let
  next = number: builtins.bitAnd (number * 1103515245 + 12345) 2147483647;
  numbers = builtins.genList (index: next (index * 7919)) 100000;
  sorted = builtins.sort (a: b: a < b) numbers;
in
[
  (builtins.head sorted)
  (builtins.elemAt sorted 50000)
  (builtins.elemAt sorted 99999)
]
