//! What is sent, and what becomes of a switch.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cairn_deploy::{Deployer, Effect, Error, Generation, HostEvent, Quiet, Switch, Target, fleet};
use cairn_generation::wire::{Event, Mode, Outcome};
use cairn_generation::{GenerationId, Store};

use crate::sshd::Sshd;
use crate::{Tests, Told, deployer, run, settings, web};

pub(crate) const TESTS: Tests = &[
    ("switches::activator_is_sent_once", activator_is_sent_once),
    ("switches::damaged_activator_is_sent_again", damaged_activator_is_sent_again),
    ("switches::no_activator_for_the_architecture", no_activator),
    ("switches::blobs_are_sent_once_and_the_switch_is_confirmed", whole_switch),
    ("switches::sending_goes_on_where_it_stopped", resumed),
    ("switches::host_that_is_full", full),
    ("switches::host_that_fails", fails),
    ("switches::cut_connection_is_followed_to_the_end", cut),
    ("switches::cut_connection_and_the_host_goes_back", cut_and_back),
    ("switches::lost_host", lost_host),
    ("switches::not_confirmed", not_confirmed),
    ("switches::questions", questions),
    ("switches::another_protocol", another_protocol),
    ("switches::noisy_login", noisy_login),
    ("switches::fleet", many_hosts),
    ("switches::second_connection_is_quick", quick),
];

fn server() -> Sshd {
    let sshd = Sshd::start();
    sshd.configure("");
    sshd.know_all();
    sshd
}

fn generation(sshd: &Sshd, manifest: &str, blobs: &[Vec<u8>]) -> Generation {
    let store = Store::open(sshd.path("local")).unwrap();
    let blobs = blobs.iter().map(|content| store.put(content).unwrap()).collect();
    let id = GenerationId::of(manifest.as_bytes());
    Generation { id, manifest: manifest.into(), blobs, store }
}

fn how(confirm_timeout: u32) -> Switch {
    Switch { mode: Mode::Switch, confirm_timeout, adopt: BTreeSet::new(), allow_lockout: false }
}

