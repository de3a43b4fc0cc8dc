{ domain, admin ? "root@${domain}" }:
let
  helpers = import ./helpers.nix;
in
helpers.render { inherit domain admin; }
