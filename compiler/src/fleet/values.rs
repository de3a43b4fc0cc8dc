//! The values of all options of hosts, to be compared.

use std::collections::BTreeMap;

use cairn_lang::modules::Configuration;
use cairn_lang::{Attr, Evaluator, Result, Span, Symbol, Value};
use serde_json::Value as Json;

use super::Fleet;
use crate::report::Report;

/// What is no option that people define: what modules make of those that are.
const MADE: [&str; 5] = ["_module", "assertions", "deployment.groups", "resources", "warnings"];

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionValue {
    /// As an expression of the language.
    pub text: String,
    /// As JSON.
    pub json: Json,
}

/// The options of a host by path, each name of a set by itself; what is no plain data is left out.
pub type OptionValues = BTreeMap<String, OptionValue>;

impl Fleet {
    /// The values of all options of these hosts, in their order.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn values(&self, hosts: &[String]) -> std::result::Result<Vec<OptionValues>, Report> {
        let all = self.each(hosts, Result::is_err, |job| collect(job.eval(), job.strict()?));
        let (mut values, mut problems) = (Vec::new(), Vec::new());
        for one in all {
            match one {
                Ok(one) => values.push(one),
                Err(error) => problems.push(*error),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(self.report(problems)) }
    }
}

fn collect<'w>(eval: &Evaluator<'w>, config: &Configuration<'w, 'w>) -> Result<OptionValues> {
    let mut values = OptionValues::new();
    let Value::Attrs(all) = eval.force(config.config())? else { return Ok(values) };
    for attr in all.sorted() {
        walk(config, attr.name.as_str(), &[attr.name], attr, &mut values)?;
    }
    Ok(values)
}

fn walk<'w>(
    config: &Configuration<'w, 'w>,
    path: &str,
    names: &[Symbol],
    attr: &Attr<'w>,
    values: &mut OptionValues,
) -> Result<()> {
    if MADE.contains(&path) {
        return Ok(());
    }
    let eval = config.evaluator();
    let value = match eval.force_attr(attr) {
        Ok(value) => value,
        // Nobody defines it, and nothing has asked for it.
        Err(error) if error.code == "option::undefined" => return Ok(()),
        Err(error) if config.fails_for_readers(&error, names) => return Ok(()),
        Err(error) => return Err(error),
    };
    if let Value::Attrs(set) = value
        && !set.sorted().is_empty()
        && set.get_str("outPath").is_none()
    {
        for attr in set.sorted() {
            let below = format!("{path}.{}", quoted(attr.name.as_str()));
            let names: Vec<_> = names.iter().copied().chain([attr.name]).collect();
            walk(config, &below, &names, attr, values)?;
        }
        return Ok(());
    }
    match eval.to_data(value, Span::NONE) {
        Ok(data) => {
            let value = eval.from_data(&data);
            let json = serde_json::from_str(&eval.json(value, Span::NONE)?).unwrap_or(Json::Null);
            values.insert(path.to_owned(), OptionValue { text: eval.print(value)?, json });
            Ok(())
        }
        // A function has no value to compare.
        Err(error) if error.code == "eval::not-data" => Ok(()),
        Err(error) => Err(error),
    }
}

/// A name as it stands in a path.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-'".contains(c);
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(plain);
    if is_name {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
