# What both machines have.
{ config, pkgs, lib, site, ... }:

{
  nix.settings.experimental-features = [ "nix-command" "flakes" ];
  nixpkgs.config.allowUnfree = true;

  time.timeZone = "Europe/Zurich";
  i18n.defaultLocale = "en_US.UTF-8";

  environment.systemPackages = with pkgs; [
    git
    htop
    vim
    fd
    k9s
    python3Packages.requests
  ];

  environment.etc."site.conf".text = "domain = ${site.domain}\nhost = ${config.networking.hostName}\n";
  environment.etc."motd".source = ./motd;

  networking.useDHCP = lib.mkDefault false;
  networking.firewall = {
    enable = true;
    allowedTCPPorts = [ 22 443 ];
    allowedUDPPortRanges = [ { from = 60000; to = 60010; } ];
  };

  users.users.ada = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    shell = pkgs.zsh;
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINbSYhNZlBprJ73PmrmGTAlRTrX3iUR0esji7Z8HGU4m ada@desk"
    ];
  };
  programs.zsh.enable = true;

  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
    settings.PermitRootLogin = "no";
  };

  boot.kernel.sysctl = {
    "vm.swappiness" = 10;
    "net.ipv4.ip_forward" = lib.mkForce 1;
  };

  sops.defaultSopsFile = ./secrets.yaml;
  system.stateVersion = "24.11";
}
