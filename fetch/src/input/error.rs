//! What can be wrong with an input.

/// Why an input cannot be had, or must not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// The diagnostic's code, `input::…`.
    pub code: &'static str,
    /// The input at fault, by its place in the tree of inputs: `common` or `common/base`. Empty
    /// where it is none of them, but the lock.
    pub input: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl InputError {
    pub(crate) fn new(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> InputError {
        InputError { code, input: String::new(), message: message.into(), help: help.into() }
    }

    /// The same of this input, unless it says already of which.
    #[must_use]
    pub(crate) fn of(mut self, input: &str) -> InputError {
        if self.input.is_empty() {
            input.clone_into(&mut self.input);
        }
        self
    }

    /// What went wrong in the cache, or in a folder that is an input.
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> InputError {
        InputError::new(
            "input::unreadable",
            format!("{}: {error}", path.display()),
            "check its permissions, and the disk's free space",
        )
    }
}

/// What there is to say of an input that can be used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The input, as in [`InputError::input`].
    pub input: String,
    /// What there is to say.
    pub message: String,
    /// What to do, if anything.
    pub help: String,
}
