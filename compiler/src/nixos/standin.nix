# What stands for the inputs of a flake of NixOS that are not there: as much of nixpkgs as it takes to see
# which modules a host has.
{ pkgs }:
let
  lib = import <cairn/lib>;
  eval = args: args;
  withSystem = lib // {
    nixosSystem = eval;
    nixos.evalModules = eval;
  };
in
{
  nixpkgs = {
    lib = withSystem;
    outPath = "/nixpkgs";
    legacyPackages.x86_64-linux = pkgs;
    legacyPackages.aarch64-linux = pkgs;
    nixosModules = { };
  };
  lib = withSystem;
  # `import nixpkgs { … }`
  imported = _: pkgs;
  modulesPath = "/nixpkgs/nixos/modules";
}
