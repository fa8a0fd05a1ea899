//! Is the final answer of a completion the gold answer?

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answer::{Answer, Rule},
    conventions::Conventions,
    explain::{Step, StepOutcome, Trace},
    extract::{Extracted, ExtractionConfig, Found, Strategy, extract_with},
    outcome::Outcome,
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

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The verdict, the same as without reasons.
    pub verdict: Verdict,
    /// What was done to reach it, in order.
    pub steps: Vec<Step>,
    /// What decided: the rule that said yes with the readings of which it did, or what each side was read as.
    pub reason: String,
    /// The line of JSON by which the verdict is reported if it is a mistake, and which is then a test.
    pub report: String,
}

/// Verifies completions under a configuration.
#[derive(Debug, Clone, Default)]
pub struct RuleVerifier {
    extraction: ExtractionConfig,
    conventions: Conventions,
}

impl RuleVerifier {
    /// A verifier that extracts answers as configured.
    pub fn new(extraction: ExtractionConfig) -> Self {
        Self {
            extraction,
            conventions: Conventions::default(),
        }
    }

    /// The same with other conventions.
    #[must_use]
    pub fn with_conventions(self, conventions: Conventions) -> Self {
        Self {
            conventions,
            ..self
        }
    }

    /// Extracts the final answer of `completion` and compares it with the gold answer.
    ///
    /// A completion that offers several answers joined by `or` where one is asked for has given none.
    pub fn verify(&self, completion: &str, answer: &Answer) -> Verdict {
        self.judge(completion, answer, &mut Trace::off())
    }

    /// Compares `given`, a bare answer without a completion around it, with the gold answer.
    pub fn verify_answer(&self, given: &str, answer: &Answer) -> Verdict {
        self.judge_answer(given, answer, &mut Trace::off())
    }

    /// [`RuleVerifier::verify`] with its reasons.
    pub fn explain(&self, completion: &str, answer: &Answer) -> Explanation {
        explained(("completion", completion), answer, |trace| {
            self.judge(completion, answer, trace)
        })
    }

    /// [`RuleVerifier::verify_answer`] with its reasons.
    pub fn explain_answer(&self, given: &str, answer: &Answer) -> Explanation {
        explained(("answer", given), answer, |trace| {
            self.judge_answer(given, answer, trace)
        })
    }

    fn judge(&self, completion: &str, answer: &Answer, trace: &mut Trace) -> Verdict {
        let completion = &*self.conventions.usually_written(completion);
        let found = extract_with(completion, &self.extraction);
        if trace.is_on() {
            self.note_candidates(completion, found.as_ref(), trace);
        }
        match found {
            None => Verdict {
                outcome: Outcome::NoAnswer,
                extracted: None,
                strategy: None,
                rule: None,
            },
            Some(found) => Verdict {
                strategy: Some(found.strategy),
                ..self.judge_answer(&found.text, answer, trace)
            },
        }
    }

    fn judge_answer(&self, given: &str, answer: &Answer, trace: &mut Trace) -> Verdict {
        let given = &*self.conventions.usually_written(given.trim());
        let answer = &*self.usually_read(answer);
        let rule = answer.judge(given, self.conventions.rounding, trace);
        let outcome = match rule {
            _ if given.is_empty() => Outcome::NoAnswer,
            Some(_) => Outcome::Correct,
            None if is_hedged(given) && !is_hedged(answer.as_str()) => {
                trace.note("outcome", || {
                    "several answers joined by `or` are none".to_owned()
                });
                Outcome::NoAnswer
            }
            None => Outcome::Wrong,
        };
        Verdict {
            outcome,
            extracted: (!given.is_empty()).then(|| given.to_owned()),
            strategy: None,
            rule: rule.filter(|_| outcome == Outcome::Correct),
        }
    }

    /// The answer as the conventions have it.
    fn usually_read<'a>(&self, answer: &'a Answer) -> Cow<'a, Answer> {
        match self.conventions.usually_written(answer.as_str()) {
            Cow::Borrowed(_) => Cow::Borrowed(answer),
            Cow::Owned(text) => Cow::Owned(Answer::new(&text)),
        }
    }

    /// What every strategy finds, configured ones first, and which of them was taken.
    fn note_candidates(&self, completion: &str, taken: Option<&Extracted>, trace: &mut Trace) {
        let configured = &self.extraction.strategies;
        let others = Strategy::ALL.iter().filter(|s| !configured.contains(s));
        for strategy in configured.iter().chain(others) {
            let found = strategy.find(completion);
            let remark = if !configured.contains(strategy) {
                " (not configured)"
            } else if taken.is_some_and(|taken| taken.strategy == *strategy) {
                " (taken)"
            } else {
                ""
            };
            let outcome = StepOutcome::from(matches!(found, Found::Answer(_)));
            trace.step(&format!("extraction: {}", strategy.name()), outcome, || {
                format!("{found}{remark}")
            });
        }
        if taken.is_none() {
            trace.note("outcome", || {
                "no configured strategy finds one answer".to_owned()
            });
        }
    }
}

/// A verdict, what was noted on the way to it, what decided, and the line by which a mistake is reported.
fn explained(
    (kind, given): (&str, &str),
    answer: &Answer,
    judge: impl FnOnce(&mut Trace) -> Verdict,
) -> Explanation {
    let mut trace = Trace::on();
    let verdict = judge(&mut trace);
    let steps = trace.into_steps();
    let is_right = verdict.outcome == Outcome::Correct;
    let case =
        json!({"kind": "reported", "reference": answer.as_str(), kind: given, "label": !is_right});
    Explanation {
        reason: deciding(&verdict, &steps),
        report: case.to_string(),
        verdict,
        steps,
    }
}

/// The rule that said yes, with the readings that it said it of; or what each side was read as, where none did.
fn deciding(verdict: &Verdict, steps: &[Step]) -> String {
    let last = |what: &str| {
        let step = steps.iter().rfind(|step| step.what == what);
        step.map(|step| step.detail.clone())
    };
    let yes = steps
        .iter()
        .rfind(|step| step.outcome == StepOutcome::Yes && step.what.starts_with("rule: "));
    match (yes, verdict.outcome) {
        (Some(step), Outcome::Correct) => {
            format!("{}: {}", &step.what["rule: ".len()..], step.detail)
        }
        (_, Outcome::NoAnswer) => last("outcome").unwrap_or_else(|| "nothing was given".to_owned()),
        _ => match (last("reference"), last("answer")) {
            (Some(reference), Some(answer)) => {
                format!("no rule says yes: the reference is {reference}; the answer is {answer}")
            }
            _ => "no rule says yes".to_owned(),
        },
    }
}

/// Verifies a completion with the default configuration.
pub fn verify(completion: &str, answer: &Answer) -> Verdict {
    RuleVerifier::default().verify(completion, answer)
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
        let strict = RuleVerifier::new(ExtractionConfig::tags_only());
        let verdict = strict.verify("the answer is 18", &Answer::new("18"));
        assert_eq!(verdict.outcome, Outcome::NoAnswer);
    }
}
