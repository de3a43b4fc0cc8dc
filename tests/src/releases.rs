//! What publishers release, laid out as they do, in a folder that stands for the internet: programs
//! that say their name and version, in archives of the real layouts, beside lists of hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::tool::must;

const GITHUB: &str = "github.com";

/// A folder that `packages.mirrors."https://"` can lead to.
pub struct Releases {
    folder: PathBuf,
}

impl Releases {
    /// The tools that the examples name, in the catalogue's first versions, for x86_64.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        let releases = Self { folder: folder.to_owned() };
        releases.k3s(says("k3s", "v1.31.4+k3s1").as_bytes());
        let at = format!("{GITHUB}/derailed/k9s/releases/download/v0.32.7");
        let members = [("k9s", says("k9s", "v0.32.7")), ("LICENSE", "Apache\n".to_owned())];
        releases.archive(&at, "k9s_Linux_amd64.tar.gz", "checksums.sha256", &members);
        let at = "dl.k8s.io/release/v1.31.4/bin/linux/amd64";
        let sha256 = releases.file(&format!("{at}/kubectl"), says("kubectl", "v1.31.4").as_bytes());
        // The hash and nothing else.
        releases.file(&format!("{at}/kubectl.sha256"), sha256.as_bytes());
        let at = format!("{GITHUB}/kubecolor/kubecolor/releases/download/v0.5.0");
        let members = [("kubecolor", says("kubecolor", "v0.5.0"))];
        releases.archive(&at, "kubecolor_0.5.0_linux_amd64.tar.gz", "checksums.txt", &members);
        let at = format!("{GITHUB}/istio/istio/releases/download/1.24.2");
        let name = "istio-1.24.2-linux-amd64.tar.gz";
        let members = [
            ("istio-1.24.2/bin/istioctl", says("istioctl", "1.24.2")),
            ("istio-1.24.2/tools/istioctl.bash", "complete -F _istioctl istioctl\n".to_owned()),
            ("istio-1.24.2/tools/_istioctl", "#compdef istioctl\n".to_owned()),
        ];
        releases.archive(&at, name, &format!("{name}.sha256"), &members);
        let helm = says("helm", "v3.16.4");
        releases.helm("v3.16.4", helm.as_bytes());
        let at = format!("{GITHUB}/kubernetes-sigs/cluster-api/releases/download/v1.9.3");
        let clusterctl = says("clusterctl", "v1.9.3");
        releases.file(&format!("{at}/clusterctl-linux-amd64"), clusterctl.as_bytes());
        releases
    }

    /// Another program for k3s.
    pub fn k3s(&self, program: &[u8]) {
        let at = format!("{GITHUB}/k3s-io/k3s/releases/download/v1.31.4+k3s1");
        let program = self.file(&format!("{at}/k3s"), program);
        let images = self.file(&format!("{at}/k3s-airgap-images-amd64.tar.zst"), b"images");
        let list = format!("{images}  k3s-airgap-images-amd64.tar.zst\n{program}  k3s\n");
        self.file(&format!("{at}/sha256sum-amd64.txt"), list.as_bytes());
    }

    /// A program for a version of helm.
    pub fn helm(&self, version: &str, program: &[u8]) {
        let name = format!("helm-{version}-linux-amd64.tar.gz");
        let members = [("linux-amd64/LICENSE", &b"Apache\n"[..]), ("linux-amd64/helm", program)];
        self.tar("get.helm.sh", &name, &format!("{name}.sha256sum"), &members);
    }

    /// Puts a file there; its SHA-256.
    pub fn file(&self, path: &str, content: &[u8]) -> String {
        let place = self.folder.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, content).unwrap();
        Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a fleet needs to download from a folder that is served, or lies, at `url`.
    #[must_use]
    pub fn setting(url: &str) -> String {
        format!("packages.mirrors={{ \"https://\" = \"{url}/\"; }}")
    }

    /// The folder's URL on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.folder.display())
    }

    fn archive(&self, at: &str, name: &str, list: &str, members: &[(&str, String)]) {
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        self.tar(at, name, list, &members);
    }

    fn tar(&self, at: &str, name: &str, list: &str, members: &[(&str, &[u8])]) {
        let tree = tempfile::tempdir().unwrap();
        for (member, content) in members {
            let path = tree.path().join(member);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
        }
        let archive = tree.path().with_extension("tar.gz");
        let names = members.iter().map(|(member, _)| member);
        must(
            Command::new("tar")
                .args(["--owner=0", "--group=0", "--mode=755", "-czf"])
                .arg(&archive)
                .args(names)
                .current_dir(tree.path()),
        );
        let sha256 = self.file(&format!("{at}/{name}"), &fs::read(&archive).unwrap());
        fs::remove_file(archive).unwrap();
        self.file(&format!("{at}/{list}"), format!("{sha256}  {name}\n").as_bytes());
    }
}

fn says(name: &str, version: &str) -> String {
    format!("#!/bin/sh\necho {name} {version}\n")
}
