let
  greeting = "hello";
  name = "web";
in
greeting name
