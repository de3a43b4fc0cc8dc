//! Why an option has its value: every definition, how strong it is, and what became of it.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::configuration::Configuration;
use super::definition::{Condition, Definition, Layer, priority};
use super::level::{Level, Node};
use super::location::Step;
use super::option::{OptionNode, settle};
use super::property::{Conditions, condition_span, unwrap};
use super::shown::{Shown, default_of, in_full, text};
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
    /// `mkOrder`'s number: its place among those that merge.
    pub order: Option<i64>,
    /// Its conditions (`mkIf`), the outermost first.
    pub conditions: Vec<Tested>,
    /// The value in brief.
    pub value: String,
    /// Whether it is the option's own default.
    pub is_default: bool,
    /// Whether its conditions (`mkIf`) hold.
    pub holds: bool,
    /// Whether it is in the merged value.
    pub won: bool,
}

/// A condition of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Where it is written.
    pub span: Span,
    /// Whether it holds; `None` where it fails, or one around it does not hold.
    pub holds: Option<bool>,
    /// Whether it is asked for, and fails.
    pub fails: bool,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanations {
    /// An option, or a part of one.
    One(Box<Explanation>),
    /// A set of options.
    Set {
        /// Those that anything defines.
        defined: Vec<Explanation>,
        /// How many there are besides.
        others: usize,
    },
}

/// All about one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The option's path.
    pub path: String,
    /// The option that it is a part of, such as one name in a set that is a value.
    pub within: Option<String>,
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
    /// Whether the option makes something else of the merged value (`apply`).
    pub applied: bool,
    /// Whether it can be read only.
    pub read_only: bool,
    /// The value in brief, or the error that it ends in.
    pub value: Result<String>,
}

/// Longer values are cut.
const LONGEST: usize = 300;

