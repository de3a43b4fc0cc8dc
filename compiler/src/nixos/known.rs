//! Which options there are, as a tree of names.

use std::collections::BTreeMap;

use crate::fleet::FleetOption;

/// The names below a name; some of them are options.
#[derive(Default)]
pub(super) struct Known {
    below: BTreeMap<String, Known>,
    /// What stands for any name.
    any: Option<Box<Known>>,
    is_option: bool,
    /// Whether it is an option that is off, here and there, until somebody switches it on.
    is_off: bool,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// There are options below it.
    Above,
    /// An option, or something inside of one.
    Option,
    /// Nothing that is known.
    Unknown,
}

impl Known {
    pub(super) fn of(options: &[FleetOption]) -> Known {
        let mut root = Known::default();
        for option in
            options.iter().filter(|option| option.doc.is_listed() && !option.doc.read_only)
        {
            let mut here = &mut root;
            for name in &option.doc.loc {
                here = match name.as_str() {
                    "*" => here.any.get_or_insert_default(),
                    name if name.starts_with('<') => here.any.get_or_insert_default(),
                    name => here.below.entry(name.to_owned()).or_default(),
                };
            }
            here.is_option = true;
            let default = option.doc.default.as_ref().map(|default| default.text());
            here.is_off = default == Some("false") && option.doc.path.ends_with(".enable");
        }
        root
    }

    /// The options that are off until somebody switches them on. The firewall is on there.
    pub(super) fn off(&self) -> Vec<Vec<String>> {
        let mut off = Vec::new();
        self.collect_off(&mut Vec::new(), &mut off);
        off.retain(|path| path.join(".") != "networking.firewall.enable");
        off
    }

    fn collect_off(&self, path: &mut Vec<String>, off: &mut Vec<Vec<String>>) {
        off.extend(self.is_off.then(|| path.clone()));
        for (name, below) in &self.below {
            path.push(name.clone());
            below.collect_off(path, off);
            path.pop();
        }
    }

    /// Whether a path is one of several things that are alike, such as a user.
    pub(super) fn is_entry(&self, path: &[String]) -> bool {
        let Some((last, above)) = path.split_last() else { return false };
        let mut here = self;
        for name in above {
            match here.below.get(name).or(here.any.as_deref()) {
                Some(next) => here = next,
                None => return false,
            }
        }
        here.any.is_some() && !here.below.contains_key(last)
    }

    pub(super) fn place(&self, path: &[String]) -> Place {
        let mut here = self;
        let mut inside = false;
        for name in path {
            let Some(next) = here.below.get(name).or(here.any.as_deref()) else {
                // Options of a free form take names that no list has.
                return if inside { Place::Option } else { Place::Unknown };
            };
            here = next;
            inside |= here.is_option;
        }
        match here.below.is_empty() && here.any.is_none() {
            false => Place::Above,
            true => Place::Option,
        }
    }
}
