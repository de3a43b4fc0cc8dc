//! Values as strings: interpolation, `toString`, and paths.

use super::Evaluator;
use super::inspect::virtual_path;
use crate::brief;
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::{Attrs, PathValue, Value};
use crate::world::{Mode, World};

/// Where a node keeps blobs, and what it fetched.
pub(crate) const STORE: &str = "/var/lib/cairn/store";

/// How far coercion goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// Interpolation and `+`: strings, paths (as the node will have them), sets that say how.
    Interpolate,
    /// `toString`: anything but functions; paths by their own name.
    Everything,
}

impl<'a> Evaluator<'a> {
    /// A value as interpolation sees it: a string, a path (recorded as a blob while building), or
    /// a set with `__toString` or `outPath`.
    ///
    /// # Errors
    /// `type::not-a-string`, or whatever forcing meets.
    pub fn coerce_to_str(&self, value: Value<'a>, at: Span) -> Result<&'a str> {
        self.coerce(value, at, Strength::Interpolate)
    }

    /// A value as `toString` gives it.
    ///
    /// # Errors
    /// `type::not-a-string` for functions and sets that do not say how, or whatever forcing meets.
    pub fn to_str(&self, value: Value<'a>, at: Span) -> Result<&'a str> {
        self.coerce(value, at, Strength::Everything)
    }

    fn coerce(&self, value: Value<'a>, at: Span, strength: Strength) -> Result<&'a str> {
        let value = self.force_at(value, at)?;
        match (value, strength) {
            (Value::Str(text), _) => Ok(text),
            (Value::Path(path), Strength::Interpolate) => self.interpolate_path(path, at),
            (Value::Path(path), Strength::Everything) => Ok(self.path_text(path)),
            (Value::Attrs(set), _) => self.coerce_set(set, value, at, strength),
            (Value::Bool(true), Strength::Everything) => Ok("1"),
            (Value::Bool(false) | Value::Null, Strength::Everything) => Ok(""),
            (Value::Int(value), Strength::Everything) => Ok(self.alloc_str(&value.to_string())),
            (Value::Float(value), Strength::Everything) => {
                Ok(self.alloc_str(&format!("{value:.6}")))
            }
            (Value::List(list), Strength::Everything) => {
                let mut text = String::new();
                for (index, item) in list.iter().enumerate() {
                    let item = self.force_at(item, at)?;
                    let item_text = self.deeper(at, || self.coerce(item, at, strength))?;
                    self.check_text(text.len() + item_text.len(), at)?;
                    text.push_str(item_text);
                    // As in Nix, an empty list inside adds no space.
                    let is_empty_list = matches!(item, Value::List(list) if list.is_empty());
                    if index + 1 < list.len() && !is_empty_list {
                        text.push(' ');
                    }
                }
                Ok(self.alloc_str(&text))
            }
            (other, _) => Err(not_a_string(other, at)),
        }
    }

    fn coerce_set(
        &self,
        set: &'a Attrs<'a>,
        value: Value<'a>,
        at: Span,
        strength: Strength,
    ) -> Result<&'a str> {
        if let Some(attr) = set.get(symbol!("__toString")) {
            let function = self.force_attr(attr)?;
            let text = self.deeper(at, || self.call(function, &[value], at))?;
            return self.deeper(at, || self.coerce(text, at, strength));
        }
        match set.get(symbol!("outPath")) {
            Some(attr) => {
                let path = self.force_attr(attr)?;
                self.deeper(at, || self.coerce(path, at, strength))
            }
            None if self.is_secret(set)? => Err(secret_in_text(at).into()),
            None => Err(not_a_string(value, at)),
        }
    }

    /// Whether a set is the handle of a secret.
    fn is_secret(&self, set: &'a Attrs<'a>) -> Result<bool> {
        let Some(attr) = set.get(symbol!("_type")) else { return Ok(false) };
        Ok(matches!(self.force_attr(attr)?, Value::Str(kind) if **kind == *crate::modules::SECRET))
    }

    /// The place where a file will be: on a node while building, its own in `cairn eval`.
    ///
    /// # Errors
    /// `file::…` where the file cannot be read, or is a folder.
    pub fn interpolate_path(&self, path: &'a PathValue<'a>, at: Span) -> Result<&'a str> {
        if self.world.mode == Mode::Eval {
            return Ok(self.path_text(path));
        }
        let path = virtual_path(path);
        let bytes = self
            .world
            .roots
            .read(&path)
            .map_err(|error| self.world.unreadable(&path, &error, at))?;
        let id = blake3::hash(&bytes).to_hex().to_string();
        let place = self.alloc_str(&format!("{STORE}/{id}"));
        self.record_blob(id, path);
        Ok(place)
    }

    /// A path's own text: real in `cairn eval`, else its name, so that no checkout's place shows.
    pub(crate) fn path_text(&self, path: &PathValue<'_>) -> &'a str {
        let path = virtual_path(path);
        let real = self.shows_real_paths().then(|| self.world.roots.real_path(&path)).flatten();
        match real {
            Some(real) => self.alloc_str(&real.to_string_lossy()),
            None if path.root == Root::Fleet => self.alloc_str(&format!("<fleet>/{}", path.path)),
            None => self.alloc_str(&path.to_string()),
        }
    }

    /// A path with text appended to its own, as `path + "text"` does.
    pub(crate) fn append_to_path(
        &self,
        path: &VirtualPath,
        suffix: &str,
        at: Span,
    ) -> Result<Value<'a>> {
        // Parts of the path, and their text, are held beside it.
        self.check_limits((path.path.len() + suffix.len()).saturating_mul(16), at)?;
        let text = format!("{}{suffix}", path.path);
        // What is appended to the name of a root itself leads beside it.
        let beside = path.path.is_empty()
            && path.root != Root::Machine
            && !suffix.starts_with('/')
            && !suffix.is_empty();
        if let Some(joined) = VirtualPath::new(path.root, &text).filter(|_| !beside) {
            return Ok(self.path(&joined));
        }
        let real = self.world.roots.real_path(path).filter(|_| self.shows_real_paths());
        match real {
            Some(real) => {
                let text = format!("{}{suffix}", real.display());
                Ok(self
                    .path(&self.world.locate(&text).ok_or_else(|| escapes(self.world, &text, at))?))
            }
            None => Err(escapes(self.world, text.trim_start_matches('/'), at)),
        }
    }
}

/// The error of a path whose `..` leads out of its root.
#[cold]
pub(crate) fn escapes(world: &World, path: &str, at: Span) -> Box<Diagnostic> {
    let message = format!("the path {path} leads out of what may be read");
    Diagnostic::error("file::outside", at, message).with_help(world.may_be_read()).into()
}

/// What to do with a list where a text is needed.
pub(crate) const LIST_AS_TEXT: &str = "write `toString` before it, or `builtins.concatStringsSep \
                                       \", \"` for another text between its elements";
/// What to do with null where a text is needed.
pub(crate) const NULL_AS_TEXT: &str = "null stands for nothing: write `toString` before it for an \
                                       empty text, or look whether it is `null` first";

/// The error of a secret that is used as a text.
#[cold]
pub(crate) fn secret_in_text(at: Span) -> Diagnostic {
    let message = "a secret is no text: its value is known on the host alone, once it runs";
    Diagnostic::error("secret::in-text", at, message).with_help(
        "give the program the file that the secret is in; a text with the secret in it would be in \
         the generation, for everybody to read",
    )
}

#[cold]
fn not_a_string(value: Value<'_>, at: Span) -> Box<Diagnostic> {
    let message = format!("{} cannot be used as a string", brief::described(value));
    let error = Diagnostic::error("type::not-a-string", at, message).about(value, "a string");
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            error.with_help("write `toString` before it")
        }
        Value::List(_) => error.with_help(LIST_AS_TEXT),
        Value::Null => error.with_help(NULL_AS_TEXT),
        Value::Attrs(_) => error.with_help(
            "name one of its attributes; a set by itself becomes a string only by an attribute \
             `outPath` or `__toString`",
        ),
        other => match brief::not_called(other) {
            Some(help) => error.with_help(help),
            None => error,
        },
    }
    .into()
}
