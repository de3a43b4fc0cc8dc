{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-24.11";
    nixpkgs-unstable.url = "github:NixOS/nixpkgs/nixos-unstable";
    home-manager = { url = "github:nix-community/home-manager"; inputs.nixpkgs.follows = "nixpkgs"; };
    flake-utils.url = "github:numtide/flake-utils";
    disko.url = "github:nix-community/disko";
  };
  outputs = { self, nixpkgs, nixpkgs-unstable, home-manager, disko, ... }@inputs:
    let
      inherit (nixpkgs) lib;
      system = "x86_64-linux";
      pkgs = import nixpkgs { inherit system; config.allowUnfree = true; };
      pkgs-unstable = import nixpkgs-unstable { inherit system; };
      mkHost = name: extra: lib.nixosSystem {
        inherit system;
        specialArgs = { inherit inputs self pkgs-unstable; hostname = name; };
        modules = [ ./base.nix disko.nixosModules.disko home-manager.nixosModules.home-manager { networking.hostName = name; } ] ++ extra;
      };
    in {
      nixosConfigurations = {
        gate = mkHost "gate" [ ./gate.nix ];
        node = mkHost "node" [ ({ lib, ... }: { services.k3s = { enable = true; role = "agent"; serverAddr = "https://10.0.0.1:6443"; token = "not-a-secret-any-more"; }; }) ];
      };
      devShells.${system}.default = pkgs.mkShell { packages = [ pkgs.git ]; };
    };
}
