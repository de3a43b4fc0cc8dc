//! Attribute sets: building them, looking into them, joining them.

use std::borrow::Cow;
use std::cell::Cell;

use super::Evaluator;
use crate::brief;
use crate::builtins;
use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Expr, Key};
use crate::value::{Attr, Attrs, Beside, Env, Value, merge};

/// How many times more attributes a set needs to have others laid over it, not copied with them.
const FEW: usize = 4;

/// Hidden in an attribute set with a function, makes every name selectable: the function, called
/// with a name that the set does not have, gives its value. `?` and `or` see the set's own names.
pub struct Fallback;

/// The function of a set's [`Fallback`].
pub(crate) fn fallback(value: Value<'_>) -> Option<Value<'_>> {
    let Value::Attrs(set) = value else { return None };
    let payload = set.payload().filter(|payload| payload.data.is::<Fallback>())?;
    payload.values.first().copied()
}

impl<'a> Evaluator<'a> {
    /// The set that an expression writes.
    pub(crate) fn build_attrs(&self, expr: &'a AttrsExpr, env: &'a Env<'a>) -> Result<Value<'a>> {
        let inner = self.bind(expr, env);
        let set = self.build_within(expr, env, inner)?;
        if expr.has_env() {
            self.leave(inner);
        }
        Ok(set)
    }

    fn build_within(
        &self,
        expr: &'a AttrsExpr,
        env: &'a Env<'a>,
        inner: &'a Env<'a>,
    ) -> Result<Value<'a>> {
        let value_of = |index: usize| match (expr.recursive, expr.entries.get(index)) {
            (true, _) => inner.slots[index].get(),
            (false, Some(entry)) if entry.outer => self.delay(&entry.value, env),
            (false, Some(entry)) => self.delay(&entry.value, inner),
            (false, None) => Value::Null,
        };
        let entries = expr.entries.iter().enumerate().map(|(index, entry)| Attr {
            name: entry.name,
            span: entry.span,
            value: Cell::new(value_of(index)),
        });
        if let Some(index) = expr.overrides {
            return self.build_overridden(expr, index, inner, entries.collect());
        }
        if expr.dynamic.is_empty() {
            return Ok(self.sorted_attrs(expr.entries.len(), entries, None));
        }
        self.add_dynamic(expr, inner, entries.collect())
    }

    /// A set whose `__overrides` take the place of its attributes, for the set's own values too.
    fn build_overridden(
        &self,
        expr: &'a AttrsExpr,
        index: usize,
        inner: &'a Env<'a>,
        mut entries: Vec<Attr<'a>>,
    ) -> Result<Value<'a>> {
        let Some(attr) = entries.get(index) else { return Ok(Value::Null) };
        let overrides = self.force_attr(attr)?;
        for attr in self.expect_attrs(overrides, expr.entries[index].span)?.iter() {
            match entries.binary_search_by(|entry| entry.name.cmp(&attr.name)) {
                Ok(place) => entries[place] = attr.clone(),
                Err(place) => entries.insert(place, attr.clone()),
            }
        }
        for (entry, slot) in expr.entries.iter().zip(inner.slots) {
            if let Ok(place) = entries.binary_search_by(|known| known.name.cmp(&entry.name)) {
                slot.set(entries[place].value.get());
            }
        }
        self.add_dynamic(expr, inner, entries)
    }

    fn add_dynamic(
        &self,
        expr: &'a AttrsExpr,
        inner: &'a Env<'a>,
        mut entries: Vec<Attr<'a>>,
    ) -> Result<Value<'a>> {
        for dynamic in &expr.dynamic {
            let name = match self.eval(&dynamic.name, inner)? {
                Value::Null => continue,
                name => Symbol::new(self.expect_str(name, dynamic.name.span)?),
            };
            let span = dynamic.name.span;
            match entries.binary_search_by(|entry| entry.name.cmp(&name)) {
                Ok(found) => return Err(duplicate(name, span, entries[found].span)),
                Err(place) => {
                    let value = Cell::new(self.delay(&dynamic.value, inner));
                    entries.insert(place, Attr { name, span, value });
                }
            }
        }
        Ok(self.sorted_attrs(entries.len(), entries.into_iter(), None))
    }

    /// The names that a recursive set or a `let` brings into scope: a new one that the caller
    /// leaves, or where there are none, the same.
    pub(crate) fn bind(&self, expr: &'a AttrsExpr, env: &'a Env<'a>) -> &'a Env<'a> {
        self.bind_knowing(expr, env, |_| None)
    }

    /// As [`Self::bind`], where the values of some slots are known: it is asked for each, in order.
    pub(crate) fn bind_knowing(
        &self,
        expr: &'a AttrsExpr,
        env: &'a Env<'a>,
        mut known: impl FnMut(usize) -> Option<Value<'a>>,
    ) -> &'a Env<'a> {
        if !expr.has_env() {
            return env;
        }
        let named = if expr.recursive { expr.entries.len() } else { 0 };
        let inner = self.scope(env, named + expr.sources.len());
        let (names, sources) = inner.slots.split_at(named);
        for (index, (slot, entry)) in names.iter().zip(&expr.entries).enumerate() {
            slot.set(known(index).unwrap_or_else(|| match entry.outer {
                true => self.delay(&entry.value, env),
                false => self.delayed(&entry.value, inner),
            }));
        }
        for (index, (slot, source)) in sources.iter().zip(&expr.sources).enumerate() {
            slot.set(known(named + index).unwrap_or_else(|| self.delayed(source, inner)));
        }
        inner
    }

    /// The scope of a `with`, whose one slot is the set: the caller leaves it.
    pub(crate) fn scope_with(&self, set: &'a Expr, env: &'a Env<'a>) -> &'a Env<'a> {
        let set = self.delay(set, env);
        let inner = self.scope(env, 1);
        inner.slots[0].set(set);
        inner
    }

    /// The name that a step of an attribute path stands for, and where it is written.
    pub(crate) fn key(&self, key: &'a Key, env: &'a Env<'a>) -> Result<(Symbol, Span)> {
        match key {
            Key::Static(name, span) => Ok((*name, *span)),
            Key::Dynamic(expr) => {
                let name = self.eval(expr, env)?;
                Ok((Symbol::new(self.expect_str(name, expr.span)?), expr.span))
            }
        }
    }

    pub(crate) fn select(
        &self,
        of: &'a Expr,
        path: &'a [Key],
        default: Option<&'a Expr>,
        env: &'a Env<'a>,
    ) -> Result<Value<'a>> {
        let mut value = self.eval(of, env)?;
        for key in path {
            let (name, span) = self.key(key, env)?;
            let attr = match value {
                Value::Attrs(set) => set.get(name),
                _ => None,
            };
            value = match (attr, default) {
                (Some(attr), _) => self.force_cell(&attr.value, span).map_err(|mut error| {
                    let message = format!("while evaluating the attribute `{name}`");
                    error.push_trace(attr.span, message);
                    error
                })?,
                (None, Some(default)) => return self.eval(default, env),
                (None, None) => self.absent(value, name, span)?,
            };
        }
        Ok(value)
    }

    pub(crate) fn has_attr(&self, of: &'a Expr, path: &'a [Key], env: &'a Env<'a>) -> Result<bool> {
        let mut value = self.eval(of, env)?;
        for (index, key) in path.iter().enumerate() {
            let (name, span) = self.key(key, env)?;
            let Value::Attrs(set) = value else { return Ok(false) };
            let Some(attr) = set.get(name) else { return Ok(false) };
            if index + 1 < path.len() {
                value = self.force_cell(&attr.value, span)?;
            }
        }
        Ok(true)
    }

    /// The value of an attribute that is not there: what the set's [`Fallback`] gives.
    ///
    /// # Errors
    /// The error of a missing attribute, where there is no fallback.
    #[cold]
    pub(crate) fn absent(&self, value: Value<'a>, name: Symbol, at: Span) -> Result<Value<'a>> {
        match fallback(value) {
            Some(function) => self.call(function, &[self.str(name.as_str())], at),
            None => Err(self.missing(value, name, at)),
        }
    }

    /// The error of an attribute that is not there.
    #[cold]
    pub fn missing(&self, value: Value<'a>, name: Symbol, at: Span) -> Box<Diagnostic> {
        let Value::Attrs(set) = value else {
            let found = brief::described(value);
            let message = format!("{found} has no attributes, so no `{name}`");
            let help = match value {
                Value::Null => {
                    format!("`or` gives a default where it is missing: `x.{name} or \"…\"`")
                }
                Value::List(_) => "take an element of the list first: `builtins.head`, or `map` a \
                                   function over all of them"
                    .to_owned(),
                Value::Lambda(_) | Value::PrimOp(_) => {
                    "call the function first: `(f x).name`".into()
                }
                _ => format!("`.{name}` needs an attribute set before it"),
            };
            return Diagnostic::error("type::not-a-set", at, message)
                .about(value, "an attribute set")
                .with_label(format!("this is {}", value.described()))
                .with_help(help)
                .into();
        };
        if let Some(error) = builtins::unavailable_in(set, name, at) {
            return error;
        }
        let message = format!("the attribute `{name}` is missing");
        let mut error = Diagnostic::error("name::missing-attribute", at, message).about(value, "");
        error.help = did_you_mean(name.as_str(), set.names()).or_else(|| brief_names(set));
        error.into()
    }

    /// `left // right`
    pub fn update(&self, left: &'a Attrs<'a>, right: &'a Attrs<'a>) -> Value<'a> {
        if left.is_empty() || right.is_empty() {
            return self.plain_set(if right.is_empty() { left } else { right });
        }
        if left.len_at_most() * FEW <= right.top().len() {
            // A few below many: those that show are laid over.
            let shown = |attr: &&Attr<'a>| right.get(attr.name).is_none();
            let shown: Vec<_> = left.iter().filter(shown).cloned().collect();
            return match shown.is_empty() {
                true => self.plain_set(right),
                false => self.lay_over(&shown, right),
            };
        }
        let mut over = Cow::Borrowed(right.entries());
        let mut below = left;
        loop {
            let top = below.top();
            if over.len() * FEW <= top.len() {
                return self.lay_over(&over, below);
            }
            over = Cow::Owned(merge(top, &over));
            match below.below() {
                Some(next) => below = next,
                None => {
                    let over = over.into_owned();
                    return self.sorted_attrs(over.len(), over.into_iter(), None);
                }
            }
        }
    }

    /// A few attributes over a larger set. Each layer being so much smaller than the one below,
    /// there are never many.
    fn lay_over(&self, few: &[Attr<'a>], below: &'a Attrs<'a>) -> Value<'a> {
        let few = self.arena.bump.alloc_slice_clone(few);
        self.attrs_of(few, Some(self.alloc(Beside::Below(below, &self.arena.bump))))
    }

    /// The same attributes without hidden data.
    fn plain_set(&self, set: &'a Attrs<'a>) -> Value<'a> {
        match set.payload() {
            Some(_) => self.attrs_of(set.top(), None),
            None => Value::Attrs(set),
        }
    }
}

fn brief_names(set: &Attrs<'_>) -> Option<String> {
    if set.is_empty() {
        return Some("the set is empty".to_owned());
    }
    let names = set.sorted().into_iter().map(|attr| attr.name.as_str());
    // `_module` and `_type` are nobody's to use.
    let names: Vec<_> = names.filter(|name| !name.starts_with('_')).collect();
    (names.len() <= 8).then(|| format!("the set has: {}", names.join(", ")))
}

#[cold]
fn duplicate(name: Symbol, at: Span, first: Span) -> Box<Diagnostic> {
    let message = format!("the attribute `{name}` is defined twice");
    Diagnostic::error("name::duplicate", at, message)
        .with_related(first, "it is defined here already")
        .into()
}
