//! A session at a prompt: names in scope, and what each input does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_lang::{
    Diagnostic, Evaluator, FormalInfo, Formals, Span, Symbol, Typed, Value, VirtualPath,
    definitions,
};
use serde_json::json;

use crate::report;
use crate::ui::Ui;
use crate::worlds;

mod complete;
mod prompt;
mod show;

pub(crate) use prompt::{Lines, Read, Script, Terminal};

/// What the prompt understands besides expressions, and what `:?` says about each.
const COMMANDS: [(&str, &str, &str); 8] = [
    (":a", ":a EXPR", "use the attributes of a set as names"),
    (":l", ":l FILE", "use the attributes of a file's value as names (:load)"),
    (":p", ":p EXPR", "print a value with everything in it"),
    (":q", ":q", "end the session (:quit, Ctrl-D)"),
    (":r", ":r", "begin anew with the files as they are now (:reload)"),
    (":s", ":s", "list the names that are in use"),
    (":t", ":t EXPR", "say of what type a value is"),
    (":?", ":?", "this help (:help)"),
];

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Quit,
    Reload,
}

/// What outlives a reload.
#[derive(Default)]
pub(crate) struct Kept {
    /// The files of `:l`, in order.
    pub(crate) files: RefCell<Vec<String>>,
    /// Whether any input failed.
    pub(crate) failed: Cell<bool>,
    /// Set to stop what is being evaluated.
    pub(crate) interrupt: Arc<AtomicBool>,
}

/// Names in scope and what evaluates.
pub(crate) struct Session<'s, 'a> {
    ui: &'s Ui,
    eval: &'s Evaluator<'a>,
    base: VirtualPath,
    names: RefCell<BTreeMap<&'static str, Value<'a>>>,
    kept: &'s Kept,
    inputs: Cell<usize>,
}

type Done<T> = Result<T, Vec<Diagnostic>>;

impl<'s, 'a> Session<'s, 'a> {
    /// A session with these names, and those of the files that were loaded before.
    pub(crate) fn new(
        ui: &'s Ui,
        eval: &'s Evaluator<'a>,
        here: &Path,
        names: impl IntoIterator<Item = (&'static str, Value<'a>)>,
        kept: &'s Kept,
    ) -> Session<'s, 'a> {
        let base = eval.world.roots.locate(&here.to_string_lossy());
        let names = RefCell::new(names.into_iter().collect());
        let session = Session { ui, eval, base, names, kept, inputs: Cell::new(0) };
        let files = kept.files.borrow().clone();
        for file in files {
            session.tell(session.load(&file));
        }
        session
    }

    /// Reads and answers until somebody ends it.
    pub(crate) fn run(&self, lines: &mut dyn Lines) -> End {
        loop {
            match lines.next() {
                Read::End => return End::Quit,
                Read::Cancelled => {}
                Read::Input(text) => {
                    if let Some(end) = self.answer(text.trim()) {
                        return end;
                    }
                }
            }
        }
    }

