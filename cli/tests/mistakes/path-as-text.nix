{
  motd = builtins.readFile "motd.txt";
}
