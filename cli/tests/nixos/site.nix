{
  domain = "lab.example.org";
  addresses = {
    alpha = "192.168.5.10";
    beta = "192.168.5.11";
  };
}
