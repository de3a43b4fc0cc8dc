//! What looks at texts while they are written: one thread with one state of the fleet, and the
//! options of one host at hand. A newer state is another analyst, which takes over once it is ready.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cairn_compiler::{Fleet, FleetFiles, Kin, Look, Report, Study};
use cairn_lang::check::{Mention, Use};
use cairn_lang::{DiskFs, Features, MemoryFs, Root, Span, VirtualPath};
use crossbeam_channel::{Receiver, Sender, unbounded};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, Hover, HoverContents,
    Location, MarkupContent, MarkupKind, TextEdit,
};

use crate::finding::{Finding, Reader};
use crate::mend::{Mended, Place, mend};
use crate::names::Names;
use crate::overlay::{Overlay, Texts};
use crate::place::Places;
use crate::text::{Encoding, Text};

/// What all threads know.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) places: Places,
    pub(crate) features: Features,
    pub(crate) encoding: Encoding,
}

/// A text and a byte of it.
#[derive(Clone)]
pub(crate) struct Spot {
    pub(crate) path: VirtualPath,
    pub(crate) text: Text,
    pub(crate) offset: u32,
}

/// What an analyst is asked.
pub(crate) enum Ask {
    /// What is wrong with a text, of this version.
    Check(VirtualPath, Text, i32),
    Hover(Spot),
    Complete(Spot),
    /// Where what stands here is declared.
    Declaration(Spot),
    /// Where the option that stands here is mentioned: declarations too, or reads too.
    Mentions(Spot, BTreeSet<Use>),
    /// Which hosts have the same options.
    Kinship(Arc<Vec<Kin>>),
}

/// What an analyst says.
pub(crate) enum Said {
    /// It can be asked; the hosts that it knows.
    Ready(usize),
    /// What is wrong with a text of this version.
    Checked(VirtualPath, i32, Vec<Finding>),
    Hover(Option<Hover>),
    Completions(Vec<CompletionItem>),
    Locations(Vec<Location>),
    /// It is gone, and with it what it was asked.
    Gone,
}

/// A request's number, for what is an answer to one.
pub(crate) type Number = Option<u64>;

/// Requests that nobody waits for any more.
type Cancelled = Arc<Mutex<BTreeSet<u64>>>;

/// An analyst that works.
pub(crate) struct Analyst {
    asks: Sender<(Number, Ask)>,
    interrupt: Arc<AtomicBool>,
    cancelled: Cancelled,
    pub(crate) id: u64,
}

impl Drop for Analyst {
    fn drop(&mut self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }
}

impl Analyst {
    /// An analyst of the fleet with these texts in it; what it says comes with its id.
    pub(crate) fn start(
        id: u64,
        setting: Setting,
        texts: Texts,
        kinship: Arc<Vec<Kin>>,
        say: Sender<(u64, Number, Said)>,
    ) -> Analyst {
        let (asks, asked) = unbounded();
        let interrupt = Arc::new(AtomicBool::new(false));
        let cancelled = Cancelled::default();
        let (stop, no_more) = (interrupt.clone(), cancelled.clone());
        let last = say.clone();
        spawn(move || {
            let work = move || {
                let desk = Desk {
                    id,
                    setting,
                    say,
                    asked,
                    queue: VecDeque::new(),
                    stop,
                    cancelled: no_more,
                    texts: BTreeMap::new(),
                    mentions: BTreeMap::new(),
                    kinship,
                };
                desk.work(texts);
            };
            // A fault of ours must not take the editor's session with it.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let _ = last.send((id, None, Said::Gone));
        });
        Analyst { asks, interrupt, cancelled, id }
    }

    /// Takes a question back.
    pub(crate) fn cancel(&self, number: u64) {
        self.cancelled.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    /// Asks something; whether it will be looked at.
    pub(crate) fn ask(&self, number: Number, ask: Ask) -> bool {
        self.asks.send((number, ask)).is_ok()
    }
}

/// What a thread that looks at texts may take of the stack: they nest as people write them, and
/// an overflow would end the editor's session.
const STACK: usize = 256 << 20;

/// Works on a thread of its own. Where the system has no more of them, nothing comes of it.
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) {
    let _ = thread::Builder::new().stack_size(STACK).spawn(work);
}

