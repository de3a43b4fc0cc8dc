# Registries of images: mirrors, and who k3s is to them. Passwords are secrets of the fleet.
{ config, lib, ... }:

let
  inherit (lib)
    filterAttrs
    isAttrs
    mapAttrs
    mkIf
    mkOption
    types
    ;

  cfg = config.services.k3s;
  unit = if cfg.role == "server" then "k3s" else "k3s-agent";

  target =
    if cfg.settings.private-registry == null then
      "/etc/rancher/k3s/registries.yaml"
    else
      cfg.settings.private-registry;

  optionalOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  mirror = {
    options = {
      endpoint = mkOption {
        type = types.listOf types.url;
        default = [ ];
        example = [ "https://registry.example.org:5000" ];
        description = "Where images are pulled from instead, in order; the registry itself comes last.";
      };
      rewrite = mkOption {
        type = types.attrsOf types.str;
        default = { };
        example = {
          "^rancher/(.*)" = "mirror/rancher/$1";
        };
        description = "Names of images that are others there: by regular expression, what they become.";
      };
    };
  };

  registry = {
    options = {
      auth = {
        username = optionalOf types.str "User.";
        password = optionalOf types.secret "Password of the user: one of `config.sops.secrets`.";
        auth = optionalOf types.secret "Both of them, as `user:password` in base64: one of `config.sops.secrets`.";
        identity_token = optionalOf types.secret "Token in place of both: one of `config.sops.secrets`.";
      };
      tls = {
        ca_file = optionalOf types.path "File on the host with the registry's authority.";
        cert_file = optionalOf types.path "File on the host with the certificate of this client.";
        key_file = optionalOf types.path "File on the host with its key.";
        insecure_skip_verify = optionalOf types.bool "Take any certificate.";
      };
    };
  };

  isSecret = value: isAttrs value && (value._type or null) == "secret";

  # What is set, with the placeholders of what is secret.
  given =
    value:
    if isSecret value then
      config.sops.placeholder.${value.name}
    else if isAttrs value then
      filterAttrs (_: it: it != null && it != { } && it != [ ]) (mapAttrs (_: given) value)
    else
      value;

  # JSON is YAML.
  text =
    builtins.toJSON (
      # A mirror without an endpoint says something too: k3s' own registry looks for it.
      filterAttrs (_: entries: entries != { }) (
        mapAttrs (_: mapAttrs (_: given)) { inherit (cfg.registries) mirrors configs; }
      )
    )
    + "\n";

  isTemplate = builtins.any (
    it: builtins.any (name: it.auth.${name} != null) [ "password" "auth" "identity_token" ]
  ) (builtins.attrValues cfg.registries.configs);

  isSet = cfg.registries.mirrors != { } || cfg.registries.configs != { };
in
{
  options.services.k3s.registries = {
    mirrors = mkOption {
      type = types.attrsOf (types.submodule mirror);
      default = { };
      example = {
        "docker.io".endpoint = [ "https://mirror.example.org" ];
      };
      description = "Mirrors, by the registry that they stand for; `*` for all.";
    };

    configs = mkOption {
      type = types.attrsOf (types.submodule registry);
      default = { };
      example = lib.literalExpression ''
        {
          "registry.example.org:5000".auth = {
            username = "k3s";
            password = config.sops.secrets."registry/password";
          };
        }
      '';
      description = "Logins and certificates, by host and port of the registry.";
    };
  };

  config = mkIf (cfg.enable && isSet) {
    sops.templates = mkIf isTemplate {
      "registries.yaml" = {
        content = text;
        escape = "json";
        path = target;
        # k3s reads it at its start.
        restartUnits = [ "${unit}.service" ];
      };
    };

    resources.files = mkIf (!isTemplate) {
      ${target} = {
        inherit text;
        mode = "0600";
      };
    };

    systemd.services.${unit}.restartTriggers = [ (builtins.hashString "sha256" text) ];
  };
}
