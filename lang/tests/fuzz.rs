//! Parsing and evaluating whatever comes: no input crashes, hangs, takes more than its limits, or
//! reads what is outside of its root.
//!
//! Seconds of new inputs: `CAIRN_FUZZ_SECONDS` (a few by default); where they start:
//! `CAIRN_FUZZ_SEED`. Inputs that once did harm, and others worth keeping, are in `tests/seeds` and
//! are run every time.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cairn_lang::{
    DiskFs, EvalOptions, Format, Limits, Mode, Root, Roots, VirtualPath, World, eval_expr,
};
use cairn_random::{Choices, Corpus, Kind, shrink_text};
use rustix::time::{ClockId, clock_gettime};

/// What no output may show: the content of a file outside, and the name of another.
const CONTENT: &str = "canary-content-7c1f";
const NAME: &str = "canary-name-52d0";
/// What an input may take.
const TIME: Duration = Duration::from_millis(60);
const MEMORY: usize = 16 << 20;
/// What it may take beyond that until it notices.
const LATE: Duration = Duration::from_millis(2500);

/// What takes longer hangs.
const HANGS: Duration = Duration::from_secs(20);

/// A folder that may be read, beside one that may not, and links between them.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::tempdir().expect("a folder");
        let ground = Ground { folder };
        let outside = ground.folder.path().join("outside");
        let root = ground.root();
        std::fs::create_dir(&outside).expect("made");
        std::fs::create_dir_all(root.join("folder/deeper")).expect("made");
        let content = format!("\"{CONTENT}\"");
        for file in ["secret.nix", "secret.txt", "default.nix", "a.nix", NAME] {
            std::fs::write(outside.join(file), &content).expect("written");
        }
        std::fs::write(ground.folder.path().join("secret.nix"), &content).expect("written");
        std::fs::write(ground.folder.path().join("secret.txt"), &content).expect("written");
        std::fs::write(root.join("a"), "a").expect("written");
        std::fs::write(root.join("a.nix"), "{ a = 1; }").expect("written");
        std::fs::write(root.join("b"), [0xff, 0xfe]).expect("written");
        std::fs::write(root.join("default.nix"), "import ./a.nix").expect("written");
        std::fs::write(root.join("folder/default.nix"), "{ b = import ../a.nix; }")
            .expect("written");
        std::fs::write(root.join("itself.nix"), "import ./itself.nix").expect("written");
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, root.join(name)).expect("linked");
        };
        link(Path::new("../outside/secret.nix"), "link-file");
        link(Path::new("../outside"), "link-folder");
        link(&outside.join("secret.txt"), "link-absolute");
        link(Path::new("link-file"), "link-chain");
        link(Path::new("link-loop"), "link-loop");
        link(Path::new("folder"), "link-inside");
        link(Path::new(".."), "link-parent");
        link(Path::new("/dev/zero"), "link-device");
        link(Path::new("../../outside"), "folder/link-folder");
        ground
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn world(&self, mode: Mode) -> World {
        let disk = DiskFs::new(&self.root()).expect("the root");
        let mut world = World::new(Roots::new().with(Root::Fleet, disk), mode);
        world.limits = Limits { depth: 2000, memory: MEMORY, time: Some(TIME) };
        world
    }
}

/// How a run of an input ended.
enum Outcome {
    /// A value, or an error's code and message.
    Fine(Result<(), (String, String)>),
    /// What must not happen.
    Harm(String),
}

fn run(ground: &Ground, text: &str, mode: Mode, format: Format) -> Outcome {
    let world = ground.world(mode);
    let base = VirtualPath::new(Root::Fleet, "");
    let options = EvalOptions { format, ..EvalOptions::default() };
    let started = processor_time(ClockId::ThreadCPUTime);
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        eval_expr(&world, text, base.as_ref(), &options).map_err(|errors| {
            let shown: Vec<String> =
                errors.iter().map(|error| error.to_json(&world.sources).to_string()).collect();
            let first = errors.into_iter().next();
            (shown.join("\n"), first.map(|error| (error.code, error.message)).unwrap_or_default())
        })
    }));
    let taken = processor_time(ClockId::ThreadCPUTime) - started;
    let Ok(result) = result else { return Outcome::Harm("it panics".to_owned()) };
    let shown = match &result {
        Ok(value) => value,
        Err((shown, _)) => shown,
    };
    for canary in [CONTENT, NAME] {
        if shown.contains(canary) {
            return Outcome::Harm(format!("it shows {canary}, which is outside"));
        }
    }
    if taken > TIME + LATE {
        return Outcome::Harm(format!("it takes {taken:?}"));
    }
    Outcome::Fine(result.map(drop).map_err(|(_, first)| first))
}

