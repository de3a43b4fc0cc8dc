{ ... }:

{
  services.k3s = {
    enable = true;
    package = null;
    # A flag that k3s does not have.
    extraFlags = "--debug --cluster-cdr=10.42.0.0/16 --v=2";
  };
}
