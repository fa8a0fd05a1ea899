//! A recipe: the weighted, possibly gated sum of measures that a rendered candidate computes.
//!
//! Its text form, e.g. `2*correct[valid_steps@0.3] + 0.5*agreement - 1*approximate`, stands in a comment of the rendered
//! source, so that a later round can read the recipe back from nothing but the candidate's code.

use std::{fmt, str::FromStr};

use super::term::{Role, Term};

/// What opens the comment line of the rendered source that holds the recipe.
pub(super) const MARK: &str = "// recipe: ";

/// Weights and floors are kept as integers of this many parts, so that equality is exact and text is short.
const PARTS: f64 = 100.0;

/// A number with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hundredths(pub(super) u32);

impl Hundredths {
    /// The nearest one.
    pub(super) fn new(value: f64) -> Self {
        Self((value * PARTS).round() as u32)
    }

    pub(super) fn value(self) -> f64 {
        f64::from(self.0) / PARTS
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

/// Multiplies a part by `floor + (1 - floor) * term`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gate {
    /// A merit.
    pub(super) term: Term,
    /// What is left of the part where the term is 0; below 1.
    pub(super) floor: Hundredths,
}

/// One summand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// Its size; a fault's part is subtracted.
    pub(super) weight: Hundredths,
    pub(super) term: Term,
    pub(super) gate: Option<Gate>,
}

impl Part {
    /// Whether it is taken off rather than paid.
    pub(super) fn is_penalty(&self) -> bool {
        self.term.measure.role == Role::Fault
    }

    /// Everything but the weight.
    fn kind(&self) -> String {
        match self.gate {
            Some(gate) => format!("{}[{}@{}]", self.term, gate.term, gate.floor),
            None => self.term.to_string(),
        }
    }
}

/// A sum of parts, each of another measure, in falling order of weight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recipe {
    parts: Vec<Part>,
}

impl Recipe {
    /// Puts parts in order; of parts with the same measure the heaviest stays. `None` if nothing could be paid for: no
    /// part, or penalties alone.
    pub(super) fn new(mut parts: Vec<Part>) -> Option<Self> {
        parts.retain(|part| part.weight.0 > 0);
        parts.sort_by_cached_key(|part| (std::cmp::Reverse(part.weight), part.kind()));
        let mut seen = Vec::new();
        parts.retain(|part| {
            let new = !seen.contains(&part.term.measure.id);
            seen.push(part.term.measure.id);
            new
        });
        parts
            .iter()
            .any(|part| !part.is_penalty())
            .then_some(Self { parts })
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Equal for recipes that rank completions alike because one is a multiple of the other: group-normalised advantages
    /// do not see the difference.
    pub(super) fn fingerprint(&self) -> String {
        let heaviest = self.parts[0].weight.value();
        let mut parts: Vec<String> = self
            .parts
            .iter()
            .map(|part| format!("{:.2}*{}", part.weight.value() / heaviest, part.kind()))
            .collect();
        parts.sort_unstable();
        parts.join(" + ")
    }

    /// The recipe noted in a candidate's source; `None` for sources that hold none or one this grammar cannot read.
    pub(super) fn in_source(code: &str) -> Option<Self> {
        code.lines()
            .find_map(|line| line.trim().strip_prefix(MARK))?
            .parse()
            .ok()
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            match (index, part.is_penalty()) {
                (0, false) => {}
                (0, true) => f.write_str("-")?,
                (_, false) => f.write_str(" + ")?,
                (_, true) => f.write_str(" - ")?,
            }
            write!(f, "{}*{}", part.weight, part.kind())?;
        }
        Ok(())
    }
}

impl FromStr for Recipe {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts = text
            .replace(" - ", " + ")
            .split(" + ")
            .map(|part| part.trim().trim_start_matches('-').parse())
            .collect::<Result<Vec<Part>, ()>>()?;
        Self::new(parts).ok_or(())
    }
}

impl FromStr for Part {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (weight, kind) = text.split_once('*').ok_or(())?;
        let (term, gate) = match kind.strip_suffix(']').and_then(|k| k.split_once('[')) {
            Some((term, gate)) => (term, Some(gate.parse()?)),
            None => (kind, None),
        };
        Ok(Self {
            weight: weight.parse()?,
            term: term.parse()?,
            gate,
        })
    }
}

impl FromStr for Gate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (term, floor) = text.split_once('@').ok_or(())?;
        let (term, floor): (Term, Hundredths) = (term.parse()?, floor.parse()?);
        (term.measure.role == Role::Merit && floor.value() < 1.0)
            .then_some(Self { term, floor })
            .ok_or(())
    }
}

impl FromStr for Hundredths {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let value: f64 = text.parse().map_err(drop)?;
        (0.0..=1000.0)
            .contains(&value)
            .then(|| Self::new(value))
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn text_reads_back() {
        for text in [
            "1*correct",
            "2*correct[valid_steps@0.3] + 0.5*agreement - 0.25*approximate",
            "-3*repeats(3) + 1*proximity(0.1)[format@0]",
        ] {
            assert_eq!(text.parse::<Recipe>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parts_are_ordered_and_measures_not_repeated() {
        let recipe: Recipe = "0.5*format + 2*correct + 1*format".parse().unwrap();
        assert_eq!(recipe.to_string(), "2*correct + 1*format");
    }

    #[test]
    fn other_texts_are_no_recipes() {
        for text in [
            "",
            "correct",
            "x*correct",
            "NaN*correct",
            "-1*approximate",
            "0*correct",
            "1*correct[approximate@0.3]",
            "1*correct[format@1]",
            "1*correct[format@0.3",
            "1*nonsense",
        ] {
            assert!(text.parse::<Recipe>().is_err(), "{text}");
        }
        assert_eq!(Recipe::in_source("pub fn reward() {}"), None);
    }

    #[test]
    fn multiples_share_a_fingerprint() {
        let print = |text: &str| text.parse::<Recipe>().unwrap().fingerprint();
        assert_eq!(
            print("2*correct + 1*format"),
            print("1*correct + 0.5*format")
        );
        assert_ne!(print("2*correct + 1*format"), print("1*correct + 1*format"));
        assert_ne!(print("1*correct"), print("1*correct[format@0.3]"));
    }
}
