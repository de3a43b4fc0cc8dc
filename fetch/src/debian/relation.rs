//! Relations between packages: `a (>= 1) | b, c:any`.

use std::cmp::Ordering;

use super::version::compare;

/// What a relation demands of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound<'t> {
    /// Any will do.
    Any,
    /// `<<`
    Below(&'t str),
    /// `<=`
    AtMost(&'t str),
    /// `=`
    Exactly(&'t str),
    /// `>=`
    AtLeast(&'t str),
    /// `>>`
    Above(&'t str),
}

impl<'t> Bound<'t> {
    /// Whether a version is one of those.
    pub(crate) fn admits(self, version: &str) -> bool {
        match self {
            Bound::Any => true,
            Bound::Below(than) => compare(version, than) == Ordering::Less,
            Bound::AtMost(than) => compare(version, than) != Ordering::Greater,
            Bound::Exactly(than) => compare(version, than) == Ordering::Equal,
            Bound::AtLeast(than) => compare(version, than) != Ordering::Less,
            Bound::Above(than) => compare(version, than) == Ordering::Greater,
        }
    }

    /// As a control file writes it: `>= 1`; nothing where any version will do.
    pub(crate) fn written(self) -> Option<String> {
        Some(match self {
            Bound::Any => return None,
            Bound::Below(than) => format!("<< {than}"),
            Bound::AtMost(than) => format!("<= {than}"),
            Bound::Exactly(than) => format!("= {than}"),
            Bound::AtLeast(than) => format!(">= {than}"),
            Bound::Above(than) => format!(">> {than}"),
        })
    }

    fn parse(text: &'t str) -> Bound<'t> {
        let text = text.trim();
        let end = text.find(|c| !"<>=".contains(c)).unwrap_or(text.len());
        let (sign, version) = text.split_at(end);
        let version = version.trim();
        match sign {
            "<<" => Bound::Below(version),
            // `<` and `>` have meant `<=` and `>=` since before there was a policy.
            "<=" | "<" => Bound::AtMost(version),
            ">=" | ">" => Bound::AtLeast(version),
            ">>" => Bound::Above(version),
            _ => Bound::Exactly(version),
        }
    }
}

/// One alternative of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alternative<'t> {
    /// The package's name.
    pub(crate) name: &'t str,
    /// What stands after a colon: `any`, or an architecture.
    pub(crate) qualifier: Option<&'t str>,
    /// Which versions.
    pub(crate) bound: Bound<'t>,
}

/// The relations of a field: all must hold, of each one alternative.
pub(crate) fn relations(
    field: &str,
) -> impl Iterator<Item = impl Iterator<Item = Alternative<'_>>> {
    let all = field.split(',').filter(|one| !one.trim().is_empty());
    all.map(|one| one.split('|').filter_map(alternative))
}

fn alternative(text: &str) -> Option<Alternative<'_>> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_whitespace() || "([<".contains(c));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let (name, qualifier) = match name.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (name, None),
    };
    let bound = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let bound = bound.map_or(Bound::Any, |(bound, _)| Bound::parse(bound));
    (!name.is_empty()).then_some(Alternative { name, qualifier, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_control_files_write_them() {
        let all: Vec<Vec<_>> = relations("a (>= 1:2.0~rc1), b:any | c(<<3)|d, \n e (= 1), ")
            .map(Iterator::collect)
            .collect();
        assert_eq!(all.len(), 3);
        assert_eq!(all[0][0].bound, Bound::AtLeast("1:2.0~rc1"));
        assert_eq!((all[1][0].name, all[1][0].qualifier), ("b", Some("any")));
        assert_eq!((all[1][1].name, all[1][1].bound), ("c", Bound::Below("3")));
        assert_eq!((all[1][2].name, all[1][2].bound), ("d", Bound::Any));
        assert!(all[2][0].bound.admits("0:1") && !all[2][0].bound.admits("1.1"));
    }
}
