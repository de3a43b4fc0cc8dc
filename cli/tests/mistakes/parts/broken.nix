{
  port = ;
  host = "web";
}
