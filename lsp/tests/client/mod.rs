//! An editor that waits for what it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, PipeWriter, Write, pipe};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cairn_lsp::{Ended, Options, serve};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server, and what it said.
pub(crate) struct Client {
    folder: TempDir,
    to: PipeWriter,
    said: Receiver<Json>,
    server: Option<JoinHandle<Ended>>,
    count: i64,
    versions: BTreeMap<String, i64>,
    /// By address: the version, and what is wrong.
    told: BTreeMap<String, (i64, Vec<Json>)>,
    answers: BTreeMap<i64, Json>,
}

/// A server for a fleet of these files.
pub(crate) fn fleet(files: &[(&str, &str)]) -> Client {
    Client::start(files, &json!({}))
}

impl Client {
    /// A server for a fleet of these files, and an editor that can do this.
    pub(crate) fn start(files: &[(&str, &str)], capabilities: &Json) -> Client {
        Client::start_with(files, capabilities, |_| {})
    }

    /// The same, of a fleet that something is done to before.
    pub(crate) fn start_with(
        files: &[(&str, &str)],
        capabilities: &Json,
        prepare: impl FnOnce(&Path),
    ) -> Client {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join("fleet").join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        prepare(&folder.path().join("fleet"));
        let (input, to) = pipe().expect("a pipe");
        let (from, output) = pipe().expect("a pipe");
        let standard = folder.path().join("standard");
        let cache = folder.path().join("cache");
        let options = Options { fleet: None, standard, cache, features: Default::default() };
        let server =
            thread::spawn(move || serve(options, BufReader::new(input), output).expect("served"));
        let (say, said) = channel();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            while let Some(message) = read(&mut from) {
                if say.send(message).is_err() {
                    return;
                }
            }
        });
        let mut client = Client {
            folder,
            to,
            said,
            server: Some(server),
            count: 0,
            versions: BTreeMap::new(),
            told: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        let root = client.root();
        let params = json!({ "processId": null, "rootUri": root, "capabilities": capabilities });
        client.request("initialize", params).expect("initialized");
        client.notify("initialized", json!({}));
        client
    }

    /// The address of the fleet's folder, with a slash.
    pub(crate) fn root(&self) -> String {
        let folder = self.folder.path().join("fleet").canonicalize().expect("a folder");
        format!("file://{}/", folder.display())
    }

    pub(crate) fn uri(&self, file: &str) -> String {
        self.root() + file
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).expect("written");
    }

    fn send(&mut self, mut message: Json) {
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub(crate) fn notify(&mut self, method: &str, params: Json) {
        self.send(json!({ "method": method, "params": params }));
    }

    /// What a request is answered, or its error.
    pub(crate) fn request(&mut self, method: &str, params: Json) -> Result<Json, Json> {
        self.count += 1;
        let id = self.count;
        self.send(json!({ "id": id, "method": method, "params": params }));
        self.wait(|client| client.answers.contains_key(&id));
        let answer = self.answers.remove(&id).expect("an answer");
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    fn wait(&mut self, done: impl Fn(&Client) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.said.recv_timeout(left).expect("the server says something");
            if message["method"] == "textDocument/publishDiagnostics" {
                let params = &message["params"];
                let uri = params["uri"].as_str().expect("an address").to_owned();
                let version = params["version"].as_i64().unwrap_or(-1);
                let found = params["diagnostics"].as_array().expect("a list").clone();
                self.told.insert(uri, (version, found));
            } else if let (Some(id), None) = (message["id"].as_i64(), message.get("method")) {
                self.answers.insert(id, message);
            }
        }
    }

    pub(crate) fn open(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.open_as(&uri, text);
    }

    pub(crate) fn open_as(&mut self, uri: &str, text: &str) {
        self.versions.insert(uri.to_owned(), 1);
        let document = json!({ "uri": uri, "languageId": "nix", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub(crate) fn change(&mut self, file: &str, text: &str) {
        self.change_by(file, &json!({ "text": text }));
    }

    pub(crate) fn change_by(&mut self, file: &str, change: &Json) {
        let uri = self.uri(file);
        let version = self.versions.get_mut(&uri).expect("an open document");
        *version += 1;
        let document = json!({ "uri": uri, "version": *version });
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        self.notify("textDocument/didChange", params);
    }

    /// What is wrong with this version of a file, as soon as anything is told of it.
    pub(crate) fn diagnostics(&mut self, file: &str, version: i64) -> Vec<Json> {
        let uri = self.uri(file);
        self.diagnostics_of(&uri, version)
    }

    pub(crate) fn diagnostics_of(&mut self, uri: &str, version: i64) -> Vec<Json> {
        self.wait(|client| client.told.get(uri).is_some_and(|(told, _)| *told == version));
        self.told[uri].1.clone()
    }

    /// What is wrong with a file once it is such.
    pub(crate) fn diagnostics_that(
        &mut self,
        file: &str,
        are: impl Fn(&[Json]) -> bool,
    ) -> Vec<Json> {
        let uri = self.uri(file);
        self.wait(|client| client.told.get(&uri).is_some_and(|(_, found)| are(found)));
        self.told[&uri].1.clone()
    }

    /// Asks about the place of `|` in a part of a text.
    pub(crate) fn at_or_error(
        &mut self,
        method: &str,
        file: &str,
        text: &str,
        mark: &str,
        more: Json,
    ) -> Result<Json, Json> {
        let (before, after) = mark.split_once('|').expect("a mark");
        let start = text.find(&[before, after].concat()).expect("the part is in the text");
        let before = &text[..start + before.len()];
        let line = before.matches('\n').count();
        let last = before.rsplit('\n').next().unwrap_or_default();
        let mut params = more;
        params["textDocument"] = json!({ "uri": self.uri(file) });
        params["position"] = json!({ "line": line, "character": last.encode_utf16().count() });
        self.request(method, params)
    }

    pub(crate) fn at(
        &mut self,
        method: &str,
        file: &str,
        text: &str,
        mark: &str,
        more: Json,
    ) -> Json {
        self.at_or_error(method, file, text, mark, more).expect("an answer")
    }

    pub(crate) fn shut_down(mut self) {
        assert_eq!(self.request("shutdown", Json::Null), Ok(Json::Null));
        assert!(self.request("textDocument/hover", json!({})).is_err());
        self.notify("exit", Json::Null);
        let ended = self.server.take().expect("a server").join().expect("it ends");
        assert_eq!(ended, Ended::Asked);
    }
}

fn read(from: &mut impl BufRead) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((_, value)) => length = value.parse().ok()?,
            None => break,
        }
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
