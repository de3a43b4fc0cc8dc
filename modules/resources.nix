# Primitive resources: all that a generation is made of, and all that Cairn's compiler knows about a
# host. Every other module translates its options into these; `config.resources`, forced to plain
# data, is the manifest.
{ lib, ... }:

let
  inherit (lib) mkOption types;

  # A submodule option set by attribute name; `options` are the fields of one entry.
  entries =
    options: description:
    mkOption {
      type = types.attrsOf (types.submodule { inherit options; });
      default = { };
      inherit description;
    };

  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };

  strings =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  optional =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  owner =
    description:
    mkOption {
      type = types.str;
      default = "root";
      inherit description;
    };

  file = {
    text = optional types.str "Content of the file.";
    source = optional types.path "File of the fleet, or file in a package, that holds the content.";
    to = optional types.str "Target of a literal symbolic link.";
    mode = mkOption {
      type = types.fileMode;
      default = "0644";
      description = "Permissions in octal.";
    };
    user = owner "Owner, by name or number.";
    group = owner "Group, by name or number.";
    method = mkOption {
      type = types.enum [
        "link"
        "copy"
      ];
      default = "link";
      description = ''
        `link` puts a symbolic link into the current generation at the path, so that all such files
        change at one moment; `copy` writes the file itself, for programs that refuse links.
      '';
    };
  };

  unit = {
    text = optional types.str ''
      Text of the unit. Null stands for a unit that the host already has, such as `ssh.service`:
      it is restarted and reloaded by its triggers, and otherwise left alone.
    '';
    enable = flag true "Whether the unit may run; if not, it is masked.";
    wantedBy = strings "Units that want this one.";
    requiredBy = strings "Units that require this one.";
    restartIfChanged = flag true "Restart the unit when it changed.";
    reloadIfChanged = flag false "Reload the unit, instead of restarting it, when it changed.";
    stopIfChanged = flag true ''
      Restart as a stop under the old definition and a start under the new one, instead of one
      `systemctl restart` under the new one.
    '';
    stopOnRemoval = flag true "Stop the unit when it leaves the configuration.";
    onlyManualStart = flag false "Never start or stop the unit in a switch.";
    restartTriggers = strings "Whatever changes here restarts the unit.";
    reloadTriggers = strings "Whatever changes here reloads the unit.";
  };

  idRanges =
    description:
    mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            start = mkOption {
              type = types.ints.unsigned;
              description = "First id.";
            };
            count = mkOption {
              type = types.ints.positive;
              description = "How many ids.";
            };
          };
        }
      );
      default = [ ];
      inherit description;
    };

  user = {
    uid = optional types.ints.unsigned "User id; allocated on the host if null.";
    group = mkOption {
      type = types.str;
      description = "Primary group.";
    };
    home = mkOption {
      type = types.str;
      description = "Home directory.";
    };
    shell = mkOption {
      type = types.str;
      description = "Login shell.";
    };
    description = mkOption {
      type = types.str;
      default = "";
      description = "Full name (the GECOS field).";
    };
    isSystem = flag false "Allocate the id from the range of system users.";
    createHome = flag false "Create the home directory.";
    hashedPassword = optional types.str "Password as crypt(5) hashes it; null leaves the host's alone.";
    passwordSecret = optional types.str "Secret that holds such a text.";
    extraGroups = strings "Supplementary groups.";
    subUids = idRanges "Ranges in /etc/subuid; none leave the host's alone.";
    subGids = idRanges "Ranges in /etc/subgid; none leave the host's alone.";
    autoSubIds = flag false "Have the host choose a range besides, the same in both files.";
  };

  group = {
    gid = optional types.ints.unsigned "Group id; allocated on the host if null.";
    members = strings "Users in the group.";
    isSystem = flag true "Allocate the id from the range of system groups.";
  };

  table = {
    family = mkOption {
      type = types.enum [
        "ip"
        "ip6"
        "inet"
        "arp"
        "bridge"
        "netdev"
      ];
      description = "Family of the table.";
    };
    name = mkOption {
      type = types.str;
      description = "Name of the table.";
    };
    body = mkOption {
      type = types.str;
      description = "What stands between the table's braces, in nft's syntax.";
    };
  };

  debianPackage = {
    version = optional types.str "Exact version; any if null.";
    sha256 = optional types.str "SHA-256 of the package file, in hex.";
  };

  access = {
    mode = mkOption {
      type = types.fileMode;
      default = "0400";
      description = "Permissions in octal.";
    };
    owner = owner "Owner, by name or number.";
    group = owner "Group, by name or number.";
    restartUnits = strings "Units that are restarted when it changed.";
    reloadUnits = strings "Units that are reloaded when it changed.";
  };

  secret = access // {
    sopsFile = optional types.path "SOPS file of the fleet.";
    format = mkOption {
      type = types.enum [
        "yaml"
        "json"
        "dotenv"
        "ini"
        "binary"
      ];
      description = "How the file is written.";
    };
    key = mkOption {
      type = types.str;
      default = "";
      description = "Keys on the way to the value, joined with `/`; empty for the whole file.";
    };
    required = flag true "Whether a host that cannot decrypt it is not switched.";
  };

  template = access // {
    content = mkOption {
      type = types.str;
      description = "Text with placeholders.";
    };
    escape = mkOption {
      type = types.enum [
        "none"
        "json"
      ];
      default = "none";
      description = "How values are written into the text: as they are, or as the inside of a JSON string.";
    };
  };

  check = {
    kind = mkOption {
      type = types.enum [
        "unit"
        "tcp"
        "http"
        "command"
      ];
      description = "What is looked at.";
    };
    unit = optional types.str "Unit that must be active.";
    host = optional types.str "Address that must accept a connection.";
    port = optional types.port "Port that must accept a connection.";
    url = optional types.str "URL that must answer with a status of 200 to 399.";
    command = optional types.str "Shell command that must exit with 0.";
    interval = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "Seconds between two attempts.";
    };
    retries = mkOption {
      type = types.ints.unsigned;
      default = 30;
      description = "How often an attempt may fail and be made again.";
    };
    deadline = mkOption {
      type = types.ints.positive;
      default = 30;
      description = "Seconds after which the check has failed.";
    };
  };

  edge = {
    before = mkOption {
      type = types.str;
      description = "Resource that comes first, as `units/foo.service` or `files//etc/foo`.";
    };
    after = mkOption {
      type = types.str;
      description = "Resource that comes later.";
    };
  };
