//! Conventions on which the users of a notation differ: the base of a logarithm, how far rounding may go, decimal
//! commas. One of each is usual here; a configuration chooses another for the data that has it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a logarithm without a base is to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logarithm {
    /// Ten: `\log 100` is 2.
    #[default]
    Ten,
    /// Euler's number: `\log 3` is `\ln 3`.
    Natural,
}

/// What a comma between digits is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comma {
    /// What separates thousands or the parts of a list: `48,16` are two numbers.
    #[default]
    Separator,
    /// The decimal point of other countries: `48,16` is 48.16, and `1.234,5` is 1234.5.
    Decimal,
}

/// How a notation is read where usage differs, for references and answers alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conventions {
    /// What `\log` without a base is to.
    pub log: Logarithm,
    /// What a comma between digits is.
    pub comma: Comma,
    /// How far a rounded decimal may be from a reference that is no whole number, as a share of the reference; zero asks
    /// for equality.
    pub rounding: f64,
}

/// The share of a reference that rounding may take.
pub(crate) const USUAL_ROUNDING: f64 = 0.01;

/// A larger share would pay for other answers.
const LARGEST_ROUNDING: f64 = 0.05;

impl Default for Conventions {
    fn default() -> Self {
        Self {
            log: Logarithm::default(),
            comma: Comma::default(),
            rounding: USUAL_ROUNDING,
        }
    }
}

impl Conventions {
    /// Whether texts are read as they are usually.
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot work, if anything.
    ///
    /// # Errors
    /// A share of rounding that is no number between 0 and .05.
    pub fn check(&self) -> Result<(), String> {
        if (0.0..=LARGEST_ROUNDING).contains(&self.rounding) {
            return Ok(());
        }
        Err(format!(
            "conventions.rounding is {}: it must be between 0, which asks for equality, and {LARGEST_ROUNDING}",
            self.rounding
        ))
    }

    /// The text as it would be written by the usual conventions.
    pub(crate) fn usually_written<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if self.log == Logarithm::Natural && text.contains("log") {
            text = Cow::Owned(with_natural_logarithms(&text));
        }
        if self.comma == Comma::Decimal && text.contains(',') {
            text = Cow::Owned(with_decimal_points(&text));
        }
        text
    }
}

/// `\ln` for every `\log` without a base.
fn with_natural_logarithms(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("log") {
        plain.push_str(before);
        let is_of_word = plain.ends_with(|c: char| c.is_ascii_alphabetic())
            || behind.starts_with(|c: char| c.is_ascii_alphabetic());
        let has_base = behind.trim_start().starts_with('_');
        plain.push_str(if is_of_word || has_base { "log" } else { "ln" });
        rest = behind;
    }
    plain + rest
}

/// A decimal point for the only comma among digits, and no points between its thousands.
fn with_decimal_points(text: &str) -> String {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.');
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|c| !is_of_number(c)).unwrap_or(number.len());
        let (run, behind) = number.split_at(end);
        let digits = run.trim_end_matches([',', '.']);
        plain.push_str(before);
        if digits.matches(',').count() == 1 {
            plain.push_str(&digits.replace('.', "").replace(',', "."));
        } else {
            plain.push_str(digits);
        }
        plain.push_str(&run[digits.len()..]);
        rest = behind;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_usual() {
        let decimal = Conventions {
            comma: Comma::Decimal,
            ..Conventions::default()
        };
        for (text, expected) in [
            ("48,16", "48.16"),
            ("1.234,5 m", "1234.5 m"),
            ("0,5; 0,25", "0.5; 0.25"),
            ("es sind 2,5.", "es sind 2.5."),
            ("1,2,3", "1,2,3"),
            ("3.14", "3.14"),
        ] {
            assert_eq!(decimal.usually_written(text), expected, "{text}");
        }
        let natural = Conventions {
            log: Logarithm::Natural,
            ..Conventions::default()
        };
        for (text, expected) in [
            (r"\log 3", r"\ln 3"),
            (r"\log_2 3", r"\log_2 3"),
            ("2log(x)", "2ln(x)"),
            ("dialog", "dialog"),
        ] {
            assert_eq!(natural.usually_written(text), expected, "{text}");
        }
    }
}
