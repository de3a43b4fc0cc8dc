//! Somebody who types into a file of a fleet, with `cairn lsp` looking on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// What is typed, in quotes that are there already: after each key the text has types.
const TYPED: &str = "A web server: what is changed here by hand does not stay.";

/// Between two keys.
const PAUSE: Duration = Duration::from_millis(80);

/// How long it took until the editor knew of each key what is wrong with the text.
pub(crate) struct Keystrokes {
    pub(crate) median: Duration,
    pub(crate) worst: Duration,
}

/// A server, and the editor's ends of it.
struct Editor {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// Types into a file of the fleet in a folder.
pub(crate) fn keystrokes(folder: &Path, file: &str) -> Keystrokes {
    let path = folder.join(file);
    let (uri, text) = (format!("file://{}", path.display()), fs::read_to_string(path).unwrap());
    let (before, after) = text.trim_end().rsplit_once('}').unwrap();
    let mut editor = Editor::start(folder);
    let document = json!({ "uri": uri, "languageId": "nix", "version": 0, "text": text });
    editor.notify("textDocument/didOpen", json!({ "textDocument": document }));
    editor.wait_for(&uri, 0);
    let mut took = Vec::new();
    for (version, (end, last)) in (1..).zip(TYPED.char_indices()) {
        thread::sleep(PAUSE);
        let typed = &TYPED[..end + last.len_utf8()];
        let line = format!("  environment.etc.motd.text = \"{typed}\";");
        let text = format!("{before}{line}\n}}{after}\n");
        let start = Instant::now();
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": [{ "text": text }],
        });
        editor.notify("textDocument/didChange", params);
        editor.wait_for(&uri, version);
        took.push(start.elapsed());
    }
    editor.stop();
    took.sort_unstable();
    Keystrokes { median: took[took.len() / 2], worst: took[took.len() - 1] }
}

impl Editor {
    fn start(folder: &Path) -> Editor {
        let mut server = Command::new(cairn_tests::program())
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let mut editor = Editor { server, to, from: BufReader::new(from) };
        let root = format!("file://{}", folder.display());
        let params = json!({ "processId": null, "rootUri": root, "capabilities": {} });
        editor.send(json!({ "id": 1, "method": "initialize", "params": params }));
        while editor.receive()["id"] != 1 {}
        editor.notify("initialized", json!({}));
        editor
    }

    fn stop(mut self) {
        self.send(json!({ "id": 2, "method": "shutdown" }));
        while self.receive()["id"] != 2 {}
        self.notify("exit", Json::Null);
        assert!(self.server.wait().unwrap().success());
    }

    fn notify(&mut self, method: &str, params: Json) {
        self.send(json!({ "method": method, "params": params }));
    }

    fn send(&mut self, mut message: Json) {
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    /// Waits until it is told what is wrong with a version of a file.
    fn wait_for(&mut self, uri: &str, version: i32) {
        loop {
            let params = &self.receive()["params"];
            if params["uri"] == uri && params["version"] == version {
                return;
            }
        }
    }

    /// The next message.
    fn receive(&mut self) -> Json {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the server has ended");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut text = vec![0; length];
        self.from.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}
