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
mod value;

use num_rational::BigRational;
use num_traits::One;
use serde::{Deserialize, Serialize};

use compare::{Comparison, text};
use read::{choice, clock, gold_readings, readings, without_aside};
use value::{
    Kind, Value,
    number::{self, Number},
    unit,
};

use crate::explain::{StepOutcome, Trace};

/// The default relative tolerance where the gold answer is not a whole number.
pub(crate) const DEFAULT_TOLERANCE: f64 = 0.01;

/// A gold answer, parsed once so that many completions can be verified against it cheaply.
///
/// Serialises as its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Answer {
    text: String,
    number: Option<Number>,
    choice: Option<GoldChoice>,
    readings: Vec<Value>,
}

/// A choice among several: its letter, and what stands behind it.
#[derive(Debug, Clone, PartialEq)]
struct GoldChoice {
    letter: char,
    content: Option<Box<Answer>>,
}

/// The rule by which an answer was found to be the gold answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The same text up to case, punctuation and white space.
    SameText,
    /// The same choice of several, by its letter or by what it says.
    SameChoice,
    /// The same number.
    SameNumber,
    /// Expressions of equal value.
    SameExpression,
    /// The same parts, in the same order where order counts.
    SameParts,
    /// The same interval or union of intervals.
    SameInterval,
    /// The same equation or inequality.
    SameRelation,
    /// Equal within the tolerance, where the gold answer is not a whole number.
    WithinTolerance,
}

impl Answer {
    /// Parses a gold answer. Every text is a valid answer; one that is no mathematics is compared as
    /// text.
    pub fn new(text: &str) -> Self {
        let text = text.trim().to_owned();
        Self {
            number: Number::parse(without_aside(&text)),
            choice: GoldChoice::read(&text),
            readings: gold_readings(without_aside(&text)),
            text,
        }
    }

    /// The answer as it was written, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `given`, a bare answer without prose around it, is this answer, and by which rule.
    pub fn matches(&self, given: &str) -> Option<Rule> {
        self.matches_within(given, DEFAULT_TOLERANCE)
    }

    /// As [`Answer::matches`], with another relative tolerance for gold answers that are not whole
    /// numbers; zero asks for equality.
    pub fn matches_within(&self, given: &str, tolerance: f64) -> Option<Rule> {
        self.judge(given, tolerance, &mut Trace::off())
    }

    /// [`Answer::matches_within`], noting what it does.
    pub(crate) fn judge(&self, given: &str, tolerance: f64, trace: &mut Trace) -> Option<Rule> {
        trace.note("reference", || understood(&self.number, &self.readings));
        trace.note("answer", || {
            understood(&Number::parse(given), &readings(given))
        });
        let same_text = text::same(&self.text, given);
        trace.step("rule: same text", same_text, || {
            "formulae letter by letter, words without case, punctuation and articles".to_owned()
        });
        if same_text {
            return Some(Rule::SameText);
        }
        if let Some(same_time) = clock::same(&self.text, given) {
            trace.step("rule: same time of day", same_time, || {
                "hours and minutes, which are no ratio".to_owned()
            });
            return same_time.then_some(Rule::SameNumber);
        }
        if let Some(rule) = self.same_choice(given, tolerance, trace) {
            return Some(rule);
        }
        match self.same_number(given, trace) {
            Some(true) => Some(Rule::SameNumber),
            Some(false) => None,
            None => self.same_structure(given, tolerance, trace),
        }
    }

    /// Whether the given answer names the choice that the gold answer is, or says what it says.
    fn same_choice(&self, given: &str, tolerance: f64, trace: &mut Trace) -> Option<Rule> {
        let what = "rule: same choice";
        if let (Some((mine, is_apart)), Some((theirs, are_apart))) =
            (choice::choices(&self.text), choice::choices(given))
            && (is_apart || are_apart)
        {
            trace.step(what, mine == theirs, || "several choices".to_owned());
            return (mine == theirs).then_some(Rule::SameChoice);
        }
        let Some(mine) = &self.choice else {
            trace.step(what, StepOutcome::NotApplicable, || {
                "the reference is no choice among several".to_owned()
            });
            return None;
        };
        let same = match (choice::choice(given), &mine.content) {
            (Some(theirs), Some(content)) if !theirs.content.is_empty() => {
                mine.letter == theirs.letter
                    && content.matches_within(theirs.content, tolerance).is_some()
            }
            (Some(theirs), _) => mine.letter == theirs.letter,
            (None, Some(content)) => content.matches_within(given, tolerance).is_some(),
            (None, None) => false,
        };
        trace.step(what, same, || {
            format!("the reference is choice {}", mine.letter)
        });
        same.then_some(Rule::SameChoice)
    }