impl<'a> Configuration<'_, 'a> {
    /// Explains the option at a path, such as `["services", "k3s", "role"]`. An element of an
    /// option (`users.users.alice.home`) is looked for among the submodules inside it.
    ///
    /// # Errors
    /// `option::unknown` for a path that is no option's, or an error of the modules' structure.
    pub fn explain(&self, path: &[&str]) -> Result<Explanation> {
        let names: Vec<Symbol> = path.iter().map(|name| Symbol::new(name)).collect();
        self.explain_option(&names)
    }

    fn explain_option(&self, names: &[Symbol]) -> Result<Explanation> {
        let option = self.find(self.tree, names)?;
        if std::ptr::eq(option.level.tree, self.tree) {
            return explain(self.eval, option);
        }
        let all = self.candidates_inside(names)?;
        let value = self.eval.force(option.value(self.eval)).map(|value| brief(self.eval, value));
        about(self.eval, option, all, value)
    }

    /// Explains whatever is at a path: an option, a set of options, or a part of an option's value,
    /// such as `["boot", "kernel", "sysctl", "vm.swappiness"]`.
    ///
    /// # Errors
    /// As [`Configuration::explain`], where there is nothing.
    pub fn explain_all(&self, path: &[&str]) -> Result<Explanations> {
        let names: Vec<Symbol> = path.iter().map(|name| Symbol::new(name)).collect();
        let error = match self.explain_option(&names) {
            Ok(explained) => return Ok(Explanations::One(Box::new(explained))),
            Err(error) => error,
        };
        if let Some(level) = self.level_at(&names)? {
            let (mut defined, mut others) = (Vec::new(), 0);
            self.explain_level(level, &mut defined, &mut others)?;
            return Ok(Explanations::Set { defined, others });
        }
        match self.explain_part(path, &names)? {
            Some(explained) => Ok(Explanations::One(Box::new(explained))),
            None => Err(error),
        }
    }

    /// Of the definitions that make an option's list, those that have such an element, each with the
    /// element's own place where the list is written out.
    ///
    /// # Errors
    /// As [`Configuration::explain`].
    pub fn explain_elements(
        &self,
        path: &[&str],
        is: &dyn Fn(Value<'a>) -> bool,
    ) -> Result<Vec<Explained>> {
        let names: Vec<Symbol> = path.iter().map(|name| Symbol::new(name)).collect();
        let option = self.find(self.tree, &names)?;
        let mut found = Vec::new();
        for one in candidates(self.eval, option)?.into_iter().filter(|one| one.won) {
            let Ok(Value::List(list)) = self.eval.force(one.definition.value) else { continue };
            let Some(number) = list.iter().position(is) else { continue };
            let mut explained = explained(self.eval, one);
            let places = self.eval.element_spans(explained.span).unwrap_or_default();
            explained.span = places.get(number).copied().unwrap_or(explained.span);
            found.push(explained);
        }
        Ok(found)
    }

    /// The set of options at a path, in a submodule too.
    fn level_at(&self, names: &[Symbol]) -> Result<Option<&'a Level<'a>>> {
        let trees = self.tree.session.trees_from(0).into_iter().rev();
        for tree in trees {
            let prefix = tree.place.path.steps();
            let fits = prefix.len() <= names.len()
                && prefix.iter().zip(names).all(|(step, name)| *step == Step::Name(*name));
            if !fits {
                continue;
            }
            let Ok(root) = tree.root(self.eval) else { continue };
            match names.get(prefix.len()..).unwrap_or_default() {
                [] => return Ok(Some(root)),
                rest => match descend(self.eval, root, rest)? {
                    Some((child, depth)) if depth == rest.len() => {
                        if let Node::Level(level) = child.node(self.eval)? {
                            return Ok(Some(level));
                        }
                    }
                    _ => {}
                },
            }
        }
        Ok(None)
    }

    fn explain_level(
        &self,
        level: &'a Level<'a>,
        defined: &mut Vec<Explanation>,
        others: &mut usize,
    ) -> Result<()> {
        for child in level.children() {
            if child.name.as_str() == "_module" {
                continue;
            }
            match child.node(self.eval)? {
                Node::Level(level) => self.explain_level(level, defined, others)?,
                Node::Option(option) => {
                    let explained = explain(self.eval, option)?;
                    if explained.definitions.iter().any(|one| !one.is_default && one.holds) {
                        defined.push(explained);
                    } else {
                        *others += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Explains a part of an option's value, where there is one at the path.
    fn explain_part(&self, path: &[&str], names: &[Symbol]) -> Result<Option<Explanation>> {
        let eval = self.eval;
        let Some((child, depth)) = descend(eval, self.tree.root(eval)?, names)? else {
            return Ok(None);
        };
        let Node::Option(option) = child.node(eval)? else { return Ok(None) };
        let whole = candidates(eval, option)?;
        let parts = names.get(depth..).unwrap_or_default().iter().fold(whole, |whole, name| {
            let known: Vec<_> =
                whole.into_iter().flat_map(|one| one.part(eval, *name, false)).collect();
            judged(known, true)
        });
        let place = names.iter().skip(depth).fold(option.place(), |at, name| at.name(eval, *name));
        let value = match self.value(path) {
            Ok(value) => Ok(brief(eval, value)),
            // A part whose conditions do not hold is none, and has something to explain.
            Err(_) if parts.iter().all(|one| !one.holds) && !parts.is_empty() => {
                Err(OptionNode::undefined_at(place.path, Span::NONE))
            }
            Err(error) if error.code == "name::missing-attribute" => return Ok(None),
            Err(error) => Err(error),
        };
        if parts.is_empty() {
            return Ok(None);
        }
        let structured = parts.iter().filter(|one| one.won).all(|one| is_structured(eval, one));
        let parts = judged(parts, structured);
        Ok(Some(Explanation {
            path: place.path.to_string(),
            within: Some(option.path.to_string()),
            default: None,
            ..about(eval, option, parts, value)?
        }))
    }

    /// All definitions of an option in a submodule: what those of the option around it say of it, and
    /// those of the submodule's own modules. The submodule itself is given what won around it alone.
    fn candidates_inside(&self, names: &[Symbol]) -> Result<Vec<Candidate<'a>>> {
        let eval = self.eval;
        let on_the_way = self.options_towards(names)?;
        let mut all: Vec<Candidate<'a>> = Vec::new();
        // Names inside of a set of options stand for no value that anything could win.
        let mut in_set = false;
        for (depth, name) in (1..).zip(names) {
            let parts = all.into_iter().flat_map(|one| one.part(eval, *name, in_set));
            all = parts.collect();
            let option = on_the_way.iter().find(|(_, end, _)| *end == depth);
            let own = option.map(|(.., option)| candidates(eval, option)).transpose()?;
            let new =
                own.into_iter().flatten().filter(|own| !all.iter().any(|one| one.is(eval, own)));
            let new: Vec<_> = new.collect();
            all.extend(new);
            in_set = on_the_way.iter().any(|(start, end, _)| *start < depth && depth < *end);
            if !in_set {
                let merges = option.is_none_or(|(.., option)| may_merge(eval, option, &all));
                all = judged(all, merges);
            }
        }
        Ok(all)
    }

    /// The options, each in a submodule of the one before, that lead to the one at a path: the length
    /// of their tree's own path, and that of theirs.
    fn options_towards(&self, names: &[Symbol]) -> Result<Vec<(usize, usize, &'a OptionNode<'a>)>> {
        let mut found: Vec<(usize, usize, &'a OptionNode<'a>)> = Vec::new();
        for tree in self.tree.session.trees_from(0).into_iter().rev() {
            let prefix = tree.place.path.steps();
            let fits = prefix.len() < names.len()
                && prefix.iter().zip(names).all(|(step, name)| *step == Step::Name(*name));
            // Of trees of the same path, the last one is of the value that was computed.
            if !fits || found.iter().any(|(start, ..)| *start == prefix.len()) {
                continue;
            }
            let rest = names.get(prefix.len()..).unwrap_or_default();
            if let Some((child, depth)) = descend(self.eval, tree.root(self.eval)?, rest)?
                && let Node::Option(option) = child.node(self.eval)?
            {
                found.push((prefix.len(), prefix.len() + depth, option));
            }
        }
        Ok(found)
    }

    fn find(&self, tree: &'a ModuleTree<'a>, names: &[Symbol]) -> Result<&'a OptionNode<'a>> {
        let eval = self.eval;
        let root = tree.root(eval)?;
        match descend(eval, root, names)? {
            None => Err(self.absent(names)),
            Some((child, depth)) => match child.node(eval)? {
                Node::Level(_) => Err(self.absent(names)),
                Node::Option(option) if depth == names.len() => Ok(option),
                Node::Option(option) => {
                    // The submodules in an option's value come to be when it is computed.
                    self.force_towards(option, names.get(depth..).unwrap_or_default());
                    self.find_inside(names).unwrap_or_else(|| Err(self.absent(names)))
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

/// A definition, and what became of it.
struct Candidate<'a> {
    definition: Definition<'a>,
    /// The strength of the value that it is a part of.
    around: Option<i64>,
    is_default: bool,
    conditions: Vec<Tested>,
    holds: bool,
    won: bool,
}

impl<'a> Candidate<'a> {
    /// What it says under a name of its value.
    /// A set of options passes its strength on to them; of a value, only what won is looked into.
    fn part(self, eval: &Evaluator<'a>, name: Symbol, in_set: bool) -> Vec<Candidate<'a>> {
        let Ok(Value::Attrs(set)) = eval.force(self.definition.value) else { return Vec::new() };
        let Some(attr) = set.get(name) else { return Vec::new() };
        let element = self.definition.element(attr.value.get(), attr.span, Span::NONE);
        let mut parts = parts(eval, element, self.is_default);
        for part in &mut parts {
            part.conditions.splice(0..0, self.conditions.iter().cloned());
            part.holds &= self.holds;
            // Only what is in the whole value can be in a part of it.
            part.won = self.won;
            let whole = self.definition.priority;
            part.around = whole.or(self.around);
            if in_set {
                part.definition.priority = whole.or(part.definition.priority);
            }
        }
        parts
    }

    /// Whether both are the same definition.
    fn is(&self, eval: &Evaluator<'a>, other: &Candidate<'a>) -> bool {
        let (one, other) = (&self.definition, &other.definition);
        let same = one.origin.file == other.origin.file && one.origin.layer == other.origin.layer;
        same && match one.key == other.key && !one.key.is_none() {
            true => true,
            false => brief(eval, one.value) == brief(eval, other.value),
        }
    }
}

/// All definitions of an option, its default among them.
fn candidates<'a>(eval: &Evaluator<'a>, option: &'a OptionNode<'a>) -> Result<Vec<Candidate<'a>>> {
    let mut all = Vec::new();
    if let Some(default) = option.default() {
        all.extend(parts(eval, default, true));
    }
    for definition in option.level.definitions_of(eval, option.name)? {
        all.extend(parts(eval, definition, false));
    }
    let merges = may_merge(eval, option, &all);
    Ok(judged(all, merges))
}

/// Whether those of the candidates that are the strongest make the option's value together.
fn may_merge<'a>(eval: &Evaluator<'a>, option: &'a OptionNode<'a>, all: &[Candidate<'a>]) -> bool {
    let open = all.iter().filter(|one| one.holds && one.won);
    let strongest = settle(eval, open.map(|one| one.definition).collect(), &mut Vec::new());
    merges(eval, option, &strongest)
}

/// Says of those that could win which do: the strongest, all of them where they merge.
fn judged(mut all: Vec<Candidate<'_>>, merges: bool) -> Vec<Candidate<'_>> {
    let open = |one: &&Candidate<'_>| one.holds && one.won;
    let least = all.iter().filter(open).map(|one| one.definition.strength()).min();
    let strong = |one: &Candidate<'_>| Some(one.definition.strength()) == least;
    let layers = all.iter().filter(open).filter(|one| strong(one));
    let top = layers.map(|one| one.definition.origin.layer).max();
    for one in &mut all {
        let of_top = Some(one.definition.origin.layer) == top;
        one.won = one.holds && one.won && strong(one) && (merges || of_top);
    }
    all
}

fn explain<'a>(eval: &Evaluator<'a>, option: &'a OptionNode<'a>) -> Result<Explanation> {
    let value = eval.force(option.value(eval)).map(|value| brief(eval, value));
    about(eval, option, candidates(eval, option)?, value)
}

fn about<'a>(
    eval: &Evaluator<'a>,
    option: &'a OptionNode<'a>,
    all: Vec<Candidate<'a>>,
    value: Result<String>,
) -> Result<Explanation> {
    let mut definitions: Vec<_> = all.into_iter().map(|one| explained(eval, one)).collect();
    definitions.sort_by_key(|each| (!each.holds, each.priority, std::cmp::Reverse(each.layer)));
    Ok(Explanation {
        path: option.path.to_string(),
        within: None,
        type_description: option.ty(eval)?.description(eval)?,
        description: text(eval, option, "description"),
        declared: option.declared(),
        default: default_of(eval, option),
        definitions,
        applied: option.field("apply").is_some(),
        read_only: option.flag(eval, "readOnly")?,
        value,
    })
}

fn explained<'a>(eval: &Evaluator<'a>, one: Candidate<'a>) -> Explained {
    Explained {
        key: one.definition.key,
        span: one.definition.span(eval),
        file: one.definition.origin.file.to_owned(),
        layer: one.definition.origin.layer,
        priority: one.definition.priority.or(one.around).unwrap_or(priority::PLAIN),
        order: one.definition.order,
        conditions: one.conditions,
        value: brief(eval, one.definition.value),
        is_default: one.is_default,
        holds: one.holds,
        won: one.won,
    }
}

/// The definitions in one, those among them whose conditions do not hold too.
fn parts<'a>(
    eval: &Evaluator<'a>,
    definition: Definition<'a>,
    is_default: bool,
) -> Vec<Candidate<'a>> {
    let mut all = Vec::new();
    if unwrap(eval, definition, Conditions::Keep, &mut all).is_err() {
        all = vec![definition];
    }
    let candidate = |part: Definition<'a>| {
        let mut out = Vec::new();
        let failed = unwrap(eval, part, Conditions::Test, &mut out).is_err();
        let all = tested(eval, part.conditions);
        let open = all.iter().all(|condition| condition.holds == Some(true));
        let holds = open && (failed || !out.is_empty());
        // What an alias asks first is none of its user's conditions.
        let sources = &eval.world.sources;
        let theirs = |one: &Tested| one.holds != Some(true) || !sources.is_library(one.span);
        let conditions = all.into_iter().filter(theirs).collect();
        Candidate { definition: part, around: None, is_default, conditions, holds, won: true }
    };
    all.into_iter().map(candidate).collect()
}

/// Conditions and what they come to, the outermost first.
fn tested<'a>(eval: &Evaluator<'a>, mut next: Option<&'a Condition<'a>>) -> Vec<Tested> {
    let mut all = Vec::new();
    while let Some(condition) = next {
        all.push(condition);
        next = condition.outer;
    }
    let mut open = true;
    let each = all.into_iter().rev().map(|condition| {
        let (holds, fails) = match eval.force(condition.test) {
            Ok(Value::Bool(holds)) if open => (Some(holds), false),
            _ => (None, open),
        };
        open = holds == Some(true);
        Tested { span: condition_span(&eval.world.sources, condition.span), holds, fails }
    });
    each.collect()
}

fn is_structured<'a>(eval: &Evaluator<'a>, one: &Candidate<'a>) -> bool {
    matches!(eval.force(one.definition.value), Ok(Value::List(_) | Value::Attrs(_)))
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
    let whole = in_full(eval, value, LONGEST).filter(|text| !text.contains('\n'));
    whole.unwrap_or_else(|| written(value))
}