fn switch(sshd: &Sshd, manifest: &str, blobs: &[Vec<u8>], told: &Told) -> Result<Outcome, Error> {
    let generation = generation(sshd, manifest, blobs);
    run(async { deployer(sshd).switch(&web(), &generation, &how(5), told).await })
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn requests(sshd: &Sshd) -> String {
    std::fs::read_to_string(sshd.path("state/requests")).unwrap()
}

fn activator_is_sent_once() {
    let sshd = server();
    for expect in [true, false] {
        let told = Told::default();
        run(async { deployer(&sshd).connect(&web(), &told).await.map(|_| ()) }).unwrap();
        assert_eq!(told.sent_activator(), expect);
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode =
        |name: &str| std::fs::metadata(sshd.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("lib/kept"), 0o700);
    // Managed files are links through what is above it.
    assert_eq!(mode("lib"), 0o755);
}

fn damaged_activator_is_sent_again() {
    let sshd = server();
    run(async { deployer(&sshd).connect(&web(), &Quiet).await.map(|_| ()) }).unwrap();
    let folder = std::fs::read_dir(sshd.path("lib/kept")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("cairn-activator"), "#!/bin/sh\necho evil\n").unwrap();
    let told = Told::default();
    run(async { deployer(&sshd).connect(&web(), &told).await.map(|_| ()) }).unwrap();
    assert!(told.sent_activator());
    // Nothing half-sent is left.
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

fn no_activator() {
    let sshd = server();
    let mut settings = settings(&sshd);
    let folder = sshd.path("others");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("cairn-activator-pdp11"), "").unwrap();
    settings.activators = cairn_deploy::Activators::in_folder(&folder).unwrap();
    let connected =
        run(async { Deployer::over_ssh(settings).connect(&web(), &Quiet).await.map(|_| ()) });
    let error = connected.unwrap_err();
    assert_eq!(error.code(), "deploy::activator-missing");
    assert!(error.message().contains(std::env::consts::ARCH), "{error}");
    assert!(error.message().contains("pdp11"), "{error}");
}

fn whole_switch() {
    let sshd = server();
    let blobs = [b"small".to_vec(), noise(3 << 20), vec![7; 5 << 20], Vec::new()];
    let told = Told::default();
    let outcome = switch(&sshd, "plain", &blobs, &told).unwrap();
    assert_eq!(outcome.id, Some(GenerationId::of(b"plain")));
    let last = told.events().into_iter().rfind(|event| matches!(event, HostEvent::Sending { .. }));
    let bytes = 5 + (3 << 20) + (5 << 20);
    let all = HostEvent::Sending { blobs: 4, blobs_total: 4, bytes, bytes_total: bytes };
    assert_eq!(last, Some(all));
    let waits = |event: &HostEvent| {
        matches!(event, HostEvent::Host(Event::AwaitingConfirmation { seconds: 5 }))
    };
    assert!(told.events().iter().any(waits));
    assert!(told.events().contains(&HostEvent::Confirming));
    assert_eq!(sshd.log().matches("Accepted publickey").count(), 2);

    let told = Told::default();
    switch(&sshd, "plain", &blobs, &told).unwrap();
    assert!(!told.events().iter().any(|event| matches!(event, HostEvent::Sending { .. })));
    assert_eq!(requests(&sshd).matches("\"put\"").count(), 4);
    // The nonce is drawn anew.
    let nonces: BTreeSet<_> = requests(&sshd)
        .lines()
        .filter_map(|line| line.split_once("\"confirm\",\"nonce\":\"").map(|(_, n)| n.to_owned()))
        .collect();
    assert_eq!(nonces.len(), 2);
}

fn resumed() {
    let sshd = server();
    let content = noise(2 << 20);
    let generation = generation(&sshd, "plain", std::slice::from_ref(&content));
    let id = *generation.blobs.first().unwrap();
    std::fs::create_dir_all(sshd.path("state")).unwrap();
    let part = sshd.path("state").join(format!("{id}.part"));
    std::fs::write(part, &content[..1_500_000]).unwrap();
    let told = Told::default();
    run(async { deployer(&sshd).switch(&web(), &generation, &how(5), &told).await }).unwrap();
    let rest = (content.len() - 1_500_000) as u64;
    let all = HostEvent::Sending { blobs: 1, blobs_total: 1, bytes: rest, bytes_total: rest };
    assert!(told.events().contains(&all));
}

fn full() {
    let sshd = server();
    std::fs::create_dir_all(sshd.path("state")).unwrap();
    std::fs::write(sshd.path("state/full"), "yes").unwrap();
    let error = switch(&sshd, "plain", &[noise(4 << 20), noise(9)], &Told::default()).unwrap_err();
    assert_eq!(error.code(), "deploy::host-failed");
    assert_eq!(error.effect(), Effect::Unchanged);
    assert!(error.message().contains("no space left"), "{error}");
}

fn fails() {
    let sshd = server();
    let error = switch(&sshd, "fails", &[], &Told::default()).unwrap_err();
    assert_eq!((error.code(), error.effect()), ("deploy::host-failed", Effect::Unchanged));
    assert_eq!(error.message(), "foo.service did not start");
}

fn cut() {
    let sshd = server();
    let told = Told::default();
    let outcome = switch(&sshd, "cut", &[], &told).unwrap();
    assert_eq!(outcome.id, Some(GenerationId::of(b"cut")));
    assert!(told.events().iter().any(|event| matches!(event, HostEvent::ConnectionLost { .. })));
}

fn cut_and_back() {
    let sshd = server();
    let error = switch(&sshd, "cut-and-back", &[], &Told::default()).unwrap_err();
    assert_eq!((error.code(), error.effect()), ("deploy::host-failed", Effect::Unchanged));
    assert!(error.message().contains("generation 7: the watchdog ended it"), "{error}");
}

/// The host does not come back: nobody may claim to know how it is.
fn lost_host() {
    let sshd = server();
    run(async { deployer(&sshd).connect(&web(), &Quiet).await.map(|_| ()) }).unwrap();
    let generation = generation(&sshd, "cut", &[]);
    let deployer = deployer(&sshd).patient_for(Duration::from_secs(1));
    let sshd = Mutex::new(sshd);
    let observer = move |_: &str, event: &HostEvent| {
        if matches!(event, HostEvent::ConnectionLost { .. }) {
            sshd.lock().unwrap().stop();
        }
    };
    let error = run(async { deployer.switch(&web(), &generation, &how(1), &observer).await });
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.effect()), ("deploy::connection-lost", Effect::NeedsLook));
    assert!(error.message().contains("lost during the switch"), "{error}");
    assert!(error.help().unwrap().contains("goes back to its confirmed generation"));
}

