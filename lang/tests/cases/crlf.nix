[
  "a
b" "x\r\ny"  # comment
  ''
    one
      two
  '' /* more
 */ ''a
b'' { a = 1;
    b = "cd"; }
]
