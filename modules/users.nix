# Users and groups. Entries of the host that are not named here are left alone.
{ config, lib, ... }:

let
  inherit (lib)
    concatMap
    concatMapStrings
    filter
    filterAttrs
    isAttrs
    mapAttrs'
    mapAttrsToList
    mkDefault
    mkIf
    mkMerge
    mkOption
    nameValuePair
    removeSuffix
    types
    ;

  cfg = config.users;

  str =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };

  nameOf =
    description:
    mkOption {
      type = types.str;
      defaultText = "the attribute's name";
      inherit description;
    };

  flag =
    description:
    mkOption {
      type = types.bool;
      default = false;
      inherit description;
    };

  strings =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  id =
    description:
    mkOption {
      type = types.nullOr types.ints.unsigned;
      default = null;
      inherit description;
    };

  range = start: what: {
    ${start} = mkOption {
      type = types.ints.unsigned;
      description = "First ${what} id of the range.";
    };
    count = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "How many ids the range has.";
    };
  };

  user =
    { name, config, ... }:
    {
      options = {
        name = nameOf "Login name.";
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the user is there.";
        };
        isNormalUser = flag ''
          A person: id from the range of normal users, a home below /home, a login shell, and the group
          `users` unless another is given.
        '';
        isSystemUser = flag "A service: id from the range of system users, no login.";
        uid = id "User id; if null, the host allocates one and keeps it.";
        group = str "" "Primary group.";
        extraGroups = strings "Groups that the user is in besides.";
        home = str "/nonexistent" "Home directory.";
        createHome = flag "Make the home directory, owned by the user, if it is missing.";
        shell = mkOption {
          type = types.either types.package types.path;
          default = "/usr/sbin/nologin";
          description = "Login shell: a path, or a package whose program has the package's name.";
        };
        description = str "" "Full name, or what the user is for.";
        hashedPassword = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = ''
            Password as `mkpasswd` hashes it. With null no password is given: only keys let the user in.
          '';
        };
        hashedPasswordFile = mkOption {
          type = types.nullOr (types.either types.secret types.path);
          default = null;
          example = lib.literalExpression "config.sops.secrets.alice-password.path";
          description = ''
            Secret with such a password: one of `sops.secrets`, or its `path`. It must be
            `neededForUsers`.
          '';
        };
        password = mkOption {
          type = types.nullOr types.unspecified;
          default = null;
          visible = false;
          description = "Of NixOS; refused, since the fleet's files are no place for it.";
        };
        subUidRanges = mkOption {
          type = types.listOf (types.submodule { options = range "startUid" "user"; });
          default = [ ];
          example = [
            {
              startUid = 100000;
              count = 65536;
            }
          ];
          description = ''
            Ranges of user ids that the user may give to what runs in their own namespaces: all that
            /etc/subuid has of the user then. If empty, the host's lines stay as they are.
          '';
        };
        subGidRanges = mkOption {
          type = types.listOf (types.submodule { options = range "startGid" "group"; });
          default = [ ];
          example = [
            {
              startGid = 100000;
              count = 65536;
            }
          ];
          description = "The same for group ids, in /etc/subgid.";
        };
        autoSubUidGidRange = flag ''
          Have the host choose a range of 65536 ids, the same in /etc/subuid and /etc/subgid, and keep it: what
          rootless containers need.
        '';
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.sshPublicKey;
            default = [ ];
            description = ''
              Public keys that may log in as the user, each as a line of authorized_keys: options such
              as `from="…"` may stand before the key, and a comment after it.
            '';
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
            description = "Files of such keys.";
          };
        };
      };

      config = mkMerge [
        { name = mkDefault name; }
        (mkIf config.isNormalUser {
          group = mkDefault "users";
          home = mkDefault "/home/${config.name}";
          createHome = mkDefault true;
        })
        # Every host has root; only keys and a password are ever given to it.
        (mkIf (name == "root") {
          uid = mkDefault 0;
          group = mkDefault "root";
          home = mkDefault "/root";
          shell = mkDefault "/bin/bash";
          description = mkDefault "root";
          isSystemUser = mkDefault true;
        })
      ];
    };

  # Apart from the options, which are the same on all hosts: this sees the host's configuration.
  defaultShell =
    { config, ... }:
    {
      shell = mkIf config.isNormalUser (mkDefault cfg.defaultUserShell);
    };

  group =
    { name, ... }:
    {
      config.name = mkDefault name;

      options = {
        name = nameOf "Name of the group.";
        gid = id "Group id; if null, the host allocates one and keeps it.";
        members = strings "Users that are in the group, beside those that name it themselves.";
      };
    };

  enabled = filterAttrs (_: user: user.enable) cfg.users;
  managed = filterAttrs (_: user: user.name != "root" || hasPassword user) enabled;

  hasPassword = user: user.hashedPassword != null || user.hashedPasswordFile != null;

  # The secret that a password comes from, by its name; null where there is none of that path.
  passwordSecret =
    user:
    let
      file = user.hashedPasswordFile;
      at = filterAttrs (_: secret: "${secret.path}" == "${file}") config.sops.secrets;
    in
    if file == null then
      null
    else if isAttrs file then
      file.name
    else
      lib.findFirst (_: true) null (builtins.attrNames at);

  neededForUsers =
    name: name != null && (config.sops.secrets.${name}.neededForUsers or false);

  shellOf = shell: if isAttrs shell then "${shell}/bin/${shell.name}" else "${shell}";

  keysOf =
    user:
    let
      inherit (user.openssh.authorizedKeys) keys keyFiles;
    in
    # A key that is read from a file brings its line's end along.
    concatMapStrings (key: "${removeSuffix "\n" key}\n") keys + concatMapStrings builtins.readFile keyFiles;

  # An assertion that holds is none: a fleet has thousands of them.
  require =
    condition: message:
    if condition then
      [ ]
    else
      [
        {
          assertion = false;
          inherit message;
        }
      ];

  withKeys = filterAttrs (_: user: keysOf user != "") enabled;
