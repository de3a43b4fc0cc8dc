//! Absolute URLs: a scheme, `://`, and what that scheme needs.

use nom::Parser;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};
use super::port;

/// The parts of a URL that options care about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `https`, `file`, …, in lower case.
    pub scheme: String,
    /// The host, without a port or a login; empty for `file:`.
    pub host: String,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The path with query and fragment, as written.
    pub path: String,
}

/// An absolute URL.
pub fn url(text: &str) -> Result<Url, LiteralError> {
    whole("a URL", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, Url> {
    let scheme = take_while1(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (rest, scheme) = expect("a scheme such as `https`", scheme).parse(input)?;
    if !rest.starts_with(':') && (rest.is_empty() || rest.starts_with('/')) {
        return Fault::said(input, input.len(), "the scheme is missing")
            .help(format!("write https://{input}"))
            .fatal();
    }
    let (authority, _) = cut(expect("`://`", tag("://"))).parse(rest)?;
    let (rest, (host, port)) = if scheme == "file" {
        (authority, (String::new(), None))
    } else {
        cut(host_and_port).parse(authority)?
    };
    let (rest, path) = take_while(|c: char| c.is_ascii_graphic()).parse(rest)?;
    if scheme == "file" && !path.starts_with('/') {
        return Fault::said(authority, path.len(), "a file URL has an absolute path")
            .help("write file:///path: an empty host between the slashes")
            .fatal();
    }
    if let Some(found) = rest.chars().next() {
        let message = format!("{found:?} is not allowed in a URL");
        return Fault::said(rest, found.len_utf8(), message)
            .help("write it percent-encoded: %20 for a space")
            .fatal();
    }
    Ok((rest, Url { scheme: scheme.to_ascii_lowercase(), host, port, path: path.to_owned() }))
}

fn host_and_port(input: &str) -> Parsed<'_, (String, Option<u16>)> {
    let login = input.find(['@', '/']).filter(|at| input[*at..].starts_with('@'));
    let input = login.map_or(input, |at| &input[at + 1..]);
    let (rest, host) = if input.starts_with('[') {
        let end = input.find(']').map_or(input.len(), |at| at + 1);
        let inner = input[1..end].trim_end_matches(']');
        if let Err(error) = super::ip::ipv6(inner) {
            return Fault::said(&input[1 + error.at.start..], error.at.len(), error.message)
                .fatal();
        }
        (&input[end..], &input[..end])
    } else {
        let name = take_while1(|c: char| c.is_ascii_alphanumeric() || "-._".contains(c));
        expect("a host", name).parse(input)?
    };
    let digits = preceded(tag(":"), take_while(|c: char| !"/?#".contains(c)));
    let (after, digits) = opt(digits).parse(rest)?;
    let port = match digits.map(port::port).transpose() {
        Ok(port) => port,
        Err(error) => {
            return Fault::said(&rest[1 + error.at.start..], error.at.len(), error.message).fatal();
        }
    };
    Ok((after, (host.to_owned(), port)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn urls() {
        let texts = [
            "https://192.168.1.40:6443",
            "http://[::1]:80/x?y=1",
            "file:///srv/mirror/k3s",
            "example.org",
            "example.org/x",
            "https:/example.org",
            "https://example.org:70000/",
            "https://example.org/a b",
            "file://srv",
            "https://",
            "ssh://git@host/x",
        ];
        insta::assert_snapshot!(show(&texts, super::url), @r#"
        https://192.168.1.40:6443
          = Url { scheme: "https", host: "192.168.1.40", port: Some(6443), path: "" }
        http://[::1]:80/x?y=1
          = Url { scheme: "http", host: "[::1]", port: Some(80), path: "/x?y=1" }
        file:///srv/mirror/k3s
          = Url { scheme: "file", host: "", port: None, path: "/srv/mirror/k3s" }
        example.org
        ^^^^^^^^^^^ the scheme is missing
          help: write https://example.org
        example.org/x
        ^^^^^^^^^^^^^ the scheme is missing
          help: write https://example.org/x
        https:/example.org
             ^ not a URL: expected `://`, found `:`
        https://example.org:70000/
                            ^^^^^ `70000` is too large: ports end at 65535
        https://example.org/a b
                             ^ ' ' is not allowed in a URL
          help: write it percent-encoded: %20 for a space
        file://srv
               ^^^ a file URL has an absolute path
          help: write file:///path: an empty host between the slashes
        https://
                ^ not a URL: expected a host, but the text ends here
        ssh://git@host/x
          = Url { scheme: "ssh", host: "host", port: None, path: "/x" }
        "#);
    }
}
