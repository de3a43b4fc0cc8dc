# Programs that Debian does not have. `pkgs.<name>` finds them.
let
  lib = import <cairn/lib>;
in
{
  k3s = lib.fetchPackage {
    name = "k3s";
    version = "v1.31.4+k3s1";
    url = "https://github.com/k3s-io/k3s/releases/download/v1.31.4%2Bk3s1/k3s";
    # To be filled in: the line `k3s` of the release's own sha256sum-amd64.txt. As it stands the
    # download is refused, and the message names the sum that it has.
    hash = "0000000000000000000000000000000000000000000000000000000000000000";
    bin.k3s = null;
  };

  kubectl = lib.fetchPackage {
    name = "kubectl";
    version = "v1.31.4";
    url = "https://dl.k8s.io/release/v1.31.4/bin/linux/amd64/kubectl";
    hash = "298e19e9c6c17199011404278f0ff8168a7eca4217edad9097af577023a5620f";
    bin.kubectl = null;
  };

  helm = lib.fetchPackage {
    name = "helm";
    version = "v3.16.4";
    url = "https://get.helm.sh/helm-v3.16.4-linux-amd64.tar.gz";
    hash = "fc307327959aa38ed8f9f7e66d45492bb022a66c3e5da6063958254b9767d179";
    bin.helm = "linux-amd64/helm";
  };

  k9s = lib.fetchPackage {
    name = "k9s";
    version = "v0.32.7";
    url = "https://github.com/derailed/k9s/releases/download/v0.32.7/k9s_Linux_amd64.tar.gz";
    hash = "03934727bfbf39b1e61a74d8e045796cda2de14f8ce4c01df27f43d4494021de";
    bin.k9s = "k9s";
  };
}
