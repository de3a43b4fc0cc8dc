//! `cairn repl`: as a script, and at a terminal.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{cairn_in, cairn_with_input, command, fleet, small};

#[test]
fn a_script_is_answered_line_by_line() {
    let folder = fleet(&[("data.nix", "{ port ? 80 }: { inherit port; two = 2; }")]);
    let script = r#"
# a comment
1 + 1
{ a = 1; b = { c = 1; }; f = x: x; e = throw "no"; l = [ 1 [ 2 ] ]; "x y" = builtins.map; }
x = 1; w = 5;
y = a: a + x
x = x + 1
[ x (y 1) w ]
:t y
:t { a, b ? 1, ... }: a
:t [ 1 2 ]
:p { a.b.c = [ 1 { } ]; }
let
  one = 1;

in
  one
z = (
  "over
lines"
)
z
:l data.nix
port + two
:a { three = 3; }
three
lib.toUpper "abc"
:s
rec { a = { inherit b; }; b = 1; }.a
"#;
    let output = cairn_with_input(folder.path(), &["repl"], script);
    insta::assert_snapshot!(output.stdout, @r#"
    2
    {
      a = 1;
      b = { … };
      e = «error: no»;
      f = «lambda @ <input 2>:1:30»;
      l = [ … ];
      "x y" = «primop map»;
    }
    [ 2 2 5 ]
    a function
    a function of { a, b ? …, ... }
    a list of 2 values
    { a = { b = { c = [ 1 { } ]; }; }; }
    1
    "over\nlines"
    2 names
    82
    1 name
    3
    "ABC"
    lib port three two w x y z
    { b = 1; }
    "#);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn mistakes_are_told_and_the_script_goes_on() {
    let folder = fleet(&[]);
    let script = "nope\n:zz\n:t\n1 + \"a\"\n:l gone.nix\n:a 1\n1 + )\n2\n(";
    let output = cairn_with_input(folder.path(), &["repl"], script);
    assert_eq!((output.code, output.stdout.as_str()), (1, "2\n"));
    insta::assert_snapshot!(output.stderr, @r#"
    name::unbound

      × `nope` is not defined
       ╭─[<input 1>:1:1]
     1 │ nope
       · ────
       ╰────

    repl::command

      × there is no command `:zz`: see `:?`

    repl::command

      × `:t` needs to be told of what: see `:?`

    type::mismatch

      × expected a number, found the string "a"
       ╭─[<input 2>:1:5]
     1 │ 1 + "a"
       ·     ───
       ╰────
      help: to join texts, write `toString` before the number

    file::not-found

      × cannot read gone.nix: there is no such file
      help: check the name; paths start at the file they are written in

    type::mismatch

      × expected an attribute set, found the integer 1
      help: it is a set whose attributes become names

    syntax::error

      × unexpected `)`, expected an expression
       ╭─[<input 4>:1:5]
     1 │ 1 + )
       ·     ─
       ╰────

    syntax::error

      × the file ends too early
       ╭─[<input 6>:1:1]
     1 │ (
       · ─┬
       · │╰── this `(` is not closed
       ╰────
      help: close the `(`
    "#);
    let json = cairn_with_input(folder.path(), &["repl", "--format", "json"], "[ 1 ]\nnope\n");
    let objects = json.objects();
    assert_eq!(objects[0]["text"], "[ 1 ]");
    assert_eq!(objects[1]["code"], "name::unbound");
}

#[test]
fn a_fleet_and_a_host_are_at_hand() {
    let folder = small();
    let script = "nodes.demo.config.networking.hostName\n:t fleet.hosts\n:s\n";
    let output = cairn_with_input(folder.path(), &["repl"], script);
    assert_eq!(output.stdout, "\"demo\"\nan attribute set\nfleet lib nodes pkgs\n");
    let script = "name\nconfig.networking.hostName\noptions.networking.hostName.isDefined\n\
                  pkgs.curl.name\nnodes.demo.config.networking.hostName\n";
    let output = cairn_with_input(folder.path(), &["repl", "demo"], script);
    assert_eq!(output.stdout, "\"demo\"\n\"demo\"\ntrue\n\"curl\"\n\"demo\"\n");
    let output = cairn_with_input(
        folder.path(),
        &["repl", "demo", "--set", "networking.hostName=\"b\""],
        "config.networking.hostName",
    );
    assert_eq!(output.stdout, "\"b\"\n");
    let bare = fleet(&[("cairn.nix", "{ outputs = _: { }; }")]);
    assert_eq!(cairn_with_input(bare.path(), &["repl"], "lib.id 1").stdout, "1\n");
    assert_eq!(cairn_in(folder.path(), &["repl", "dmeo"]).code, 1);
    assert_eq!(cairn_in(Path::new("/"), &["repl", "demo"]).code, 1);
}

#[test]
fn files_are_read_again() {
    let folder = fleet(&[("a.nix", "{ a = 1; }")]);
    let mut child = command(folder.path())
        .args(["repl", "--file", "a.nix"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = Watched::new(child.stdout.take().expect("a pipe"));
    stdin.write_all(b"a\n").expect("written");
    stdout.wait_for("1 name\n1\n");
    fs::write(folder.path().join("a.nix"), "{ a = 20; }").expect("written");
    stdin.write_all(b"a + 1\n:r\na + 1\n").expect("written");
    stdout.wait_for("2\n");
    stdout.wait_for("21\n");
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

/// What a program prints, as it comes.
struct Watched {
    seen: String,
    from: Receiver<Vec<u8>>,
}

impl Watched {
    fn new(mut stream: impl Read + Send + 'static) -> Watched {
        let (to, from) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if to.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Watched { seen: String::new(), from }
    }

    /// Waits until what is new holds `text`, and forgets everything up to its end.
    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(start) = self.seen.find(text) {
                self.seen.drain(..start + text.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.from.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{text}` never came; what came is\n{}", self.seen),
            }
        }
    }
}

/// A session at a terminal of its own, which `script` of util-linux makes.
struct AtTerminal {
    child: Child,
    stdin: ChildStdin,
    screen: Watched,
}

impl AtTerminal {
    fn new(folder: &Path) -> AtTerminal {
        // Without a shell in between, which Ctrl-C would end as well.
        let program = format!("exec {} repl", env!("CARGO_BIN_EXE_cairn"));
        let mut child = Command::new("script")
            .args(["-qfec", &program, "/dev/null"])
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .env("XDG_STATE_HOME", folder.join("state"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script runs");
        let stdin = child.stdin.take().expect("a pipe");
        let screen = Watched::new(child.stdout.take().expect("a pipe"));
        AtTerminal { child, stdin, screen }
    }

    /// Types at the prompt, and waits for what it brings to the screen. Before its prompt the session
    /// does not read keys yet: the terminal would take Ctrl-C and Ctrl-D itself.
    fn type_until(&mut self, keys: &str, answer: &str) {
        self.screen.wait_for("cairn> ");
        self.send(keys);
        self.screen.wait_for(answer);
    }

    fn send(&mut self, keys: &str) {
        self.stdin.write_all(keys.as_bytes()).expect("typed");
    }

    fn end(mut self) {
        self.type_until("\x04", "");
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return assert!(status.success());
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the session did not end");
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        // Whatever went wrong, nothing stays behind; it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_has_history_completion_and_interrupts() {
    let folder = fleet(&[("a.nix", "{ alpha = { beta = 5; }; }")]);
    let mut session = AtTerminal::new(folder.path());
    session.type_until("20 + 1\r", "\n21\r\n");
    // An attribute, a file and a command are completed; what follows shows that they were.
    session.type_until("builtins.hea\t [ 71 8 ]\r", "\n71\r\n");
    session.type_until(":l a.n\t\r", "\n1 name\r\n");
    session.type_until("alp\t.be\t\r", "\n5\r\n");
    // An input goes on until it is whole.
    session.type_until("(30\r+ 1)\r", "\n31\r\n");
    // Ctrl-C forgets a line, and stops an evaluation.
    session.type_until("garbage\x03", "\r\n");
    session
        .type_until("let f = x: f (x + 1); in builtins.trace \"begun\" f 0\r", "trace: begun\r\n");
    session.send("\x03");
    session.screen.wait_for("eval::interrupted");
    session.type_until("40 + 1\r", "\n41\r\n");
    session.end();

    let history = fs::read_to_string(folder.path().join("state/cairn/repl-history"));
    let history = history.expect("a history");
    assert!(history.contains("20 + 1\n") && !history.contains("garbage"), "{history}");
    let mut again = AtTerminal::new(folder.path());
    again.type_until("\x1b[A\r", "\n41\r\n");
    again.end();
}
