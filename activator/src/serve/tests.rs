use std::collections::BTreeSet;

use cairn_generation::Manifest;
use cairn_generation::manifest::{Content, File, Method};

use super::*;

/// A conversation with a folder: what is asked, and all that is answered.
fn talk(root: &Path, requests: &[Request], chunks: &[&[u8]]) -> Vec<Event> {
    let mut input = Vec::new();
    let hello = Hello { protocol: PROTOCOL, version: "test".to_owned() };
    write_message(&mut input, &hello).unwrap();
    for request in requests {
        write_message(&mut input, request).unwrap();
        if matches!(request, Request::Put(_)) {
            for chunk in chunks {
                let packed = zstd::bulk::compress(chunk, 3).unwrap();
                write(&mut input, Kind::Chunk, &packed).unwrap();
            }
            write(&mut input, Kind::Chunk, &[]).unwrap();
        }
    }
    let mut output = Vec::new();
    serve(&mut Node::at_root(root).unwrap(), &mut &input[..], &mut output).unwrap();
    let mut output = &output[..];
    let _: Hello = read_message(&mut output).unwrap();
    let mut events = Vec::new();
    while let Ok(event) = read_message(&mut output) {
        events.push(event);
    }
    events
}

fn put(content: &[u8], offset: u64) -> Request {
    Request::Put(Blob { id: BlobId::of(content), offset, size: content.len() as u64 })
}

fn missing(events: &[Event]) -> Option<&BTreeMap<BlobId, u64>> {
    events.iter().find_map(|event| match event {
        Event::Missing { blobs } => Some(blobs),
        _ => None,
    })
}

#[test]
fn blobs_arrive_and_are_verified() {
    let root = tempfile::tempdir().unwrap();
    let have = Request::Have { blobs: BTreeSet::from([BlobId::of(b"stone")]) };
    let events = talk(root.path(), std::slice::from_ref(&have), &[]);
    assert_eq!(missing(&events).unwrap().len(), 1);
    let events = talk(root.path(), &[put(b"stone", 0), have], &[b"sto", b"ne"]);
    assert_eq!(missing(&events).unwrap().len(), 0);
}

#[test]
fn an_altered_blob_is_refused_and_the_next_request_answered() {
    let root = tempfile::tempdir().unwrap();
    let have = Request::Have { blobs: BTreeSet::from([BlobId::of(b"stone")]) };
    for chunks in [&[&b"sand!"[..]][..], &[b"sto"], &[b"stone and more"]] {
        let events = talk(root.path(), &[put(b"stone", 0), have.clone()], chunks);
        assert!(matches!(&events[0], Event::Failed { unchanged: true, .. }), "{events:?}");
        assert_eq!(missing(&events).unwrap().len(), 1);
    }
}

#[test]
fn a_confirmation_without_a_switch_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let events = talk(root.path(), &[Request::Confirm { nonce: "x".to_owned() }], &[]);
    assert!(matches!(&events[..], [Event::Failed { unchanged: true, .. }]), "{events:?}");
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut manifest = Manifest::empty("demo");
    let file = File {
        content: Content::To("/usr/share/x".to_owned()),
        mode: "0644".to_owned(),
        user: "root".to_owned(),
        group: "root".to_owned(),
        method: Method::Link,
    };
    manifest.files.insert("/etc/x".to_owned(), file);
    let (_, text) = manifest.encode().unwrap();
    let options = SwitchOptions {
        mode: Mode::DryActivate,
        nonce: None,
        confirm_timeout: 1,
        adopt: BTreeSet::new(),
        deployer: "test".to_owned(),
        login: None,
        port: None,
        allow_lockout: false,
    };
    let manifest = String::from_utf8(text).unwrap();
    let events = talk(root.path(), &[Request::Switch { manifest, options }], &[]);
    assert!(
        matches!(
            &events[..],
            [Event::Step { .. }, Event::Step { .. }, Event::Action(_), Event::Done(_)]
        ),
        "{events:?}"
    );
    assert!(!root.path().join("etc").exists());
}
