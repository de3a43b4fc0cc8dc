//! Everything that can only be seen with a real OpenSSH server: who is trusted, who may log in, what
//! is sent, and what becomes of a switch. The activator is a stand-in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that has its own main"
)]

#[path = "openssh/fake.rs"]
mod fake;
#[path = "openssh/local.rs"]
mod local;
#[path = "openssh/logins.rs"]
mod logins;
#[path = "openssh/sshd.rs"]
mod sshd;
#[path = "openssh/switches.rs"]
mod switches;
#[path = "openssh/trust.rs"]
mod trust;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use cairn_deploy::{Activators, Deployer, HostEvent, Observer, Settings, Target};
use libtest_mimic::{Arguments, Trial};
use sshd::Sshd;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, first, state, ..] = words.as_slice()
        && first == "fake-activator"
    {
        fake::serve(Path::new(state));
        return ExitCode::SUCCESS;
    }
    let left_out = left_out();
    if let Some(why) = &left_out {
        eprintln!("LEFT OUT: the suite against a real OpenSSH server, because {why}");
        if std::env::var_os("CAIRN_REQUIRE_HOSTS").is_some() {
            return ExitCode::FAILURE;
        }
    }
    let mut trials = Vec::new();
    for (name, test) in [trust::TESTS, logins::TESTS, switches::TESTS].concat() {
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        trials.push(trial.with_ignored_flag(left_out.is_some()));
    }
    trials.extend(local::TESTS.iter().map(|&(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn left_out() -> Option<String> {
    if !Path::new(sshd::SSHD).exists() {
        return Some(format!("{} is not there (Debian: openssh-server)", sshd::SSHD));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root =
        status.lines().any(|l| l.starts_with("Uid:") && l.split_whitespace().nth(1) == Some("0"));
    (!root).then(|| "it logs in as root, and this is another user".to_owned())
}

pub(crate) type Tests = &'static [(&'static str, fn())];

/// A deployer that knows the server by its configuration, and its host named `web`.
pub(crate) fn deployer(sshd: &Sshd) -> Deployer {
    Deployer::over_ssh(settings(sshd))
}

pub(crate) fn settings(sshd: &Sshd) -> Settings {
    let mut settings = Settings::from_environment(activators(sshd));
    settings.home = sshd.dir.path().to_owned();
    settings.user = "me".to_owned();
    settings.machine = "here".to_owned();
    settings.agent = None;
    settings.ssh_config = Some(sshd.path("ssh_config"));
    settings
}

/// The stand-in, for the architecture of this machine.
pub(crate) fn activators(sshd: &Sshd) -> Activators {
    activators_in(sshd.dir.path())
}

pub(crate) fn activators_in(dir: &Path) -> Activators {
    let folder = dir.join("activators");
    let state = dir.join("state");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(&state).unwrap();
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\nexec '{}' fake-activator '{}' \"$@\"\n",
        this.display(),
        state.display()
    );
    let name = format!("cairn-activator-{}", std::env::consts::ARCH);
    std::fs::write(folder.join(name), script).unwrap();
    Activators::in_folder(&folder).unwrap().kept_in(&dir.join("lib/kept").display().to_string())
}

pub(crate) fn web() -> Target {
    Target { name: "web".to_owned(), ..Target::default() }
}

/// A test that hangs is one that fails.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let limited = runtime.block_on(async {
        tokio::time::timeout(std::time::Duration::from_secs(120), future).await
    });
    // What is still blocked must not keep the test from ending.
    runtime.shutdown_background();
    limited.expect("it takes too long")
}

/// Remembers what it is told.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<HostEvent>>>);

impl Told {
    pub(crate) fn events(&self) -> Vec<HostEvent> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn sent_activator(&self) -> bool {
        self.events().iter().any(|event| matches!(event, HostEvent::SendingActivator { .. }))
    }
}

impl Observer for Told {
    fn event(&self, host: &str, event: &HostEvent) {
        assert!(host.starts_with("web"), "{host}");
        self.0.lock().unwrap().push(event.clone());
    }
}