/// The fleet's files, with texts that are not saved; no files where there is no fleet. Where its inputs
/// cannot be had, it is without them, and what stands in the way is told.
pub(crate) fn load(
    setting: &Setting,
    texts: Texts,
    interrupt: Arc<AtomicBool>,
) -> (Fleet, Option<Report>) {
    let features = setting.features;
    let found = setting.places.fleet.as_deref().and_then(|folder| {
        let disk = DiskFs::new(folder).ok()?;
        Some((disk, setting.places.inputs.of(folder, features)))
    });
    let (files, problem) = match found {
        Some((disk, Ok(inputs))) => {
            let with = FleetFiles::from(Overlay::new(disk.clone(), texts.clone()));
            let without = || FleetFiles::from(Overlay::new(disk, texts));
            (with.with_inputs(inputs).unwrap_or_else(|_| without()), None)
        }
        Some((disk, Err(problem))) => (Overlay::new(disk, texts).into(), Some(problem)),
        None => (MemoryFs::default().into(), None),
    };
    (Fleet::load_to_study(files, features, interrupt).0, problem)
}

struct Desk {
    id: u64,
    setting: Setting,
    say: Sender<(u64, Number, Said)>,
    asked: Receiver<(Number, Ask)>,
    queue: VecDeque<(Number, Ask)>,
    stop: Arc<AtomicBool>,
    cancelled: Cancelled,
    /// The newest texts of open documents.
    texts: BTreeMap<VirtualPath, Text>,
    /// The options that files mention, as far as somebody asked for them; of the host at hand.
    mentions: BTreeMap<VirtualPath, Vec<Mention>>,
    kinship: Arc<Vec<Kin>>,
}

impl Desk {
    fn work(mut self, texts: Texts) {
        let (fleet, _) = load(&self.setting, texts, self.stop.clone());
        let hosts = fleet.hosts();
        let mut host = hosts.first().cloned();
        let mut waiting = None;
        let mut first = true;
        loop {
            let next = fleet.study(host.as_deref(), |study| {
                if std::mem::take(&mut first) {
                    self.say(None, Said::Ready(hosts.len()));
                }
                self.serve(&fleet, &hosts, study, waiting.take())
            });
            match next {
                Some((wanted, ask)) => (host, waiting) = (Some(wanted), Some(ask)),
                None => return,
            }
        }
    }

    fn say(&self, number: Number, said: Said) {
        let _ = self.say.send((self.id, number, said));
    }

    /// Answers until there is nobody to ask, or a question is about another host's file.
    fn serve(
        &mut self,
        fleet: &Fleet,
        hosts: &[String],
        study: &Study<'_>,
        mut waiting: Option<(Number, Ask)>,
    ) -> Option<(String, (Number, Ask))> {
        self.mentions.clear();
        loop {
            let (number, ask) = match waiting.take() {
                Some(ask) => ask,
                None => self.next()?,
            };
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if self.is_cancelled(number) {
                continue;
            }
            let wanted = ask.path().and_then(|path| self.host_of(path, hosts, study));
            if let Some(wanted) = wanted {
                // Once it is there, nobody else's is asked for.
                let known = study.host().is_some_and(|host| host == wanted);
                if !known && study.host().is_some() {
                    return Some((wanted, (number, ask)));
                }
            }
            self.answer(fleet, study, number, ask);
        }
    }

    fn is_cancelled(&self, number: Number) -> bool {
        let cancelled = self.cancelled.lock().unwrap_or_else(PoisonError::into_inner);
        number.is_some_and(|number| cancelled.contains(&number))
    }

    /// The next question. Of several checks of one file, the last is enough.
    fn next(&mut self) -> Option<(Number, Ask)> {
        if self.queue.is_empty() {
            self.queue.push_back(self.asked.recv().ok()?);
        }
        self.queue.extend(self.asked.try_iter());
        loop {
            let next = self.queue.pop_front()?;
            let Ask::Check(path, ..) = &next.1 else { return Some(next) };
            let again = |(_, other): &(Number, Ask)| matches!(other, Ask::Check(other, ..) if other == path);
            if !self.queue.iter().any(again) {
                return Some(next);
            }
        }
    }

    /// The host whose options a file is about, if they are others than these.
    fn host_of(&self, path: &VirtualPath, hosts: &[String], study: &Study<'_>) -> Option<String> {
        if path.root != Root::Fleet || study.files().contains(path) {
            return None;
        }
        let here = study.host()?;
        let kin = self.kinship.iter().find(|kin| kin.files.contains(path));
        if let Some(kin) = kin {
            let is_here = kin.hosts.iter().any(|host| host == here);
            return kin.hosts.first().filter(|_| !is_here).cloned();
        }
        if !self.kinship.is_empty() {
            return None;
        }
        // Nothing has been evaluated yet: hosts' files are called as they are.
        let mut parts = path.path.split('/').map(|part| part.trim_end_matches(".nix"));
        let named = parts.find_map(|part| hosts.iter().find(|host| *host == part));
        named.filter(|named| *named != here).cloned()
    }

