//! `toXML`.

use rustc_hash::FxHashSet;

use super::{Builtin, builtin, shortest_float};
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::tree::Param;
use crate::value::{Attrs, Closure, Value};

pub(super) const TABLE: &[Builtin] = &[builtin("toXML", 1, to_xml)];

fn to_xml<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let mut writer = Writer {
        e,
        at,
        out: String::from("<?xml version='1.0' encoding='utf-8'?>\n<expr>\n"),
        indent: 1,
        derivations: FxHashSet::default(),
    };
    writer.value(args[0])?;
    writer.out.push_str("</expr>\n");
    Ok(e.str(&writer.out))
}

struct Writer<'e, 'a> {
    e: &'e Evaluator<'a>,
    at: Span,
    out: String,
    indent: usize,
    /// Derivations written so far, by `drvPath`: each is written out once.
    derivations: FxHashSet<&'a str>,
}

impl<'a> Writer<'_, 'a> {
    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.out.extend(std::iter::repeat_n("  ", self.indent));
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            for c in value.chars() {
                match c {
                    '"' => self.out.push_str("&quot;"),
                    '<' => self.out.push_str("&lt;"),
                    '>' => self.out.push_str("&gt;"),
                    '&' => self.out.push_str("&amp;"),
                    // Readers would turn it into a blank.
                    '\n' => self.out.push_str("&#xA;"),
                    c => self.out.push(c),
                }
            }
            self.out.push('"');
        }
    }

    fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.start(tag, attributes);
        self.out.push_str(" />\n");
    }

    /// An element and what is in it.
    fn element(
        &mut self,
        tag: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.start(tag, attributes);
        self.out.push_str(">\n");
        self.indent += 1;
        inside(self)?;
        self.indent -= 1;
        self.out.extend(std::iter::repeat_n("  ", self.indent));
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push_str(">\n");
        Ok(())
    }

    fn value(&mut self, value: Value<'a>) -> Result<()> {
        let (e, at) = (self.e, self.at);
        e.check_limits(self.out.len(), at)?;
        e.deeper(at, || self.forced(e.force_at(value, at)?))
    }

    fn forced(&mut self, value: Value<'a>) -> Result<()> {
        match value {
            Value::Null => self.empty("null", &[]),
            Value::Bool(value) => {
                self.empty("bool", &[("value", if value { "true" } else { "false" })]);
            }
            Value::Int(value) => self.empty("int", &[("value", &value.to_string())]),
            Value::Float(value) => self.empty("float", &[("value", &shortest_float(value))]),
            Value::Str(text) => self.empty("string", &[("value", text)]),
            Value::Path(path) => {
                let path = self.e.path_text(path);
                self.empty("path", &[("value", path)]);
            }
            Value::List(list) => {
                let items = |writer: &mut Self| list.iter().try_for_each(|item| writer.value(item));
                return self.element("list", &[], items);
            }
            Value::Attrs(set) if self.e.is_derivation(set)? => return self.derivation(set),
            Value::Attrs(set) => return self.element("attrs", &[], |writer| writer.attrs(set)),
            Value::Lambda(closure) => {
                return self.element("function", &[], |writer| writer.parameter(closure));
            }
            Value::PrimOp(_) | Value::Thunk(_) => self.empty("unevaluated", &[]),
        }
        Ok(())
    }

    fn attrs(&mut self, set: &'a Attrs<'a>) -> Result<()> {
        set.sorted().into_iter().try_for_each(|attr| {
            self.element("attr", &[("name", attr.name.as_str())], |writer| {
                writer.value(attr.value.get())
            })
        })
    }

    fn derivation(&mut self, set: &'a Attrs<'a>) -> Result<()> {
        let mut attributes = Vec::new();
        let mut path = "";
        for name in ["drvPath", "outPath"] {
            let Some(attr) = set.get_str(name) else { continue };
            if let Value::Str(text) = self.e.force_attr(attr)? {
                attributes.push((name, &**text));
                if name == "drvPath" {
                    path = text;
                }
            }
        }
        self.element("derivation", &attributes, |writer| {
            if !path.is_empty() && writer.derivations.insert(path) {
                return writer.attrs(set);
            }
            writer.empty("repeated", &[]);
            Ok(())
        })
    }

    fn parameter(&mut self, closure: &Closure<'a>) -> Result<()> {
        let pattern = match &closure.lambda().param {
            Param::Names(names) => {
                if let Some((name, _)) = names.get(closure.given) {
                    self.empty("varpat", &[("name", name.as_str())]);
                }
                return Ok(());
            }
            Param::Pattern(pattern) => pattern,
        };
        let mut attributes = Vec::new();
        if pattern.ellipsis {
            attributes.push(("ellipsis", "1"));
        }
        attributes.extend(pattern.at.as_ref().map(|(name, _)| ("name", name.as_str())));
        let mut names: Vec<_> = pattern.formals.iter().map(|formal| formal.name.as_str()).collect();
        names.sort_unstable();
        self.element("attrspat", &attributes, |writer| {
            names.iter().for_each(|name| writer.empty("attr", &[("name", name)]));
            Ok(())
        })
    }
}
