//! Where an input comes from: the text of `inputs.<name>.url`.

use std::fmt;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::rest;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::error::InputError;
use crate::percent::decoded;

/// A parsed reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The text that it was read from.
    pub text: String,
    /// What is fetched.
    pub source: Source,
    /// A branch or tag; the repository's `HEAD` where there is none.
    pub branch: Option<String>,
    /// A revision: 40 or 64 hex digits.
    pub rev: Option<String>,
    /// The folder in the tree that holds the input; empty for the tree itself.
    pub dir: String,
}

/// What is fetched, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder: absolute, or relative to whatever names the input.
    Path(String),
    /// A repository, by a URL that git understands.
    Git(String),
    /// An archive, by its URL.
    Tarball(String),
}

impl Source {
    /// Whether it lies on this machine.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Source::Path(_) => true,
            Source::Git(url) | Source::Tarball(url) => url.starts_with("file:"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a forge's shorthand stands for: its name, and the host where it says no other.
const FORGES: [(&str, &str); 2] = [("github", "github.com"), ("gitlab", "gitlab.com")];

const KINDS: &str = "write `path:…`, `git+https://…`, `git+ssh://…`, `git+file:///…`, \
                     `github:OWNER/REPO`, `gitlab:OWNER/REPO` or `https://….tar.gz`";

/// What stands after `?`.
#[derive(Default)]
struct Query {
    branch: Option<String>,
    rev: Option<String>,
    dir: String,
    host: Option<String>,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// `input::bad-url`, with what is wrong and how such a text looks.
    pub fn parse(text: &str) -> Result<Reference, InputError> {
        let (head, query) = text.split_once('?').unwrap_or((text, ""));
        let mut query = Query::parse(text, query)?;
        let source = match scheme(head) {
            Ok((place, "path:")) => Source::Path(place.to_owned()),
            Ok((_, "./" | "../" | "/")) | Ok((_, ".")) => Source::Path(head.to_owned()),
            Ok((place, "git+")) => git(text, place)?,
            Ok((place, "tarball+")) => Source::Tarball(place.to_owned()),
            Ok((place, "github:" | "gitlab:")) => forge(text, head, place, &mut query)?,
            Ok((_, "https://" | "http://" | "file://")) => tarball(text, head)?,
            Ok((_, "flake:")) => return Err(registry(text)),
            _ if !head.contains([':', '/']) && !head.is_empty() => return Err(registry(text)),
            _ => return Err(bad(text, "it is of no kind that can be fetched", KINDS)),
        };
        if query.host.is_some() {
            return Err(bad(text, "`host` is for `github:` and `gitlab:`", "leave `?host=` out"));
        }
        let Query { branch, rev, dir, .. } = query;
        if (branch.is_some() || rev.is_some()) && !matches!(source, Source::Git(_)) {
            let help = "leave `ref` and `rev` out, or name a repository with `git+…`";
            return Err(bad(text, "only a repository has revisions", help));
        }
        Ok(Reference { text: text.to_owned(), source, branch, rev, dir })
    }
}

/// The word that says of what kind a reference is, and the rest.
fn scheme(text: &str) -> IResult<&str, &str> {
    let mut kind = alt((
        tag("path:"),
        tag("./"),
        tag("../"),
        tag("git+"),
        tag("tarball+"),
        tag("github:"),
        tag("gitlab:"),
        tag("https://"),
        tag("http://"),
        tag("file://"),
        tag("flake:"),
        tag("/"),
        tag("."),
    ));
    kind.parse(text)
}

fn git(text: &str, place: &str) -> Result<Source, InputError> {
    let known = ["https://", "http://", "ssh://", "file:"];
    if !known.iter().any(|scheme| place.starts_with(scheme)) {
        let help =
            "git's transports here are `git+https:`, `git+http:`, `git+ssh:` and `git+file:`";
        return Err(bad(text, "git is not asked by that way", help));
    }
    Ok(Source::Git(place.to_owned()))
}

fn tarball(text: &str, head: &str) -> Result<Source, InputError> {
    let endings = [".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".tar"];
    if !endings.iter().any(|ending| head.ends_with(ending)) {
        let help = "name a repository with `git+` before its URL, or an archive that does not end \
                    in .tar.gz with `tarball+`";
        return Err(bad(text, "it does not end as an archive does", help));
    }
    Ok(Source::Tarball(head.to_owned()))
}

/// `OWNER/REPO[/REF]`; what looks like a revision in the place of a branch is one.
fn forge(text: &str, head: &str, place: &str, query: &mut Query) -> Result<Source, InputError> {
    let parts = |place| -> IResult<_, _> {
        let segment = |input| take_while1(|c: char| c != '/')(input);
        let (place, owner) = segment(place)?;
        let (place, name) = preceded(tag("/"), segment).parse(place)?;
        let (place, _) = take_while(|c: char| c == '/')(place)?;
        let (place, branch) = rest(place)?;
        Ok((place, (owner, name, branch)))
    };
    let Ok((_, (owner, name, branch))) = parts(place) else {
        let help = format!("write `{}OWNER/REPO` or `OWNER/REPO/BRANCH`", &head[..7]);
        return Err(bad(text, "it names no repository", help));
    };
    if !branch.is_empty() {
        if query.branch.is_some() || query.rev.is_some() {
            return Err(bad(text, "it names two revisions", "leave one of them out"));
        }
        let branch = branch_name(text, branch)?;
        match is_revision(&branch) {
            true => query.rev = Some(branch),
            false => query.branch = Some(branch),
        }
    }
    let usual = FORGES.iter().find(|(name, _)| head.starts_with(name)).map(|(_, host)| *host);
    let host = query.host.take().or(usual.map(str::to_owned)).unwrap_or_default();
    let owner = decoded(owner).ok_or_else(|| bad(text, "it is not UTF-8", KINDS))?;
    Ok(Source::Git(format!("https://{host}/{owner}/{name}.git")))
}

impl Query {
    fn parse(text: &str, query: &str) -> Result<Query, InputError> {
        let mut found = Query::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value).ok_or_else(|| bad(text, "it is not UTF-8", KINDS))?;
            match key {
                "ref" => found.branch = Some(branch_name(text, &value)?),
                "rev" if is_revision(&value) => found.rev = Some(value),
                "rev" => {
                    let help = "write all 40 digits of the revision, or name a branch with `ref=`";
                    return Err(bad(text, "`rev` is no whole revision", help));
                }
                "dir" => found.dir = folder(text, &value)?,
                "host" => found.host = Some(value),
                "shallow" => {}
                "submodules" => {
                    let help = "take the submodule as an input of its own";
                    return Err(bad(text, "submodules are not fetched", help));
                }
                key => {
                    let message = format!("`{key}` means nothing here");
                    return Err(bad(
                        text,
                        &message,
                        "what may follow `?` is `ref`, `rev` and `dir`",
                    ));
                }
            }
        }
        Ok(found)
    }
}

/// A folder below the tree.
fn folder(text: &str, value: &str) -> Result<String, InputError> {
    let value = value.trim_end_matches('/').trim_start_matches("./");
    if value.starts_with('/') || value.split('/').any(|part| part == "..") {
        return Err(bad(text, "`dir` leads out of the input", "name a folder inside of it"));
    }
    Ok(value.to_owned())
}

/// What git takes for a name, and for nothing else.
fn branch_name(text: &str, value: &str) -> Result<String, InputError> {
    let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    if value.is_empty() || value.starts_with('-') || value.contains(odd) || value.contains("..") {
        let message = format!("`{value}` is no name of a branch or tag");
        return Err(bad(text, &message, "give the name as `git branch` prints it"));
    }
    Ok(value.to_owned())
}

/// Whether this is a whole revision, of SHA-1 or SHA-256.
fn is_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn registry(text: &str) -> InputError {
    let help = "write where it is, such as `github:NixOS/nixpkgs/nixos-unstable`";
    bad(text, "there is no registry of inputs", help)
}

fn bad(text: &str, message: &str, help: impl Into<String>) -> InputError {
    InputError::new("input::bad-url", format!("`{text}` is no input: {message}"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reference {
        Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn kinds() {
        let git = |url: &str| Source::Git(url.to_owned());
        assert_eq!(read("github:a/b").source, git("https://github.com/a/b.git"));
        assert_eq!(read("gitlab:a%2Fc/b").source, git("https://gitlab.com/a/c/b.git"));
        assert_eq!(read("github:a/b?host=git.lan").source, git("https://git.lan/a/b.git"));
        assert_eq!(read("git+ssh://git@h/x.git").source, git("ssh://git@h/x.git"));
        assert_eq!(read("git+file:///srv/x?ref=main").branch.as_deref(), Some("main"));
        assert_eq!(read("github:a/b/feature/x").branch.as_deref(), Some("feature/x"));
        let rev = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(read(&format!("github:a/b/{rev}")).rev.as_deref(), Some(rev));
        assert_eq!(read("path:../common?dir=sub/").dir, "sub");
        assert_eq!(read("./common").source, Source::Path("./common".to_owned()));
        assert_eq!(read("https://h/x.tar.gz").source, Source::Tarball("https://h/x.tar.gz".into()));
        assert_eq!(read("tarball+https://h/x").source, Source::Tarball("https://h/x".into()));
    }

    #[test]
    fn what_is_refused() {
        let refused = |text: &str| match Reference::parse(text) {
            Err(error) => error.to_string(),
            Ok(reference) => panic!("{reference:?}"),
        };
        insta::assert_snapshot!([
            "", "nixpkgs", "flake:nixpkgs", "ftp://h/x.tar.gz", "https://h/x.git", "git+ext::sh",
            "github:a", "github:a/b/c?ref=d", "github:a/b?rev=12", "path:x?ref=main",
            "path:x?dir=../y", "git+https://h/x?ref=--upload-pack=evil", "github:a/b?submodules=1",
            "github:a/b?color=red", "path:x?host=h",
        ]
        .map(refused)
        .join("\n"), @r"
        `` is no input: it is of no kind that can be fetched
        `nixpkgs` is no input: there is no registry of inputs
        `flake:nixpkgs` is no input: there is no registry of inputs
        `ftp://h/x.tar.gz` is no input: it is of no kind that can be fetched
        `https://h/x.git` is no input: it does not end as an archive does
        `git+ext::sh` is no input: git is not asked by that way
        `github:a` is no input: it names no repository
        `github:a/b/c?ref=d` is no input: it names two revisions
        `github:a/b?rev=12` is no input: `rev` is no whole revision
        `path:x?ref=main` is no input: only a repository has revisions
        `path:x?dir=../y` is no input: `dir` leads out of the input
        `git+https://h/x?ref=--upload-pack=evil` is no input: `--upload-pack=evil` is no name of a branch or tag
        `github:a/b?submodules=1` is no input: submodules are not fetched
        `github:a/b?color=red` is no input: `color` means nothing here
        `path:x?host=h` is no input: `host` is for `github:` and `gitlab:`
        ");
    }
}