    fn kin_of(&self, host: Option<&str>, hosts: Vec<String>) -> Vec<String> {
        let Some(host) = host else { return Vec::new() };
        let kin = self.kinship.iter().find(|kin| kin.hosts.iter().any(|known| known == host));
        match kin {
            Some(kin) => kin.hosts.clone(),
            None if hosts.len() == 1 => hosts,
            None => vec![host.to_owned()],
        }
    }

    fn answer(&mut self, fleet: &Fleet, study: &Study<'_>, number: Number, ask: Ask) {
        let Setting { places, encoding, .. } = self.setting.clone();
        let reader = Reader { sources: fleet.sources(), places: &places, encoding };
        let said = match ask {
            Ask::Kinship(kinship) => {
                self.kinship = kinship;
                return;
            }
            Ask::Check(path, text, version) => {
                self.texts.insert(path.clone(), text.clone());
                self.mentions.remove(&path);
                let kin = self.kin_of(study.host(), fleet.hosts());
                let found = study.check(&path, &text.text, &kin);
                let name = path.to_string();
                let found = found.iter().map(|one| reader.finding(one, &name));
                let own: Vec<_> = found.filter(|finding| finding.file == name).collect();
                Said::Checked(path, version, own)
            }
            Ask::Hover(spot) => Said::Hover(hover(study, &spot)),
            Ask::Complete(spot) => Said::Completions(complete(study, &spot)),
            Ask::Declaration(spot) => Said::Locations(declaration(study, &spot, &reader)),
            Ask::Mentions(spot, uses) => {
                Said::Locations(self.mentions(study, number, &spot, &uses, &reader))
            }
        };
        self.say(number, said);
    }

    /// Every place of the fleet that mentions the option at a spot.
    fn mentions(
        &mut self,
        study: &Study<'_>,
        number: Number,
        spot: &Spot,
        uses: &BTreeSet<Use>,
        reader: &Reader<'_>,
    ) -> Vec<Location> {
        let look = study.look(&spot.path, &spot.text.text, spot.offset);
        let option = look.sight.and_then(|sight| sight.option);
        let Some(option) = option else { return Vec::new() };
        // What the library declared for somebody, such as another name of an option, is written
        // nowhere: it is known by its path.
        let declared = option.declared.first().copied();
        let is_same = |mention: &&Mention| match declared {
            Some(declared) => mention.declared == declared,
            None => mention.declared.is_none() && mention.path == option.path,
        };
        // The last name that is no placeholder stands wherever the option is mentioned.
        let is_name = |name: &&String| !name.starts_with('<') && *name != "*";
        let name = option.loc.iter().rfind(is_name).cloned().unwrap_or_default();
        let mut found = Vec::new();
        if uses.contains(&Use::Declaration) {
            found.extend(declared.and_then(|declared| reader.location(declared)));
        }
        for path in study.all_files() {
            if self.stop.load(Ordering::Relaxed) || self.is_cancelled(number) {
                break;
            }
            let text = self.texts.get(&path).map(|text| &*text.text);
            if !study.may_mention(&path, text, &name) {
                continue;
            }
            let mentions = match self.mentions.entry(path) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let found = study.mentions(new.key(), text);
                    new.insert(found)
                }
            };
            let same = mentions.iter().filter(is_same);
            let wanted = same.filter(|mention| uses.contains(&mention.how));
            found.extend(wanted.filter_map(|mention| reader.location(mention.span)));
        }
        each_once(&mut found);
        found
    }
}

fn each_once(locations: &mut Vec<Location>) {
    let mut known = BTreeSet::new();
    locations.retain(|location| {
        let range = location.range;
        let place = (range.start.line, range.start.character, range.end.line);
        known.insert((location.uri.as_str().to_owned(), place, range.end.character))
    });
}

impl Ask {
    fn path(&self) -> Option<&VirtualPath> {
        match self {
            Ask::Check(path, ..) => Some(path),
            Ask::Hover(spot)
            | Ask::Complete(spot)
            | Ask::Declaration(spot)
            | Ask::Mentions(spot, _) => Some(&spot.path),
            Ask::Kinship(_) => None,
        }
    }
}

