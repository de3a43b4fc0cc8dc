//! Why a command ended: classified once, each class with its exit code.

use std::io;

/// The exit code of wrong arguments.
pub(crate) const USAGE: u8 = 2;

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The user: the fleet's files, or the machine that `cairn` runs on.
    User,
    /// The user: the arguments.
    Usage,
    /// A host failed and is as it was.
    HostAsItWas,
    /// A host failed and needs a look.
    HostNeedsLook,
    /// We: a bug.
    Internal,
}

impl Kind {
    /// The word of `--format json`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Usage => "usage",
            Kind::HostAsItWas => "host-as-it-was",
            Kind::HostNeedsLook => "host-needs-look",
            Kind::Internal => "internal",
        }
    }
}

/// Why a command ended without doing what it was asked.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// Who can do something about it.
    pub(crate) kind: Kind,
    /// What is wrong; none where everything has been said.
    pub(crate) message: Option<String>,
    /// What to do.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    fn new(kind: Kind, message: impl Into<String>) -> CommandError {
        CommandError { kind, message: Some(message.into()), hints: Vec::new() }
    }

    /// The user can mend it.
    pub(crate) fn user(message: impl Into<String>) -> CommandError {
        CommandError::new(Kind::User, message)
    }

    /// The arguments make no sense together.
    pub(crate) fn usage(message: impl Into<String>) -> CommandError {
        CommandError::new(Kind::Usage, message)
    }

    /// A bug of ours.
    pub(crate) fn internal(message: impl Into<String>) -> CommandError {
        let error = CommandError::new(Kind::Internal, message);
        error.hint("this is a bug in cairn: please report it with the command and this message")
    }

    /// The user can mend it, and has been told how.
    pub(crate) fn told() -> CommandError {
        CommandError { kind: Kind::User, message: None, hints: Vec::new() }
    }

    /// A host failed, which has been told.
    pub(crate) fn host(needs_look: bool) -> CommandError {
        let kind = if needs_look { Kind::HostNeedsLook } else { Kind::HostAsItWas };
        CommandError { kind, message: None, hints: Vec::new() }
    }

    /// With advice.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> CommandError {
        self.hints.push(hint.into());
        self
    }

    /// The exit code of its class.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::User => 1,
            Kind::Usage => USAGE,
            Kind::HostAsItWas => 3,
            Kind::HostNeedsLook | Kind::Internal => 4,
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        CommandError::user(error.to_string())
    }
}
