rec {
  line = key: value: "${key}=${value}";
  render = settings: builtins.concatStringsSep "\n" [
    (line "domain" settings.domain)
    (line "contact" settings.contact)
  ];
}
