# Backups with restic, with NixOS's options. Passwords are secrets of the fleet, or files that the host has.
{ config, lib, pkgs, ... }:

let
  inherit (lib)
    concatMapStrings
    concatStringsSep
    escapeShellArg
    escapeShellArgs
    filterAttrs
    mapAttrs'
    mapAttrsToList
    mkIf
    mkOption
    nameValuePair
    optional
    optionalString
    types
    ;

  cfg = config.services.restic;

  # Options

  optionalOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  strings =
    example: description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit example description;
    };

  commands =
    when:
    mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands that run ${when}.";
    };

  backup =
    { config, ... }:
    {
      options = {
        package = mkOption {
          type = types.package;
          default = pkgs.debian.restic;
          defaultText = lib.literalExpression "pkgs.debian.restic";
          description = "The restic that runs.";
        };
        repository = mkOption {
          type = types.nullOr types.str;
          default = null;
          example = "sftp:backup@192.168.1.100:/backups/web";
          description = "Repository that the backup goes to. One with a password in it belongs into `repositoryFile`.";
        };
        repositoryFile = optionalOf types.path "File on the host with the name of the repository.";
        password = optionalOf types.secret "Password of the repository: one of `config.sops.secrets`.";
        passwordFile = optionalOf types.path ''
          File on the host with the password, where no secret of the fleet is to hold it.
        '';
        secretEnvironment = mkOption {
          type = types.attrsOf types.secret;
          default = { };
          example = lib.literalExpression ''
            {
              AWS_ACCESS_KEY_ID = config.sops.secrets."s3/id";
              AWS_SECRET_ACCESS_KEY = config.sops.secrets."s3/key";
            }
          '';
          description = "Variables that are secrets, such as the keys of an object store.";
        };
        environmentFile = optionalOf types.path "File on the host with further variables.";
        user = mkOption {
          type = types.str;
          default = "root";
          description = "User that the backup runs as.";
        };
        paths = strings [ "/var/lib" "/home" ] "What is backed up. None leaves `pruneOpts` and `runCheck`.";
        exclude = strings [ "/home/*/.cache" ] "Patterns of what is left out.";
        extraBackupArgs = strings [ "--one-file-system" ] "Further arguments of `restic backup`.";
        extraOptions = strings [ "sftp.command='ssh backup@host -i /etc/key -s sftp'" ] "Options of the backend: restic's `-o`.";
        initialize = mkOption {
          type = types.bool;
          default = false;
          description = "Make the repository where there is none.";
        };
        pruneOpts = strings [ "--keep-daily 7" "--keep-weekly 5" ] ''
          What `restic forget --prune` keeps, after each backup. None keeps everything.
        '';
        runCheck = mkOption {
          type = types.bool;
          default = config.checkOpts != [ ];
          defaultText = "whether there are `checkOpts`";
          description = "Check the repository after each backup.";
        };
        checkOpts = strings [ "--with-cache" ] "Arguments of `restic check`.";
        timerConfig = mkOption {
          type = types.nullOr (types.attrsOf (types.either types.bool types.str));
          default = {
            OnCalendar = "daily";
            Persistent = true;
          };
          example = {
            OnCalendar = "03:10";
            RandomizedDelaySec = "30m";
            Persistent = true;
          };
          description = "When it runs, as in systemd.timer(5). Null leaves that to others.";
        };
        backupPrepareCommand = commands "before the backup; one that fails keeps it from running";
        backupCleanupCommand = commands "after it, whatever became of it";
      };
    };

  # Units

  unitOf = name: "restic-backups-${name}";

  place = secret: file: if secret != null then config.sops.secrets.${secret.name}.path else file;

  environmentOf = name: "${unitOf name}.env";

  service =
    name: it:
    let
      restic = "${it.package}/bin/restic" + concatMapStrings (option: " -o ${escapeShellArg option}") it.extraOptions;
      options = concatMapStrings (option: " ${option}");
      password = place it.password it.passwordFile;
    in
    {
      description = "Backup ${name}";
      documentation = [ "man:restic(1)" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      path = [ it.package ];
      # One that runs goes on with what it began with.
      restartIfChanged = false;
      environment = {
        RESTIC_CACHE_DIR = "/var/cache/${unitOf name}";
      }
      // lib.optionalAttrs (it.repository != null) { RESTIC_REPOSITORY = it.repository; }
      // lib.optionalAttrs (it.repositoryFile != null) { RESTIC_REPOSITORY_FILE = "${it.repositoryFile}"; };
      serviceConfig = {
        Type = "oneshot";
        User = it.user;
        # systemd reads the password, so that a user of no rights can run a backup.
        LoadCredential = optional (password != null) "password:${password}";
        CacheDirectory = unitOf name;
        CacheDirectoryMode = "0700";
        PrivateTmp = true;
        EnvironmentFile =
          optional (it.environmentFile != null) it.environmentFile
          ++ optional (it.secretEnvironment != { }) config.sops.templates.${environmentOf name}.path;
      };
      script = ''
        export RESTIC_PASSWORD_FILE="$CREDENTIALS_DIRECTORY/password"
        ${it.backupPrepareCommand}
        ${optionalString it.initialize "${restic} cat config >/dev/null 2>&1 || ${restic} init"}
        ${optionalString (it.paths != [ ]) (
          "${restic} backup"
          + concatMapStrings (pattern: " --exclude=${escapeShellArg pattern}") it.exclude
          + options it.extraBackupArgs
          + " -- ${escapeShellArgs it.paths}"
        )}
        ${optionalString (it.pruneOpts != [ ]) "${restic} forget --prune${options it.pruneOpts}"}
        ${optionalString it.runCheck "${restic} check${options it.checkOpts}"}
      '';
      postStop = it.backupCleanupCommand;
    };

  # systemd reads what is in double quotes much as JSON does.
  environmentText =
    it:
    concatStringsSep "" (
      mapAttrsToList (
        variable: secret: "${variable}=\"${config.sops.placeholder.${secret.name}}\"\n"
      ) it.secretEnvironment
    );

  claim = path: assertion: message: {
    inherit assertion;
    message = "services.restic.backups.${path}: ${message}";
  };

  claimsOf = name: it: [
    (claim "${name}.password" ((it.password == null) != (it.passwordFile == null)) (
      "set this to a secret, or `passwordFile` to a file that the host has; not both."
    ))
    (claim "${name}.repository" ((it.repository == null) != (it.repositoryFile == null)) (
      "set this, or `repositoryFile`; not both."
    ))
  ];
in
{
  options.services.restic.backups = mkOption {
    type = types.attrsOf (types.submodule backup);
    default = { };
    example = lib.literalExpression ''
      {
        home = {
          paths = [ "/home" ];
          repository = "/srv/backup";
          password = config.sops.secrets."restic/home";
          initialize = true;
          pruneOpts = [ "--keep-daily 7" ];
        };
      }
    '';
    description = ''
      Backups, by name. Each is a unit `restic-backups-<name>`, and a timer of that name.
    '';
  };

  config = mkIf (cfg.backups != { }) {
    systemd.services = mapAttrs' (name: it: nameValuePair (unitOf name) (service name it)) cfg.backups;

    systemd.timers = mapAttrs' (
      name: it:
      nameValuePair (unitOf name) {
        description = "When the backup ${name} runs";
        wantedBy = [ "timers.target" ];
        inherit (it) timerConfig;
      }
    ) (filterAttrs (_: it: it.timerConfig != null) cfg.backups);

    sops.templates = mapAttrs' (
      name: it:
      nameValuePair (environmentOf name) {
        content = environmentText it;
        escape = "json";
      }
    ) (filterAttrs (_: it: it.secretEnvironment != { }) cfg.backups);

    assertions = builtins.concatLists (mapAttrsToList claimsOf cfg.backups);
  };
}