    /// Whether both are the same number; `None` where that is not for plain numbers to decide.
    fn same_number(&self, given: &str, trace: &mut Trace) -> Option<bool> {
        let (Some(gold), Some(number)) = (&self.number, Number::parse(given)) else {
            trace.step("rule: same number", StepOutcome::NotApplicable, || {
                "not both sides are a number and nothing else".to_owned()
            });
            return None;
        };
        let agree = gold.agrees(&number);
        trace.step("rule: same number", agree, || format!("{gold}; {number}"));
        // Nothing but a conversion of units or a tolerance could still make them equal.
        let settled = gold.is_plain() && number.is_plain() && gold.value.is_integer();
        if settled && !agree {
            trace.note("whole number", || {
                "the reference is a whole number: nothing but that number is right".to_owned()
            });
        }
        (agree || settled).then_some(agree)
    }

    fn same_structure(&self, given: &str, tolerance: f64, trace: &mut Trace) -> Option<Rule> {
        let given = readings(given);
        let mut comparison = Comparison::within(tolerance, trace);
        for gold in &self.readings {
            if given.iter().any(|given| comparison.same(gold, given)) {
                let rule = if comparison.approximated {
                    Rule::WithinTolerance
                } else {
                    rule(gold)
                };
                comparison.note_budget();
                return Some(rule);
            }
        }
        comparison.note_budget();
        None
    }

    /// Whether it is a number and nothing else: no unit, no percent sign, no expression.
    pub fn is_plain_number(&self) -> bool {
        self.number.as_ref().is_some_and(Number::is_plain)
    }
}

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

impl GoldChoice {
    fn read(text: &str) -> Option<Self> {
        let choice = choice::choice(text)?;
        let content = (!choice.content.is_empty()).then(|| Box::new(Answer::new(choice.content)));
        Some(Self {
            letter: choice.letter,
            content,
        })
    }
}

/// What a text was understood as, in all its readings.
fn understood(number: &Option<Number>, readings: &[Value]) -> String {
    let mut all: Vec<String> = number.iter().map(Number::to_string).collect();
    let structures = readings
        .iter()
        .filter(|reading| number.is_none() || !matches!(reading, Value::Scalar(_)));
    all.extend(structures.map(|reading| format!("{}: {reading}", described(reading))));
    if all.is_empty() {
        return "text that is no mathematics".to_owned();
    }
    all.join(", or ")
}

impl Answer {
    /// What the text was understood as, in a few words for people.
    pub fn understood_as(&self) -> String {
        match (&self.number, self.readings.first()) {
            (Some(number), _) => number.to_string(),
            (None, Some(value)) => described(value),
            (None, None) => "text".to_owned(),
        }
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) if scalar.expr.is_constant() => "a constant".to_owned(),
        Value::Scalar(scalar) => format!("an expression in {}", scalar.expr.symbols().join(", ")),
        Value::Labelled(label, inner) => format!("{}: {}", label.name, described(inner)),
        Value::Interval(..) => "an interval".to_owned(),
        Value::Relation(..) => "a relation".to_owned(),
        Value::Matrix(rows) => format!("a matrix of {} rows", rows.len()),
        Value::Collection(kind, items) => {
            let name = match kind {
                Kind::List => "a list",
                Kind::Set => "a set",
                Kind::Union => "a union",
                Kind::Tuple => "a tuple",
                Kind::Bracket => "a pair of brackets",
            };
            format!("{name} of {}", items.len())
        }
    }
}

/// The rule that equality of such a value goes by.
fn rule(value: &Value) -> Rule {
    match value {
        Value::Scalar(_) => Rule::SameExpression,
        Value::Labelled(_, inner) => rule(inner),
        Value::Interval(..) | Value::Collection(Kind::Union, _) => Rule::SameInterval,
        Value::Collection(..) | Value::Matrix(_) => Rule::SameParts,
        Value::Relation(..) => Rule::SameRelation,
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Answer> for String {
    fn from(answer: Answer) -> Self {
        answer.text
    }
}
