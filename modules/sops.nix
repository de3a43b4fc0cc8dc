# Secrets in SOPS files, with sops-nix's options. The files travel as they stand in the repository; the
# host alone decrypts them, into memory.
{ config, lib, ... }:

let
  inherit (lib)
    elem
    filterAttrs
    hasPrefix
    last
    mapAttrs
    mapAttrs'
    mapAttrsToList
    mkIf
    mkOption
    nameValuePair
    splitString
    types
    ;

  cfg = config.sops;

  # Where a host shows what it decrypted: known to the activator as well.
  folder = "/run/cairn/secrets";

  formatOf =
    file:
    {
      yaml = "yaml";
      yml = "yaml";
      json = "json";
      env = "dotenv";
      ini = "ini";
    }
    .${last (splitString "." (baseNameOf file))} or "binary";

  units =
    verb:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "app.service" ];
      description = ''
        Units, by full name, that are ${verb} when content, owner or mode changes. One that does not run is
        left alone.
      '';
    };

  # What secrets and templates have in common.
  access =
    { name, config, ... }:
    {
      options = {
        mode = mkOption {
          type = types.fileMode;
          default = "0400";
          description = "Permissions in octal.";
        };
        owner = mkOption {
          type = types.str;
          default = "root";
          example = "app";
          description = "Owner, by name or number.";
        };
        group = mkOption {
          type = types.str;
          default = groupOf config.owner;
          defaultText = "the owner's primary group, where the fleet says it; else `root`";
          description = "Group, by name or number.";
        };
        restartUnits = units "restarted";
        reloadUnits = units "reloaded";
      };
    };

  users = config.users.users;
  groupOf =
    owner: if users ? ${owner} && users.${owner}.group != "" then users.${owner}.group else "root";

  pathOf =
    place:
    mkOption {
      type = types.path;
      default = place;
      defaultText = "${folder}/…";
      example = "/etc/app/token";
      description = ''
        Where programs find it. At any other place than below `${folder}` a link leads there.
      '';
    };

  secret =
    { name, config, ... }:
    {
      imports = [ access ];
      options = {
        # What is given to an option that takes a secret by type.
        _type = mkOption {
          type = types.enum [ "secret" ];
          default = "secret";
          internal = true;
          readOnly = true;
          description = "Marks the handle of a secret.";
        };
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          internal = true;
          readOnly = true;
          description = "Name of the secret.";
        };
        sopsFile = mkOption {
          type = types.nullOr types.path;
          default = cfg.defaultSopsFile;
          defaultText = "`sops.defaultSopsFile`";
          example = lib.literalExpression "./secrets/app.yaml";
          description = "SOPS file that the secret is in.";
        };
        format = mkOption {
          type = types.enum [
            "yaml"
            "json"
            "dotenv"
            "ini"
            "binary"
          ];
          default = if config.sopsFile == null then "yaml" else formatOf config.sopsFile;
          defaultText = "after the end of the file's name; `binary` where it says nothing";
          description = "How the file is written.";
        };
        key = mkOption {
          type = types.str;
          default = if elem config.format [ "yaml" "json" ] then name else "";
          defaultText = "the attribute's name; the whole file where the format is neither yaml nor json";
          example = "app/token";
          description = ''
            Keys on the way to the value in the file, with `/` between them. Empty for the whole file.
          '';
        };
        path = pathOf "${folder}/${name}";
        required = mkOption {
          type = types.bool;
          default = true;
          description = ''
            Whether a switch is refused where the host cannot decrypt it. One that is not required is
            missing then, with a warning, and what is filled with it too.
          '';
        };
        neededForUsers = mkOption {
          type = types.bool;
          default = false;
          description = ''
            Whether a user's password comes from it (`users.users.<name>.hashedPasswordFile`). It belongs to
            root then.
          '';
        };
      };
    };

  template =
    { name, config, ... }:
    {
      imports = [ access ];
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          internal = true;
          readOnly = true;
          description = "Name of the template.";
        };
        content = mkOption {
          type = types.lines;
          example = lib.literalExpression ''"token = ''${config.sops.placeholder.app-token}\n"'';
          description = ''
            Text of the file. The host puts secrets in the places of `config.sops.placeholder.<name>`, all at
            once: a value is never looked at for placeholders.
          '';
        };
        escape = mkOption {
          type = types.enum [
            "none"
            "json"
          ];
          default = "none";
          description = ''
            How secrets are written into the text: as they are, or as the inside of a JSON string (which is one
            of YAML as well), so that quotes, backslashes and line ends in them do no harm there.
          '';
        };
        path = pathOf "${folder}/rendered/${name}";
      };
    };

  linked = filterAttrs (_: entry: !(hasPrefix "${folder}/" "${entry.path}"));
  linkTo =
    place:
    mapAttrs' (name: entry: nameValuePair "${entry.path}" { to = "${folder}/${place}${name}"; });

  shared = entry: {
    inherit (entry)
      mode
      owner
      group
      restartUnits
      reloadUnits
      ;
  };
