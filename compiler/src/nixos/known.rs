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
        }
        root
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
