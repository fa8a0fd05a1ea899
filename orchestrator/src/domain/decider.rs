//! Who decided whether an answer is right, and how often.

use std::fmt;

use serde::Serialize;

use super::verdict::ModelKind;

/// Who decided a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// The rule, which needed no help.
    Rule,
    /// The rule: there was no answer to ask about.
    GuardEmpty,
    /// The rule: both sides are plain numbers.
    GuardNumbers,
    /// The rule: the reference is a plain number and the answer is something else.
    GuardNumberReference,
    /// The model, asked now.
    Model,
    /// The model, asked before.
    Cache,
    /// The rule: the model's reply was not plain.
    Unclear,
    /// The rule: the model could not be asked.
    Failed,
    /// The rule: the limit of requests or dollars was reached.
    OverBudget,
    /// The task's metric, a reward of the user's own.
    Metric,
}

impl Decider {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Rule,
        Self::GuardEmpty,
        Self::GuardNumbers,
        Self::GuardNumberReference,
        Self::Model,
        Self::Cache,
        Self::Unclear,
        Self::Failed,
        Self::OverBudget,
        Self::Metric,
    ];

    /// The byte it is stored as; a letter, so that a dump of a database can be read. Whether a model was asked now or before depends on
    /// when a search was stopped, and what is stored of a search must not.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Rule => b'r',
            Self::GuardEmpty => b'e',
            Self::GuardNumbers => b'n',
            Self::GuardNumberReference => b'o',
            Self::Model | Self::Cache => b'm',
            Self::Unclear => b'u',
            Self::Failed => b'f',
            Self::OverBudget => b'b',
            Self::Metric => b't',
        }
    }

    /// The decider stored as `byte`, if there is one.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.to_byte() == byte)
    }

    /// Its name, the model's being its kind's.
    #[must_use]
    pub const fn name(self, kind: Option<ModelKind>) -> &'static str {
        match (self, kind) {
            (Self::Model, Some(kind)) => kind.name(),
            (Self::Model, None) => "model",
            (Self::Rule, _) => "rule",
            (Self::GuardEmpty, _) => "guard_empty",
            (Self::GuardNumbers, _) => "guard_numbers",
            (Self::GuardNumberReference, _) => "guard_number_reference",
            (Self::Cache, _) => "cache",
            (Self::Unclear, _) => "unclear",
            (Self::Failed, _) => "failed",
            (Self::OverBudget, _) => "over_budget",
            (Self::Metric, _) => "metric",
        }
    }
}

/// How many verdicts each decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// By rule, without a question.
    pub rule: u64,
    /// By rule, because there was no answer.
    pub guard_empty: u64,
    /// By rule, because both sides are plain numbers.
    pub guard_numbers: u64,
    /// By rule, because the reference is a plain number and the answer is something else.
    pub guard_number_reference: u64,
    /// By the model, asked for it.
    pub asked: u64,
    /// By the model, asked before.
    pub cached: u64,
    /// By rule, because the reply was unclear.
    pub unclear: u64,
    /// By rule, because the model could not be asked.
    pub failed: u64,
    /// By rule, because the limit was reached.
    pub over_budget: u64,
    /// By the task's metric.
    #[serde(skip_serializing_if = "is_none")]
    pub metric: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    /// Counts.
    pub fn of(deciders: impl IntoIterator<Item = Decider>) -> Self {
        let mut tally = Self::default();
        for decider in deciders {
            *tally.count(decider) += 1;
        }
        tally
    }

    /// Counts deciders as they are stored, a byte each; `None` if a byte stands for none.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut counts = [0; 256];
        for &byte in bytes {
            counts[usize::from(byte)] += 1;
        }
        let mut tally = Self::default();
        for (byte, count) in (0..=u8::MAX).zip(counts) {
            if count > 0 {
                *tally.count(Decider::from_byte(byte)?) += count;
            }
        }
        Some(tally)
    }

    fn count(&mut self, decider: Decider) -> &mut u64 {
        match decider {
            Decider::Rule => &mut self.rule,
            Decider::GuardEmpty => &mut self.guard_empty,
            Decider::GuardNumbers => &mut self.guard_numbers,
            Decider::GuardNumberReference => &mut self.guard_number_reference,
            Decider::Model => &mut self.asked,
            Decider::Cache => &mut self.cached,
            Decider::Unclear => &mut self.unclear,
            Decider::Failed => &mut self.failed,
            Decider::OverBudget => &mut self.over_budget,
            Decider::Metric => &mut self.metric,
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, mut other: Self) {
        for decider in Decider::ALL {
            *self.count(decider) += *other.count(decider);
        }
    }

    /// Whether a model was involved in anything.
    #[must_use]
    pub fn involves_a_model(&self) -> bool {
        *self
            != Self {
                rule: self.rule,
                metric: self.metric,
                ..Self::default()
            }
    }

    /// Verdicts that a guard left to the rule.
    #[must_use]
    pub const fn guarded(&self) -> u64 {
        self.guard_empty + self.guard_numbers + self.guard_number_reference
    }

    /// Verdicts that the model should have given and did not.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.unclear + self.failed + self.over_budget
    }
}

impl fmt::Display for Tally {
    /// One line: `decided by rule 80, by rule under a guard 12, by the model 5, by its earlier verdict 3`, and what was missed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "decided by rule {}, by rule under a guard {}, by the model {}, by its earlier verdict {}",
            self.rule,
            self.guarded(),
            self.asked,
            self.cached
        )?;
        let missed = [
            (self.unclear, "unclear replies"),
            (self.failed, "failed requests"),
            (self.over_budget, "beyond the limit"),
        ];
        for (count, why) in missed.iter().filter(|(count, _)| *count > 0) {
            write!(f, ", by rule after all {count} ({why})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_counts_tell_all_apart() {
        let tally = Tally::of(Decider::ALL);
        assert_eq!((tally.asked, tally.cached, tally.missed()), (1, 1, 3));
        for decider in Decider::ALL {
            let stored = if decider == Decider::Cache {
                Decider::Model
            } else {
                decider
            };
            assert_eq!(Decider::from_byte(decider.to_byte()), Some(stored));
        }
        assert_eq!(Decider::from_byte(b'x'), None);
        let mut twice = tally;
        twice.add(tally);
        assert_eq!(twice.rule, 2);
        assert!(twice.involves_a_model());
        assert!(!Tally::of([Decider::Rule]).involves_a_model());
        assert_eq!(
            tally.to_string(),
            "decided by rule 1, by rule under a guard 3, by the model 1, by its earlier verdict 1, \
             by rule after all 1 (unclear replies), by rule after all 1 (failed requests), by rule after all 1 (beyond the limit)"
        );
    }
}
