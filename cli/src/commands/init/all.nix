# What all hosts have in common. `cairn options PATTERN` finds options and says what they take.
{ pkgs, ... }:

{
  # Debian packages, by their names there.
  environment.systemPackages = with pkgs; [
    htop
    curl
  ];

  boot.kernel.sysctl."vm.swappiness" = 10;

  # Closed but for SSH, and what hosts open themselves.
  networking.firewall.enable = true;

  # Who may log in. Put your own public key here before you switch a real host.
  # users.users.admin = {
  #   isNormalUser = true;
  #   extraGroups = [ "sudo" ];
  #   openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA… you@desk" ];
  # };
}
