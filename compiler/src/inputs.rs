//! What a `cairn.nix` or `flake.nix` says of its inputs, and from there to their trees.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use cairn_fetch::input::{
    Declarations, Described, InputError, InputLock, Policy, Reference, Resolved, Resolver, Source,
    Wish, Wishes,
};
use cairn_lang::{
    Arena, Attr, Attrs, Diagnostic, DiskFs, Evaluator, Features, Mode, Root, Roots, Sources, Span,
    VirtualPath, World, did_you_mean,
};

use crate::report::Report;
use crate::standard::standard_modules;

/// What a tree may be described in, the first that there is.
const FILES: [&str; 2] = ["cairn.nix", "flake.nix"];

/// What may be said of an input.
const KEYS: [&str; 4] = ["flake", "follows", "inputs", "url"];

/// What a fleet says of its inputs.
pub struct FleetInputs {
    folder: PathBuf,
    reader: Reader,
    declared: Declared,
}

impl FleetInputs {
    /// Reads what the `cairn.nix` in `folder` says. Who has none is told so by whoever reads the rest
    /// of the fleet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(folder: &Path, features: Features) -> Result<FleetInputs, Report> {
        let reader = Reader { features, sources: Sources::new() };
        let declared = reader.declared(folder, "", Root::Fleet)?.unwrap_or_default();
        Ok(FleetInputs { folder: folder.to_owned(), reader, declared })
    }

    /// One input by itself, such as one that has templates. What is relative in `reference` starts at
    /// `folder`.
    pub fn one(name: &str, reference: Reference, folder: &Path, features: Features) -> FleetInputs {
        let reader = Reader { features, sources: Sources::new() };
        let wish = Wish { url: Some(reference), ..Wish::default() };
        let wishes = Wishes::from([(name.to_owned(), wish)]);
        let declared = Declared { wishes, ..Declared::default() };
        FleetInputs { folder: folder.to_owned(), reader, declared }
    }

    /// The same, of a fleet that lies in a copy of the folder `original`: what is relative and leads out of
    /// `copy` starts where the fleet itself lies, and so do repositories, which are not copied.
    #[must_use]
    pub fn copied(mut self, copy: &Path, original: &Path) -> FleetInputs {
        if let Ok(inside) = self.folder.strip_prefix(copy) {
            let itself = original.join(inside);
            for wish in self.declared.wishes.values_mut() {
                settle(wish, &self.folder, copy, &itself);
            }
        }
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.declared.wishes.is_empty()
    }

    /// Finds their trees, and those of their inputs, as `lock` has them and `policy` allows. `progress`
    /// is told of each that is looked up or fetched.
    ///
    /// # Errors
    /// What stands in the way, where the fleet names the input.
    pub fn resolve(
        &self,
        cache: &Path,
        lock: &InputLock,
        policy: &Policy,
        progress: &dyn Fn(&str),
    ) -> Result<Resolved, Report> {
        let resolver =
            Resolver { cache, fleet: &self.folder, declarations: &self.reader, progress };
        resolver.resolve(&self.declared.wishes, lock, policy).map_err(|failure| match failure {
            Failure::Report(report) => report,
            Failure::Input(error) => {
                let problem = self.declared.diagnostic(&error);
                Report::new(vec![problem], self.reader.sources.clone())
            }
        })
    }
}