in
{
  options.sops = {
    defaultSopsFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./secrets/secrets.yaml";
      description = "SOPS file of secrets that name none.";
    };

    age = {
      keyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/var/lib/sops/keys.txt";
        description = ''
          File on the host with age identities that decrypt, besides the keys of `sshKeyPaths`. It must be
          there before the first switch; nothing of the fleet makes it.
        '';
      };
      sshKeyPaths = mkOption {
        type = types.listOf types.str;
        default = [ "/etc/ssh/ssh_host_ed25519_key" ];
        description = ''
          Private SSH keys of the host that decrypt, in both of their forms: as recipients of the SSH kind,
          and as the age key that `ssh-to-age` makes of an ed25519 key. One that is not there is passed over.
        '';
      };
    };

    secrets = mkOption {
      type = types.attrsOf (types.submodule secret);
      default = { };
      example = lib.literalExpression ''
        {
          "app/token" = {
            owner = "app";
            restartUnits = [ "app.service" ];
          };
        }
      '';
      description = ''
        Secrets, by name. Each is a file on the host, `config.sops.secrets.<name>.path`. Options that take a
        secret by type take `config.sops.secrets.<name>` itself.
      '';
    };

    templates = mkOption {
      type = types.attrsOf (types.submodule template);
      default = { };
      example = lib.literalExpression ''
        {
          "app.toml" = {
            content = "token = ''${config.sops.placeholder."app/token"}";
            owner = "app";
          };
        }
      '';
      description = "Files with secrets in them, by name.";
    };

    placeholder = mkOption {
      type = types.attrsOf types.str;
      default = mapAttrs (
        name: _: "<SOPS:${builtins.hashString "sha256" name}:PLACEHOLDER>"
      ) cfg.secrets;
      defaultText = "one for each secret";
      readOnly = true;
      description = ''
        What stands for each secret in `sops.templates.<name>.content`. No other text may have it.
      '';
    };
  };

  config = mkIf (cfg.secrets != { } || cfg.templates != { }) {
    resources.secrets = {
      inherit (config.deployment) hostKey;
      inherit (cfg.age) keyFile sshKeyPaths;
      values = mapAttrs (
        _: entry:
        shared entry
        // {
          inherit (entry)
            sopsFile
            format
            key
            required
            ;
        }
      ) cfg.secrets;
      templates = mapAttrs (
        _: entry: shared entry // { inherit (entry) content escape; }
      ) cfg.templates;
    };

    resources.files = lib.mkMerge [
      (linkTo "" (linked cfg.secrets))
      (linkTo "rendered/" (linked cfg.templates))
    ];

    assertions =
      mapAttrsToList (name: entry: {
        assertion = entry.sopsFile != null;
        message = "sops.secrets.\"${name}\".sopsFile is not set, nor is `sops.defaultSopsFile`.";
      }) cfg.secrets
      ++ mapAttrsToList (name: entry: {
        assertion = entry.neededForUsers -> (entry.owner == "root" && entry.group == "root");
        message =
          "sops.secrets.\"${name}\".owner: a secret that is needed for users belongs to root, "
          + "since it is there before they are.";
      }) cfg.secrets;
  };
}