in
{
  options.users = {
    users = mkOption {
      type = types.attrsOf (
        types.submodule [
          user
          defaultShell
        ]
      );
      default = { };
      example = {
        alice = {
          isNormalUser = true;
          extraGroups = [ "sudo" ];
          openssh.authorizedKeys.keys = [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINbSYhNZlBprJ73PmrmGTAlRTrX3iUR0esji7Z8HGU4m alice@desk"
          ];
        };
      };
      description = "Users, by login name.";
    };

    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
      example = {
        app = { };
      };
      description = "Groups, by name.";
    };

    defaultUserShell = mkOption {
      type = types.either types.package types.path;
      default = "/bin/bash";
      description = "Login shell of normal users.";
    };
  };

  config = {
    resources.users = mapAttrs' (
      _: user:
      nameValuePair user.name {
        inherit (user)
          uid
          home
          createHome
          description
          hashedPassword
          extraGroups
          ;
        # Without a group there is an assertion that fails; a second error would say no more.
        group = if user.group == "" then "nogroup" else user.group;
        shell = shellOf user.shell;
        passwordSecret = passwordSecret user;
        subUids = map (range: {
          start = range.startUid;
          inherit (range) count;
        }) user.subUidRanges;
        subGids = map (range: {
          start = range.startGid;
          inherit (range) count;
        }) user.subGidRanges;
        autoSubIds = user.autoSubUidGidRange;
        isSystem = user.isSystemUser;
      }
    ) managed;

    resources.groups = mapAttrs' (
      _: group: nameValuePair group.name { inherit (group) gid members; }
    ) cfg.groups;

    resources.files = mapAttrs' (
      _: user: nameValuePair "/etc/ssh/authorized_keys.d/${user.name}" { text = keysOf user; }
    ) withKeys;

    # sshd must be told of them, whoever installed it.
    services.openssh.readsManagedKeys = mkIf (withKeys != { }) true;

    environment.packages = filter isAttrs (mapAttrsToList (_: user: user.shell) managed);

    assertions = concatMap (
      user:
      require (user.isNormalUser != user.isSystemUser)
        "users.users.${user.name} must be one of `isNormalUser` and `isSystemUser`."
      ++ require (user.group != "") (
        "users.users.${user.name}.group is not set: name the user's primary group, "
        + "and declare it in users.groups if the host does not have it."
      )
      ++ require (user.hashedPasswordFile == null || neededForUsers (passwordSecret user)) (
        "users.users.${user.name}.hashedPasswordFile is no secret of `sops.secrets` that is "
        + "`neededForUsers`."
      )
      ++ require (user.hashedPassword == null || user.hashedPasswordFile == null)
        "users.users.${user.name} has both `hashedPassword` and `hashedPasswordFile`: keep one."
      ++ require (user.password == null) (
        "users.users.${user.name}.password would stand in the fleet's files for all to read: "
        + "write what `mkpasswd` prints in `hashedPassword`, or keep that in a secret "
        + "(`hashedPasswordFile`)."
      )
    ) (builtins.attrValues enabled);
  };
}
