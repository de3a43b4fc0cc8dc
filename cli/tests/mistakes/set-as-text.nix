let
  package = { name = "restic"; version = "0.16"; };
in
{ command = "${package}/bin/restic backup"; }
