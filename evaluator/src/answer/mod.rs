//! Gold answers, and whether a given answer is the same.
//!
//! A text becomes an answer in four steps, each its own module: [`parse::clean`] makes one spelling of many,
//! [`parse::token`] cuts it into tokens, [`read`] finds the structure (lists, intervals, relations, with
//! [`parse`] for the expressions in it), and [`compare`] decides whether two structures are the same
//! answer, with [`evaluate`] for expressions. Plain numbers take a short cut through [`value::number`].
//!
//! No step looks at a clock. What bounds the work is the length of the text, the depth to which it may
//! nest, and the size to which exact numbers may grow, so verdicts are the same on every machine and
//! under every load.

mod compare;
mod evaluate;
mod parse;
mod read;
mod reference;
mod value;

use num_rational::BigRational;
use num_traits::One;

use value::{
    number::{self, Number},
    unit,
};

pub(crate) use parse::scripts::with_plain_digits;

pub use compare::rules::Rule;
pub use read::answer::Answer;
pub use reference::final_answer;

/// Whether a text is one number with nothing but its unit behind it.
pub(crate) fn is_quantity(text: &str) -> bool {
    Number::parse(text).is_some()
}

/// Whether words behind a number multiply it, as `million` does.
pub(crate) fn is_multiple(words: &str) -> bool {
    let (size, rest) = number::enlarged(BigRational::one(), words);
    !size.is_one() && rest.trim().is_empty()
}

/// Whether words behind a number are a unit that is known, or multiply it.
pub(crate) fn is_measure(words: &str) -> bool {
    is_multiple(words) || unit::named(words).is_some()
}

/// Whether a text is a choice with its text behind it: `B. 24 apples`.
pub(crate) fn is_marked_choice(text: &str) -> bool {
    read::choice::choice(text).is_some_and(|choice| !choice.content.is_empty())
}
