{
  lan.address = "192.168.10.10";
}
