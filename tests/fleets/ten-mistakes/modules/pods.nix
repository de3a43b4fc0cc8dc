{ ... }:

{
  # A range with host bits set.
  services.k3s.settings.cluster-cidr = [ "10.42.1.0/16" ];
}
