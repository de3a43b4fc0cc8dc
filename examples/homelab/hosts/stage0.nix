{
  lan.address = "192.168.20.10";
}
