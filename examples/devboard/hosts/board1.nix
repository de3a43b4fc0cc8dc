{
  deployment.targetHost = "192.168.1.41";

  services.k3s.nodeIP = "192.168.1.41";
}
