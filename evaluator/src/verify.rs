//! Is the final answer of a completion the gold answer?

use serde::{Deserialize, Serialize};

use crate::{
    answer::{Answer, DEFAULT_TOLERANCE, Rule},
    evaluation::Outcome,
    extract::{ExtractionConfig, Strategy, extract_with},
};

/// The verdict on one completion, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What the completion counts as.
    pub outcome: Outcome,
    /// The final answer, if one was found.
    pub extracted: Option<String>,
    /// How it was found.
    pub strategy: Option<Strategy>,
    /// The rule that found it right.
    pub rule: Option<Rule>,
}

/// Verifies completions under a configuration.
#[derive(Debug, Clone)]
pub struct Verifier {
    extraction: ExtractionConfig,
    tolerance: f64,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new(ExtractionConfig::default())
    }
}

impl Verifier {
    /// A verifier that extracts answers as configured.
    pub fn new(extraction: ExtractionConfig) -> Self {
        Self {
            extraction,
            tolerance: DEFAULT_TOLERANCE,
        }
    }

    /// The same verifier with another relative tolerance for gold answers that are not whole numbers; zero
    /// asks for equality. Whole numbers are never approximated.
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Extracts the final answer of `completion` and compares it with the gold answer.
    ///
    /// A completion that offers several answers joined by `or` where one is asked for has given none.
    pub fn verify(&self, completion: &str, answer: &Answer) -> Verdict {
        let Some(found) = extract_with(completion, &self.extraction) else {
            return Verdict {
                outcome: Outcome::NoAnswer,
                extracted: None,
                strategy: None,
                rule: None,
            };
        };
        let rule = answer.matches_within(&found.text, self.tolerance);
        let outcome = match rule {
            Some(_) => Outcome::Correct,
            None if is_hedged(&found.text) && !is_hedged(answer.as_str()) => Outcome::NoAnswer,
            None => Outcome::Wrong,
        };
        Verdict {
            outcome,
            extracted: Some(found.text),
            strategy: Some(found.strategy),
            rule,
        }
    }
}

/// Verifies a completion with the default configuration.
pub fn verify(completion: &str, answer: &Answer) -> Verdict {
    Verifier::default().verify(completion, answer)
}

/// Whether a text offers alternatives.
fn is_hedged(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "or")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(completion: &str, gold: &str, outcome: Outcome) {
        assert_eq!(
            verify(completion, &Answer::new(gold)).outcome,
            outcome,
            "{completion}"
        );
    }

    #[test]
    fn right_answers_in_usual_forms() {
        for completion in [
            "<solution> 18 </solution>",
            "<solution>18.</solution>",
            "<solution>$18</solution>",
            "<solution> 18 dollars </solution>",
            "<solution>18%</solution>",
            "The answer, is 18",
            "x = 5, so 18",
            r"\boxed{18.00}",
        ] {
            check(completion, "18", Outcome::Correct);
        }
    }

    #[test]
    fn traps_seen_in_other_verifiers() {
        for (completion, gold) in [
            ("<solution>-18</solution>", "18"),
            (r"\boxed{18.5}", "18"),
            ("<solution>1</solution>", "100"),
            ("<solution>0.01</solution>", "1"),
            (r"\boxed{1000.05}", "1000"),
            (r"\boxed{193, 196}", "193"),
            (r"\boxed{193}. Checking again, \boxed{196}", "193"),
        ] {
            check(completion, gold, Outcome::Wrong);
        }
    }

    #[test]
    fn the_tolerance_is_the_configured_one() {
        let gold = Answer::new(r"\frac{600}{7}");
        let completion = r"\boxed{85.71}";
        assert_eq!(verify(completion, &gold).outcome, Outcome::Correct);
        let exact = Verifier::default().with_tolerance(0.0);
        assert_eq!(exact.verify(completion, &gold).outcome, Outcome::Wrong);
        assert_eq!(
            exact.verify(r"\boxed{85\frac{5}{7}}", &gold).outcome,
            Outcome::Correct
        );
    }

    #[test]
    fn hedging_is_no_answer() {
        check(
            "<solution> 240 or 242 </solution>",
            "242",
            Outcome::NoAnswer,
        );
        check(r"\boxed{196} or \boxed{193}", "193", Outcome::NoAnswer);
        check(r"\boxed{196 \text{ or } 193}", "193", Outcome::NoAnswer);
    }

    #[test]
    fn nothing_is_no_answer() {
        check("", "1", Outcome::NoAnswer);
        check("I do not know.", "1", Outcome::NoAnswer);
        let strict = Verifier::new(ExtractionConfig::tags_only());
        let verdict = strict.verify("the answer is 18", &Answer::new("18"));
        assert_eq!(verdict.outcome, Outcome::NoAnswer);
    }
}
