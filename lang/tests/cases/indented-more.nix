let
  x = "X";
  lines = "1\n 2";
in
[
  ''

  ''
  ''
    
    a

      b
  ''
  ''
    a
    b''
  ''a
    b
      c
  ''
  ''
    ${x}a
      ${x}
   ${x}
  ''
  ''
      ${lines}
    end
  ''
  ''
    '''quoted''' ''$x ''${x} $''${x} $${x} $x $
  ''
  ''
    ''\n''\t''\r''\${x}''\'''\a
  ''
  ''
	tab
	  tab and blanks
  ''
  ''
      deep ${''
        inner
          more
      ''} end
  ''
  ''
    a ''
  ''  ''
  ''   ''
  ''
''
  ''
  x
''
  '' '' 
  ''${x}''
  '' ${x} ''
  ''
    ${x}''
  ''
  ${x}
     ${x}
  ''
  ''\''
  ''$${x}''
  ''"double" 'single' \backslash \n \${x}''
  ''é
    ü''
  ''
    # no comment
    /* none */
  ''
]
