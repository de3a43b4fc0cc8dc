# A board that joins the cluster of board0.
{ nodes, ... }:

let
  server = nodes.board0.config;
in
{
  services.k3s = {
    role = "agent";
    serverAddr = "https://${server.services.k3s.nodeIP}:6443";
  };
}
