//! A matcher for what the `regex` crate would match otherwise: it tries alternatives and
//! repetitions in the C++ library's order, but never the same thing twice.
//!
//! What can follow a byte of the text depends on nothing but the place, so that is worked out once
//! for each place, from the end of the text to its start: time and memory grow with the text's
//! length times the expression's, never exponentially.

use super::bracket::Class;
use super::syntax::{Fault, Node, Parsed};
use super::{Groups, Limits};
use crate::diagnostic::Result;

/// An expression becomes at most so many steps, as in the C++ library.
const STEP_LIMIT: usize = 100_000;
const NONE: u32 = u32::MAX;

/// What a match must span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// The whole text.
    Whole,
    /// The leftmost part of it.
    Search,
}

/// A step; numbers are those of the steps to take next.
enum Step {
    /// A byte of a class (by its number), then what is kept in a table under `slot`.
    Byte {
        class: u32,
        slot: u32,
        next: u32,
    },
    /// The first where it leads to a match, else the second. At one place of the text, the first
    /// is taken twice at most: what it repeats may be empty.
    Repeat {
        more: u32,
        less: u32,
        counter: u32,
    },
    /// Whichever leads to the longer match; the first of equals.
    Either(u32, u32),
    /// A group's start (`2 * n`) or end (`2 * n + 1`).
    Mark(u32, u32),
    Start(u32),
    End(u32),
    Accept,
}

/// A compiled expression.
pub(super) struct Program {
    mode: Mode,
    steps: Vec<Step>,
    classes: Vec<Class>,
    /// The step after each byte step, by its slot.
    after: Vec<u32>,
    counters: u32,
    first: u32,
}

impl Program {
    pub(super) fn new(parsed: &Parsed, mode: Mode) -> std::result::Result<Program, Fault> {
        let mut program = Program {
            mode,
            steps: Vec::new(),
            classes: Vec::new(),
            after: Vec::new(),
            counters: 0,
            first: 0,
        };
        let accept = program.add(Step::Accept)?;
        program.first = program.compile(&parsed.root, accept)?;
        Ok(program)
    }

    fn add(&mut self, step: Step) -> std::result::Result<u32, Fault> {
        if self.steps.len() == STEP_LIMIT {
            return Err(Fault::new("it is too large").with_help("ask for fewer repetitions"));
        }
        self.steps.push(step);
        Ok(self.steps.len() as u32 - 1)
    }

    /// The step that an expression starts with, where `next` follows it.
    fn compile(&mut self, node: &Node, next: u32) -> std::result::Result<u32, Fault> {
        match node {
            Node::Sequence(pieces) => {
                let mut next = next;
                for piece in pieces.iter().rev() {
                    next = self.compile(piece, next)?;
                }
                Ok(next)
            }
            Node::Alternatives(all) => {
                // The first two are tried before the third, as written.
                let mut starts = Vec::with_capacity(all.len());
                for one in all {
                    starts.push(self.compile(one, next)?);
                }
                let mut starts = starts.into_iter();
                let mut either = starts.next().unwrap_or(next);
                for second in starts {
                    either = self.add(Step::Either(either, second))?;
                }
                Ok(either)
            }
            Node::Byte(class) => {
                self.classes.push((**class).clone());
                self.after.push(next);
                let (class, slot) = (self.classes.len() as u32 - 1, self.after.len() as u32 - 1);
                self.add(Step::Byte { class, slot, next })
            }
            Node::Group(number, inside) => {
                let number = *number as u32;
                let end = self.add(Step::Mark(number * 2 + 1, next))?;
                let inside = self.compile(inside, end)?;
                self.add(Step::Mark(number * 2, inside))
            }
            Node::Repeat(inside, least, most) => self.repeat(inside, *least, *most, next),
            Node::Start => self.add(Step::Start(next)),
            Node::End => self.add(Step::End(next)),
        }
    }

    fn repeat(
        &mut self,
        inside: &Node,
        least: u32,
        most: Option<u32>,
        next: u32,
    ) -> std::result::Result<u32, Fault> {
        let mut start = next;
        match most {
            None => {
                let again = self.add_repeat(NONE, next)?;
                let inside = self.compile(inside, again)?;
                if let Some(Step::Repeat { more, .. }) = self.steps.get_mut(again as usize) {
                    *more = inside;
                }
                start = again;
            }
            Some(most) => {
                for _ in least..most {
                    let inside = self.compile(inside, start)?;
                    start = self.add_repeat(inside, next)?;
                }
            }
        }
        for _ in 0..least {
            let before = self.steps.len();
            start = self.compile(inside, start)?;
            if self.steps.len() == before {
                // Nothing, any number of times.
                break;
            }
        }
        Ok(start)
    }

    fn add_repeat(&mut self, more: u32, less: u32) -> std::result::Result<u32, Fault> {
        let counter = self.counters;
        self.counters += 1;
        self.add(Step::Repeat { more, less, counter })
    }

    /// Every match in the text.
    pub(super) fn find_all(
        &self,
        text: &[u8],
        groups: usize,
        limits: Limits<'_>,
    ) -> Result<Vec<Groups>> {
        let cells = self.after.len() * (text.len() + 1);
        limits(cells * size_of::<Way>())?;
        let mut run = Run {
            program: self,
            text,
            limits,
            table: vec![Way::default(); cells],
            marks: Vec::new(),
            counters: vec![(NONE, 0); self.counters as usize],
            not_empty_from: NONE,
        };
        run.fill()?;
        let mut found = Vec::new();
        let mut start = 0;
        let mut after_empty = false;
        while start <= text.len() {
            // After an empty match, one that is not empty may start at the same place.
            run.not_empty_from = if after_empty { start as u32 } else { NONE };
            let way = run.from(self.first, start)?;
            if way.end != NONE {
                found.push(run.groups(start, way, groups));
                after_empty = way.end as usize == start;
                start = way.end as usize;
            } else {
                start += 1;
                after_empty = false;
            }
            if self.mode == Mode::Whole {
                break;
            }
        }
        Ok(found)
    }
}

