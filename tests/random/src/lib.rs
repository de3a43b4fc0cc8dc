//! Random programs for tests.
//!
//! Everything random is drawn from [`Choices`], a list of small numbers: the same list gives the same
//! program, and a simpler list (shorter, smaller numbers) gives a simpler one. So a failing program is
//! shrunk by shrinking its list, and what comes out is always something the generator could have made.

mod choices;
mod mutate;
mod program;
mod text;

pub use choices::{Choices, shrink};
pub use mutate::{Corpus, Kind};
pub use program::{Options, Pattern, Program, Type, program};
pub use text::shrink_text;