fn processor_time(of: ClockId) -> Duration {
    let time = clock_gettime(of);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Every mode and way to print: they share little after parsing.
fn run_all(ground: &Ground, text: &str) -> Outcome {
    let mut last = Outcome::Fine(Ok(()));
    for (mode, format) in [(Mode::Eval, Format::Nix), (Mode::Build, Format::Json)] {
        last = run(ground, text, mode, format);
        if matches!(last, Outcome::Harm(_)) {
            break;
        }
    }
    last
}

/// What a crash leaves behind.
fn current(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}.txt"))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// All files below a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn corpus(ground: &Ground) -> Corpus {
    let world = ground.world(Mode::Eval);
    let options = EvalOptions { format: Format::Raw, ..EvalOptions::default() };
    let names = "builtins.concatStringsSep \" \" (builtins.attrNames builtins)";
    let names = eval_expr(&world, names, None, &options).expect("the names of builtins");
    let mut corpus = Corpus::new(names.split(' ').map(str::to_owned));
    for place in ["tests/cases", "tests/seeds", "../modules", "../examples", "../tests/fleets"] {
        for file in files(&folder(place), ".nix") {
            corpus.add(&std::fs::read_to_string(file).expect("a text"));
        }
    }
    let failing = std::fs::read_to_string(folder("tests/cases/failing.txt")).expect("a text");
    failing.lines().for_each(|line| corpus.add(line));
    assert!(corpus.len() > 80, "the corpus is there: {}", corpus.len());
    corpus
}

/// Ends the process where one input takes long: what hangs cannot be caught otherwise.
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn new() -> Watch {
        let inputs = Arc::new(AtomicU64::new(0));
        let watch = Watch(inputs.clone());
        std::thread::spawn(move || {
            let mut since = (0, Duration::ZERO);
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let (input, now) = (inputs.load(Relaxed), processor_time(ClockId::ProcessCPUTime));
                if since.0 != input {
                    since = (input, now);
                } else if input > 0 && now - since.1 > HANGS {
                    eprintln!("an input hangs; it is in {}", env!("CARGO_TARGET_TMPDIR"));
                    std::process::abort();
                }
            }
        });
        watch
    }

    /// Another input begins.
    fn next(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Nothing runs any more, while other tests of the process may.
        self.0.store(0, Relaxed);
    }
}

#[test]
fn kept_inputs_do_no_harm() {
    let ground = Ground::new();
    let kept = files(&folder("tests/seeds"), ".nix");
    assert!(!kept.is_empty(), "there are inputs");
    let watch = Watch::new();
    for file in kept {
        watch.next();
        std::fs::write(current("kept"), file.to_string_lossy().as_bytes()).expect("written");
        let text = std::fs::read(&file).expect("a file");
        if let Outcome::Harm(what) = run_all(&ground, &String::from_utf8_lossy(&text)) {
            panic!("{}: {what}", file.display());
        }
    }
}

#[test]
fn new_inputs_do_no_harm() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("CAIRN_FUZZ_SECONDS").unwrap_or(5);
    let first = number("CAIRN_FUZZ_SEED").unwrap_or(1);
    let current = current(&first.to_string());
    let ground = Ground::new();
    let mut corpus = corpus(&ground);
    let mut tally: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut slowest = (Duration::ZERO, String::new());
    let watch = Watch::new();
    let started = Instant::now();
    let mut seed = first << 32;
    while started.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        let (kind, text) = corpus.text(&mut Choices::from_seed(seed, 1000));
        std::fs::write(&current, &text).expect("written");
        watch.next();
        *tally.entry(kind).or_default() += 1;
        let before = Instant::now();
        match run_all(&ground, &text) {
            Outcome::Harm(what) => {
                let harmful = |text: &str| matches!(run_all(&ground, text), Outcome::Harm(_));
                let small = shrink_text(&text, 400, harmful);
                panic!("seed {seed}, {kind:?}: {what}\n{small}");
            }
            Outcome::Fine(Ok(())) => *codes.entry("a value".to_owned()).or_default() += 1,
            Outcome::Fine(Err((code, message))) => {
                // An error that no input had before: more of its like are worth trying.
                if text.len() < 2000
                    && seen.len() < 5000
                    && seen.insert((code.clone(), shape(&message)))
                {
                    corpus.add(&text);
                }
                *codes.entry(code).or_default() += 1;
            }
        }
        if before.elapsed() > slowest.0 {
            slowest = (before.elapsed(), text);
        }
    }
    let inputs: u64 = tally.values().sum();
    let peak = peak_memory();
    eprintln!("{inputs} inputs in {seconds} s: {tally:?}\n{} errors: {codes:?}", seen.len());
    eprintln!("peak memory {} MiB, slowest {:?}: {}", peak >> 20, slowest.0, slowest.1);
    // Of every kind, and some of them to the end; a slow machine has not had many yet.
    let values = codes.get("a value").copied().unwrap_or_default();
    let worth = tally.len() == 7 && values * 30 > inputs;
    assert!(inputs < 1000 || worth, "the inputs are worth their time");
    assert!(peak < 1 << 30, "peak memory {} MiB", peak >> 20);
    drop(std::fs::remove_file(current));
}

/// A message without what is of the input.
fn shape(message: &str) -> String {
    let quoted = message.split(['`', '"']).step_by(2).collect::<String>();
    quoted.chars().filter(|character| !character.is_ascii_digit()).collect()
}

fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<usize>();
    kibibytes.expect("a number") << 10
}
