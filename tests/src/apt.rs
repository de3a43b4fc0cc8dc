//! Debian packages made on the spot, and a repository of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::tool::must;

/// A package to be made: a few files, perhaps a daemon that its installation would start.
#[derive(Debug, Clone)]
pub struct Deb {
    name: String,
    version: String,
    files: Vec<(String, String, u32)>,
    conffiles: Vec<String>,
    depends: Option<String>,
    service: Option<String>,
    scripts: Vec<(String, String)>,
}

impl Deb {
    /// A package without files.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            files: Vec::new(),
            conffiles: Vec::new(),
            depends: None,
            service: None,
            scripts: Vec::new(),
        }
    }

    /// Needs other packages, as a control file says it.
    #[must_use]
    pub fn depends(mut self, relations: &str) -> Self {
        self.depends = Some(relations.to_owned());
        self
    }

    /// Adds a file at an absolute path, with these permissions.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str, mode: u32) -> Self {
        self.files.push((path.to_owned(), text.to_owned(), mode));
        self
    }

    /// Adds a file under `/etc` that dpkg treats as the administrator's.
    #[must_use]
    pub fn conffile(mut self, path: &str, text: &str) -> Self {
        self.conffiles.push(path.to_owned());
        self.file(path, text, 0o644)
    }

    /// Adds a service that the installation starts, as Debian's own packages do.
    #[must_use]
    pub fn service(mut self, unit: &str, text: &str) -> Self {
        self.service = Some(unit.to_owned());
        self.file(&format!("/lib/systemd/system/{unit}"), text, 0o644)
    }

    /// Adds a maintainer script, such as `postinst`.
    #[must_use]
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.scripts.push((name.to_owned(), text.to_owned()));
        self
    }

    fn control(&self) -> String {
        let depends = self.depends.as_ref().map(|relations| format!("Depends: {relations}\n"));
        format!(
            "Package: {}\nVersion: {}\nArchitecture: all\n{}\
             Maintainer: The lab <lab@example.org>\nDescription: a package of the test lab\n",
            self.name,
            self.version,
            depends.unwrap_or_default()
        )
    }

    /// Writes the package's `.deb` into `directory`.
    fn build(&self, directory: &Path) {
        let tree = tempfile::tempdir_in(directory).unwrap();
        let root = tree.path().join("root");
        let debian = root.join("DEBIAN");
        fs::create_dir_all(&debian).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(debian.join("control"), self.control()).unwrap();
        for (path, text, mode) in &self.files {
            write(&root.join(path.trim_start_matches('/')), text, *mode);
        }
        if !self.conffiles.is_empty() {
            let list = self.conffiles.join("\n") + "\n";
            write(&debian.join("conffiles"), &list, 0o644);
        }
        for (name, text) in &self.scripts {
            write(&debian.join(name), text, 0o755);
        }
        if let Some(unit) = &self.service {
            let start = format!(
                "#!/bin/sh\nset -e\ndeb-systemd-helper enable {unit}\n\
                 [ ! -d /run/systemd/system ] || systemctl daemon-reload\n\
                 deb-systemd-invoke start {unit}\n"
            );
            write(&debian.join("postinst"), &start, 0o755);
            let stop = format!("#!/bin/sh\nset -e\ndeb-systemd-invoke stop {unit}\n");
            write(&debian.join("prerm"), &stop, 0o755);
            let forget = format!(
                "#!/bin/sh\nset -e\n[ \"$1\" != purge ] || deb-systemd-helper purge {unit}\n\
                 [ ! -d /run/systemd/system ] || systemctl daemon-reload\n"
            );
            write(&debian.join("postrm"), &forget, 0o755);
        }
        let deb = directory.join(format!("{}_{}_all.deb", self.name, self.version));
        must(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&root).arg(deb));
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A flat apt repository. Hosts of the lab have it as their only source.
#[derive(Debug, Clone)]
pub struct Repository {
    path: PathBuf,
}

impl Repository {
    /// The repository that holds `packages`, made at first need.
    #[must_use]
    pub fn of(packages: &[Deb]) -> Self {
        // How a package is built is part of what it is.
        let recipe = format!("{packages:?}{}", include_str!("apt.rs"));
        let path = cache::directory("debian", &recipe, |directory| {
            for package in packages {
                package.build(directory);
            }
            let index = |what: &str| {
                must(Command::new("apt-ftparchive").args([what, "."]).current_dir(directory))
            };
            fs::write(directory.join("Packages"), index("packages")).unwrap();
            fs::write(directory.join("Release"), index("release")).unwrap();
            sign(directory);
        });
        Self { path }
    }

    /// Its URL for this machine, and the keys of its suite `signed/`.
    #[must_use]
    pub fn signed(&self) -> (String, PathBuf) {
        (format!("file://{}", self.path.display()), self.path.join("signed/keys.gpg"))
    }

    /// What the suites install: two versions of one package with a setting and a daemon.
    #[must_use]
    pub fn standard() -> Self {
        Self::of(&[hello("1.0"), hello("1.1")])
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The same once more as the suite `signed/`, with a key of its own.
fn sign(repository: &Path) {
    let suite = repository.join("signed");
    fs::create_dir(&suite).unwrap();
    fs::copy(repository.join("Packages"), suite.join("Packages")).unwrap();
    let release = must(Command::new("apt-ftparchive").args(["release", "."]).current_dir(&suite));
    fs::write(suite.join("Release"), release).unwrap();
    // The path of its socket must be short.
    let home = tempfile::tempdir().unwrap();
    let gpg = |arguments: &[&str]| {
        let quiet = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
        let mut gpg = Command::new("gpg");
        must(gpg.arg("--homedir").arg(home.path()).args(quiet).args(arguments).current_dir(&suite));
    };
    gpg(&["--quick-gen-key", "lab@example.org", "ed25519", "sign", "never"]);
    gpg(&["--output", "keys.gpg", "--export"]);
    gpg(&["--digest-algo", "SHA256", "--output", "InRelease", "--clearsign", "Release"]);
}

fn hello(version: &str) -> Deb {
    let unit = "[Unit]\nDescription=Says hello\n[Service]\nExecStart=/bin/sleep infinity\n\
                [Install]\nWantedBy=multi-user.target\n";
    Deb::new("hello-cairn", version)
        .file("/usr/bin/hello-cairn", &format!("#!/bin/sh\necho hello {version}\n"), 0o755)
        .conffile("/etc/hello-cairn.conf", &format!("# hello-cairn {version}\ngreeting = hello\n"))
        .service("hello-cairn.service", unit)
}
