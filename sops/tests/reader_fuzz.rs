//! Reading and opening whatever comes: no input panics, hangs, or grows beyond its size.
//!
//! Seconds of new inputs: `CAIRN_FUZZ_SECONDS` (a few by default); where they start:
//! `CAIRN_FUZZ_SEED`. Inputs that once did harm, and others worth keeping, are in `tests/seeds` and
//! are run every time.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn_sops::{CreationRules, File, Format, Identities, Plain};

const FORMATS: [Format; 5] =
    [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

/// What one input may take.
const SLOW: Duration = Duration::from_secs(5);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

fn identities() -> Identities {
    let mut identities = Identities::new();
    let text = std::fs::read_to_string(folder("vectors/keys/age.txt")).expect("a file");
    identities.add_age(&text, "age.txt").expect("a key");
    identities
}

/// Everything that happens to a file from outside. What can be read must be written and read again.
fn run(input: &[u8], identities: &Identities) {
    let started = Instant::now();
    let _ = CreationRules::parse(input);
    for format in FORMATS {
        if let Ok(plain) = Plain::parse(input, format)
            && let Ok(written) = plain.whole()
        {
            let shown = String::from_utf8_lossy(written.expose());
            let again = Plain::parse(written.expose(), format);
            let again = again.unwrap_or_else(|error| panic!("{format}: {error}: {shown}"));
            assert!(again.values().eq(plain.values()), "{format}: not read back: {shown}");
        }
        let Ok(file) = File::parse(input, format) else { continue };
        let _ = file.leaves();
        if let Ok(key) = file.unlock(identities) {
            let _ = file.decrypt(&key);
        }
    }
    assert!(started.elapsed() < SLOW, "it takes {:?}", started.elapsed());
}

#[test]
fn kept_inputs_do_no_harm() {
    let identities = identities();
    let mut inputs = files(&folder("seeds"));
    assert!(!inputs.is_empty(), "there are inputs");
    inputs.extend(files(&folder("vectors/files")));
    inputs.extend(files(&folder("vectors")));
    for input in inputs {
        run(&input, &identities);
    }
}

/// Numbers that look random: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).expect("small")).expect("small")
    }
}

/// What files are made of.
const PIECES: [&str; 42] = [
    "\n",
    " ",
    "    ",
    "\t",
    "-",
    "- ",
    ":",
    ": ",
    "?",
    "? ",
    "#",
    " #",
    "\"",
    "'",
    "|",
    "|2",
    "|+",
    ">-",
    "&a ",
    "*a",
    "!!binary ",
    "!x ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "---\n",
    "...\n",
    "~",
    "\\n",
    "\\",
    "=",
    ";",
    "\"\"\"",
    "`",
    "sops",
    "ENC[AES256_GCM,data:",
    ",iv:",
    "__list_0__map_",
    "\r\n",
    "\u{feff}",
];

fn mutated(numbers: &mut Numbers, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[numbers.below(corpus.len())].clone();
    input.truncate(6000);
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(input.len() + 1);
        match numbers.below(6) {
            0 => input.truncate(at),
            1 => {
                let end = (at + numbers.below(20)).min(input.len());
                input.drain(at..end);
            }
            2 if at < input.len() => input[at] = u8::try_from(numbers.below(256)).expect("small"),
            3 => {
                let other = &corpus[numbers.below(corpus.len())];
                let from = numbers.below(other.len() + 1);
                let to = (from + numbers.below(200)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            4 => {
                let end = (at + numbers.below(60)).min(input.len());
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                input.splice(at..at, piece.bytes());
            }
        }
    }
    input
}

#[test]
fn new_inputs_do_no_harm() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("CAIRN_FUZZ_SECONDS").unwrap_or(4);
    let first = number("CAIRN_FUZZ_SEED").unwrap_or(1);
    let identities = identities();
    let mut corpus = files(&folder("seeds"));
    corpus.extend(files(&folder("vectors/files")));
    corpus.extend(files(&folder("vectors")));
    corpus.push(b"a: b\nc:\n  - d # e\n  - {f: [g, h]}\n".to_vec());
    let current = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-sops-{first}.bin"));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ first);
    let started = Instant::now();
    let mut count = 0_u64;
    while started.elapsed() < Duration::from_secs(seconds) {
        let input = mutated(&mut numbers, &corpus);
        // What a panic leaves behind.
        std::fs::write(&current, &input).expect("written");
        run(&input, &identities);
        count += 1;
    }
    eprintln!("{count} inputs in {seconds} s");
    drop(std::fs::remove_file(current));
}
