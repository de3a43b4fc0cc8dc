# Where Debian packages come from. With a mirror, `cairn.lock` has each package's exact version and hash;
# without one, the host's own apt sources decide.
{ config, lib, ... }:

let
  inherit (lib)
    mkIf
    mkMerge
    mkOption
    types
    ;

  cfg = config.debian;

  keyring = mkOption {
    type = types.path;
    default = cfg.keyring;
    defaultText = "`debian.keyring`";
    description = ''
      Keys that may sign the archive, as a file of the fleet or of the machine that runs `cairn lock`;
      binary or armoured.
    '';
  };

  archive = {
    options = {
      url = mkOption {
        type = types.url;
        example = "https://packages.example.org/debian";
        description = "Root of the archive: `http:`, `https:` or `file:`.";
      };
      suites = mkOption {
        type = types.listOf types.str;
        default = [ cfg.suite ];
        defaultText = "`[ debian.suite ]`";
        example = [ "bookworm" ];
        description = ''
          Suites. One that ends in a slash is a folder with an index of its own, and has no components.
        '';
      };
      components = mkOption {
        type = types.listOf types.str;
        default = cfg.components;
        defaultText = "`debian.components`";
        example = [ "stable" ];
        description = "Components of each suite.";
      };
      checkValidUntil = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Refuse a list of packages that says itself that it is out of date. Off for snapshots, which
          are meant to be old.
        '';
      };
      inherit keyring;
    };
  };
in
{
  options = {
    nixpkgs.hostPlatform = mkOption {
      type = types.enum [
        "x86_64-linux"
        "aarch64-linux"
      ];
      default = "x86_64-linux";
      example = "aarch64-linux";
      description = "Kind of machine that the host is: which packages it can run.";
    };

    debian = {
      suite = mkOption {
        type = types.str;
        default = "bookworm";
        example = "trixie";
        description = "Debian's release on the host, by its code name.";
      };

      mirror = mkOption {
        type = types.nullOr types.url;
        default = null;
        example = "https://mirror.example.org/debian";
        description = ''
          Mirror of Debian's archive that packages are locked from, as /etc/apt/sources.list names
          it. With it, `cairn lock` writes exact versions and hashes into cairn.lock, and hosts install
          those files. Null leaves versions to the host's own apt sources.
        '';
      };

      securityMirror = mkOption {
        type = types.nullOr types.url;
        default = null;
        example = "https://mirror.example.org/debian-security";
        description = "Mirror of Debian's security archive.";
      };

      components = mkOption {
        type = types.listOf types.str;
        default = [ "main" ];
        example = [
          "main"
          "non-free-firmware"
        ];
        description = "Components of Debian's archive.";
      };

      keyring = mkOption {
        type = types.path;
        default = "/usr/share/keyrings/debian-archive-keyring.gpg";
        example = "/etc/cairn/keys/debian-archive-keyring.asc";
        description = ''
          Keys that may sign Debian's archive, as a file of the fleet or of the machine that runs
          `cairn lock`; binary or armoured.
        '';
      };

      recommends = mkOption {
        type = types.bool;
        default = false;
        description = "Whether packages that others recommend are installed with them.";
      };

      archives = mkOption {
        type = types.attrsOf (types.submodule archive);
        default = { };
        example = {
          docker = {
            url = "https://packages.example.org/linux/debian";
            components = [ "stable" ];
            keyring = "/etc/cairn/keys/docker.asc";
          };
        };
        description = ''
          Archives that packages are locked from. `debian.mirror` and `debian.securityMirror` add
          `debian` and `debian-security`. Where several have a package, the newest version is taken.
        '';
      };
    };
  };

  config.debian.archives = mkMerge [
    (mkIf (cfg.mirror != null) {
      debian = {
        url = cfg.mirror;
        suites = [
          cfg.suite
          "${cfg.suite}-updates"
        ];
      };
    })
    (mkIf (cfg.securityMirror != null) {
      debian-security = {
        url = cfg.securityMirror;
        suites = [ "${cfg.suite}-security" ];
      };
    })
  ];
}
