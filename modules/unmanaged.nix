# Options that NixOS has and Cairn has not: who brings a configuration along is told what to do.
{ lib, ... }:

let
  inherit (lib)
    attrNames
    getAttrFromPath
    isAttrs
    mkIf
    mkOption
    setAttrByPath
    showOption
    take
    types
    ;

  # Whatever is defined below the path is one error, with these words.
  refused =
    path: message:
    { config, options, ... }:
    let
      inherit (getAttrFromPath path options) isDefined;
      value = getAttrFromPath path config;

      # A name without a dot is no place that an error can point at: what is in it is.
      within = if builtins.length path == 1 && isAttrs value then attrNames value else [ ];
    in
    {
      options = setAttrByPath path (mkOption {
        type = types.anything;
        visible = false;
        description = "Not of Cairn.";
      });
      config.assertions = mkIf isDefined [
        {
          assertion = false;
          message = "${showOption (path ++ take 1 within)}: ${message}";
        }
      ];
    };

  # The host's own business, which a switch leaves alone.
  unmanaged =
    path: refused path "Cairn does not manage this: remove it; the host keeps what it has.";

  moved = from: to: refused from "write `${showOption to}`.";
in
{
  imports =
    map unmanaged [
      [ "boot" "initrd" ]
      [ "boot" "kernelPackages" ]
      [ "boot" "kernelParams" ]
      [ "boot" "loader" ]
      [ "fileSystems" ]
      [ "hardware" ]
      [ "i18n" ]
      [ "networking" "defaultGateway" ]
      [ "networking" "interfaces" ]
      [ "networking" "nameservers" ]
      [ "networking" "networkmanager" ]
      [ "networking" "useDHCP" ]
      [ "programs" ]
      [ "security" "sudo" ]
      [ "swapDevices" ]
    ]
    ++ [
      (refused [ "nix" ] "there is no Nix on the host: remove it.")
      (refused [ "nixpkgs" "config" ]
        "packages are Debian's or the fleet's own `outputs.packages`: remove it."
      )
      (refused [ "nixpkgs" "overlays" ]
        "packages are Debian's or the fleet's own `outputs.packages`: remove it."
      )
      (refused [ "system" "stateVersion" ] "not needed: remove it.")
      (refused [ "users" "mutableUsers" ]
        "users that the fleet does not name are left alone: remove it."
      )
      (moved
        [ "services" "openssh" "permitRootLogin" ]
        [ "services" "openssh" "settings" "PermitRootLogin" ]
      )
      (moved
        [ "services" "openssh" "passwordAuthentication" ]
        [ "services" "openssh" "settings" "PasswordAuthentication" ]
      )
    ];
}
