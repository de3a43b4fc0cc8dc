{
  deployment.targetHost = "192.168.1.42";

  services.k3s.nodeIP = "192.168.1.42";
}
