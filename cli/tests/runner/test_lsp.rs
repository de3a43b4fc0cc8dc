//! `cairn lsp` as an editor starts it: a process, and messages on its standard input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

const FLEET: &str = "{ outputs = { self, ... }: { hosts.a = ./a.nix; }; }";
const HOST: &str = "{ networking.hostName = \"a\"; deployment.targetHost = 1; }";

/// A server, and the editor's ends of it.
struct Editor {
    server: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Editor {
    fn send(&mut self, mut message: Json) {
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("written");
        self.to.flush().expect("written");
    }

    fn request(&mut self, id: u32, method: &str, params: &Json) {
        self.send(json!({ "id": id, "method": method, "params": params }));
    }

    fn notify(&mut self, method: &str, params: &Json) {
        self.send(json!({ "method": method, "params": params }));
    }

    /// The next message of which this holds.
    fn until(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                assert_ne!(self.from.read_line(&mut line).expect("a line"), 0, "it has ended");
                match line.trim_end().split_once(": ") {
                    Some(("Content-Length", value)) => length = value.parse().expect("a length"),
                    Some(_) => {}
                    None => break,
                }
            }
            let mut text = vec![0; length];
            self.from.read_exact(&mut text).expect("a message");
            let message: Json = serde_json::from_slice(&text).expect("JSON");
            if wanted(&message) {
                return message;
            }
        }
    }

    fn answer(&mut self, id: u32) -> Json {
        self.until(|message| message["id"] == id && message.get("method").is_none())
    }
}

#[test]
fn an_editor_talks_to_the_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("a folder");
    for (name, text) in [("cairn.nix", FLEET), ("a.nix", HOST)] {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let mut server = Command::new(env!("CARGO_BIN_EXE_cairn"))
        .arg("lsp")
        .current_dir(&folder)
        .env("HOME", &folder)
        .env_remove("XDG_CACHE_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let to = server.stdin.take().expect("its input");
    let from = BufReader::new(server.stdout.take().expect("its output"));
    let mut editor = Editor { server, to, from };
    let uri = |name: &str| format!("file://{}/{name}", folder.display());

    let params = json!({ "processId": null, "rootUri": uri(""), "capabilities": {} });
    editor.request(1, "initialize", &params);
    assert_eq!(editor.answer(1)["result"]["capabilities"]["referencesProvider"], true);
    editor.notify("initialized", &json!({}));
    let document = json!({ "uri": uri("a.nix"), "languageId": "nix", "version": 1, "text": HOST });
    editor.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    let told = editor.until(|message| {
        message["params"]["uri"] == uri("a.nix")
            && message["params"]["diagnostics"].as_array().is_some_and(|found| !found.is_empty())
    });
    assert_eq!(told["params"]["diagnostics"][0]["code"], "type::mismatch");

    // `hostName`: where it is declared, and here.
    let place = json!({
        "textDocument": { "uri": uri("a.nix") },
        "position": { "line": 0, "character": 15 },
        "context": { "includeDeclaration": true },
    });
    editor.request(2, "textDocument/references", &place);
    let found = editor.answer(2);
    let found = found["result"].as_array().expect("places");
    assert!(found.iter().any(|place| place["uri"] == uri("a.nix")), "{found:?}");
    assert!(found.len() > 1, "{found:?}");

    // What is taken back is answered once, with either; the server goes on.
    editor.request(3, "textDocument/references", &place);
    editor.notify("$/cancelRequest", &json!({ "id": 3 }));
    editor.answer(3);
    editor.request(4, "shutdown", &Json::Null);
    assert!(editor.answer(4)["error"].is_null());
    editor.notify("exit", &Json::Null);
    let Editor { mut server, to, from: _ } = editor;
    drop(to);
    assert!(server.wait().expect("ended").success());
}
