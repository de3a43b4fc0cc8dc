let
  x = "X";
  n = 3;
in
[
  "plain" "esc \" \\ \n \t \r \a \$ \${x} $x $$ $${x} ${x}" "a${x}b${"c${x}d"}e" "${x}" "" "é ü 漢"
  "multi
  line" "a\
b" "${"nested ${"deep ${x}"}"}" "${toString n}" "$" "a$" "\\${x}" "''" "'" "$\{x}"
  ({ __toString = self: "from ${self.a}"; a = "set"; } + "!") "${{ outPath = "/o"; }}/bin"
  (toString { outPath = "/p"; }) (toString [ 1 2.5 true false null "s" [ "n" [ ] ] [ ] "e" ])
  (toString 1) (toString 1.5) (toString 0.1) (toString 1.0e10) (toString true) (toString null) (toString "x")
  http://example.org/a?b=c&d x:y
]
