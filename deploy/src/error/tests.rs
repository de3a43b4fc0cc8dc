use super::*;

/// What a person sees: code, message, help.
fn shown(cause: Cause) -> String {
    let endpoint =
        Endpoint { address: "10.0.0.5".to_owned(), port: 2222, user: "alice".to_owned() };
    let error = Error::new("web", Some(endpoint), cause);
    let help = error.help().unwrap_or_else(|| "none".to_owned());
    format!("{}\n{error}\nhelp: {help}\n{:?}\n", error.code(), error.effect())
}

fn place() -> Place {
    Place { path: "/home/me/.ssh/known_hosts".into(), line: 3 }
}

#[test]
fn host_keys() {
    let (algorithm, fingerprint) = ("ssh-ed25519".to_owned(), "SHA256:abc".to_owned());
    insta::assert_snapshot!(shown(Cause::HostKeyUnknown {
        algorithm: algorithm.clone(),
        fingerprint: fingerprint.clone(),
        key: "ssh-ed25519 AAAA".to_owned(),
        known_hosts: "/home/me/.ssh/known_hosts".into(),
    }), @r#"
    deploy::host-key-unknown
    web: the host's key is not known: it shows ssh-ed25519 SHA256:abc (alice@10.0.0.5, port 2222)
    help: compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host. If it is the same, add it: `ssh-keyscan -p 2222 10.0.0.5 >> /home/me/.ssh/known_hosts`; or set deployment.hostKey = "ssh-ed25519 AAAA"
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::HostKeyChanged {
        algorithm: algorithm.clone(),
        fingerprint: fingerprint.clone(),
        expected: Expected::Known(place()),
    }), @r#"
    deploy::host-key-changed
    web: THE HOST'S KEY HAS CHANGED: it shows ssh-ed25519 SHA256:abc, but /home/me/.ssh/known_hosts:3 says otherwise. Somebody may be listening in, or the host was installed anew (alice@10.0.0.5, port 2222)
    help: only if you know why it changed: remove line 3 of /home/me/.ssh/known_hosts, and add the new key
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::HostKeyChanged {
        algorithm,
        fingerprint: fingerprint.clone(),
        expected: Expected::Pinned("SHA256:def".to_owned()),
    }), @r#"
    deploy::host-key-changed
    web: THE HOST'S KEY HAS CHANGED: it shows ssh-ed25519 SHA256:abc, but deployment.hostKey (SHA256:def) says otherwise. Somebody may be listening in, or the host was installed anew (alice@10.0.0.5, port 2222)
    help: only if you know why it changed: set deployment.hostKey anew
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::HostKeyRevoked { fingerprint, place: place() }), @r#"
    deploy::host-key-revoked
    web: the host's key SHA256:abc is revoked by /home/me/.ssh/known_hosts:3 (alice@10.0.0.5, port 2222)
    help: install a new host key on the host; the revoked one may be in the wrong hands
    Unchanged
    "#);
}

#[test]
fn logins() {
    let attempt = |source: &str, fingerprint: Option<&str>, result: &str| Attempt {
        source: source.to_owned(),
        fingerprint: fingerprint.map(str::to_owned),
        result: result.to_owned(),
    };
    insta::assert_snapshot!(shown(Cause::LoginRefused { tried: vec![
        attempt("agent (me@here)", Some("SHA256:abc"), "refused by the server"),
        attempt("/home/me/.ssh/gone", None, "No such file or directory (os error 2)"),
    ] }), @r#"
    deploy::login-refused
    web: the login was refused (alice@10.0.0.5, port 2222)
      agent (me@here) SHA256:abc: refused by the server
      /home/me/.ssh/gone: No such file or directory (os error 2)
    help: add one of these keys to ~alice/.ssh/authorized_keys on the host, or name another login with deployment.targetUser
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::LoginRefused { tried: Vec::new() }), @r#"
    deploy::login-refused
    web: the login was refused (alice@10.0.0.5, port 2222): there is no key to try
    help: start an agent and `ssh-add` a key, or name one with IdentityFile in ~/.ssh/config
    Unchanged
    "#);
}

#[test]
fn switches() {
    insta::assert_snapshot!(shown(Cause::Failed {
        step: Some(Step::Check),
        message: "foo.service is not active".to_owned(),
        unchanged: true,
    }), @r#"
    deploy::host-failed
    web: foo.service is not active
    help: the host went back; its journal has the service's own words
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::Unconfirmed {
        reason: "cannot be reached: no answer within 10 s".to_owned(),
        message: "nobody confirmed within 30 s".to_owned(),
        unchanged: true,
    }), @r#"
    deploy::unconfirmed
    web: switched, but could not be reached over a new connection (cannot be reached: no answer within 10 s), and went back: nobody confirmed within 30 s (alice@10.0.0.5, port 2222)
    help: the new generation locks this machine out: look at its firewall, network and sshd
    Unchanged
    "#);
    insta::assert_snapshot!(shown(Cause::ConnectionLost {
        during: "during the switch".to_owned(),
        message: "the host closed it".to_owned(),
        effect: Lost::Switch,
    }), @r#"
    deploy::connection-lost
    web: the connection was lost during the switch: the host closed it (alice@10.0.0.5, port 2222)
    help: the host goes back to its confirmed generation by itself; `cairn status` says when it can be reached again
    NeedsLook
    "#);
    insta::assert_snapshot!(shown(Cause::ActivatorMissing {
        architecture: "riscv64".to_owned(),
        available: vec!["aarch64".to_owned(), "x86_64".to_owned()],
    }), @r#"
    deploy::activator-missing
    web: no activator for riscv64: there is one for aarch64, x86_64 (alice@10.0.0.5, port 2222)
    help: put cairn-activator-riscv64 beside `cairn`, or name its folder with --activator
    Unchanged
    "#);
}
