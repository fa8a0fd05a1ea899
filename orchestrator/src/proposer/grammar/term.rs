//! The measures a recipe is made of: what each looks at, and how it is written in Rust.
//!
//! One table row a measure; nothing else in the grammar knows any of them by name. The table holds what a practitioner
//! would try for step-by-step mathematics, sound ideas and tempting ones alike: which of them help is for the search to
//! find out.

use std::{fmt, str::FromStr};

/// What part of a completion a measure looks at. Fresh recipes are led by each family in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// The final answer.
    Answer,
    /// Tags and layout.
    Form,
    /// The arithmetic on the way.
    Working,
    /// Length, repetition, wording.
    Style,
}

impl Family {
    pub(super) const ALL: [Self; 4] = [Self::Answer, Self::Form, Self::Working, Self::Style];
}

/// How a measure may stand in a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// In `0..=1`, more is better: may be paid for, and may gate another measure.
    Merit,
    /// Has negative values: may be paid for but not gate.
    Signed,
    /// In `0..=1`, more is worse: stands with a negative weight and gates nothing.
    Fault,
}

/// Text that a measure's expression refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// `text`: the completion.
    Text,
    /// `working`: what stands in `<thinking>`, or the whole completion; implies `text`.
    Working,
    /// `fn compare`: a function of the extracted and the true number.
    Compare,
    /// `fn chain`.
    Chain,
    /// `fn length_ratio`.
    LengthRatio,
}

/// A measure, apart from its setting.
#[derive(Debug)]
pub(super) struct Measure {
    /// Its name in recipes and the name of its variable in rendered source.
    pub(super) id: &'static str,
    /// Its name in a candidate's name.
    pub(super) short: &'static str,
    pub(super) family: Family,
    pub(super) role: Role,
    /// How often it is tried before anything is known, against the others of its family.
    pub(super) prior: f64,
    /// Values its setting can take, in order; empty if it has none.
    pub(super) settings: &'static [f64],
    /// Completes "Pays for …" or "Takes off for …"; `{}` is the setting.
    pub(super) summary: &'static str,
    /// A Rust expression of type `f64`; `{}` is the setting as `f64`, `{n}` as an integer.
    pub(super) expression: &'static str,
    pub(super) needs: &'static [Need],
}

/// Every measure of the grammar.
pub(super) static MEASURES: &[Measure] = &[
    Measure {
        id: "correct",
        short: "correct",
        family: Family::Answer,
        role: Role::Merit,
        // Everyone's first idea.
        prior: 3.0,
        settings: &[],
        summary: "a right final answer",
        expression: "f64::from(sample.correct())",
        needs: &[],
    },
    Measure {
        id: "graded",
        short: "graded",
        family: Family::Answer,
        role: Role::Signed,
        prior: 1.0,
        settings: &[],
        summary: "a right final answer, with partial credit within 10 % and 20 % and a penalty beyond",
        expression: "if sample.correct() {
        1.0
    } else {
        compare(sample, |guess, truth| match relative_error(guess, truth) {
            error if error <= 0.1 => 0.33,
            error if error <= 0.2 => 0.17,
            _ => -0.5,
        })
    }",
        needs: &[Need::Compare],
    },
    Measure {
        id: "proximity",
        short: "near",
        family: Family::Answer,
        role: Role::Merit,
        prior: 1.0,
        settings: &[0.02, 0.05, 0.1, 0.2, 0.5],
        summary: "a final answer near the truth, fading with the error (width {})",
        expression: "compare(sample, |guess, truth| proximity(guess, truth, {}))",
        needs: &[Need::Compare],
    },
    Measure {
        id: "within",
        short: "within",
        family: Family::Answer,
        role: Role::Merit,
        prior: 1.0,
        settings: &[0.01, 0.05, 0.1, 0.2],
        summary: "a final answer whose relative error is at most {}",
        expression: "compare(sample, |guess, truth| f64::from(relative_error(guess, truth) <= {}))",
        needs: &[Need::Compare],
    },
    Measure {
        id: "answered",
        short: "answered",
        family: Family::Form,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "any final answer that can be extracted",
        expression: "f64::from(sample.extracted().is_some())",
        needs: &[],
    },
    Measure {
        id: "format",
        short: "format",
        family: Family::Form,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "a completion that is exactly a thinking and a solution section",
        expression: r#"f64::from(in_format(text, &["thinking", "solution"]))"#,
        needs: &[Need::Text],
    },
    Measure {
        id: "tags_once",
        short: "tags",
        family: Family::Form,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "each of the four tags that stands exactly once",
        expression: r#"["<thinking>", "</thinking>", "<solution>", "</solution>"]
        .iter()
        .filter(|mark| count(text, mark) == 1)
        .count() as f64
        / 4.0"#,
        needs: &[Need::Text],
    },
    Measure {
        id: "bare_number",
        short: "bare",
        family: Family::Form,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "a solution section that holds one number and nothing else",
        expression: r#"f64::from(tag(text, "solution").is_some_and(|answer| number(answer).is_some()))"#,
        needs: &[Need::Text],
    },
    Measure {
        id: "valid_steps",
        short: "valid",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "the share of arithmetic steps that are exactly right",
        expression: "valid_share(working)",
        needs: &[Need::Working],
    },
    Measure {
        id: "all_valid",
        short: "flawless",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "working whose every arithmetic step is exactly right",
        expression: "f64::from(valid_share(working) == 1.0)",
        needs: &[Need::Working],
    },
    Measure {
        id: "agreement",
        short: "agrees",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "a final answer that is the result of the last step",
        expression: "match (last_result(working), sample.extracted().and_then(number)) {
        (Some(result), Some(answer)) => f64::from(nearly_equal(result, answer)),
        _ => 0.0,
    }",
        needs: &[Need::Working],
    },
    Measure {
        id: "uses_question",
        short: "grounded",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "the share of the question's numbers that the working uses",
        expression: "number_overlap(sample.prompt(), working)",
        needs: &[Need::Working],
    },
    Measure {
        id: "chain",
        short: "chained",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[],
        summary: "the share of later steps that use an earlier result",
        expression: "chain(working)",
        needs: &[Need::Working, Need::Chain],
    },
    Measure {
        id: "steps",
        short: "steps",
        family: Family::Working,
        role: Role::Merit,
        prior: 1.0,
        settings: &[1.0, 2.0, 3.0, 4.0],
        summary: "arithmetic steps, right or wrong, up to {} of them",
        expression: "ramp(equations(working).count() as f64, 0.0, {})",
        needs: &[Need::Working],
    },
    Measure {
        id: "concise",
        short: "concise",
        family: Family::Style,
        role: Role::Merit,
        prior: 1.0,
        settings: &[0.5, 1.0, 2.0, 4.0],
        summary: "at most {} words for each word of the question, fading to nothing at twice that",
        expression: "1.0 - ramp(length_ratio(sample), {}, 2.0 * {})",
        needs: &[Need::LengthRatio],
    },
    Measure {
        id: "thorough",
        short: "long",
        family: Family::Style,
        role: Role::Merit,
        prior: 1.0,
        settings: &[0.5, 1.0, 2.0, 4.0],
        summary: "length, up to {} words for each word of the question",
        expression: "ramp(length_ratio(sample), 0.0, {})",
        needs: &[Need::LengthRatio],
    },
    Measure {
        id: "approximate",
        short: "noapprox",
        family: Family::Style,
        role: Role::Fault,
        prior: 1.0,
        settings: &[],
        summary: "any step that is only about right by its own account (`~`)",
        expression: "f64::from(equations(working).any(|step| step.relation() == Relation::About))",
        needs: &[Need::Working],
    },
    Measure {
        id: "repeats",
        short: "norepeat",
        family: Family::Style,
        role: Role::Fault,
        prior: 1.0,
        settings: &[2.0, 3.0, 4.0],
        summary: "the share of runs of {} words that already stood earlier",
        expression: "repetition(text, {n})",
        needs: &[Need::Text],
    },
];

