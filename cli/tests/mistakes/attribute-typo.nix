let
  host = {
    name = "web";
    address = "10.0.0.5";
    ports = [ 80 443 ];
  };
in
"http://${host.adress}/"