    /// Does what an input asks.
    fn answer(&self, text: &str) -> Option<End> {
        self.kept.interrupt.store(false, Ordering::Relaxed);
        if text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#')) {
            return None;
        }
        if let Some(command) = text.strip_prefix(':') {
            return self.command(command);
        }
        self.tell(match Typed::of(text) {
            Typed::Definitions => self.define(text),
            Typed::Expression | Typed::Unfinished => self.print(text, Some(1)),
        });
        None
    }

    fn command(&self, text: &str) -> Option<End> {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match name {
            "q" | "quit" => return Some(End::Quit),
            "r" | "reload" => return Some(End::Reload),
            "?" | "help" => self.help(),
            "s" => self.ui.line(self.names.borrow().keys().copied().collect::<Vec<_>>().join(" ")),
            "l" | "load" if !rest.is_empty() => {
                let loaded = self.load(rest);
                if loaded.is_ok() && !self.kept.files.borrow().iter().any(|file| file == rest) {
                    self.kept.files.borrow_mut().push(rest.to_owned());
                }
                self.tell(loaded);
            }
            "a" if !rest.is_empty() => self.tell(self.value(rest).and_then(|set| self.add(set))),
            "p" if !rest.is_empty() => self.tell(self.print(rest, None)),
            "t" if !rest.is_empty() => self.tell(self.kind(rest)),
            "l" | "load" | "a" | "p" | "t" => {
                self.refuse(format!("`:{name}` needs to be told of what: see `:?`"));
            }
            _ => self.refuse(format!("there is no command `:{name}`: see `:?`")),
        }
        None
    }

    fn refuse(&self, message: String) {
        self.tell(Err(vec![Diagnostic::error("repl::command", Span::NONE, message)]));
    }

    fn help(&self) {
        self.ui.line("EXPR          print a value; what is inside of its parts is left out");
        self.ui.line("x = EXPR      use a name for a value");
        for (_, usage, words) in COMMANDS {
            self.ui.line(format_args!("{usage:<13} {words}"));
        }
        self.ui.line("\nAn input goes on in the next line until it is whole. Ctrl-C stops it.");
    }

    /// Says what went wrong, if anything did.
    fn tell(&self, done: Done<()>) {
        let Err(mut problems) = done else { return };
        self.kept.failed.set(true);
        let sources = &self.eval.world.sources;
        for problem in &mut problems {
            problem.settle(sources);
        }
        report::show_each(self.ui, &problems, sources);
    }

    fn value(&self, text: &str) -> Done<Value<'a>> {
        let number = self.inputs.get() + 1;
        self.inputs.set(number);
        self.evaluated(&format!("<input {number}>"), text)
    }

    fn evaluated(&self, name: &str, text: &str) -> Done<Value<'a>> {
        let names = self.names.borrow();
        let scope: Vec<_> = names.iter().map(|(name, value)| (Symbol::new(name), *value)).collect();
        drop(names);
        self.eval.anew(None, || self.eval.eval_text(name, text, &self.base, &scope))
    }

    fn print(&self, text: &str, depth: Option<usize>) -> Done<()> {
        let value = self.value(text)?;
        let text = self.eval.anew(None, || {
            if depth.is_none() {
                self.eval.force_deep(value, Span::NONE)?;
            }
            show::shown(self.eval, value, depth)
        });
        let text = text.map_err(|error| vec![*error])?;
        self.ui.object(&json!({ "type": "value", "text": text }));
        self.ui.line(text);
        Ok(())
    }

    fn define(&self, text: &str) -> Done<()> {
        // It was recognised as definitions.
        let set = definitions(text).unwrap_or_default();
        self.value(&set).and_then(|set| self.names_of(set, false))
    }

    /// Uses a set's attributes as names, and says how many there are.
    fn add(&self, value: Value<'a>) -> Done<()> {
        self.names_of(value, true)
    }

    fn names_of(&self, value: Value<'a>, counted: bool) -> Done<()> {
        let set = self
            .eval
            .expect_attrs(value, Span::NONE)
            .map_err(|error| vec![error.with_help("it is a set whose attributes become names")])?;
        let mut names = self.names.borrow_mut();
        names.extend(set.iter().map(|attr| (attr.name.as_str(), attr.value.get())));
        if counted {
            self.ui.line(report::plural(set.len(), "name"));
        }
        Ok(())
    }

    fn load(&self, file: &str) -> Done<()> {
        let unreadable = |message| vec![Diagnostic::error("file::not-found", Span::NONE, message)];
        let path = worlds::absolute(Path::new(file))
            .map_err(|error| unreadable(error.message.unwrap_or_default()))?;
        let path = self.eval.world.roots.locate(&path.to_string_lossy());
        let loaded = self.eval.anew(None, || {
            let value = self.eval.import(&path, Span::NONE)?;
            // As on the way along an attribute path, a function is called with its defaults.
            match self.eval.formals(value, Span::NONE)? {
                Some(Formals::Set { names, .. }) if names.iter().all(|name| name.has_default) => {
                    self.eval.call(value, &[self.eval.attrs::<&str>([])], Span::NONE)
                }
                _ => Ok(value),
            }
        });
        loaded.map_err(|error| vec![*error]).and_then(|value| self.add(value))
    }

    fn kind(&self, text: &str) -> Done<()> {
        let value = self.value(text)?;
        let formals = self.eval.formals(value, Span::NONE).map_err(|error| vec![*error])?;
        let kind = match (value, formals) {
            (Value::List(list), _) => format!("a list of {}", report::plural(list.len(), "value")),
            (_, Some(Formals::Set { names, ellipsis })) => {
                format!("a function of {}", takes(&names, ellipsis))
            }
            (Value::Attrs(_), Some(Formals::Any)) => "a set that can be called".to_owned(),
            (value, _) => value.described().to_owned(),
        };
        self.ui.object(&json!({ "type": "kind", "text": kind }));
        self.ui.line(kind);
        Ok(())
    }
}

/// `{ a, b ? …, ... }`
fn takes(names: &[FormalInfo], ellipsis: bool) -> String {
    let each = names.iter().map(|formal| match formal.has_default {
        true => format!("{} ? …", formal.name),
        false => formal.name.to_string(),
    });
    let all: Vec<String> = each.chain(ellipsis.then(|| "...".to_owned())).collect();
    if all.is_empty() { "{ }".to_owned() } else { format!("{{ {} }}", all.join(", ")) }
}
