//! A file server on the lab's network: the apt repository and whatever a test puts beside it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Serves the files under `root` to whoever connects to `listener`, for as long as this
/// process lives.
pub(crate) fn serve(listener: TcpListener, root: PathBuf) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let root = root.clone();
            // One that hangs up in the middle is no concern of the server.
            thread::spawn(move || answer(&stream, &root).ok());
        }
    });
}

/// Answers one request. The connection closes after it, which spares the server any state.
fn answer(mut stream: &TcpStream, root: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 0 && header.trim() != "" {
        header.clear();
    }
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = file(root, target).and_then(|path| fs::read(path).ok());
    let (status, body) = match found {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", b"no such file\n".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\
         Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n"
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file that `target` names, if it names one below `root`.
fn file(root: &Path, target: &str) -> Option<PathBuf> {
    let target =
        target.split('?').next()?.trim_start_matches('/').replace("%2b", "+").replace("%2B", "+");
    let target = Path::new(&target);
    let plain = target.components().all(|part| matches!(part, Component::Normal(_)));
    let path = root.join(target);
    (plain && path.is_file()).then_some(path)
}
