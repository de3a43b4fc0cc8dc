//! Which input stands for which.

use std::collections::BTreeMap;

use super::error::InputError;
use super::lock::{Entry, InputLock};
use super::resolve::Input;

/// Finds what stands for an input, along every `follows`.
pub(super) struct Follower<'f> {
    entries: &'f InputLock,
    found: &'f BTreeMap<String, Input>,
}

impl Follower<'_> {
    pub(super) fn new<'f>(
        entries: &'f InputLock,
        found: &'f BTreeMap<String, Input>,
    ) -> Follower<'f> {
        Follower { entries, found }
    }

    /// The place in the tree of the input that stands for the one at `place`.
    pub(super) fn target(&self, place: &str) -> Result<String, InputError> {
        self.walk(place, place, &mut Vec::new())
    }

    fn walk(&self, asked: &str, place: &str, seen: &mut Vec<String>) -> Result<String, InputError> {
        let mut here = String::new();
        for name in place.split('/') {
            here = if here.is_empty() { name.to_owned() } else { format!("{here}/{name}") };
            if self.found.contains_key(&here) {
                continue;
            }
            let Some(Entry::Follows(next)) = self.entries.get(&here) else {
                return Err(self.nothing(asked, place, seen));
            };
            if seen.contains(&here) {
                seen.push(here);
                let message =
                    format!("the inputs follow each other in a circle: {}", seen.join(" → "));
                let help = "give one of them a `url`";
                return Err(InputError::new("input::cycle", message, help).of(asked));
            }
            seen.push(here.clone());
            here = self.walk(asked, &next.follows, seen)?;
            seen.pop();
        }
        Ok(here)
    }

    fn nothing(&self, asked: &str, place: &str, seen: &[String]) -> InputError {
        let message = match seen.is_empty() {
            true => format!("there is no input `{place}`"),
            false => format!("`{asked}` follows `{place}`, and there is no such input"),
        };
        let near = |name: &&String| strsim::jaro_winkler(name, place) > 0.8;
        let help = match self.found.keys().find(near) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "name an input by its way from the fleet: `base`, or `common/base`".to_owned(),
        };
        InputError::new("input::unknown", message, help).of(asked)
    }
}
