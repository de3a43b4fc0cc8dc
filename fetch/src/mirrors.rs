//! Other places for what publishers have.

use std::collections::BTreeMap;

/// Beginnings of URLs, and what stands there instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirrors(pub BTreeMap<String, String>);

impl Mirrors {
    /// Where what is at `url` is downloaded from: the longest beginning that fits decides.
    pub fn place(&self, url: &str) -> String {
        let fits = self.0.iter().filter_map(|(from, to)| Some((from, to, url.strip_prefix(from)?)));
        match fits.max_by_key(|(from, ..)| from.len()) {
            Some((_, to, rest)) => format!("{to}{rest}"),
            None => url.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_decides() {
        let pairs = [("https://", "file:///srv/"), ("https://a.org/", "http://m/")];
        let mirrors = Mirrors(pairs.map(|(from, to)| (from.into(), to.into())).into());
        assert_eq!(mirrors.place("https://a.org/x"), "http://m/x");
        assert_eq!(mirrors.place("https://b.org/x"), "file:///srv/b.org/x");
        assert_eq!(mirrors.place("http://b.org/x"), "http://b.org/x");
    }
}
