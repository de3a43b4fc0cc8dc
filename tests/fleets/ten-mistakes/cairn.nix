# Ten mistakes, each in a file of its own. The test that reads this fleet knows where they are.
{
  description = "Ten mistakes";

  outputs =
    { self, ... }:
    {
      hosts = {
        web = ./hosts/web.nix;
        database = ./hosts/database.nix;
        edge = ./hosts/edge.nix;
        cluster = ./hosts/cluster.nix;
        worker = ./hosts/worker.nix;
        mail = ./hosts/mail.nix;
        build = ./hosts/build.nix;
        archive = ./hosts/archive.nix;
      };

      groups.public = {
        hosts = [ "edge" ];
        module = ./modules/public.nix;
      };
    };
}
