//! Why an option has its value: every definition, how strong it is, and what became of it.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::configuration::Configuration;
use super::definition::{Definition, Layer};
use super::level::Node;
use super::location::Step;
use super::option::{OptionNode, settle};
use super::property::{Conditions, unwrap};
use super::shown::{Shown, default_of, text};
use super::tree::{ModuleTree, descend};
use crate::brief::written;

/// One definition of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Where the option's name is written.
    pub key: Span,
    /// Where the value is written.
    pub span: Span,
    /// The file that the definition's module is in.
    pub file: String,
    /// The layer of that module.
    pub layer: Layer,
    /// The priority: the lowest number wins.
    pub priority: i64,
    /// The value in brief.
    pub value: String,
    /// Whether it is the option's own default.
    pub is_default: bool,
    /// Whether its conditions (`mkIf`) hold.
    pub holds: bool,
    /// Whether it is in the merged value.
    pub won: bool,
}

/// All about one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The option's path.
    pub path: String,
    /// What its type takes, in words.
    pub type_description: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it is declared.
    pub declared: Vec<Span>,
    /// Its default, if it has one.
    pub default: Option<Shown>,
    /// Its definitions, the strongest first.
    pub definitions: Vec<Explained>,
    /// The merged value in brief, or the error that it ends in.
    pub value: Result<String>,
}

/// How many options of a set are named.
const SOME: usize = 12;