/// The best way on from a step: where it ends (or nowhere), and the groups it marks.
#[derive(Clone, Copy)]
struct Way {
    end: u32,
    marks: u32,
}

impl Default for Way {
    fn default() -> Way {
        Way { end: NONE, marks: NONE }
    }
}

/// A group's start or end, and the marks that come after it.
struct Mark {
    slot: u32,
    at: u32,
    next: u32,
}

struct Run<'p> {
    program: &'p Program,
    text: &'p [u8],
    limits: Limits<'p>,
    /// For each place after a byte and each byte step: the best way on.
    table: Vec<Way>,
    marks: Vec<Mark>,
    /// For each repetition: the place where it was last begun, and how often there.
    counters: Vec<(u32, u8)>,
    not_empty_from: u32,
}

impl Run<'_> {
    fn cell(&self, slot: usize, at: usize) -> usize {
        at * self.program.after.len() + slot
    }

    fn fill(&mut self) -> Result<()> {
        let program = self.program;
        for at in (1..=self.text.len()).rev() {
            for step in &program.steps {
                let Step::Byte { class, slot, next } = step else { continue };
                if program.classes[*class as usize].has(self.text[at - 1]) {
                    let way = self.from(*next, at)?;
                    let cell = self.cell(*slot as usize, at);
                    self.table[cell] = way;
                }
            }
        }
        Ok(())
    }

    /// The best way on from a step at a place that was just reached.
    fn from(&mut self, step: u32, at: usize) -> Result<Way> {
        (self.limits)(0)?;
        self.counters.fill((NONE, 0));
        self.walk(step, at)
    }

    fn walk(&mut self, mut step: u32, at: usize) -> Result<Way> {
        let program = self.program;
        let place = at as u32;
        loop {
            match program.steps[step as usize] {
                Step::Byte { class, slot, .. } => {
                    let byte = self.text.get(at);
                    let fits = byte.is_some_and(|byte| program.classes[class as usize].has(*byte));
                    return Ok(match fits {
                        true => self.table[self.cell(slot as usize, at + 1)],
                        false => Way::default(),
                    });
                }
                Step::Start(next) if at == 0 => step = next,
                Step::End(next) if at == self.text.len() => step = next,
                Step::Start(_) | Step::End(_) => return Ok(Way::default()),
                Step::Accept => {
                    let ends = match program.mode {
                        Mode::Whole => at == self.text.len(),
                        Mode::Search => place != self.not_empty_from,
                    };
                    return Ok(Way { end: if ends { place } else { NONE }, marks: NONE });
                }
                Step::Mark(slot, next) => {
                    let way = self.deeper(next, at)?;
                    if way.end == NONE {
                        return Ok(way);
                    }
                    self.marks.push(Mark { slot, at: place, next: way.marks });
                    return Ok(Way { marks: self.marks.len() as u32 - 1, ..way });
                }
                Step::Either(first, second) => {
                    let first = self.deeper(first, at)?;
                    let second = self.deeper(second, at)?;
                    let longer =
                        second.end != NONE && (first.end == NONE || second.end > first.end);
                    return Ok(if longer { second } else { first });
                }
                Step::Repeat { more, less, counter } => {
                    let before = self.counters[counter as usize];
                    let times = if before.0 == place { before.1 } else { 0 };
                    if times < 2 {
                        self.counters[counter as usize] = (place, times + 1);
                        let way = self.deeper(more, at)?;
                        self.counters[counter as usize] = before;
                        if way.end != NONE {
                            return Ok(way);
                        }
                    }
                    step = less;
                }
            }
        }
    }

    fn deeper(&mut self, step: u32, at: usize) -> Result<Way> {
        (self.limits)(0)?;
        stacker::maybe_grow(32 << 10, 1 << 20, || self.walk(step, at))
    }

    fn groups(&self, start: usize, way: Way, groups: usize) -> Groups {
        let mut found = vec![None; groups + 1];
        let mut starts = vec![0; groups + 1];
        found[0] = Some((start, way.end as usize));
        let mut mark = way.marks;
        while let Some(Mark { slot, at, next }) = self.marks.get(mark as usize) {
            let (group, at) = (*slot as usize / 2, *at as usize);
            if slot % 2 == 0 {
                starts[group] = at;
            } else {
                found[group] = Some((starts[group], at));
            }
            mark = *next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::{compile, slice};
    use super::*;

    fn found(pattern: &str, text: &str) -> Vec<String> {
        let Ok(compiled) = compile(pattern, Mode::Search) else { return vec!["?".to_owned()] };
        let all = compiled.find_all(text, &|_| Ok(())).expect("no limit is reached");
        let all = all.iter().filter_map(|groups| groups[0]);
        all.map(|(start, end)| slice(text, start, end).to_owned()).collect()
    }

    #[test]
    fn the_longest_alternative_and_the_first_repetition() {
        assert_eq!(found("a|ab|abc", "abcd"), ["abc"]);
        assert_eq!(found("a*(ab)?", "aab"), ["aa", "", ""]);
        assert_eq!(found("(a|ab)(c|bcd)", "abcd"), ["abcd"]);
        assert_eq!(found("(|a)+", "aaa"), ["aaa", ""]);
    }

    #[test]
    fn time_grows_with_the_text_only() {
        let text = "a".repeat(2000);
        assert_eq!(found("(a*)*b", &text), [""; 0]);
        assert_eq!(found("(a|aa)+$", &text), [text.as_str()]);
    }
}
