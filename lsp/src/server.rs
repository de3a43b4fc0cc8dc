//! The conversation with an editor.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cairn_compiler::Kin;
use cairn_lang::{Features, Root};
use crossbeam_channel::{Receiver, Sender, never, select, unbounded};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{InitializeParams, PublishDiagnosticsParams, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::analyst::{Analyst, Ask, Number, Said, Setting};
use crate::documents::{Document, texts};
use crate::finding::Finding;
use crate::frames::{self, Frame};
use crate::inputs::InputCache;
use crate::place::{Places, path_of};
use crate::requests;
use crate::survey::{Survey, Surveyed};
use crate::text::Encoding;

/// How long nobody has to type before the options are evaluated anew, and before the fleet is.
const PAUSE: Duration = Duration::from_millis(250);
const LONG_PAUSE: Duration = Duration::from_millis(700);

/// What a server is to know beforehand.
#[derive(Clone, Debug)]
pub struct Options {
    /// The fleet's folder; without one, the nearest with a `cairn.nix` above what the editor opens.
    pub fleet: Option<PathBuf>,
    /// Where the standard modules may be written, for an editor to open.
    pub standard: PathBuf,
    /// The folder of caches, where inputs are.
    pub cache: PathBuf,
    /// Experimental parts of the language that are switched on.
    pub features: Features,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As the protocol wants it.
    Asked,
    /// The editor went away, or said `exit` out of the blue.
    Abandoned,
}

/// Talks to an editor until one of the two ends it.
///
/// # Errors
/// When what the editor says cannot be read.
pub fn serve(
    options: Options,
    mut input: impl BufRead + Send + 'static,
    mut output: impl Write + Send + 'static,
) -> io::Result<Ended> {
    let (out, outgoing) = unbounded::<Result<Message, String>>();
    let writer = thread::spawn(move || {
        for message in outgoing {
            let written = match message {
                Ok(message) => frames::write(&mut output, &message),
                Err(why) => frames::refuse(&mut output, &why),
            };
            if written.is_err() {
                return;
            }
        }
    });
    let (take, incoming) = unbounded();
    thread::spawn(move || {
        while let Ok(Some(frame)) = frames::read(&mut input) {
            if take.send(frame).is_err() {
                return;
            }
        }
    });
    let ended = Server::new(options, out).run(&incoming);
    // What was said last is still to be written.
    let _ = writer.join();
    Ok(ended)
}

/// What an answer is waited for.
struct Waiting {
    id: RequestId,
    analyst: u64,
}

pub(crate) struct Server {
    options: Options,
    pub(crate) setting: Setting,
    out: Sender<Result<Message, String>>,
    pub(crate) documents: BTreeMap<String, Document>,
    analyst: Option<Analyst>,
    /// The one that takes over once it is ready.
    next: Option<Analyst>,
    /// Those before, which still have something to answer.
    retired: Vec<Analyst>,
    hosts: usize,
    waiting: BTreeMap<u64, Waiting>,
    count: u64,
    survey: Option<Survey>,
    found: BTreeMap<String, Vec<Finding>>,
    published: BTreeMap<String, Vec<lsp_types::Diagnostic>>,
    kinship: Arc<Vec<Kin>>,
    due: Option<Instant>,
    survey_due: Option<Instant>,
    say: Sender<(u64, Number, Said)>,
    said: Receiver<(u64, Number, Said)>,
    surveyed: (Sender<Surveyed>, Receiver<Surveyed>),
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Working,
    ShutDown,
}

impl Server {
    fn new(options: Options, out: Sender<Result<Message, String>>) -> Server {
        let places = Places {
            fleet: None,
            standard: options.standard.clone(),
            inputs: InputCache::new(options.cache.clone()),
        };
        let encoding = Encoding::Utf16;
        let setting = Setting { places, features: options.features, encoding };
        let (say, said) = unbounded();
        Server {
            options,
            setting,
            out,
            documents: BTreeMap::new(),
            analyst: None,
            next: None,
            retired: Vec::new(),
            hosts: 0,
            waiting: BTreeMap::new(),
            count: 0,
            survey: None,
            found: BTreeMap::new(),
            published: BTreeMap::new(),
            kinship: Arc::default(),
            due: None,
            survey_due: None,
            say,
            said,
            surveyed: unbounded(),
            state: State::Fresh,
        }
    }

    fn run(mut self, incoming: &Receiver<Frame>) -> Ended {
        let (said, surveyed) = (self.said.clone(), self.surveyed.1.clone());
        loop {
            let due = self.due.into_iter().chain(self.survey_due).min();
            let timer = due.map_or_else(never, crossbeam_channel::at);
            select! {
                recv(incoming) -> frame => match frame {
                    Ok(Frame::Message(Message::Notification(note))) if note.method == "exit" => {
                        return match self.state {
                            State::ShutDown => Ended::Asked,
                            _ => Ended::Abandoned,
                        };
                    }
                    Ok(Frame::Message(message)) => self.take(message),
                    Ok(Frame::Broken(why)) => drop(self.out.send(Err(why))),
                    Err(_) => return Ended::Abandoned,
                },
                recv(said) -> said => if let Ok((analyst, number, said)) = said {
                    self.hear(analyst, number, said);
                },
                recv(surveyed) -> surveyed => if let Ok(surveyed) = surveyed {
                    self.take_survey(surveyed);
                },
                recv(timer) -> _ => {}
            }
            self.do_what_is_due();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(note) => self.notification(note),
            Message::Response(_) => {}
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        match (self.state, request.method.as_str()) {
            (State::Fresh, "initialize") => match read::<InitializeParams>(request.params) {
                Ok(params) => {
                    let result = self.initialize(&params);
                    self.reply(id, result);
                }
                Err(why) => self.refuse(id, ErrorCode::InvalidParams, why),
            },
            (State::Fresh, _) => {
                let why = "`initialize` comes first".to_owned();
                self.refuse(id, ErrorCode::ServerNotInitialized, why);
            }
            (State::Working, "initialize") | (State::ShutDown, _) => {
                let why = "this is no time for it".to_owned();
                self.refuse(id, ErrorCode::InvalidRequest, why);
            }
            (State::Working, "shutdown") => {
                self.state = State::ShutDown;
                (self.analyst, self.next, self.survey) = (None, None, None);
                (self.due, self.survey_due) = (None, None);
                self.reply(id, Json::Null);
            }
            (State::Working, _) => self.answer(request),
        }
    }

    /// Answers at once, or lets an analyst answer.
    fn answer(&mut self, request: Request) {
        let id = request.id;
        match requests::answer(self, &request.method, request.params) {
            requests::Answer::Now(result) => self.reply(id, result),
            requests::Answer::Refused(code, why) => self.refuse(id, code, why),
            requests::Answer::Ask(ask) => {
                let number = self.number();
                let analyst = self.analyst.as_ref().or(self.next.as_ref());
                match analyst.filter(|analyst| analyst.ask(Some(number), ask)) {
                    Some(analyst) => {
                        let analyst = analyst.id;
                        self.waiting.insert(number, Waiting { id, analyst });
                    }
                    None => self.reply(id, Json::Null),
                }
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn reply(&self, id: RequestId, result: Json) {
        let _ = self.out.send(Ok(Message::Response(Response { id, response_result: Ok(result) })));
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, why: String) {
        let _ = self.out.send(Ok(Message::Response(Response::new_err(id, code as i32, why))));
    }

    fn tell(&self, method: &str, params: Json) {
        let note = Notification { method: method.to_owned(), params };
        let _ = self.out.send(Ok(Message::Notification(note)));
    }

    fn initialize(&mut self, params: &InitializeParams) -> Json {
        self.state = State::Working;
        let offered = params.capabilities.general.as_ref();
        let offered = offered.and_then(|general| general.position_encodings.as_ref());
        let utf8 = lsp_types::PositionEncodingKind::UTF8;
        if offered.is_some_and(|offered| offered.contains(&utf8)) {
            self.setting.encoding = Encoding::Utf8;
        }
        let folders = params.workspace_folders.iter().flatten().map(|folder| &folder.uri);
        #[allow(deprecated, reason = "what some editors still send")]
        let root = params.root_uri.iter();
        let mut folders = folders.chain(root).filter_map(path_of);
        let given = self.options.fleet.clone();
        let fleet = given.or_else(|| folders.find_map(|folder| fleet_above(&folder)));
        self.setting.places.fleet = fleet.and_then(|folder| folder.canonicalize().ok());
        self.renew();
        requests::capabilities(self.setting.encoding)
    }

    fn notification(&mut self, note: Notification) {
        if self.state != State::Working {
            return;
        }
        match note.method.as_str() {
            "initialized" => self.watch_files(),
            "textDocument/didOpen" => {
                if let Ok(params) = read::<lsp_types::DidOpenTextDocumentParams>(note.params) {
                    let document = params.text_document;
                    self.open(document.uri, document.text, document.version);
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = read::<lsp_types::DidChangeTextDocumentParams>(note.params) {
                    self.change(&params);
                }
            }
            "textDocument/didClose" => {
                if let Ok(params) = read::<lsp_types::DidCloseTextDocumentParams>(note.params) {
                    self.close(&params.text_document.uri);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.changed(),
            "$/cancelRequest" => {
                if let Ok(params) = read::<lsp_types::CancelParams>(note.params) {
                    self.cancel(&match params.id {
                        lsp_types::NumberOrString::Number(number) => number.into(),
                        lsp_types::NumberOrString::String(text) => text.into(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Asks the editor to say when files change on the disk.
    fn watch_files(&mut self) {
        let options = json!({ "watchers": [{ "globPattern": "**/*" }] });
        let method = "workspace/didChangeWatchedFiles";
        let registration = json!({ "id": "files", "method": method, "registerOptions": options });
        let params = json!({ "registrations": [registration] });
        let id = RequestId::from("files".to_owned());
        let method = "client/registerCapability".to_owned();
        let _ = self.out.send(Ok(Message::Request(Request { id, method, params })));
    }

    fn cancel(&mut self, id: &RequestId) {
        let known = self.waiting.iter().find(|(_, waiting)| waiting.id == *id);
        if let Some(number) = known.map(|(number, _)| *number) {
            self.waiting.remove(&number);
            let analysts = self.analyst.iter().chain(&self.next).chain(&self.retired);
            analysts.for_each(|analyst| analyst.cancel(number));
            self.refuse(id.clone(), ErrorCode::RequestCanceled, "it was cancelled".to_owned());
        }
    }

    fn open(&mut self, uri: Uri, text: String, version: i32) {
        if self.setting.places.fleet.is_none()
            && let Some(fleet) = path_of(&uri).and_then(|path| fleet_above(path.parent()?))
        {
            self.setting.places.fleet = fleet.canonicalize().ok();
            for document in self.documents.values_mut() {
                document.path = self.setting.places.path(&document.uri);
            }
            self.renew();
        }
        let path = self.setting.places.path(&uri);
        let key = uri.as_str().to_owned();
        let mut document = Document::new(uri, path, text, version, self.setting.encoding);
        if let Some(found) = self.found.get(&document.path.to_string()) {
            document.evaluated(found);
        }
        self.documents.insert(key.clone(), document);
        self.check(&key);
        self.changed();
    }

    fn change(&mut self, params: &lsp_types::DidChangeTextDocumentParams) {
        let key = params.text_document.uri.as_str();
        let Some(document) = self.documents.get_mut(key) else { return };
        document.change(&params.content_changes, params.text_document.version);
        self.check(key);
        self.changed();
    }

    fn close(&mut self, uri: &Uri) {
        if let Some(document) = self.documents.remove(uri.as_str()) {
            let found = self.found.get(&document.path.to_string());
            let told = found.into_iter().flatten().map(|finding| finding.told.clone()).collect();
            let told = if document.path.root == Root::Fleet { told } else { Vec::new() };
            self.publish(uri, None, told);
            self.changed();
        }
    }

    /// Has the types of a document's text looked at.
    fn check(&mut self, key: &str) {
        let Some(document) = self.documents.get(key) else { return };
        if document.is_large() {
            let (uri, version) = (document.uri.clone(), document.version);
            return self.publish(&uri, Some(version), document.told());
        }
        // One that comes to be is asked about every document once it is ready.
        if let Some(analyst) = &self.analyst {
            let (path, text) = (document.path.clone(), document.text.clone());
            analyst.ask(None, Ask::Check(path, text, document.version));
        }
    }

    /// Something is not as it was: what was evaluated is old.
    fn changed(&mut self) {
        self.survey = None;
        let now = Instant::now();
        self.due = Some(now + PAUSE);
        self.survey_due = Some(now + LONG_PAUSE);
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            // The last options that could be evaluated are better than none.
            let broken = self.documents.values().any(Document::has_syntax_errors);
            if !broken || self.analyst.is_none() {
                self.renew();
            }
        }
        if self.survey_due.is_some_and(|due| due <= now) {
            self.survey_due = None;
            if self.setting.places.fleet.is_some() && self.state == State::Working {
                let id = self.number();
                let (setting, texts) = (self.setting.clone(), texts(self.documents.values()));
                self.survey = Some(Survey::start(id, setting, texts, self.surveyed.0.clone()));
            }
        }
    }

    /// Has the options evaluated anew, by an analyst that takes over when it is done.
    fn renew(&mut self) {
        let id = self.number();
        let (setting, texts) = (self.setting.clone(), texts(self.documents.values()));
        let (kinship, say) = (self.kinship.clone(), self.say.clone());
        let before = self.next.replace(Analyst::start(id, setting, texts, kinship, say));
        if let Some(before) = before {
            self.give_up(before.id);
        }
    }

    /// Answers what nobody will answer any more.
    fn give_up(&mut self, analyst: u64) {
        let lost = self.waiting.extract_if(.., |_, waiting| waiting.analyst == analyst);
        let lost: Vec<_> = lost.map(|(_, waiting)| waiting.id).collect();
        for id in lost {
            self.refuse(id, ErrorCode::ContentModified, "the fleet has changed".to_owned());
        }
    }

    /// Lets those go whose last answer is there.
    fn let_go(&mut self) {
        let Server { waiting, retired, .. } = self;
        retired.retain(|analyst| waiting.values().any(|waiting| waiting.analyst == analyst.id));
    }

    fn hear(&mut self, id: u64, number: Number, said: Said) {
        let is = |analyst: &Option<Analyst>| analyst.as_ref().is_some_and(|one| one.id == id);
        let (current, next) = (is(&self.analyst), is(&self.next));
        let result = match said {
            Said::Ready(hosts) if next => return self.take_over(hosts),
            Said::Ready(_) => return,
            Said::Gone => {
                self.give_up(id);
                if current {
                    self.analyst = None;
                }
                if next {
                    self.next = None;
                }
                return;
            }
            Said::Checked(path, version, found) => {
                if current {
                    self.take_checked(&path.to_string(), version, found);
                }
                return;
            }
            Said::Hover(hover) => json!(hover),
            Said::Completions(items) => json!(items),
            Said::Locations(locations) => json!(locations),
        };
        if let Some(waiting) = number.and_then(|number| self.waiting.remove(&number)) {
            self.reply(waiting.id, result);
        }
        self.let_go();
    }

    fn take_over(&mut self, hosts: usize) {
        if hosts == 0 && self.hosts > 0 && self.analyst.is_some() {
            // It cannot be evaluated now; the one before could.
            if let Some(next) = self.next.take() {
                self.give_up(next.id);
            }
            return;
        }
        self.hosts = hosts;
        let before = std::mem::replace(&mut self.analyst, self.next.take());
        self.retired.extend(before);
        self.let_go();
        let keys: Vec<_> = self.documents.keys().cloned().collect();
        keys.iter().for_each(|key| self.check(key));
    }

    fn take_checked(&mut self, name: &str, version: i32, found: Vec<Finding>) {
        let mut documents = self.documents.values_mut();
        let Some(document) = documents
            .find(|document| document.path.to_string() == name && document.version == version)
        else {
            return;
        };
        document.checked(found);
        let (uri, told) = (document.uri.clone(), document.told());
        self.publish(&uri, Some(version), told);
    }

    fn take_survey(&mut self, surveyed: Surveyed) {
        if self.survey.as_ref().is_none_or(|survey| survey.id != surveyed.id) {
            return;
        }
        self.survey = None;
        let before = std::mem::replace(&mut self.found, surveyed.found);
        let files: BTreeSet<String> =
            before.into_keys().chain(self.found.keys().cloned()).collect();
        let mut open = BTreeSet::new();
        let mut news = Vec::new();
        for document in self.documents.values_mut() {
            if document.path.root != Root::Fleet {
                continue;
            }
            let name = document.path.to_string();
            document.evaluated(self.found.get(&name).map(Vec::as_slice).unwrap_or_default());
            if document.is_checked() {
                news.push((document.uri.clone(), Some(document.version), document.told()));
            }
            open.insert(name);
        }
        for name in files.difference(&open) {
            if let Some(uri) = self.setting.places.uri_of_name(name) {
                let found = self.found.get(name).into_iter().flatten();
                news.push((uri, None, found.map(|finding| finding.told.clone()).collect()));
            }
        }
        for (uri, version, told) in news {
            if self.published.get(uri.as_str()) != Some(&told) {
                self.publish(&uri, version, told);
            }
        }
        self.kinship = Arc::new(surveyed.kinship);
        for analyst in self.analyst.iter().chain(&self.next) {
            analyst.ask(None, Ask::Kinship(self.kinship.clone()));
        }
        let keys: Vec<_> = self.documents.keys().cloned().collect();
        keys.iter().for_each(|key| self.check(key));
    }

    fn publish(&mut self, uri: &Uri, version: Option<i32>, told: Vec<lsp_types::Diagnostic>) {
        self.published.insert(uri.as_str().to_owned(), told.clone());
        let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics: told, version };
        self.tell("textDocument/publishDiagnostics", json!(params));
    }
}

/// What a message says, or why it says nothing.
pub(crate) fn read<T: DeserializeOwned>(params: Json) -> Result<T, String> {
    serde_json::from_value(params).map_err(|error| error.to_string())
}

/// The nearest folder with a `cairn.nix`.
fn fleet_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join("cairn.nix").is_file()).map(Path::to_owned)
}
