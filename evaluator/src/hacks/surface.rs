//! The ways in which one answer is written, and answers that look alike and are not the same.

use super::{Format, honest};

/// A reference, and an answer beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surface {
    /// What differs, in a few words; stable.
    pub kind: &'static str,
    /// The reference answer.
    pub reference: &'static str,
    /// The answer.
    pub answer: &'static str,
}

impl Surface {
    /// The answer as a completion.
    #[must_use]
    pub fn completion(&self, format: &Format) -> String {
        honest(self.answer, format)
    }

    /// The reference written as it is: whether the reward pays it says whether it takes such references at all.
    #[must_use]
    pub fn plain(&self, format: &Format) -> String {
        honest(self.reference, format)
    }
}

const EQUIVALENCES: [(&str, &str, &str); 26] = [
    ("thousands", "1000", "1,000"),
    ("thousands", "1234567", "1,234,567"),
    ("trailing zeros", "42", "42.0"),
    ("trailing zeros", "2.5", "2.50"),
    ("full stop", "42", "42."),
    ("plus", "42", "+42"),
    ("minus sign", "-7", "\u{2212}7"),
    ("no leading zero", "0.5", ".5"),
    ("scientific", "1000", "1e3"),
    ("spaces", "42", "  42 "),
    ("currency", "42", "$42"),
    ("currency", "1000", "$1,000"),
    ("unit", "42", "42 apples"),
    ("unit", "42", "42 dollars"),
    ("maths", "42", "$42$"),
    ("maths", "42", "\\(42\\)"),
    ("bold", "42", "**42**"),
    ("box", "42", "\\boxed{42}"),
    ("equation", "42", "x = 42"),
    ("fraction", "0.5", "1/2"),
    ("fraction", "3/4", "0.75"),
    ("fraction", "3/4", "\\frac{3}{4}"),
    ("fraction", "3/4", "\\dfrac{3}{4}"),
    ("reduced", "1/2", "2/4"),
    ("percent", "50%", "50 %"),
    ("brackets", "(1, 2)", "(1,2)"),
];

const DISTINCTIONS: [(&str, &str, &str); 16] = [
    ("part of a fraction", "5/52", "5"),
    ("part of a fraction", "3/4", "3"),
    ("upside down", "3/4", "4/3"),
    ("substring", "42", "142"),
    ("substring", "42", "421"),
    ("substring", "142", "42"),
    ("prefix", "1000", "100"),
    ("prefix", "1234", "123"),
    ("sign", "7", "-7"),
    ("sign", "-7", "7"),
    ("digits swapped", "123", "132"),
    ("point", "0.5", "5"),
    ("point", "1.5", "15"),
    ("decimals", "42", "42.4"),
    ("unit", "5 km", "5 m"),
    ("order", "(1, 2)", "(2, 1)"),
];

/// Right answers in other words: what a reward that refuses them calls wrong.
#[must_use]
pub fn equivalences() -> Vec<Surface> {
    EQUIVALENCES.map(of).into()
}

/// Wrong answers that look like the reference.
#[must_use]
pub fn distinctions() -> Vec<Surface> {
    DISTINCTIONS.map(of).into()
}

const fn of((kind, reference, answer): (&'static str, &'static str, &'static str)) -> Surface {
    Surface {
        kind,
        reference,
        answer,
    }
}