fn hover(study: &Study<'_>, spot: &Spot) -> Option<Hover> {
    let sight = study.look(&spot.path, &spot.text.text, spot.offset).sight?;
    let span = (sight.span.start, sight.span.end);
    let text = spot.text.text.get(span.0 as usize..span.1 as usize)?;
    let words = match &sight.option {
        Some(option) => crate::words::option(option),
        None => crate::words::typed(text, sight.ty.as_deref()?),
    };
    Some(Hover {
        contents: HoverContents::Markup(markdown(words)),
        range: Some(spot.text.range(span)),
    })
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

/// Where what stands at a spot is declared, or the file that it is a path to.
fn declaration(study: &Study<'_>, spot: &Spot, reader: &Reader<'_>) -> Vec<Location> {
    let Look { sight: Some(sight), .. } = study.look(&spot.path, &spot.text.text, spot.offset)
    else {
        return Vec::new();
    };
    if let Some(file) = sight.file {
        let uri = reader.places.uri_of_name(&file.to_string());
        return uri.map(|uri| Location { uri, range: Default::default() }).into_iter().collect();
    }
    let location = |span: &Span| {
        // The text that was looked at is in no file yet.
        let own = span.file == sight.span.file;
        let uri = reader.places.uri_of_name(&spot.path.to_string());
        match uri.filter(|_| own) {
            Some(uri) => Some(Location { uri, range: spot.text.range((span.start, span.end)) }),
            None => reader.location(*span),
        }
    };
    sight.declared.iter().filter_map(location).collect()
}

/// Words that begin an expression.
const KEYWORDS: [&str; 9] =
    ["assert", "false", "if", "inherit", "let", "null", "rec", "true", "with"];
/// What modules are given.
const ARGUMENTS: [(&str, &str); 6] = [
    ("config", "the host's configuration"),
    ("lib", "the library"),
    ("name", "the host's name"),
    ("nodes", "the fleet's hosts"),
    ("options", "the options themselves"),
    ("pkgs", "packages"),
];

fn complete(study: &Study<'_>, spot: &Spot) -> Vec<CompletionItem> {
    let Some(mended) = mend(&spot.text.text, spot.offset) else { return Vec::new() };
    let range = spot.text.range(mended.replaced);
    let mut items = Vec::new();
    let mut add = |name: &str, kind, detail: &str, documentation: Option<String>| {
        let detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
        items.push(CompletionItem {
            label: name.to_owned(),
            kind: Some(kind),
            detail,
            documentation: documentation.map(|words| Documentation::MarkupContent(markdown(words))),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: name.to_owned(),
            })),
            ..CompletionItem::default()
        });
    };
    if mended.place == Place::Argument {
        for (name, what) in ARGUMENTS {
            add(name, CompletionItemKind::VARIABLE, what, None);
        }
        return items;
    }
    let Mended { text, offset, place, .. } = &mended;
    for candidate in study.look(&spot.path, text, *offset).candidates {
        use cairn_lang::check::CandidateKind;
        let quoted = candidate.name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = match (*place, candidate.kind) {
            (Place::Text, CandidateKind::Value) => match quoted {
                Some(name) => name.to_owned(),
                None => continue,
            },
            (Place::Text, _) | (Place::Attribute, CandidateKind::Value) => continue,
            _ => candidate.name,
        };
        let kind = match candidate.kind {
            CandidateKind::Option => CompletionItemKind::PROPERTY,
            CandidateKind::Options => CompletionItemKind::MODULE,
            CandidateKind::Function => CompletionItemKind::FUNCTION,
            CandidateKind::Attribute => CompletionItemKind::FIELD,
            CandidateKind::Value => CompletionItemKind::VALUE,
        };
        add(&name, kind, &candidate.detail, candidate.documentation);
    }
    if matches!(place, Place::Name | Place::Inherited) {
        for binding in Names::of(text).around(*offset) {
            add(&binding.name, CompletionItemKind::VARIABLE, "", None);
        }
        for name in cairn_lang::global_names().filter(|name| !name.starts_with("__")) {
            add(name, CompletionItemKind::FUNCTION, "builtin", None);
        }
        // `inherit` takes names alone.
        for word in KEYWORDS.into_iter().filter(|_| *place == Place::Name) {
            add(word, CompletionItemKind::KEYWORD, "", None);
        }
    }
    let mut known = BTreeSet::new();
    items.retain(|item| known.insert(item.label.clone()));
    items
}
