//! Types in the words of signatures, for whoever looks at one.

use crate::symbol::is_identifier;
use crate::tree::{Lambda, Param};

use super::Checker;
use super::signature::SigFun;
use super::ty::{Fun, Mode, SetTy, Ty};

/// What lies deeper than this in a type is not shown.
const DEEPEST: usize = 3;
/// So many attributes of a set, and members of a union, are shown.
const WIDEST: usize = 8;
/// Longer texts are some text.
const LONGEST: usize = 40;

impl<'a> Checker<'_, 'a> {
    /// A type as signatures write it: `[str]`, `{ name : str, port ? int }`, `null | int`.
    pub(super) fn shown(&self, ty: Ty<'a>) -> String {
        self.in_mode(Mode::Silent, || self.shown_at(ty, 0))
    }

    fn shown_at(&self, ty: Ty<'a>, depth: usize) -> String {
        if depth > DEEPEST {
            return "…".to_owned();
        }
        if let Ty::Value(option) = ty
            && depth > 0
            && let Ok(words) = option.alone().description(self.eval)
        {
            return words;
        }
        match self.resolve(ty) {
            Ty::Dyn | Ty::Later(_) => "anything".to_owned(),
            Ty::Never => "never".to_owned(),
            Ty::Null => "null".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Int(_) => "int".to_owned(),
            Ty::Float => "float".to_owned(),
            Ty::Str(Some(text)) if text.len() <= LONGEST => format!("{text:?}"),
            Ty::Str(_) => "str".to_owned(),
            Ty::Path(Some(path)) => path.to_string(),
            Ty::Path(None) => "path".to_owned(),
            Ty::List(list) => format!("[{}]", self.shown_at(list.elem, depth + 1)),
            Ty::Set(set) => self.set_shown(set, depth),
            Ty::Fun(Fun::Sig(SigFun { text, .. }, [])) => (*text).to_owned(),
            Ty::Fun(Fun::Closure(lambda, _, _)) => parameters(lambda),
            Ty::Fun(_) => "function".to_owned(),
            Ty::Union(members) => {
                let some = members.iter().take(WIDEST);
                let mut shown: Vec<_> = some.map(|ty| self.shown_at(*ty, depth + 1)).collect();
                shown.dedup();
                if members.len() > WIDEST {
                    shown.push("…".to_owned());
                }
                shown.join(" | ")
            }
            Ty::Value(option) => option.alone().description(self.eval).unwrap_or_default(),
        }
    }

    fn set_shown(&self, set: SetTy<'a>, depth: usize) -> String {
        let record = match set {
            SetTy::Record(record) => record,
            SetTy::Config { level, .. } if level.path.steps().is_empty() => {
                return "configuration".to_owned();
            }
            SetTy::Config { level, .. } => return format!("options of {}", level.path),
            SetTy::Options(_) => return "option declarations".to_owned(),
            SetTy::Known { attrs, .. } => {
                let names: Vec<_> = attrs.sorted().iter().map(|attr| attr.name.as_str()).collect();
                let more = if names.len() > WIDEST { ", …" } else { "" };
                let some = names.iter().take(WIDEST).copied().collect::<Vec<_>>().join(", ");
                return if names.is_empty() {
                    "{ }".to_owned()
                } else {
                    format!("{{ {some}{more} }}")
                };
            }
        };
        let mut fields: Vec<_> = record.fields.iter().collect();
        if fields.is_empty() {
            return match record.rest {
                Some(Ty::Dyn) => "set".to_owned(),
                Some(rest) => format!("{{{}}}", self.shown_at(rest, depth + 1)),
                None => "{ }".to_owned(),
            };
        }
        fields.sort_by_key(|field| (field.key, field.name.as_str()));
        let shown = fields.iter().take(WIDEST).map(|field| {
            let colon = if field.optional { "?" } else { ":" };
            let name = quoted(field.name.as_str());
            format!("{name} {colon} {}", self.shown_at(field.ty, depth + 1))
        });
        let mut shown: Vec<_> = shown.collect();
        if fields.len() > WIDEST {
            shown.push("…".to_owned());
        } else if record.rest.is_some() {
            shown.push("...".to_owned());
        }
        format!("{{ {} }}", shown.join(", "))
    }
}

/// A name as an attribute path has it.
pub(super) fn quoted(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { format!("{name:?}") }
}

/// What a function takes, as its head is written.
fn parameters(lambda: &Lambda) -> String {
    match &lambda.param {
        Param::Names(names) => {
            let names: Vec<_> = names.iter().map(|(name, _)| format!("{name}: ")).collect();
            format!("{}…", names.concat())
        }
        Param::Pattern(pattern) => {
            let mut formals: Vec<_> = pattern.formals.iter().collect();
            formals.sort_by_key(|formal| formal.span);
            let each = formals.iter().map(|formal| match formal.default {
                Some(_) => format!("{} ? …", formal.name),
                None => formal.name.to_string(),
            });
            let rest = pattern.ellipsis.then(|| "...".to_owned());
            let all: Vec<_> = each.chain(rest).collect();
            format!("{{ {} }}: …", all.join(", "))
        }
    }
}
