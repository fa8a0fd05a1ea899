//! The rules by which a given answer is found to be the gold answer.
//!
//! Each rule is a function of the two, which have been read before. [`judge`] tries them in their order.

use serde::{Deserialize, Serialize};

use crate::{
    answer::{
        compare::{Comparison, text},
        read::answer::{Answer, Given},
        value::{Kind, Value, number::Number, show::described},
    },
    conventions::USUAL_ROUNDING,
    explain::{StepOutcome, Trace},
};

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
    /// Whether `given`, a bare answer without prose around it, is this answer, and by which rule.
    pub fn matches(&self, given: &str) -> Option<Rule> {
        self.matches_within(given, USUAL_ROUNDING)
    }

    /// As [`Answer::matches`], with another relative tolerance for gold answers that are not whole
    /// numbers; zero asks for equality.
    pub fn matches_within(&self, given: &str, tolerance: f64) -> Option<Rule> {
        judge(self, &Given::new(given), tolerance, &mut Trace::off())
    }

    /// [`Answer::matches_within`], noting what it does.
    pub(crate) fn judge(&self, given: &str, tolerance: f64, trace: &mut Trace) -> Option<Rule> {
        judge(self, &Given::new(given), tolerance, trace)
    }
}

/// The first rule that finds the two to be the same answer.
fn judge(gold: &Answer, given: &Given<'_>, tolerance: f64, trace: &mut Trace) -> Option<Rule> {
    trace.note("reference", || {
        understood(gold.number.as_ref(), &gold.readings)
    });
    trace.note("answer", || understood(given.number(), given.readings()));
    if same_text(gold, given, trace) {
        return Some(Rule::SameText);
    }
    if let Some(same) = same_time(gold, given, trace) {
        return same.then_some(Rule::SameNumber);
    }
    if same_choice(gold, given, tolerance, trace) {
        return Some(Rule::SameChoice);
    }
    match same_number(gold, given, trace) {
        Some(same) => same.then_some(Rule::SameNumber),
        None => same_structure(gold, given, tolerance, trace),
    }
}

fn same_text(gold: &Answer, given: &Given<'_>, trace: &mut Trace) -> bool {
    let same = text::same(&gold.text, given.text);
    trace.step("rule: same text", same, || {
        "formulae letter by letter, words without case, punctuation and articles".to_owned()
    });
    same
}

/// Whether both are the same time of day; `None` where one of them may be something else.
fn same_time(gold: &Answer, given: &Given<'_>, trace: &mut Trace) -> Option<bool> {
    let same = gold.time.is(&given.time)?;
    trace.step("rule: same time of day", same, || {
        "hours and minutes, which are no ratio".to_owned()
    });
    Some(same)
}

/// Whether the given answer names the choice that the gold answer is, or says what it says. Where both name several
/// choices, nothing else counts.
fn same_choice(gold: &Answer, given: &Given<'_>, tolerance: f64, trace: &mut Trace) -> bool {
    let what = "rule: same choice";
    if let (Some(mine), Some(theirs)) = (&gold.choices, &given.choices)
        && let Some(same) = mine.are(theirs)
    {
        trace.step(what, same, || "several choices".to_owned());
        return same;
    }
    // `B. 24 apples` for 24.
    if gold.choice.is_none()
        && gold.choices.is_none()
        && let Some(theirs) = &given.choice
        && !theirs.content.is_empty()
    {
        let same = content_is(gold, theirs.content, tolerance);
        trace.step(what, same, || {
            format!("what the choice {} says", theirs.letter)
        });
        return same;
    }
    let Some(mine) = &gold.choice else {
        trace.step(what, StepOutcome::NotApplicable, || {
            "the reference is no choice among several".to_owned()
        });
        return false;
    };
    let same = match (&given.choice, &mine.content) {
        (Some(theirs), Some(content)) if !theirs.content.is_empty() => {
            mine.letter == theirs.letter
                && content.matches_within(theirs.content, tolerance).is_some()
        }
        (Some(theirs), _) => mine.letter == theirs.letter,
        (None, Some(content)) => judge(content, given, tolerance, &mut Trace::off()).is_some(),
        (None, None) => false,
    };
    trace.step(what, same, || {
        format!("the reference is choice {}", mine.letter)
    });
    same
}

/// Whether the text of a choice is a number and the gold answer the same one.
fn content_is(gold: &Answer, content: &str, tolerance: f64) -> bool {
    gold.number.is_some() && gold.matches_within(content, tolerance).is_some()
}

/// Whether both are the same number; `None` where that is not for plain numbers to decide.
fn same_number(gold: &Answer, given: &Given<'_>, trace: &mut Trace) -> Option<bool> {
    let (Some(gold), Some(number)) = (&gold.number, given.number()) else {
        trace.step("rule: same number", StepOutcome::NotApplicable, || {
            "not both sides are a number and nothing else".to_owned()
        });
        return None;
    };
    let agree = gold.agrees(number);
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

fn same_structure(
    gold: &Answer,
    given: &Given<'_>,
    tolerance: f64,
    trace: &mut Trace,
) -> Option<Rule> {
    let readings = given.readings();
    let mut comparison = Comparison::within(tolerance, trace);
    let same = gold.readings.iter().find(|gold| {
        let mut given = readings.iter();
        given.any(|given| comparison.same(gold, given))
    });
    let rule = same.map(|gold| match comparison.approximated {
        true => Rule::WithinTolerance,
        false => rule(gold),
    });
    comparison.note_budget();
    rule
}

/// The rule that equality of such a value goes by.
fn rule(value: &Value) -> Rule {
    match value {
        Value::Scalar(_) => Rule::SameExpression,
        Value::Labelled(_, inner) | Value::Under(inner, _) => rule(inner),
        Value::Interval(..) | Value::Collection(Kind::Union, _) => Rule::SameInterval,
        Value::Collection(..) | Value::Matrix(_) => Rule::SameParts,
        Value::Relation(..) => Rule::SameRelation,
    }
}

/// What a text was understood as, in all its readings.
fn understood(number: Option<&Number>, readings: &[Value]) -> String {
    let mut all: Vec<String> = number.iter().map(ToString::to_string).collect();
    let structures = readings
        .iter()
        .filter(|reading| number.is_none() || !matches!(reading, Value::Scalar(_)));
    all.extend(structures.map(|reading| format!("{}: {reading}", described(reading))));
    if all.is_empty() {
        return "text that is no mathematics".to_owned();
    }
    all.join(", or ")
}
