//! The heap of one evaluation, dropped whole.

use std::cell::OnceCell;
use std::sync::Arc;

use bumpalo::Bump;

use crate::tree::Tree;

/// Where an evaluator's values live. Nothing in it is dropped before the whole is, and what a
/// native closure or payload captured is never dropped at all: capture values of the arena and
/// small owned data.
#[derive(Default)]
pub struct Arena {
    pub(crate) bump: Bump,
    trees: OnceCell<Box<Held>>,
}

struct Held {
    tree: Arc<Tree>,
    next: OnceCell<Box<Held>>,
}

impl Arena {
    /// An empty heap.
    pub fn new() -> Arena {
        Arena::default()
    }

    /// An empty heap with room for so many bytes in one piece. What is not used of it costs nothing.
    pub fn with_room(bytes: usize) -> Arena {
        Arena { bump: Bump::with_capacity(bytes), ..Arena::default() }
    }

    /// Empties the heap, and keeps most of its memory for what comes next.
    pub fn reset(&mut self) {
        self.bump.reset();
        self.trees = OnceCell::new();
    }

    /// Bytes that values take.
    pub fn used(&self) -> usize {
        self.bump.allocated_bytes().saturating_sub(self.bump.chunk_capacity())
    }

    /// Bytes taken so far.
    pub fn allocated(&self) -> usize {
        self.bump.allocated_bytes()
    }

    /// Keeps a tree alive for as long as the values that refer to it.
    pub(crate) fn hold(&self, tree: Arc<Tree>) -> &Tree {
        let mut place = &self.trees;
        while let Some(held) = place.get() {
            place = &held.next;
        }
        &place.get_or_init(|| Box::new(Held { tree, next: OnceCell::new() })).tree
    }
}
