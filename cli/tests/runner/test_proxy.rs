//! Downloads through a proxy, and with logins from netrc.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::common::{command, fleet};

const PROGRAM: &str = "#!/bin/sh\necho a stone\n";

/// Something that answers every request with the program, as a proxy and as a server. Its address, and the heads
/// of the requests.
fn serve() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a connection")).lines();
            let head: Vec<String> =
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let length = PROGRAM.len();
            seen.lock().expect("a lock").push(head.join("\n"));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{PROGRAM}"
            );
        }
    });
    (address, heads)
}

/// What locking a fleet whose host has the program at `url` ends in.
fn lock_ends(folder: &Path, url: &str, environment: &[(&str, &str)]) -> Output {
    let package =
        format!("(lib.fetchPackage {{ url = \"{url}\"; name = \"stone\"; bin = \"stone\"; }})");
    let host = format!("{{ lib, ... }}:\n{{ environment.systemPackages = [ {package} ]; }}\n");
    fs::write(folder.join("demo.nix"), host).expect("written");
    let mut cairn = command(folder);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        cairn.env_remove(name).env_remove(name.to_uppercase());
    }
    cairn.args(["lock"]).envs(environment.iter().copied()).output().expect("it runs")
}

/// Locks a fleet whose host has the program at `url`.
fn lock(folder: &Path, url: &str, environment: &[(&str, &str)]) {
    let output = lock_ends(folder, url, environment);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lock = fs::read_to_string(folder.join("cairn.lock")).expect("a lock");
    assert!(lock.contains(url), "{lock}");
}

#[test]
fn a_proxy_is_asked_for_the_whole_url_and_logins_go_to_their_server_alone() {
    let folder =
        fleet(&[("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n")]);
    let folder = folder.path();
    let netrc = folder.join("logins");
    fs::write(&netrc, "machine releases.example login me password pw\n").expect("written");
    let netrc = netrc.display().to_string();
    let (address, heads) = serve();
    let proxy = format!("http://you:secret@{address}");
    let asked = || heads.lock().expect("a lock").pop().expect("a request");

    let both = [("NETRC", netrc.as_str()), ("http_proxy", proxy.as_str())];
    lock(folder, "http://releases.example/stone", &both);
    let head = asked();
    assert!(head.starts_with("GET http://releases.example/stone HTTP/1.1\n"), "{head}");
    assert!(head.contains("uthorization: Basic bWU6cHc="), "me:pw goes to the server: {head}");
    assert!(head.contains("Proxy-Authorization: Basic eW91OnNlY3JldA=="), "{head}");

    lock(folder, "http://other.example:81/stone", &both);
    let head = asked();
    assert!(head.starts_with("GET http://other.example:81/stone HTTP/1.1\n"), "{head}");
    assert!(!head.contains("bWU6cHc="), "no other server gets the login: {head}");

    // What is left out is asked of its server.
    let direct = format!("http://{address}/stone");
    let nobody = [("http_proxy", "http://127.0.0.1:1"), ("no_proxy", "x.example, 127.0.0.1")];
    lock(folder, &direct, &nobody);
    assert!(asked().starts_with("GET /stone HTTP/1.1\n"));
    // So is what another scheme's proxy is for.
    let direct = format!("http://{address}/other");
    lock(folder, &direct, &[("https_proxy", "http://127.0.0.1:1")]);
    assert!(asked().starts_with("GET /other HTTP/1.1\n"));
    assert!(heads.lock().expect("a lock").is_empty(), "nothing was asked for twice");
}

#[test]
fn a_proxy_that_is_no_address_is_not_gone_around() {
    let folder =
        fleet(&[("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n")]);
    let environment = [("HTTP_PROXY", "http://me:secret@[proxy")];
    let output = lock_ends(folder.path(), "http://releases.example/stone", &environment);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{words}");
    insta::assert_snapshot!(words, @r#"
    lock::download

      × `http://releases.example/stone` cannot be fetched: `HTTP_PROXY` in the
      │ environment is no address of a proxy
       ╭─[demo.nix:2:32]
     1 │ { lib, ... }:
     2 │ { environment.systemPackages = [ (lib.fetchPackage { url = "http://releases.example/stone"; name = "stone"; bin = "stone"; }) ]; }
       ·                                ────────────────────────────────────────────────────────────────────────────────────────────────
       ╰────
      help: write `HTTP_PROXY=http://host:port`, or unset it to go without a proxy

    1 error in 1 file
    "#);
}
