let
  replicas = 2;
  mkCluster = count:
    assert count == 1 || count >= 3;
    { servers = count; };
in
{
  cluster = mkCluster replicas;
}