/// A measure with its setting.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) measure: &'static Measure,
    /// Index into the measure's settings; 0 where it has none.
    pub(super) setting: usize,
}

impl Term {
    /// The setting's value; `None` where the measure has none.
    pub(super) fn value(self) -> Option<f64> {
        self.measure.settings.get(self.setting).copied()
    }

    /// What it pays for, in words.
    pub(super) fn summary(self) -> String {
        match self.value() {
            Some(value) => self.measure.summary.replace("{}", &value.to_string()),
            None => self.measure.summary.to_owned(),
        }
    }

    /// Its Rust expression.
    pub(super) fn expression(self) -> String {
        match self.value() {
            Some(value) => self
                .measure
                .expression
                .replace("{}", &format!("{value:?}"))
                .replace("{n}", &value.to_string()),
            None => self.measure.expression.to_owned(),
        }
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.measure.id == other.measure.id && self.setting == other.setting
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Some(value) => write!(f, "{}({value})", self.measure.id),
            None => f.write_str(self.measure.id),
        }
    }
}

impl FromStr for Term {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, setting) = match text.strip_suffix(')').and_then(|t| t.split_once('(')) {
            Some((id, setting)) => (id, Some(setting.parse::<f64>().map_err(drop)?)),
            None => (text, None),
        };
        let measure = MEASURES.iter().find(|m| m.id == id).ok_or(())?;
        let setting = match setting {
            Some(value) => measure
                .settings
                .iter()
                .position(|s| *s == value)
                .ok_or(())?,
            None if measure.settings.is_empty() => 0,
            None => return Err(()),
        };
        Ok(Self { measure, setting })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_family_has_measures() {
        let ids: HashSet<&str> = MEASURES.iter().map(|m| m.id).collect();
        let shorts: HashSet<&str> = MEASURES.iter().map(|m| m.short).collect();
        assert_eq!((ids.len(), shorts.len()), (MEASURES.len(), MEASURES.len()));
        for family in Family::ALL {
            assert!(MEASURES.iter().filter(|m| m.family == family).count() >= 2);
        }
    }

    #[test]
    fn every_term_reads_back_from_its_text() {
        for measure in MEASURES {
            for setting in 0..measure.settings.len().max(1) {
                let term = Term { measure, setting };
                assert_eq!(term.to_string().parse(), Ok(term));
                assert!(!term.expression().contains("{}"), "{term}");
                assert!(!term.expression().contains("{n}"), "{term}");
                assert!(!term.summary().contains("{}"), "{term}");
            }
        }
    }

    #[test]
    fn unknown_names_and_settings_are_no_terms() {
        for text in [
            "",
            "nonsense",
            "correct(1)",
            "proximity",
            "proximity(0.3)",
            "proximity(x)",
        ] {
            assert_eq!(text.parse::<Term>(), Err(()), "{text}");
        }
    }
}
