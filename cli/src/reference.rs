//! The reference of options: one list of entries, rendered for terminals, programs and pages.

pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod prose;
pub(crate) mod search;
pub(crate) mod terminal;

use cairn_compiler::{Fleet, FleetOption};
use cairn_lang::Sources;
use cairn_lang::modules::Shown;
use serde_json::{Value as Json, json};

use crate::format::formatted;

/// Expressions longer than this are laid out on several lines.
const ONE_LINE: usize = 60;

/// An option, ready to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its path as it is written.
    pub(crate) path: String,
    /// The names of that path.
    pub(crate) loc: Vec<String>,
    /// What its type takes, in words.
    pub(crate) type_description: String,
    /// What it is for; empty where nobody said.
    pub(crate) description: String,
    /// Its default, laid out.
    pub(crate) default: Option<Shown>,
    /// An example, laid out.
    pub(crate) example: Option<Shown>,
    /// Where it is declared.
    pub(crate) declared: Vec<Declared>,
    /// The hosts that have it, where not all have.
    pub(crate) hosts: Option<Vec<String>>,
    /// Whether it can be read only.
    pub(crate) read_only: bool,
    /// Whether it is for modules alone.
    pub(crate) internal: bool,
    /// Whether lists show it.
    pub(crate) visible: bool,
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// The file.
    pub(crate) file: String,
    line: u32,
    column: u32,
}

impl Declared {
    /// The place as editors and terminals take it.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Entry {
    fn new(option: FleetOption, sources: &Sources) -> Entry {
        let doc = option.doc;
        let declared = doc.declared.iter().filter_map(|span| sources.place(*span));
        let declared = declared.map(|at| Declared {
            file: at.file,
            line: at.start.line,
            column: at.start.column,
        });
        Entry {
            path: doc.path,
            loc: doc.loc,
            type_description: doc.type_description,
            description: doc.description.unwrap_or_default(),
            default: doc.default.map(laid_out),
            example: doc.example.map(laid_out),
            declared: declared.collect(),
            hosts: option.hosts,
            read_only: doc.read_only,
            internal: doc.internal,
            visible: doc.visible,
        }
    }

    /// Whether it belongs in lists: neither internal nor hidden.
    pub(crate) fn is_listed(&self) -> bool {
        self.visible && !self.internal
    }

    /// What there is to know besides: `read-only`, `internal`, `hidden`, and who has it.
    pub(crate) fn marks(&self) -> Vec<String> {
        let flags =
            [(self.read_only, "read-only"), (self.internal, "internal"), (!self.visible, "hidden")];
        let flags = flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned());
        let hosts = self.hosts.iter().map(|hosts| match hosts.is_empty() {
            true => "on no host yet".to_owned(),
            false => format!("on {}", hosts.join(", ")),
        });
        flags.chain(hosts).collect()
    }

    /// The entry for programs.
    pub(crate) fn json(&self) -> Json {
        let declared = self
            .declared
            .iter()
            .map(|at| json!({ "file": at.file, "line": at.line, "column": at.column }));
        json!({
            "type": "option",
            "option": self.path,
            "loc": self.loc,
            "option_type": self.type_description,
            "description": self.description,
            "default": self.default.as_ref().map(shown_json),
            "example": self.example.as_ref().map(shown_json),
            "declared": declared.collect::<Vec<_>>(),
            "read_only": self.read_only,
            "internal": self.internal,
            "visible": self.visible,
            "hosts": self.hosts,
        })
    }
}

/// A default or example for programs, as NixOS's options.json has them.
pub(crate) fn shown_json(shown: &Shown) -> Json {
    match shown {
        Shown::Code(text) => json!({ "_type": "literalExpression", "text": text }),
        Shown::Words(text) => json!({ "_type": "literalMD", "text": text }),
    }
}

/// All options of a fleet, internal and hidden ones too; and how many declarations could not be read.
pub(crate) fn entries(fleet: &Fleet) -> (Vec<Entry>, usize) {
    let (options, problems) = fleet.options();
    let entries = options.into_iter().map(|option| Entry::new(option, fleet.sources()));
    (entries.collect(), problems.diagnostics.len())
}

/// An expression on several lines, where it is long.
pub(crate) fn laid_out(shown: Shown) -> Shown {
    match shown {
        Shown::Code(text) if text.len() > ONE_LINE || text.contains('\n') => {
            // What is no expression stays as its author wrote it.
            let nice = formatted(&Sources::new(), "default", &text);
            Shown::Code(nice.map_or(text, |nice| nice.trim_end().to_owned()))
        }
        short => short,
    }
}
