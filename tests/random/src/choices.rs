//! Where random decisions come from: a seed, or a list of decisions made before.

/// A source of decisions, which it writes down.
pub struct Choices {
    state: Option<u64>,
    made: Vec<u32>,
    at: usize,
    limit: usize,
    spans: Vec<(usize, usize)>,
}

impl Choices {
    /// New decisions, the same for the same seed. After `limit` of them only the simplest follow.
    pub fn from_seed(seed: u64, limit: usize) -> Choices {
        Choices { state: Some(seed), made: Vec::new(), at: 0, limit, spans: Vec::new() }
    }

    /// Decisions made before. After the last one only the simplest follow.
    pub fn replay(made: Vec<u32>) -> Choices {
        Choices { state: None, limit: made.len(), made, at: 0, spans: Vec::new() }
    }

    /// A number below `count` (0 where there is none); 0 is the simplest.
    pub fn below(&mut self, count: usize) -> usize {
        if count <= 1 {
            return 0;
        }
        let choice = if self.at >= self.limit {
            return 0;
        } else if let Some(state) = &mut self.state {
            let choice = (next(state) % count as u64) as u32;
            self.made.push(choice);
            choice
        } else {
            self.made.get(self.at).copied().unwrap_or(0)
        };
        self.at += 1;
        choice as usize % count
    }

    /// True in so many of a hundred cases; false is the simpler.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of these; the first is the simplest.
    ///
    /// # Panics
    /// Where there is none.
    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    /// Where decisions that belong together begin: see [`Choices::end`].
    #[must_use]
    pub fn begin(&self) -> usize {
        self.at
    }

    /// Marks the decisions since `begin` as belonging together: shrinking removes them at once.
    pub fn end(&mut self, begin: usize) {
        if self.at > begin {
            self.spans.push((begin, self.at));
        }
    }

    /// Whether only the simplest decisions are left.
    pub fn exhausted(&self) -> bool {
        self.at >= self.limit
    }

    /// The decisions made so far.
    pub fn made(&self) -> &[u32] {
        &self.made[..self.at]
    }
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A simpler list of decisions whose thing still fails, found with at most `tries` questions.
///
/// `make` builds the thing, `fails` says whether it still does.
pub fn shrink<T>(
    made: &[u32],
    mut tries: usize,
    make: impl Fn(&mut Choices) -> T,
    fails: impl Fn(&T) -> bool,
) -> Vec<u32> {
    let mut best = made.to_vec();
    let mut ask = |candidate: Vec<u32>, best: &mut Vec<u32>| -> bool {
        if tries == 0 || !simpler(&candidate, best) {
            return false;
        }
        tries -= 1;
        let mut choices = Choices::replay(candidate);
        let thing = make(&mut choices);
        if !fails(&thing) {
            return false;
        }
        // What was not used is not part of it.
        *best = choices.made().to_vec();
        true
    };
    loop {
        let before = best.clone();
        let spans = |best: &[u32]| {
            let mut choices = Choices::replay(best.to_vec());
            make(&mut choices);
            let mut spans = choices.spans;
            spans.sort_by_key(|(start, end)| std::cmp::Reverse(end - start));
            spans
        };
        // A thing gives way to the simplest one of its kind, or to one of its parts.
        let mut index = 0;
        let mut known = spans(&best);
        while let Some(&(start, end)) = known.get(index) {
            let mut done = ask(replaced(&best, start, end, &[]), &mut best)
                || ask(replaced(&best, start, end, &[0]), &mut best);
            if !done {
                let inside = known.iter().filter(|part| {
                    part.0 >= start && part.1 <= end && (part.1 - part.0) < (end - start)
                });
                for part in inside.take(12) {
                    let kept = best[part.0..part.1].to_vec();
                    if ask(replaced(&best, start, end, &kept), &mut best) {
                        done = true;
                        break;
                    }
                }
            }
            if done {
                known = spans(&best);
            } else {
                index += 1;
            }
        }
        for size in [8, 4, 2, 1] {
            let mut start = best.len();
            while start > 0 {
                start = start.min(best.len()).saturating_sub(1);
                let end = (start + size).min(best.len());
                ask(replaced(&best, start, end, &[]), &mut best);
            }
        }
        for index in 0..best.len() {
            for smaller in [0, 1, 2] {
                if best.get(index).is_some_and(|&choice| smaller < choice)
                    && ask(replaced(&best, index, index + 1, &[smaller]), &mut best)
                {
                    break;
                }
            }
        }
        if best == before {
            return best;
        }
    }
}

fn simpler(candidate: &[u32], than: &[u32]) -> bool {
    (candidate.len(), candidate) < (than.len(), than)
}

fn replaced(all: &[u32], start: usize, end: usize, by: &[u32]) -> Vec<u32> {
    let mut list = all[..start.min(all.len())].to_vec();
    list.extend_from_slice(by);
    list.extend_from_slice(&all[end.min(all.len())..]);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(choices: &mut Choices) -> Vec<usize> {
        let mut numbers = Vec::new();
        while choices.chance(90) {
            let begin = choices.begin();
            numbers.push(choices.below(1000));
            choices.end(begin);
        }
        numbers
    }

    #[test]
    fn the_same_decisions_give_the_same_thing() {
        for seed in 0..50 {
            let mut choices = Choices::from_seed(seed, 1000);
            let first = numbers(&mut choices);
            assert_eq!(numbers(&mut Choices::replay(choices.made().to_vec())), first);
        }
    }

    #[test]
    fn shrinks_to_what_matters() {
        let mut choices = Choices::from_seed(3, 1000);
        while !numbers(&mut choices).iter().any(|number| *number > 500) {}
        let fails = |numbers: &Vec<usize>| numbers.iter().any(|number| *number > 500);
        let made = shrink(choices.made(), 10_000, numbers, fails);
        let small = numbers(&mut Choices::replay(made));
        assert_eq!(small.len(), 1);
    }
}
