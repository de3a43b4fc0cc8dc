# Files under /etc, programs for every user, and the environment of login shells.
{ config, lib, ... }:

let
  inherit (lib)
    concatStrings
    concatStringsSep
    elem
    escapeShellArg
    filterAttrs
    mapAttrs'
    mapAttrsToList
    mkDefault
    mkIf
    mkMerge
    mkOption
    nameValuePair
    toList
    types
    ;

  cfg = config.environment;

  # Programs replace, refuse or read these before a link can lead anywhere.
  copied = [
    "crypttab"
    "fstab"
    "hostname"
    "localtime"
    "machine-id"
    "resolv.conf"
    "sudoers"
  ];

  file =
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file is made.";
        };
        target = mkOption {
          type = types.str;
          defaultText = "the attribute's name";
          description = "Path below /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "Content of the file.";
        };
        source = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "File that holds the content.";
        };
        mode = mkOption {
          type = types.either (types.enum [ "symlink" ]) types.fileMode;
          default = "symlink";
          example = "0600";
          description = "Permissions in octal; `symlink`, NixOS's word, stands for 0644.";
        };
        user = mkOption {
          type = types.str;
          default = "root";
          description = "Owner.";
        };
        group = mkOption {
          type = types.str;
          default = "root";
          description = "Group.";
        };
        method = mkOption {
          type = types.enum [
            "link"
            "copy"
          ];
          defaultText = "`copy` for ${concatStringsSep ", " copied}; else `link`";
          description = ''
            `link`: /etc has a link into the current generation, whatever the mode, so that all files
            change at one moment. `copy`: /etc has the file itself.
          '';
        };
      };

      config = {
        target = mkDefault name;
        method = mkDefault (if elem config.target copied then "copy" else "link");
      };
    };

  octal = mode: if mode == "symlink" then "0644" else mode;

  enabled = filterAttrs (_: file: file.enable) cfg.etc;

  isFetched = package: package.kind == "fetched";

  fetched = builtins.filter isFetched cfg.packages;
  debian = builtins.filter (package: !(isFetched package)) cfg.packages;

  # What makes a generation: some packages have functions and words for people beside it.
  recipe = package: {
    inherit (package)
      type
      kind
      name
      outPath
      platforms
      ;
    version = if (package.version or null) == null then null else toString package.version;
  };

  exports = mapAttrsToList (
    name: value:
    "export ${name}=${escapeShellArg (concatStringsSep ":" (map toString (toList value)))}\n"
  ) (filterAttrs (_: value: value != null) cfg.variables);
in
{
  options.environment = {
    etc = mkOption {
      type = types.attrsOf (types.submodule file);
      default = { };
      example = {
        motd.text = "Welcome.\n";
      };
      description = "Files under /etc, by their path there.";
    };

    systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = ''
        Packages that every user has: `pkgs.<name>` is one of the fleet's own `packages`, one of the
        catalogue (`cairn packages`), or else the Debian package of that name.
      '';
    };

    packages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      internal = true;
      description = "All packages that the host needs, those of its services included.";
    };

    variables = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.int
            types.path
            (types.listOf types.str)
          ]
        )
      );
      default = { };
      example = {
        EDITOR = "vim";
      };
      description = "Variables of login shells; a list is joined with colons.";
    };
  };

  config = {
    environment.packages = cfg.systemPackages;

    environment.etc."profile.d/cairn.sh" = mkIf (exports != [ ]) { text = concatStrings exports; };

    resources.files = mapAttrs' (
      _: file:
      nameValuePair "/etc/${file.target}" {
        inherit (file)
          text
          source
          user
          group
          method
          ;
        mode = octal file.mode;
      }
    ) enabled;

    resources.packages = {
      debian = mkMerge (map (package: { ${package.name}.version = package.version or null; }) debian);
      fetched = mkMerge (map (package: { ${package.name} = recipe package; }) fetched);
    };
  };
}
