//! Interned names. One table serves the whole process, so that trees lowered once can be shared
//! between threads and compared by number; names are few and live as long as the process. So do
//! the texts of string literals, so that evaluating one makes nothing.

use std::fmt;
use std::sync::{OnceLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;

/// An interned name. Comparison is by number and means nothing to people: sort by
/// [`Symbol::as_str`] whatever is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

/// The symbol of a name that the program itself knows, looked up once.
macro_rules! symbol {
    ($text:literal) => {{
        static SYMBOL: std::sync::LazyLock<$crate::symbol::Symbol> =
            std::sync::LazyLock::new(|| $crate::symbol::Symbol::new($text));
        *SYMBOL
    }};
}

pub(crate) use symbol;

/// The first name of all, and so the first of each set of options: a set without it is a part of
/// the set with it.
const FIRST: &str = "_module";

/// The table's first chunk holds this many names, each following one twice as many.
const FIRST_CHUNK: u32 = 1024;
const CHUNKS: usize = 22;

type Chunk = Box<[OnceLock<&'static str>]>;

/// Text by number, readable without a lock: chunks never move once they exist.
static TEXTS: [OnceLock<Chunk>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];
static NUMBERS: RwLock<Option<FxHashMap<&'static str, u32>>> = RwLock::new(None);

fn place(number: u32) -> (usize, usize) {
    let chunk = (number / FIRST_CHUNK + 1).ilog2();
    let start = FIRST_CHUNK * ((1 << chunk) - 1);
    (chunk as usize, (number - start) as usize)
}

/// Gives a text the next number.
fn add(numbers: &mut FxHashMap<&'static str, u32>, text: &str) -> u32 {
    let number = numbers.len() as u32;
    let text: &'static str = Box::leak(text.into());
    let (chunk, index) = place(number);
    let len = (FIRST_CHUNK as usize) << chunk;
    let chunk = TEXTS[chunk].get_or_init(|| vec![OnceLock::new(); len].into_boxed_slice());
    // The lock is held for writing, so this number is ours: the cell is empty.
    let _ = chunk[index].set(text);
    numbers.insert(text, number);
    number
}

impl Symbol {
    /// The symbol of this text.
    pub fn new(text: &str) -> Symbol {
        if let Some(numbers) = &*NUMBERS.read().unwrap_or_else(PoisonError::into_inner)
            && let Some(&number) = numbers.get(text)
        {
            return Symbol(number);
        }
        let mut guard = NUMBERS.write().unwrap_or_else(PoisonError::into_inner);
        let numbers = guard.get_or_insert_default();
        if numbers.is_empty() {
            add(numbers, FIRST);
        }
        Symbol(numbers.get(text).copied().unwrap_or_else(|| add(numbers, text)))
    }

    /// The symbol of this text if any file or program has used it yet.
    pub fn existing(text: &str) -> Option<Symbol> {
        let guard = NUMBERS.read().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref()?.get(text).copied().map(Symbol)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        self.text()
    }

    /// The text where the table has it: what a string value of this text refers to.
    pub(crate) fn text(self) -> &'static &'static str {
        let (chunk, index) = place(self.0);
        TEXTS[chunk].get().and_then(|chunk| chunk[index].get()).unwrap_or(&"")
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Symbol {
        Symbol::new(text)
    }
}

/// Whether `text` can stand as an attribute name without quotes.
pub fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'\''))
        && !KEYWORDS.contains(&text)
}

const KEYWORDS: [&str; 9] = ["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_symbols_keep_their_text() {
        let symbols: Vec<_> = (0..5000).map(|n| Symbol::new(&format!("many{n}"))).collect();
        for (n, symbol) in symbols.iter().enumerate() {
            assert_eq!(symbol.as_str(), format!("many{n}"));
            assert_eq!(Symbol::new(symbol.as_str()), *symbol);
        }
        assert_eq!(Symbol::existing("never interned by anybody"), None);
    }
}
