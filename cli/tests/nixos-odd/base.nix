{ config, lib, pkgs, pkgs-unstable, hostname, self, ... }:
with lib;
let
  keys = import ./keys.nix;
  inherit (config.networking) hostName domain;
in
{
  imports = [ ./mod ] ++ lib.optional (builtins.pathExists ./local.nix) ./local.nix;
  options.site.vpn = mkOption { type = types.submodule { options.port = mkOption { type = types.port; default = 51820; }; }; default = { }; };
  config = mkMerge [
    {
      networking.domain = "example.org";
      networking.nameservers = [ "1.1.1.1" ];
      networking.interfaces.eth0.ipv4.addresses = [ { address = "10.0.0.2"; prefixLength = 24; } ];
      networking.firewall.allowedUDPPorts = [ config.site.vpn.port ];
      networking.firewall.extraCommands = "iptables -A INPUT -j DROP";
      environment.etc."who".text = "${hostName}.${domain} ${toString config.services.openssh.ports}";
      environment.variables.EDITOR = "${pkgs.vim}/bin/vim";
      users.mutableUsers = false;
      users.users.root.openssh.authorizedKeys.keys = attrValues keys;
      users.users.eve = { isSystemUser = true; group = "eve"; };
      users.groups.eve = { };
      security.sudo.wheelNeedsPassword = false;
      virtualisation.docker.enable = true;
      system.configurationRevision = self.rev or "dirty";
      environment.systemPackages = [ pkgs-unstable.ripgrep (pkgs.writeShellScriptBin "hi" "echo hi") pkgs.htop ];
      boot.kernel.sysctl."net.core.rmem_max" = mkOverride 70 2500000;
      nix.gc = { automatic = true; dates = "weekly"; };
    }
    (mkIf config.services.k3s.enable { networking.firewall.trustedInterfaces = [ "cni0" ]; })
    (mkIf (hostname == "gate") { services.nginx = { enable = true; virtualHosts."x.example.org".root = "/srv"; }; })
  ];
}