in
{
  options.resources = {
    files = entries file "Files by absolute path. Exactly one of `text`, `source` and `to` is set.";

    units = entries unit "systemd units by full name, such as `foo.service`.";

    users = entries user "Entries of /etc/passwd and /etc/shadow.";

    groups = entries group "Entries of /etc/group.";

    kernel = {
      sysctl = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Kernel parameters, as `sysctl -w` takes them.";
      };
      modules = strings "Kernel modules that are loaded.";
      hostname = optional types.str "Name of the host; null leaves it alone.";
    };

    nftables = entries table "nftables tables that Cairn owns whole, by `<family> <name>`.";

    directories = strings "Lines of tmpfiles.d(5), in order.";

    secrets = {
      hostKey = optional types.str "Public host key: what the files must be encrypted for.";
      keyFile = optional types.str "File on the host with age identities.";
      sshKeyPaths = strings "Private SSH keys of the host.";
      values = entries secret "Secrets, by the path of their file below /run/cairn/secrets.";
      templates = entries template "Texts with secrets in them, by name.";
    };

    packages = {
      debian = entries debianPackage "Debian packages that are installed.";
      fetched = mkOption {
        type = types.attrsOf types.package;
        default = { };
        description = "Packages that were made by `lib.fetchPackage`.";
      };
    };

    checks = entries check "Health checks that a switch must pass.";

    order = mkOption {
      type = types.listOf (types.submodule { options = edge; });
      default = [ ];
      description = "Edges where the order of a switch by kind (packages, groups, users, files, nftables, units, checks) is not enough: a unit is touched when those before it are up, and stopped when those after it are down. At boot systemd's own `after` decides.";
    };
  };
}
