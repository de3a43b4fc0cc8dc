# The one host of the example: all that is its own.
{
  imports = [ ../modules/dual-stack.nix ];

  networking.hostName = "alpha";
  deployment.targetHost = "192.168.1.10";

  dualStack = {
    enable = true;
    nodeIP = {
      v4 = "192.168.1.10";
      v6 = "2001:db8::10";
    };
    tlsSan = "k8s.example.org";
    nodeLabels."example.org/zone" = "north";
    nodeTaints = [ "example.org/dedicated=control:NoSchedule" ];
    kubeletArgs.max-pods = "200";
  };
}
