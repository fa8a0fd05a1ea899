//! Which questions candidates are selected on, and which the selected are reported on.

use evaluator::Split;
use serde::{Deserialize, Serialize};

use super::trial::Stage;

/// How a search selects and reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Candidates are selected on Dev; Test is read by the confirmation of finalists alone.
    #[default]
    HeldOut,
    /// As arXiv 2605.02073 did it: selected and reported on the same Test questions, trained with one seed each. Its figures are biased.
    Paper,
}

impl Protocol {
    /// Whether it is the usual one.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::HeldOut
    }

    /// The held-out questions that a stage is judged on.
    #[must_use]
    pub fn split(self, stage: Stage) -> Split {
        match (self, stage) {
            (Self::HeldOut, Stage::Screen { .. }) => Split::Dev,
            (Self::HeldOut, Stage::Confirm { .. }) | (Self::Paper, _) => Split::Test,
        }
    }

    /// Whether something was chosen on the questions of a stage, so that the best there looks better than it is.
    #[must_use]
    pub fn selects_on(self, stage: Stage) -> bool {
        matches!((self, stage), (Self::Paper, _) | (_, Stage::Screen { .. }))
    }

    /// The questions and what they were asked for, as headings have it: `Dev, screening`, `Test, seed 1`.
    #[must_use]
    pub fn heading(self, stage: Stage) -> String {
        let split = match self.split(stage) {
            Split::Train => "Train",
            Split::Dev => "Dev",
            Split::Test => "Test",
        };
        match stage {
            Stage::Screen { rung: 0 } => format!("{split}, screening"),
            Stage::Screen { rung } => format!("{split}, screening at rung {rung}"),
            Stage::Confirm { seed } => format!("{split}, seed {}", seed + 1),
        }
    }

    /// What must stand wherever a figure of such a search is shown.
    #[must_use]
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::HeldOut => None,
            Self::Paper => Some(
                "protocol = \"paper\": rewards were selected and reported on the same Test questions, with one training seed each, as in arXiv 2605.02073. \
                 The best figures are biased upwards, and intervals know nothing of seeds",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_is_read_by_confirmation_alone_unless_the_paper_is_reproduced() {
        let (screen, confirm) = (Stage::Screen { rung: 0 }, Stage::Confirm { seed: 0 });
        assert_eq!(Protocol::HeldOut.split(screen), Split::Dev);
        assert_eq!(Protocol::HeldOut.split(confirm), Split::Test);
        assert!(Protocol::HeldOut.selects_on(screen) && !Protocol::HeldOut.selects_on(confirm));
        assert_eq!(Protocol::Paper.split(screen), Split::Test);
        assert!(Protocol::Paper.selects_on(confirm));
        assert_eq!(Protocol::Paper.heading(screen), "Test, screening");
        assert_eq!(Protocol::HeldOut.warning(), None);
        assert!(
            Protocol::Paper
                .warning()
                .is_some_and(|text| text.contains("biased"))
        );
    }
}
