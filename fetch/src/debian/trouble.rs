//! Why packages cannot be had together, told from what was asked for on.

use std::collections::BTreeSet;
use std::fmt;

use super::relation::relations;

/// What is in the way, and how it was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The package that the fleet asks for, where it begins.
    pub asked: String,
    /// What is in the way.
    pub cause: Cause,
    /// The packages on the way there, from the one that was asked for to the one with the trouble.
    pub chain: Vec<String>,
}

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No archive has a package of this name.
    Unknown {
        /// Names that are like it, best first.
        near: Vec<String>,
    },
    /// Several packages provide the name, and none has it.
    Virtual {
        /// Those that provide it.
        providers: Vec<String>,
    },
    /// No archive has this version.
    NoSuchVersion {
        /// The version that was asked for.
        version: String,
        /// Those that there are, newest first.
        there: Vec<String>,
    },
    /// Nothing satisfies what a package needs.
    Unmet {
        /// `depends on`, or another verb.
        verb: &'static str,
        /// What it needs, as its control file says it.
        needs: String,
        /// What there is of each alternative.
        there: Vec<String>,
    },
    /// Two packages cannot be installed together.
    Conflict {
        /// `conflicts with` or `breaks`.
        verb: &'static str,
        /// The relation, as the control file says it.
        with: String,
        /// The package that it hits.
        other: String,
        /// How that one was come by, from what was asked for on.
        other_chain: Vec<String>,
    },
}

impl Trouble {
    /// The packages that have a part in it.
    pub(crate) fn involved(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.chain.iter().cloned().collect();
        let relation = match &self.cause {
            Cause::Unmet { needs, .. } => needs.as_str(),
            Cause::Conflict { with, other, other_chain, .. } => {
                names.insert(other.clone());
                names.extend(other_chain.iter().cloned());
                with.as_str()
            }
            _ => "",
        };
        names.extend(relations(relation).flatten().map(|one| one.name.to_owned()));
        names
    }

    /// What to do.
    pub fn help(&self) -> String {
        match &self.cause {
            Cause::Unknown { near } => match near.as_slice() {
                [] => "check the name with `apt-cache search`, and that `debian.archives` and \
                       `debian.components` have the archive that it is in"
                    .to_owned(),
                [near] => format!("did you mean `{near}`?"),
                [near @ .., last] => {
                    let near: Vec<_> = near.iter().map(|one| format!("`{one}`")).collect();
                    format!("did you mean {} or `{last}`?", near.join(", "))
                }
            },
            Cause::Virtual { providers } => {
                format!("ask for one of those that provide it: {}", providers.join(", "))
            }
            Cause::NoSuchVersion { there, .. } => match there.as_slice() {
                [] => "leave the version out".to_owned(),
                there => {
                    format!("there is {}; leave the version out for the newest", there.join(", "))
                }
            },
            Cause::Unmet { .. } => {
                "the archives of the fleet do not fit together, or one is missing: see \
                 `debian.suite`, `debian.components` and `debian.archives`"
                    .to_owned()
            }
            Cause::Conflict { .. } => "ask for one of the two".to_owned(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = &self.asked;
        let chain = |chain: &[String]| match chain {
            [] | [_] => String::new(),
            chain => format!(" ({})", chain.join(" → ")),
        };
        let at = self.chain.last().unwrap_or(asked);
        match &self.cause {
            Cause::Unknown { .. } => write!(f, "no archive has a package `{asked}`"),
            Cause::Virtual { .. } => {
                write!(f, "`{asked}` is no package, but what several packages provide")
            }
            Cause::NoSuchVersion { version, .. } => {
                write!(f, "no archive has version {version} of `{asked}`")
            }
            Cause::Unmet { verb, needs, there } => {
                write!(f, "`{at}` {verb} {needs}, but {}", there.join(" and "))?;
                f.write_str(&chain(&self.chain))
            }
            Cause::Conflict { verb, with, other, other_chain } => {
                write!(f, "`{at}` {verb} {with}")?;
                f.write_str(&chain(&self.chain))?;
                write!(f, ", and `{other}` is wanted too")?;
                f.write_str(&chain(other_chain))
            }
        }
    }
}
