# Where fetched packages are downloaded from.
{ lib, ... }:

{
  options.packages.mirrors = lib.mkOption {
    type = lib.types.attrsOf lib.types.url;
    default = { };
    example = {
      "https://github.com/" = "https://mirror.example.org/github.com/";
      "https://" = "file:///srv/mirror/";
    };
    description = ''
      Other places for downloads: beginnings of URLs, and what stands there instead; the longest that
      fits decides. Lists of hashes are read there too. What is locked stays the same.
    '';
  };
}
