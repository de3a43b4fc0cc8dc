//! What packages there are: the fleet's own, the catalogue's, and Debian's that are locked.

use std::collections::{BTreeMap, BTreeSet};

use cairn_lang::{Arena, Attrs, Evaluator, Result, Span, Value};

use super::Fleet;
use super::job::Desk;
use super::packages::pkgs;
use crate::report::Report;
use crate::standard::catalogue;

/// A package that hosts can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name in `pkgs`.
    pub name: String,
    /// Who offers it.
    pub origin: Origin,
    /// Its versions, the one that is meant without a word first. Others can be asked for.
    pub versions: Vec<String>,
    /// Its programs.
    pub programs: BTreeSet<String>,
    /// Where it is downloaded from, by platform.
    pub urls: BTreeMap<String, String>,
    /// What it is.
    pub description: Option<String>,
    /// Its project's page.
    pub homepage: Option<String>,
    /// Its licence.
    pub licence: Option<String>,
}

/// Who offers a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `outputs.packages` of the fleet.
    Fleet,
    /// The catalogue, from its publisher.
    Catalogue,
    /// Debian, as the lock has it: the suite and architecture.
    Debian(String),
}

impl Fleet {
    /// All packages that have a name of their own, in the order of the alphabet. Of Debian's, those
    /// that the lock has, or that the catalogue names.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub fn offers(&self) -> std::result::Result<Vec<Offer>, Report> {
        let heap = Arena::new();
        let desk = Desk::new(self, &heap);
        let found = desk.offers().map_err(|error| self.report(vec![*error]))?;
        let mut offers: Vec<Offer> = found;
        for (part, locked) in &self.lock.debian {
            for (key, package) in &locked.packages {
                offers.push(Offer {
                    name: cairn_fetch::lock::name_of(key).to_owned(),
                    origin: Origin::Debian(part.clone()),
                    versions: vec![package.version.clone()],
                    programs: BTreeSet::new(),
                    urls: BTreeMap::new(),
                    description: None,
                    homepage: None,
                    licence: None,
                });
            }
        }
        offers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(offers)
    }
}

impl<'w> Desk<'w> {
    fn offers(&'w self) -> Result<Vec<Offer>> {
        let (eval, fleet) = (self.eval(), self.value()?);
        let own = fleet.packages(eval)?;
        let own: BTreeSet<&str> =
            own.into_iter().flat_map(|own| own.iter()).map(|attr| attr.name.as_str()).collect();
        let all = eval.expect_attrs(pkgs(eval, fleet)?, Span::NONE)?;
        let names: BTreeSet<&str> = catalogue().chain(own.iter().copied()).collect();
        let mut offers = Vec::new();
        for name in names {
            let Some(attr) = all.get_str(name) else { continue };
            // What is no package, such as a function that makes some, is no offer.
            if let Value::Attrs(set) = eval.force_attr(attr)? {
                offers.extend(offer(eval, name, own.contains(name), set)?);
            }
        }
        Ok(offers)
    }
}

fn offer<'a>(
    eval: &Evaluator<'a>,
    name: &str,
    is_own: bool,
    set: &'a Attrs<'a>,
) -> Result<Option<Offer>> {
    let text = |field: &str| -> Result<Option<String>> {
        let Some(attr) = set.get_str(field) else { return Ok(None) };
        match eval.force_attr(attr)? {
            Value::Null => Ok(None),
            value => eval.to_str(value, attr.span).map(|text| Some(text.to_owned())),
        }
    };
    let Some(kind) = text("kind")? else { return Ok(None) };
    let origin = match (is_own, kind.as_str()) {
        (true, _) => Origin::Fleet,
        (false, "debian") => Origin::Debian("Debian".to_owned()),
        (false, _) => Origin::Catalogue,
    };
    let mut versions = Vec::new();
    if let Some(attr) = set.get_str("versions") {
        let list = eval.expect_list(eval.force_attr(attr)?, attr.span)?;
        for item in list.iter() {
            versions.push(eval.expect_str(eval.force(item)?, attr.span)?.to_owned());
        }
    } else {
        versions.extend(text("version")?);
    }
    let (mut programs, mut urls) = (BTreeSet::new(), BTreeMap::new());
    if let Some(attr) = set.get_str("platforms") {
        let platforms = eval.to_data(eval.force_attr(attr)?, attr.span)?;
        if let cairn_lang::Data::Attrs(platforms) = platforms {
            for (platform, source) in platforms {
                let url = source.get("url").and_then(|url| url.as_str()).unwrap_or_default();
                urls.insert(platform, url.to_owned());
                if let Some(cairn_lang::Data::Attrs(bin)) = source.get("bin") {
                    programs.extend(bin.keys().cloned());
                }
            }
        }
    }
    Ok(Some(Offer {
        name: name.to_owned(),
        origin,
        versions,
        programs,
        urls,
        description: text("description")?,
        homepage: text("homepage")?,
        licence: text("licence")?,
    }))
}
