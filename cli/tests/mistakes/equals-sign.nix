let
  role = "server";
in
if role = "server" then 6443 else 0
