# The server.
{
  deployment.targetHost = "192.168.1.40";

  services.k3s = {
    role = "server";
    nodeIP = "192.168.1.40";
    settings = {
      cluster-cidr = [ "10.42.0.0/16" ];
      service-cidr = [ "10.43.0.0/16" ];
      flannel-backend = "vxlan";
      tls-san = [ "board0.local" ];
      write-kubeconfig-mode = "0640";
    };
  };
}
