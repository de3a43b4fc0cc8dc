# What k3s finds in its own folders: manifests, charts, images, a template for containerd.
{ config, lib, ... }:

let
  inherit (lib)
    concatMap
    concatMapStringsSep
    filter
    filterAttrs
    listToAttrs
    mapAttrs
    mapAttrs'
    mkIf
    mkMerge
    mkOption
    nameValuePair
    optional
    optionalAttrs
    removePrefix
    removeSuffix
    toList
    types
    ;

  cfg = config.services.k3s;
  isServer = cfg.role == "server";

  state = if cfg.settings.data-dir == null then "/var/lib/rancher/k3s" else cfg.settings.data-dir;

  # JSON is YAML.
  documents =
    content: concatMapStringsSep "---\n" (each: "${builtins.toJSON each}\n") (toList content);

  object = types.attrsOf types.anything;

  manifest =
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the manifest is there.";
        };
        target = mkOption {
          type = types.str;
          default = "${name}.yaml";
          defaultText = "<name>.yaml";
          description = "Name of the file.";
        };
        content = mkOption {
          type = types.nullOr (types.either object (types.listOf object));
          default = null;
          description = "The Kubernetes object, or objects.";
        };
        source = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "File that holds the manifest.";
        };
      };
    };

  chart =
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the chart is deployed.";
        };
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Name of the chart in its repository.";
        };
        repo = mkOption {
          type = types.str;
          default = "";
          example = "https://charts.example.org";
          description = "Repository that k3s' helm controller takes the chart from.";
        };
        version = mkOption {
          type = types.str;
          default = "";
          description = "Version of the chart.";
        };
        package = mkOption {
          type = types.nullOr types.path;
          default = null;
          description = "Archive of the chart, instead of one from a repository.";
        };
        targetNamespace = mkOption {
          type = types.str;
          default = "default";
          description = "Namespace that the chart is deployed to.";
        };
        createNamespace = mkOption {
          type = types.bool;
          default = false;
          description = "Make the namespace if it is missing.";
        };
        values = mkOption {
          type = types.either types.path object;
          default = { };
          description = "Values of the chart, or a file of them.";
        };
        extraDeploy = mkOption {
          type = types.listOf object;
          default = [ ];
          description = "Further objects that are deployed with it.";
        };
        extraFieldDefinitions = mkOption {
          type = object;
          default = { };
          example = {
            spec.timeout = "60s";
          };
          description = "Further fields of the HelmChart.";
        };
      };
    };

  helmChart =
    name: chart:
    lib.recursiveUpdate {
      apiVersion = "helm.cattle.io/v1";
      kind = "HelmChart";
      metadata = {
        inherit name;
        namespace = "kube-system";
      };
      spec = {
        inherit (chart) targetNamespace createNamespace;
        chart =
          if chart.package != null then
            "https://%{KUBERNETES_API}%/static/charts/${name}.tgz"
          else
            chart.name;
        valuesContent =
          if builtins.isAttrs chart.values then
            builtins.toJSON chart.values
          else
            builtins.readFile chart.values;
      }
      // optionalAttrs (chart.package == null) { inherit (chart) repo version; };
    } chart.extraFieldDefinitions;

  manifests = filterAttrs (_: manifest: manifest.enable) cfg.manifests;
  deployed = filterAttrs (_: chart: chart.enable) cfg.autoDeployCharts;

  archives =
    cfg.charts
    // mapAttrs (_: chart: chart.package) (filterAttrs (_: chart: chart.package != null) deployed);

  isPackage = image: builtins.isAttrs image && image ? platforms;

  # The archives of images that an element of `images` stands for.
  archivesOf =
    image:
    if isPackage image then
      let
        source = image.platforms.${config.nixpkgs.hostPlatform} or image.platforms.any;
      in
      map (file: "${image}/${file}") (filter (lib.hasPrefix "images/") (builtins.attrNames source.files))
    else
      [ image ];

  # containerd 2, and with it another template, came with these.
  version = builtins.head (
    lib.splitString "+" (removePrefix "v" (toString (cfg.package.version or "")))
  );
  newerThan = least: builtins.compareVersions version least >= 0;
  containerd =
    if version != "" && (newerThan "1.32.2" || (newerThan "1.31.6" && !(newerThan "1.32"))) then
      "config-v3.toml.tmpl"
    else
      "config.toml.tmpl";
in
{
  options.services.k3s = {
    manifests = mkOption {
      type = types.attrsOf (types.submodule manifest);
      default = { };
      description = ''
        Manifests that k3s applies at its start and when they change (servers only). Taking one away does
        not delete its objects.
      '';
    };

    charts = mkOption {
      type = types.attrsOf types.path;
      default = { };
      description = "Archives of charts, served to HelmChart objects below /static/charts.";
    };

    autoDeployCharts = mkOption {
      type = types.attrsOf (types.submodule chart);
      default = { };
      description = ''
        Charts that k3s deploys. One from a repository is downloaded by k3s itself, unverified: take
        `package` to have it in the generation.
      '';
    };

    images = mkOption {
      type = types.listOf (types.either types.package types.path);
      default = [ ];
      example = lib.literalExpression "[ config.services.k3s.package.airgapImages ]";
      description = ''
        Archives of images that containerd has from the start, without a registry: files, or packages
        that have them in `images/`.
      '';
    };

    containerdConfigTemplate = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Template of containerd's configuration.";
    };
  };

  config = mkIf cfg.enable {
    environment.packages = filter isPackage cfg.images;

    resources.files = mkMerge [
      (mkIf isServer (
        mapAttrs' (
          _: manifest:
          nameValuePair "${state}/server/manifests/${manifest.target}" (
            if manifest.content == null then
              { inherit (manifest) source; }
            else
              { text = documents manifest.content; }
          )
        ) manifests
      ))
      (mkIf isServer (
        mapAttrs' (
          name: chart:
          nameValuePair "${state}/server/manifests/${name}.yaml" {
            text = documents ([ (helmChart name chart) ] ++ chart.extraDeploy);
          }
        ) deployed
      ))
      (mkIf isServer (
        mapAttrs' (
          name: source:
          nameValuePair "${state}/server/static/charts/${removeSuffix ".tgz" name}.tgz" {
            inherit source;
          }
        ) archives
      ))
      (listToAttrs (
        map (source: nameValuePair "${state}/agent/images/${baseNameOf source}" { inherit source; }) (
          concatMap archivesOf cfg.images
        )
      ))
      (mkIf (cfg.containerdConfigTemplate != null) {
        "${state}/agent/etc/containerd/${containerd}".text = cfg.containerdConfigTemplate;
      })
    ];

    assertions =
      lib.mapAttrsToList (name: manifest: {
        assertion = (manifest.content == null) != (manifest.source == null);
        message = "services.k3s.manifests.${name} needs exactly one of `content` and `source`.";
      }) manifests
      ++ lib.mapAttrsToList (name: chart: {
        assertion = (chart.package == null) == (chart.repo != "" && chart.version != "");
        message = "services.k3s.autoDeployCharts.${name} needs either `package`, or `repo` and `version`.";
      }) deployed
      ++ lib.mapAttrsToList (name: _: {
        assertion = !(manifests ? ${name});
        message = "services.k3s: a manifest and a chart are both named \"${name}\", and so would be their files.";
      }) deployed;

    warnings =
      optional (!isServer && (manifests != { } || archives != { } || deployed != { })) (
        "services.k3s: manifests and charts are for servers, and have no effect on an agent."
      )
      ++ optional (cfg.images != [ ] && cfg.disableAgent) (
        "services.k3s.images has no effect on a server without an agent."
      );
  };
}
