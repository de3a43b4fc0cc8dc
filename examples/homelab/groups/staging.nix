# As prod is, but smaller.
{
  cluster.server = "stage0";
  time.timeZone = "Europe/Zurich";
}