impl<'a> Configuration<'_, 'a> {
    /// Explains the option at a path, such as `["services", "k3s", "role"]`. An element of an
    /// option (`users.users.alice.home`) is looked for among the submodules inside it.
    ///
    /// # Errors
    /// `option::unknown` for a path that is no option's, or an error of the modules' structure.
    pub fn explain(&self, path: &[&str]) -> Result<Explanation> {
        let names: Vec<Symbol> = path.iter().map(|name| Symbol::new(name)).collect();
        let option = self.find(self.tree, &names)?;
        explain(self.eval, option)
    }

    fn find(&self, tree: &'a ModuleTree<'a>, names: &[Symbol]) -> Result<&'a OptionNode<'a>> {
        let eval = self.eval;
        let unknown = || {
            let shown: Vec<_> = names.iter().map(|name| name.as_str()).collect();
            let path = shown.join(".");
            if let Ok(Value::Attrs(set)) = self.value(&shown) {
                let names = set.sorted().into_iter().map(|attr| attr.name.as_str());
                let names: Vec<_> = names.filter(|name| !name.starts_with('_')).collect();
                let more = if names.len() > SOME { ", …" } else { "" };
                let some = names.iter().take(SOME).copied().collect::<Vec<_>>().join(", ");
                let message = format!("`{path}` is a set of options, not one");
                let error = Diagnostic::error("option::unknown", Span::NONE, message);
                return error.with_help(format!("it holds {some}{more}")).into();
            }
            let message = format!("there is no option `{path}`");
            let mut error = Diagnostic::error("option::unknown", Span::NONE, message);
            let all = self.reference().options;
            let listed = all.iter().filter(|option| option.is_listed());
            error.help = did_you_mean(&path, listed.map(|option| option.path.as_str()));
            error.into()
        };
        let root = tree.root(eval)?;
        match descend(eval, root, names)? {
            None => Err(unknown()),
            Some((child, depth)) => match child.node(eval)? {
                Node::Level(_) => Err(unknown()),
                Node::Option(option) if depth == names.len() => Ok(option),
                Node::Option(option) => {
                    // The submodules in an option's value come to be when it is computed.
                    self.force_towards(option, names.get(depth..).unwrap_or_default());
                    self.find_inside(names).unwrap_or_else(|| Err(unknown()))
                }
            },
        }
    }

    fn force_towards(&self, option: &'a OptionNode<'a>, rest: &[Symbol]) {
        let mut value = self.eval.force(option.value(self.eval));
        for name in rest {
            let Ok(Value::Attrs(set)) = value else { return };
            let Some(attr) = set.get(*name) else { return };
            value = self.eval.force_attr(attr);
        }
    }

    fn find_inside(&self, names: &[Symbol]) -> Option<Result<&'a OptionNode<'a>>> {
        let eval = self.eval;
        // Of nested submodules, the innermost knows best.
        for tree in self.tree.session.trees_from(1).into_iter().rev() {
            let prefix = tree.place.path.steps();
            let fits = prefix.len() < names.len()
                && prefix.iter().zip(names).all(|(step, name)| *step == Step::Name(*name));
            if !fits || prefix.is_empty() {
                continue;
            }
            let rest = names.get(prefix.len()..).unwrap_or_default();
            match tree.root(eval).and_then(|root| descend(eval, root, rest)) {
                Ok(Some((child, depth))) if depth == rest.len() => match child.node(eval) {
                    Ok(Node::Option(option)) => return Some(Ok(option)),
                    Ok(Node::Level(_)) => {}
                    Err(error) => return Some(Err(error)),
                },
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

fn explain<'a>(eval: &Evaluator<'a>, option: &'a OptionNode<'a>) -> Result<Explanation> {
    let mut all: Vec<(Definition<'a>, bool, bool)> = Vec::new();
    if let Some(default) = option.default() {
        all.extend(parts(eval, default, true));
    }
    for definition in option.level.definitions_of(eval, option.name)? {
        all.extend(parts(eval, definition, false));
    }
    let holding: Vec<_> = all.iter().filter(|(_, _, holds)| *holds).map(|(d, ..)| *d).collect();
    let strongest = settle(eval, holding, &mut Vec::new());
    let merges = merges(eval, option, &strongest);
    let top = strongest.iter().map(|definition| definition.origin.layer).max();
    let least = strongest.first().map(Definition::strength);
    let mut definitions: Vec<_> = all
        .into_iter()
        .map(|(definition, is_default, holds)| {
            let strong = holds && Some(definition.strength()) == least;
            let won = strong && (merges || Some(definition.origin.layer) == top);
            Explained {
                key: definition.key,
                span: definition.span(eval),
                file: definition.origin.file.to_owned(),
                layer: definition.origin.layer,
                priority: definition.strength(),
                value: brief(eval, definition.value),
                is_default,
                holds,
                won,
            }
        })
        .collect();
    definitions.sort_by_key(|each| (!each.holds, each.priority, std::cmp::Reverse(each.layer)));
    let value = eval.force(option.value(eval)).map(written);
    Ok(Explanation {
        path: option.path.to_string(),
        type_description: option.ty(eval)?.description(eval)?,
        description: text(eval, option, "description"),
        declared: option.declared(),
        default: default_of(eval, option),
        definitions,
        value,
    })
}

/// The definitions in one, those among them whose conditions do not hold too.
fn parts<'a>(
    eval: &Evaluator<'a>,
    definition: Definition<'a>,
    is_default: bool,
) -> Vec<(Definition<'a>, bool, bool)> {
    let mut all = Vec::new();
    if unwrap(eval, definition, Conditions::Keep, &mut all).is_err() {
        return vec![(definition, is_default, true)];
    }
    let holds = |part: &Definition<'a>| {
        let mut out = Vec::new();
        unwrap(eval, *part, Conditions::Test, &mut out).is_err() || !out.is_empty()
    };
    all.into_iter().map(|part| (part, is_default, holds(&part))).collect()
}

/// Whether the type takes something of every definition, and not one of them.
fn merges<'a>(eval: &Evaluator<'a>, option: &'a OptionNode<'a>, of: &[Definition<'a>]) -> bool {
    let structured = of.iter().all(|definition| {
        matches!(eval.force(definition.value), Ok(Value::List(_) | Value::Attrs(_)))
    });
    let name = option.ty(eval).map(|ty| ty.name()).unwrap_or_default();
    let joined = ["separatedString", "boolByOr", "flags"];
    let single = ["raw", "package", "unique", "enum", "portRange"];
    joined.contains(&name) || (structured && !single.contains(&name))
}

/// A value in few words, computed as far as those need.
fn brief<'a>(eval: &Evaluator<'a>, value: Value<'a>) -> String {
    let value = match eval.force(value) {
        Ok(value) => value,
        Err(error) => return format!("<error: {}>", error.message),
    };
    match value {
        Value::List(list) if list.len() <= 4 => {
            for cell in list.cells() {
                let _ = eval.force_cell(cell, Span::NONE);
            }
        }
        Value::Attrs(set) if set.len() <= 4 => {
            for attr in set.iter() {
                let _ = eval.force_attr(attr);
            }
        }
        _ => {}
    }
    written(value)
}