/// Has what is relative in a wish, and leads out of `copy`, start at `itself` instead of `folder`.
fn settle(wish: &mut Wish, folder: &Path, copy: &Path, itself: &Path) {
    if let Some(reference) = &mut wish.url {
        match &mut reference.source {
            Source::Path(path) if !normal(&folder.join(&*path)).starts_with(copy) => {
                *path = itself.join(&*path).display().to_string();
            }
            Source::Git(url) => {
                let path = url.strip_prefix("file:").filter(|path| !path.starts_with('/'));
                if let Some(path) = path {
                    *url = format!("file://{}", itself.join(path).display());
                }
            }
            Source::Path(_) | Source::Tarball(_) => {}
        }
    }
    for wish in wish.inputs.values_mut() {
        settle(wish, folder, copy, itself);
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

fn no_outputs(input: &str, why: &str) -> InputError {
    InputError {
        code: "input::no-outputs",
        input: input.to_owned(),
        message: format!("the input `{input}` {why}"),
        help: "take its files alone: `inputs.<name>.flake = false;`".to_owned(),
    }
}

/// Why inputs cannot be had.
enum Failure {
    /// Something about one input.
    Input(InputError),
    /// Mistakes in a file that says what inputs there are.
    Report(Report),
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        Failure::Input(error)
    }
}

/// What a file says of its inputs, and where.
#[derive(Default)]
struct Declared {
    /// The file, by its path in the tree.
    file: String,
    wishes: Wishes,
    /// Where each is named, by its place in the tree of inputs.
    places: BTreeMap<String, Span>,
    /// Whether it has `outputs`.
    has_outputs: bool,
}

impl Declared {
    /// An error at the nearest thing that the fleet says of its input.
    fn diagnostic(&self, error: &InputError) -> Diagnostic {
        let mut place = error.input.as_str();
        let span = loop {
            match (self.places.get(place), place.rsplit_once('/')) {
                (Some(span), _) => break *span,
                (None, Some((above, _))) => place = above,
                (None, None) => break Span::NONE,
            }
        };
        let about_it =
            error.input.is_empty() || error.message.contains(&format!("`{}`", error.input));
        let message = match about_it {
            true => error.message.clone(),
            false => format!("the input `{}`: {}", error.input, error.message),
        };
        let help = error.help.replace("NAME", &error.input);
        Diagnostic::error(error.code, span, message).with_help(help)
    }
}

/// Reads what trees say, with texts that diagnostics can point into.
struct Reader {
    features: Features,
    sources: Sources,
}

impl Declarations for Reader {
    type Error = Failure;

    fn wishes(&self, tree: &Path, dir: &str, input: &str) -> Result<Described, Failure> {
        let declared = self.declared(tree, dir, Root::input(input)).map_err(Failure::Report)?;
        let Declared { file, wishes, has_outputs, .. } =
            declared.ok_or_else(|| no_outputs(input, "has neither cairn.nix nor flake.nix"))?;
        if !has_outputs {
            return Err(no_outputs(input, &format!("has no `outputs` in its {file}")).into());
        }
        Ok(Described { file, wishes })
    }
}

impl Reader {
    /// What is said in `dir` of a tree; none where nothing describes it.
    fn declared(&self, tree: &Path, dir: &str, root: Root) -> Result<Option<Declared>, Report> {
        let files = DiskFs::new(tree).map_err(|error| {
            let message = format!("the folder {} cannot be read: {error}", tree.display());
            let help = "check its permissions";
            let error = Diagnostic::error("file::unreadable", Span::NONE, message).with_help(help);
            Report::new(vec![error], self.sources.clone())
        })?;
        let roots = Roots::new().with(root, files).with(Root::Cairn, standard_modules());
        let mut world = World::new(roots, Mode::Build);
        world.features = self.features;
        world.sources = self.sources.clone();
        let paths = FILES.map(|name| VirtualPath::new(root, &format!("{dir}/{name}")));
        let is_there = |path: &VirtualPath| matches!(world.roots.kind(path), Ok(Some(_)));
        let Some(path) = paths.into_iter().flatten().find(is_there) else { return Ok(None) };
        read(&world, &path).map(Some).map_err(|mut problems| {
            let of_files = world.file_diagnostics();
            problems.retain(|problem| !of_files.contains(problem));
            problems.extend(of_files);
            Report::new(problems, self.sources.clone())
        })
    }
}

fn read(world: &World, path: &VirtualPath) -> Result<Declared, Vec<Diagnostic>> {
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, world);
    let mut reading = Reading { eval: &eval, problems: Vec::new(), places: BTreeMap::new() };
    let file = eval.import(path, Span::NONE).map_err(|error| vec![*error])?;
    let nothing = Declared { file: path.path.clone(), ..Declared::default() };
    // What else may be wrong with the file is told by whoever reads the rest of it.
    let Ok(root) = eval.expect_attrs(file, Span::NONE) else { return Ok(nothing) };
    let has_outputs = root.get_str("outputs").is_some();
    let nothing = Declared { has_outputs, ..nothing };
    let Some(inputs) = root.get_str("inputs") else { return Ok(nothing) };
    let wishes = reading.set(inputs).map(|set| reading.wishes(set, "")).unwrap_or_default();
    if reading.problems.is_empty() {
        return Ok(Declared { wishes, places: reading.places, ..nothing });
    }
    Err(reading.problems)
}