fn not_confirmed() {
    let sshd = server();
    let generation = generation(&sshd, "plain", &[]);
    let deployer = deployer(&sshd);
    let authorized = sshd.path("authorized_keys");
    let observer = move |_: &str, event: &HostEvent| {
        if *event == HostEvent::Confirming {
            // As a generation would that forgets its deployer's key.
            std::fs::write(&authorized, "").unwrap();
        }
    };
    let started = Instant::now();
    let error = run(async { deployer.switch(&web(), &generation, &how(2), &observer).await });
    let error = error.unwrap_err();
    assert_eq!((error.code(), error.effect()), ("deploy::unconfirmed", Effect::Unchanged));
    assert!(error.message().contains("the login was refused"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

fn questions() {
    let sshd = server();
    let store = Store::open(sshd.path("state/store")).unwrap();
    let content = noise(100_000);
    let id = store.put(&content).unwrap();
    run(async {
        let mut session = deployer(&sshd).connect(&web(), &Quiet).await.unwrap();
        assert_eq!(session.status().await.unwrap().generation, 7);
        assert_eq!(session.history().await.unwrap().entries.len(), 1);
        assert_eq!(session.current().await.unwrap().as_deref(), Some("{}"));
        assert_eq!(session.blob(id).await.unwrap(), content);
        session.gc(3, &Quiet).await.unwrap();
        let how = how(5);
        let outcome = deployer(&sshd).rollback(&web(), Some("0".to_owned()), &how, &Quiet).await;
        assert!(!outcome.unwrap().changed);
    });
}

fn another_protocol() {
    let sshd = server();
    std::fs::create_dir_all(sshd.path("state")).unwrap();
    std::fs::write(sshd.path("state/protocol"), "99").unwrap();
    let error = run(async { deployer(&sshd).connect(&web(), &Quiet).await.map(|_| ()) });
    let error = error.unwrap_err();
    assert_eq!(error.code(), "deploy::protocol");
    assert!(error.message().contains("version 99"), "{error}");
}

fn noisy_login() {
    let sshd = Sshd::with(&["ed25519"], "ForceCommand echo Welcome to this host");
    sshd.configure("");
    sshd.know_all();
    let error = run(async { deployer(&sshd).connect(&web(), &Quiet).await.map(|_| ()) });
    let error = error.unwrap_err();
    assert_eq!(error.code(), "deploy::protocol");
    assert!(error.message().contains("print something"), "{error}");
}

fn many_hosts() {
    let sshd = server();
    sshd.configure("Host web3\n  Port 1\n");
    let generation = Arc::new(generation(&sshd, "plain", &[noise(1000)]));
    run(async { deployer(&sshd).connect(&web(), &Quiet).await.map(|_| ()) }).unwrap();
    let deployer = deployer(&sshd);
    let hosts = (0..6).map(|n| (Target { name: format!("web{n}"), ..Target::default() }, ()));
    let results = run(fleet::run(hosts.collect(), 2, move |target, ()| {
        let (deployer, generation) = (deployer.clone(), Arc::clone(&generation));
        async move {
            let mut session = deployer.connect(&target, &Told::default()).await?;
            session.send_missing(&generation, &Quiet).await?;
            session.status().await
        }
    }));
    for (n, (host, result)) in results.iter().enumerate() {
        assert_eq!(host, &format!("web{n}"));
        match n {
            3 => assert_eq!(result.as_ref().unwrap_err().code(), "deploy::unreachable"),
            _ => assert_eq!(result.as_ref().unwrap().generation, 7),
        }
    }
}

fn quick() {
    let sshd = server();
    let deployer = deployer(&sshd);
    let time = || {
        let started = Instant::now();
        run(async { deployer.connect(&web(), &Quiet).await.map(|_| ()) }).unwrap();
        started.elapsed()
    };
    time();
    let ours = (0..5).map(|_| time()).min().unwrap();
    let ssh = || {
        let started = Instant::now();
        let done = std::process::Command::new("ssh")
            .arg("-F")
            .arg(sshd.path("ssh_config"))
            .args(["web", "true"])
            .status();
        assert!(done.unwrap().success());
        started.elapsed()
    };
    let theirs = (0..5).map(|_| ssh()).min().unwrap();
    eprintln!("a session: {ours:?}; ssh host true: {theirs:?}");
    // An unoptimised build on a busy machine: what it costs in earnest is measured elsewhere.
    assert!(ours < theirs * 5 + Duration::from_millis(500), "{ours:?} {theirs:?}");
}
