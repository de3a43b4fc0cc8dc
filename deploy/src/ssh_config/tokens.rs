//! `%h`, `~` and `${NAME}` in the values of a configuration.

use std::path::PathBuf;

use super::file::Line;
use super::{IdentityAgent, Query};
use crate::error::Cause;

/// What tokens stand for once address, port and login are known.
pub(super) struct Scope<'a> {
    pub(super) query: &'a Query<'a>,
    pub(super) address: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
}

impl Scope<'_> {
    /// The one argument of a line, without tokens left in it.
    pub(super) fn text(&self, line: &Line) -> Result<String, Cause> {
        self.replace(line.first()?).map_err(|message| line.error(message))
    }

    /// Identity files; `none` stands for no file at all.
    pub(super) fn identity_files(&self, lines: &[&Line]) -> Result<Vec<PathBuf>, Cause> {
        let named = lines.iter().filter(|line| line.first() != Ok("none"));
        named.map(|line| self.path(line.first()?).map_err(|message| line.error(message))).collect()
    }

    /// Files of a line; `none` stands for no file at all.
    pub(super) fn paths(&self, line: &Line) -> Result<Vec<PathBuf>, Cause> {
        let named = line.arguments.iter().filter(|path| *path != "none");
        named.map(|path| self.path(path).map_err(|message| line.error(message))).collect()
    }

    pub(super) fn agent(&self, line: &Line) -> Result<Option<IdentityAgent>, Cause> {
        let text = line.first()?;
        Ok(Some(match text {
            "none" => IdentityAgent::None,
            "SSH_AUTH_SOCK" => IdentityAgent::Environment,
            _ => {
                let variable = text.strip_prefix('$').filter(|name| !name.starts_with('{'));
                let path = match variable {
                    Some(name) => variable_value(name).map(PathBuf::from),
                    None => self.path(text),
                };
                IdentityAgent::Socket(path.map_err(|message| line.error(message))?)
            }
        }))
    }

    pub(super) fn jumps(&self, line: &Line) -> Result<Vec<String>, Cause> {
        let text = self.text(line)?;
        if text == "none" {
            return Ok(Vec::new());
        }
        let jumps = text.split(',').map(|jump| jump.trim_start_matches("ssh://").to_owned());
        Ok(jumps.collect())
    }

    fn path(&self, text: &str) -> Result<PathBuf, String> {
        let home = self.query.home;
        let text = self.replace(&variables(text)?)?;
        Ok(match text.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None if text == "~" => home.to_owned(),
            None if text.starts_with('~') => {
                return Err(format!("`{text}` is in another's home: write it out"));
            }
            // OpenSSH looks from where it was started; a fleet is deployed from anywhere.
            None => home.join(text),
        })
    }

    fn replace(&self, text: &str) -> Result<String, String> {
        let home = self.query.home.to_string_lossy();
        let port = self.port.to_string();
        expand(
            text,
            &[
                ('d', &home),
                ('h', self.address),
                ('n', self.query.alias),
                ('p', &port),
                ('r', self.user),
                ('u', self.query.local_user),
            ],
        )
    }
}

/// Replaces `%` and a letter by what it stands for.
pub(super) fn expand(text: &str, tokens: &[(char, &str)]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('%') => out.push('%'),
            token => match tokens.iter().find(|(letter, _)| Some(*letter) == token) {
                Some((_, value)) => out.push_str(value),
                None => {
                    let letter = token.map(String::from).unwrap_or_default();
                    return Err(format!("`%{letter}` in `{text}` is not supported"));
                }
            },
        }
    }
    Ok(out)
}

/// Replaces `${NAME}` by the variable of the environment.
fn variables(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("`${{` in `{text}` is not closed"))?;
        out.push_str(before);
        out.push_str(&variable_value(name)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn variable_value(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the variable `{name}` is not set"))
}