/// Reads on after a mistake, so that all are told at once.
struct Reading<'e, 'a> {
    eval: &'e Evaluator<'a>,
    problems: Vec<Diagnostic>,
    places: BTreeMap<String, Span>,
}

impl<'a> Reading<'_, 'a> {
    fn wishes(&mut self, inputs: &'a Attrs<'a>, at: &str) -> Wishes {
        let mut wishes = Wishes::new();
        for attr in inputs.sorted() {
            let name = attr.name.to_string();
            let place = if at.is_empty() { name.clone() } else { format!("{at}/{name}") };
            self.places.insert(place.clone(), attr.span);
            if let Some(set) = self.set(attr) {
                wishes.insert(name, self.wish(set, &place));
            }
        }
        wishes
    }

    fn wish(&mut self, said: &'a Attrs<'a>, place: &str) -> Wish {
        let mut wish = Wish::default();
        for attr in said.sorted() {
            match attr.name.as_str() {
                "url" => wish.url = self.reference(attr),
                "flake" => wish.has_outputs = self.flag(attr),
                "follows" => wish.follows = self.text(attr).map(str::to_owned),
                "inputs" => {
                    let inputs = self.set(attr);
                    wish.inputs = inputs.map(|set| self.wishes(set, place)).unwrap_or_default();
                }
                unknown => self.unknown(unknown, attr.span),
            }
        }
        wish
    }

    fn reference(&mut self, attr: &Attr<'a>) -> Option<Reference> {
        let text = self.text(attr)?;
        let error = match Reference::parse(text) {
            Ok(reference) => return Some(reference),
            Err(error) => error,
        };
        let at = self.eval.value_span(attr.span);
        let problem = Diagnostic::error(error.code, at, error.message).with_help(error.help);
        self.problems.push(problem);
        None
    }

    fn unknown(&mut self, name: &str, at: Span) {
        let message = format!("an input has no `{name}`");
        let help =
            did_you_mean(name, KEYS).unwrap_or_else(|| format!("it may hold {}", KEYS.join(", ")));
        self.problems.push(Diagnostic::error("fleet::unknown-key", at, message).with_help(help));
    }

    fn set(&mut self, attr: &Attr<'a>) -> Option<&'a Attrs<'a>> {
        let at = self.eval.value_span(attr.span);
        let set = self.eval.force_attr(attr).and_then(|value| self.eval.expect_attrs(value, at));
        self.ok(set)
    }

    fn text(&mut self, attr: &Attr<'a>) -> Option<&'a str> {
        let at = self.eval.value_span(attr.span);
        let text = self.eval.force_attr(attr).and_then(|value| self.eval.expect_str(value, at));
        self.ok(text)
    }

    fn flag(&mut self, attr: &Attr<'a>) -> Option<bool> {
        let at = self.eval.value_span(attr.span);
        let flag = self.eval.force_attr(attr).and_then(|value| self.eval.expect_bool(value, at));
        self.ok(flag)
    }

    fn ok<T>(&mut self, result: cairn_lang::Result<T>) -> Option<T> {
        result.map_err(|error| self.problems.push(*error)).ok()
    }
}
