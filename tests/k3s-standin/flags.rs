//! Which flags k3s takes, and of what kind.

/// The kind of value that a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A Go duration, such as `5m0s`.
    Duration,
    /// Several texts; some flags also split each at its commas.
    List { commas: bool },
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    role: &'static str,
    pub(crate) values: Vec<&'static str>,
}

impl Flag {
    /// Whether `k3s <role>` takes it.
    pub(crate) fn is_for(&self, role: &str) -> bool {
        self.role == "both" || self.role == role
    }
}

/// The flag called `name`, or why there is none.
pub(crate) fn find(name: &str) -> Result<Flag, String> {
    let lines = include_str!("flags.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let mut words = line.splitn(4, ' ');
        let (found, kind, role) = (words.next(), words.next(), words.next().unwrap_or_default());
        if found != Some(name) {
            continue;
        }
        let kind = match kind.unwrap_or_default() {
            "!" => {
                let rest = line.split_once("! ").map_or("", |(_, rest)| rest);
                return Err(format!("{name} was removed from k3s: use {rest}"));
            }
            "bool" => Kind::Bool,
            "int" => Kind::Int,
            "duration" => Kind::Duration,
            "string-list" => Kind::List { commas: false },
            "string-list," => Kind::List { commas: true },
            _ => Kind::Text,
        };
        let values = words.next().map(|values| values.split('|').collect()).unwrap_or_default();
        return Ok(Flag { name: found.unwrap_or_default(), kind, role, values });
    }
    Err(format!("k3s has no flag {name}"))
}
