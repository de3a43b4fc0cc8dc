//! Messages as they travel: a head with a length, and JSON. What is malformed is answered, and the
//! next message is read nevertheless.

use std::io::{self, BufRead, Read, Write};

use lsp_server::Message;
use serde_json::{Value as Json, json};

/// A message is no longer than this.
const LONGEST: usize = 256 << 20;
/// A line of a head is no longer than this.
const LINE: u64 = 8 << 10;

/// What was read.
pub(crate) enum Frame {
    Message(Message),
    /// A message that says nothing that can be understood: why.
    Broken(String),
}

/// The next message; none at the end of what the editor has to say.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Frame>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if from.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            match length {
                Some(length) => return body(from, length).map(Some),
                // A stray empty line.
                None => continue,
            }
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.trim().eq_ignore_ascii_case("content-length") {
            match value.trim().parse::<usize>() {
                Ok(known) if known <= LONGEST => length = Some(known),
                _ => return Ok(Some(Frame::Broken(format!("no length of a message: {line}")))),
            }
        }
    }
}

fn body(from: &mut impl BufRead, length: usize) -> io::Result<Frame> {
    // The length is what somebody says: memory is taken as the text comes.
    let mut text = Vec::new();
    if from.by_ref().take(length as u64).read_to_end(&mut text)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(match serde_json::from_slice(&text) {
        Ok(message) => Frame::Message(message),
        Err(error) => Frame::Broken(format!("a message that is none: {error}")),
    })
}

/// Writes a message.
pub(crate) fn write(to: &mut impl Write, message: &Message) -> io::Result<()> {
    let mut message = serde_json::to_value(message)?;
    if let Some(fields) = message.as_object_mut() {
        fields.insert("jsonrpc".to_owned(), json!("2.0"));
    }
    put(to, &message)
}

/// Answers what was no message.
pub(crate) fn refuse(to: &mut impl Write, why: &str) -> io::Result<()> {
    let code = lsp_server::ErrorCode::ParseError as i32;
    put(to, &json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": why } }))
}

fn put(to: &mut impl Write, message: &Json) -> io::Result<()> {
    let text = message.to_string();
    write!(to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    to.flush()
}
