//! Which values of a file are encrypted.

use regex_lite::Regex;

use crate::error::Error;

/// The one rule of a file; by default, all is encrypted but what stands below a key ending in `_unencrypted`.
#[derive(Clone, Debug)]
pub struct Rule {
    kind: RuleKind,
    text: String,
    regex: Option<Regex>,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Keys that end so stay plain, with all below.
    UnencryptedSuffix,
    /// Only what stands below keys that end so is encrypted.
    EncryptedSuffix,
    /// Keys that match stay plain, with all below.
    UnencryptedRegex,
    /// Only what stands below keys that match is encrypted.
    EncryptedRegex,
    /// What follows a comment that matches stays plain.
    UnencryptedCommentRegex,
    /// Only what follows a comment that matches is encrypted.
    EncryptedCommentRegex,
}

impl RuleKind {
    /// All six, in the order in which sops writes them.
    pub const ALL: [RuleKind; 6] = [
        RuleKind::UnencryptedSuffix,
        RuleKind::EncryptedSuffix,
        RuleKind::UnencryptedRegex,
        RuleKind::EncryptedRegex,
        RuleKind::UnencryptedCommentRegex,
        RuleKind::EncryptedCommentRegex,
    ];

    /// Its key in metadata and in `.sops.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            RuleKind::UnencryptedSuffix => "unencrypted_suffix",
            RuleKind::EncryptedSuffix => "encrypted_suffix",
            RuleKind::UnencryptedRegex => "unencrypted_regex",
            RuleKind::EncryptedRegex => "encrypted_regex",
            RuleKind::UnencryptedCommentRegex => "unencrypted_comment_regex",
            RuleKind::EncryptedCommentRegex => "encrypted_comment_regex",
        }
    }
}

impl Default for Rule {
    fn default() -> Rule {
        let text = "_unencrypted".to_owned();
        Rule { kind: RuleKind::UnencryptedSuffix, text, regex: None }
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}

impl Rule {
    /// A rule of a kind, with its suffix or regular expression (Go's syntax).
    pub fn new(kind: RuleKind, text: &str) -> Result<Rule, Error> {
        let regex = match kind {
            RuleKind::UnencryptedSuffix | RuleKind::EncryptedSuffix => None,
            _ => Some(Regex::new(text).map_err(|error| Error::Metadata {
                what: format!("`{}: {text}` is no regular expression: {error}", kind.as_str()),
            })?),
        };
        Ok(Rule { kind, text: text.to_owned(), regex })
    }

    /// What it looks at.
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// Its suffix or regular expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a value, or with `is_comment` the last comment of `comments`, is encrypted.
    ///
    /// `comments` are those directly before the value and before each map and list around it.
    pub(crate) fn encrypts(&self, path: &[&str], comments: &Comments, is_comment: bool) -> bool {
        let matches = |text: &str| match &self.regex {
            Some(regex) => regex.is_match(text),
            None => text.ends_with(&self.text),
        };
        let on_path = || path.iter().any(|key| matches(key));
        match self.kind {
            RuleKind::UnencryptedSuffix | RuleKind::UnencryptedRegex => !on_path(),
            RuleKind::EncryptedSuffix | RuleKind::EncryptedRegex => on_path(),
            RuleKind::UnencryptedCommentRegex => !comments.all(false).any(matches),
            // The comment that says so is itself not encrypted.
            RuleKind::EncryptedCommentRegex => comments.all(is_comment).any(matches),
        }
    }
}

/// The comments in force at a place: for each map and list on the way, those before its current item.
#[derive(Default)]
pub(crate) struct Comments {
    levels: Vec<Vec<String>>,
}

impl Comments {
    pub(crate) fn enter(&mut self) {
        self.levels.push(Vec::new());
    }

    pub(crate) fn leave(&mut self) {
        self.levels.pop();
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        if let Some(level) = self.levels.last_mut() {
            level.push(String::from_utf8_lossy(text).into_owned());
        }
    }

    /// What they stood before has passed.
    pub(crate) fn clear(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.clear();
        }
    }

    fn all(&self, but_the_last: bool) -> impl Iterator<Item = &str> {
        let count = self.levels.iter().map(Vec::len).sum::<usize>();
        let take = count - usize::from(but_the_last && count > 0);
        self.levels.iter().flatten().map(String::as_str).take(take)
    }
}
