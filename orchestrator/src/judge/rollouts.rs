//! A judge as trainers and scorers know it: it judges what a policy wrote, on a thread that it may block.

use std::{collections::HashMap, sync::Arc};

use evaluator::{Answer, ExtractionConfig, Outcome};
use sandbox::Verdict;
use tokio::runtime::Handle;
use trainer_bridge::{JudgeError, JudgeRollouts, JudgeSpec, OpenJudge, Rollout};

use super::{Given, Judge, JudgeConfig, Judgement, Question, VerifierError};

/// Opens the judges that jobs describe. A judge that is open already is shared: its model's memory, budget and counts.
#[derive(Debug, Clone, Default)]
pub struct Judges {
    open: Option<(JudgeSpec, Judge)>,
    runtime: Option<Handle>,
}

impl Judges {
    /// With nothing open. A judge that asks a model does so on the runtime that this is called in.
    #[must_use]
    pub fn new() -> Self {
        Self {
            open: None,
            runtime: Handle::try_current().ok(),
        }
    }

    /// The same, which share a judge that is open.
    #[must_use]
    pub fn sharing(config: &JudgeConfig, judge: Judge) -> Self {
        Self {
            open: Some((config.spec(), judge)),
            ..Self::new()
        }
    }
}

impl OpenJudge for Judges {
    fn open(&self, spec: &JudgeSpec) -> Result<Arc<dyn JudgeRollouts>, JudgeError> {
        let judge = match &self.open {
            Some((known, judge)) if known == spec => judge.clone(),
            _ => JudgeConfig::of_spec(spec)?.open()?,
        };
        let runtime = self.runtime.clone();
        Ok(Arc::new(OfRollouts { judge, runtime }))
    }
}

/// The rules alone, for completions outside of any training.
#[must_use]
pub fn by_rule(extraction: ExtractionConfig) -> Arc<dyn JudgeRollouts> {
    Judge::Rule(evaluator::RuleVerifier::new(extraction)).of_rollouts()
}

impl Judge {
    /// The judge for whoever scores. If it asks a model, it does so on the runtime that this is called in.
    #[must_use]
    pub fn of_rollouts(self) -> Arc<dyn JudgeRollouts> {
        let runtime = Handle::try_current().ok();
        Arc::new(OfRollouts {
            judge: self,
            runtime,
        })
    }
}

struct OfRollouts {
    judge: Judge,
    runtime: Option<Handle>,
}

impl JudgeRollouts for OfRollouts {
    fn judge(&self, rollouts: &[Rollout<'_>]) -> Result<Vec<Verdict>, JudgeError> {
        // The rollouts of a group share their reference answer, which is read once.
        let mut references = HashMap::new();
        for rollout in rollouts {
            let answer = rollout.answer;
            references
                .entry(answer)
                .or_insert_with(|| Answer::new(answer));
        }
        let questions: Vec<Question<'_>> = rollouts
            .iter()
            .map(|rollout| Question {
                question: rollout.question,
                reference: &references[rollout.answer],
                given: Given::Completion(rollout.completion),
                row: rollout.row,
            })
            .collect();
        let judgements = match &self.judge {
            Judge::Rule(_) | Judge::Metric(_) => self.judge.judge_here(&questions)?,
            Judge::Model(_) => wait(self.runtime.as_ref(), self.judge.judge(&questions))??,
        };
        Ok(judgements
            .into_iter()
            .map(Judgement::into_verdict)
            .collect())
    }
}

impl Judgement {
    /// What a reward sees of it.
    fn into_verdict(self) -> Verdict {
        Verdict {
            correct: self.outcome == Outcome::Correct,
            extracted: self.rule.extracted,
        }
    }
}

impl From<VerifierError> for JudgeError {
    fn from(error: VerifierError) -> Self {
        match error {
            VerifierError::Setup(why) => Self::Setup(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

/// Waits for a future on a thread that is not the runtime's, or is lent by it.
fn wait<T>(runtime: Option<&Handle>, future: impl Future<Output = T>) -> Result<T, JudgeError> {
    let runtime = runtime.ok_or_else(|| {
        JudgeError::Setup("a judge that asks a model was opened outside a runtime".to_owned())
    })?;
    Ok(match Handle::try_current() {
        Ok(_) => tokio::task::block_in_place(|| runtime.block_on(future)),
        Err(_) => runtime.block_on(future),
    })
}
