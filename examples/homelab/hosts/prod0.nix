{
  lan.address = "192.168.30.10";
}
