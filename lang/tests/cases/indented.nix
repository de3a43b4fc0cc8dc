let x = "X\n  Y"; in
[
  ''one line'' ''  leading'' ''trailing  '' '''' '' '' ''
  '' ''

    two
      four
    two
  ''
  ''
    a
   b
  c''
  ''
    ${x}
      after
  '' ''${x}'' ''  ${x}  ''
  ''
    dollar ''${x} $x $$ $${x} ''$ quotes ''' end
    tab ''\t newline ''\n backslash ''\\ other ''\x
  ''
  ''
      ''\n
    less
  ''
  ''
	tab indented
    spaces
  ''
  ''
    first

      third after blank
  
    blank with spaces above
  ''
  ''a
      b
    c'' ''
    'single' "double" \n \ ''
  ''   ${x}
     y''
  ''
    ${x} same line
    ${"a"}${"b"}
  ''
  '' x'' ''$'' ''a$'' ''a'b'' ''
    $${x}'' ''  
    line after blanks
  '' ''
    text ''
]
