# The standard modules: every host imports this.
{
  imports = [
    ./assertions.nix
    ./debian.nix
    ./deployment.nix
    ./downloads.nix
    ./environment.nix
    ./health-checks.nix
    ./k3s
    ./kernel.nix
    ./networking/firewall.nix
    ./networking/host.nix
    ./networking/nftables.nix
    ./networking/wireguard.nix
    ./openssh.nix
    ./resources.nix
    ./services/restic.nix
    ./sops.nix
    ./systemd
    ./time.nix
    ./unmanaged.nix
    ./users.nix
  ];
}
