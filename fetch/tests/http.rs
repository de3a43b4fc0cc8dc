//! Downloads over HTTP, from a server that breaks off, asks who one is, or has something else.
#![allow(clippy::expect_used, reason = "a test program")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use cairn_fetch::{Cache, Fetch, FetchError, Wanted};

const TEXT: &str = "0123456789";
/// Of [`TEXT`].
const SHA256: &str = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

/// Serves [`TEXT`]: as often as `breaks` says only half of what was asked for. Gives its URL, and the
/// heads of the requests.
fn serve(mut breaks: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/text", listener.local_addr().expect("an address"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a connection")).lines();
            let head: Vec<String> =
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n").to_lowercase();
            let from =
                head.split_once("range: bytes=").and_then(|(_, rest)| rest.split('-').next());
            let from: usize = from.map_or(0, |from| from.parse().expect("a number"));
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            let rest = &TEXT[from..];
            let sent = if breaks > 0 { &rest[..rest.len() / 2] } else { rest };
            breaks = breaks.saturating_sub(1);
            seen.lock().expect("a lock").push(head);
            let length = rest.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{sent}"
            );
        }
    });
    (url, heads)
}

#[test]
fn a_transfer_that_breaks_off_is_gone_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(folder.path());
    let (url, heads) = serve(2);
    let path = cache.fetch(&url, SHA256).expect("fetched");
    assert_eq!(std::fs::read_to_string(path).expect("read"), TEXT);
    let heads = heads.lock().expect("a lock");
    assert_eq!(heads.len(), 3);
    assert!(!heads[0].contains("range:") && heads[1].contains("range: bytes=5-"), "{heads:?}");
    assert!(heads[2].contains("range: bytes=7-"), "{heads:?}");
}

#[test]
fn several_at_a_time_and_none_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(folder.path());
    let (url, heads) = serve(0);
    let wanted = Wanted { url, sha256: SHA256.to_owned() };
    cache.fetch_all(&[wanted.clone(), wanted.clone()], &|_| ()).expect("fetched");
    cache.fetch_all(&[wanted], &|_| ()).expect("there already");
    assert_eq!(heads.lock().expect("a lock").len(), 1);
}

#[test]
fn something_else_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(folder.path());
    let (url, _) = serve(0);
    let refused = cache.fetch(&url, &"0".repeat(64)).expect_err("refused");
    assert!(matches!(refused, FetchError::Hash { found, .. } if found == SHA256));
}
