//! `[task] metric`: a reward of the user's own that says whether a completion is right, in place of the rules.
//!
//! It is trusted to decide, and sandboxed like every reward. Its source stands in the configuration from the moment that is read, so that it
//! goes wherever a job goes, and a search that is continued meets the same one.

use std::sync::Arc;

use evaluator::{Answer, Outcome, Verdict};
use sandbox::{Bench, CompileError, Language, Limits, RewardFn, Sample, Source};
use serde::{Deserialize, Serialize};

use super::{Given, Judgement, Question, VerifierError};
use crate::domain::decider::Decider;

/// A score from here on means right, one below 0 that there is no answer, any other that it is wrong.
pub const RIGHT: f64 = 0.5;

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the file of a reward, `FILE.py` or `FILE.py::NAME`"
)]
pub enum Metric {
    /// A file that was not read yet.
    File(String),
    /// What a file holds.
    Source(Read),
}

/// A metric whose file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The file, as it was named.
    pub file: String,
    /// What it is written in.
    pub language: Language,
    /// What it holds.
    pub code: String,
}

impl Metric {
    /// The file, as it was named.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::File(file) | Self::Source(Read { file, .. }) => file,
        }
    }

    /// The same with what its file holds, which lies at `path`, the name of its function apart.
    ///
    /// # Errors
    /// In words, if it cannot be read or is of no kind that is known.
    pub fn read(&self, path: &std::path::Path, function: Option<&str>) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let source = match (path.extension().and_then(|e| e.to_str()), function) {
            (Some("py"), Some(function)) => Source::python(text).with_function(function),
            (Some("py"), None) => Source::python(text),
            (Some("rs"), None) => Source::rust(text),
            _ => {
                return Err(format!(
                    "{} is no metric: expected FILE.py, FILE.py::NAME or FILE.rs",
                    path.display()
                ));
            }
        };
        Ok(Self::Source(Read {
            file: self.file().to_owned(),
            language: source.language,
            code: source.code,
        }))
    }
}

/// A metric that is loaded, with the rules that find the answer which rewards are told of.
#[derive(Clone)]
pub struct MetricJudge {
    pub(super) rule: evaluator::RuleVerifier,
    file: Arc<str>,
    reward: RewardFn,
}

impl std::fmt::Debug for MetricJudge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricJudge")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl MetricJudge {
    /// Compiles and loads it.
    ///
    /// # Errors
    /// If it is refused, or the sandbox cannot work.
    pub(super) fn load(
        metric: &Metric,
        rule: evaluator::RuleVerifier,
    ) -> Result<Self, VerifierError> {
        let Metric::Source(Read {
            file,
            language,
            code,
        }) = metric
        else {
            let file = metric.file();
            return Err(VerifierError::Setup(format!(
                "task.metric = \"{file}\" was not read"
            )));
        };
        let source = Source {
            language: *language,
            code: code.clone(),
        };
        let bench = Bench::default();
        let loaded = bench
            .compile(&source)
            .and_then(|module| bench.load(&module, &Limits::default()));
        let reward = loaded.map_err(|error| match error {
            CompileError::Rejected(why) => {
                VerifierError::Setup(format!("task.metric = \"{file}\" is refused: {why}"))
            }
            CompileError::Host(error) => VerifierError::Unavailable(error.to_string()),
        })?;
        Ok(Self {
            rule,
            file: file.as_str().into(),
            reward,
        })
    }

    /// One verdict a question, in order.
    ///
    /// # Errors
    /// If the metric fails on one of them.
    pub(super) fn judge(
        &self,
        questions: &[Question<'_>],
    ) -> Result<Vec<Judgement>, VerifierError> {
        let by_rule: Vec<Verdict> = questions
            .iter()
            .map(|question| self.rule_on(question))
            .collect();
        let verdicts: Vec<sandbox::Verdict> = by_rule
            .iter()
            .map(|verdict| sandbox::Verdict {
                correct: verdict.outcome == Outcome::Correct,
                extracted: verdict.extracted.clone(),
            })
            .collect();
        let samples: Vec<Sample<'_>> = questions
            .iter()
            .zip(&verdicts)
            .map(|(question, verdict)| Sample {
                prompt: question.question,
                completion: question.given.text(),
                answer: question.reference.as_str(),
                verdict,
                row: question.row,
            })
            .collect();
        let scores = self.reward.score(&samples).map_err(|fault| {
            let what = format!(
                "task.metric = \"{}\" fails: {fault}; it must decide on every completion",
                self.file
            );
            if fault.is_host_trouble() {
                VerifierError::Unavailable(what)
            } else {
                VerifierError::Setup(what)
            }
        })?;
        let decided = by_rule
            .into_iter()
            .zip(scores)
            .map(|(rule, score)| Judgement {
                outcome: outcome(score),
                decider: Decider::Metric,
                rule,
            });
        Ok(decided.collect())
    }

    fn rule_on(&self, question: &Question<'_>) -> Verdict {
        // Without a reference there is nothing to compare: the rules only find the answer.
        let nothing = Answer::new("");
        let reference = if question.reference.as_str().is_empty() {
            &nothing
        } else {
            question.reference
        };
        match question.given {
            Given::Completion(text) => self.rule.verify(text, reference),
            Given::Answer(text) => self.rule.verify_answer(text, reference),
        }
    }
}

fn outcome(score: f64) -> Outcome {
    if score >= RIGHT {
        Outcome::Correct
    } else if score < 0.0 {
        Outcome::NoAnswer
    } else {
        Outcome::Wrong
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn scores_become_outcomes() {
        let outcomes = [1.0, 0.5, 0.49, 0.0, -0.0, -1.0].map(outcome);
        use Outcome::{Correct, NoAnswer, Wrong};
        assert_eq!(outcomes, [Correct, Correct, Wrong, Wrong, Wrong, NoAnswer]);
    }

    #[test]
    fn a_metric_is_a_name_until_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        std::fs::write(&path, "def score(completions, **kwargs): ...\n").unwrap();
        let named: Metric = serde_json::from_str("\"m.py::score\"").unwrap();
        let read = named.read(&path, Some("score")).unwrap();
        let again: Metric = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!((again.file(), &again), ("m.py::score", &read));
        assert!(matches!(read, Metric::Source(read) if read.code.ends_with("function=score\n")));
        assert!(
            named
                .read(&folder.path().join("n.py"), None)
                .unwrap_err()
                .contains("cannot be read")
        );
    }
}
