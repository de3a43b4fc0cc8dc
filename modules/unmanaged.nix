# Options that NixOS has and Cairn has not: who brings a configuration along is told what to do.
{ config, lib, ... }:

let
  inherit (lib)
    attrNames
    concatMap
    foldl'
    getAttrFromPath
    isAttrs
    mkOption
    recursiveUpdate
    setAttrByPath
    showOption
    take
    types
    ;

  # Whatever is defined below the path is one error, with these words.
  refused = path: message: { inherit path message; };

  # The host's own business, which a switch leaves alone.
  unmanaged =
    path: refused path "Cairn does not manage this: remove it; the host keeps what it has.";

  moved = from: to: refused from "write `${showOption to}`.";

  all =
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

  option = mkOption {
    type = types.anything;
    default = null;
    visible = false;
    description = "Not of Cairn.";
  };

  error =
    { path, message }:
    let
      value = getAttrFromPath path config;

      # A name without a dot is no place that an error can point at: what is in it is.
      within = if builtins.length path == 1 && isAttrs value then attrNames value else [ ];
    in
    if value == null then
      [ ]
    else
      [
        {
          assertion = false;
          message = "${showOption (path ++ take 1 within)}: ${message}";
        }
      ];
in
{
  options = foldl' (options: { path, ... }: recursiveUpdate options (setAttrByPath path option)) { } all;

  config.assertions = concatMap error all;
}
