//! Who decides whether an answer is right: the rules of the evaluator, with or without a model that is asked where they say no.
//!
//! One verifier serves the evaluation of a search, the commands, and training, where its verdict travels to the rewards. Every verdict
//! comes with who decided it. A model's verdicts are remembered in the database, so that a repeated question gets the same one.

mod config;
mod decider;
mod guard;
mod model;
mod prompt;
mod reply;

use std::sync::{Arc, Mutex};

use evaluator::{Answer, Evaluation, Outcome, Problem, Verdict};
use tokio::runtime::Handle;
use trainer_bridge::TrainError;

pub use config::{Mode, ModelConfig, ModelKind, OnFailure, VerifierConfig};
pub use decider::{Decider, Tally};
pub use model::Spent;
pub use reply::Opinion;

use crate::store::{Store, StoreError};
use model::{Decision, Model};
use prompt::Case;

/// Decides whether answers are right. Clones share the model and the counts.
#[derive(Debug, Clone)]
pub struct Verifier {
    rule: evaluator::RuleVerifier,
    model: Option<Arc<Model>>,
    tally: Arc<Mutex<Tally>>,
}

/// What is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The question asked; may be empty where it is not known.
    pub question: &'a str,
    /// The reference answer.
    pub reference: &'a Answer,
    /// What was given for it.
    pub given: Given<'a>,
}

/// What was given for an answer.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// A completion, in which the final answer is to be found.
    Completion(&'a str),
    /// The answer itself.
    Answer(&'a str),
}

impl<'a> Given<'a> {
    const fn text(self) -> &'a str {
        match self {
            Self::Completion(text) | Self::Answer(text) => text,
        }
    }
}

/// A verdict with who decided it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What the answer counts as.
    pub outcome: Outcome,
    /// Who decided.
    pub decider: Decider,
    /// What the rule said.
    pub rule: Verdict,
}

/// The outcomes of a set of questions, with who decided each.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The outcomes.
    pub evaluation: Evaluation,
    /// Who decided, in the same order.
    pub deciders: Vec<Decider>,
}

impl Evaluated {
    /// Of these verdicts, in order.
    ///
    /// # Errors
    /// If there are none.
    pub fn of(judgements: &[Judgement]) -> Result<Self, VerifierError> {
        let outcomes = judgements.iter().map(|judgement| judgement.outcome);
        Ok(Self {
            evaluation: Evaluation::new(outcomes.collect())
                .map_err(|error| VerifierError::Setup(error.to_string()))?,
            deciders: judgements.iter().map(|j| j.decider).collect(),
        })
    }

    /// How many verdicts each decided.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(self.deciders.iter().copied())
    }
}

/// Why there is no verdict. A variant is what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The configuration cannot work: tell the user.
    #[error("{0}")]
    Setup(String),
    /// The model is out of reach and the rule alone is not to decide: it may work later.
    #[error("{0}")]
    Unavailable(String),
    /// The database of verdicts.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<VerifierError> for TrainError {
    fn from(error: VerifierError) -> Self {
        match error {
            VerifierError::Setup(why) => Self::Setup(why),
            error => Self::Host(error.to_string()),
        }
    }
}

impl Verifier {
    /// The rules alone.
    #[must_use]
    pub fn by_rule(rule: evaluator::RuleVerifier) -> Self {
        Self {
            rule,
            model: None,
            tally: Arc::default(),
        }
    }

    /// A verifier as configured.
    ///
    /// # Errors
    /// [`VerifierError::Setup`] if a setting cannot work, the key's variable is not set, or the prompt cannot be read.
    pub fn new(
        config: &VerifierConfig,
        rule: evaluator::RuleVerifier,
    ) -> Result<Self, VerifierError> {
        if let Some(problem) = config.problems().first() {
            return Err(VerifierError::Setup(problem.clone()));
        }
        let mut verifier = Self::by_rule(rule);
        if let Some((kind, settings)) = config.model() {
            let model = Model::new(kind, settings).map_err(VerifierError::Setup)?;
            verifier.model = Some(Arc::new(model));
        }
        Ok(verifier)
    }

    /// The same verifier with its model's verdicts kept in a database: what is known there is not asked again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remembering(self, store: Store) -> Result<Self, VerifierError> {
        if let Some(model) = &self.model {
            model.remember_in(store).await?;
        }
        Ok(self)
    }

    /// The kind of model that is asked, if one is.
    #[must_use]
    pub fn model_kind(&self) -> Option<ModelKind> {
        self.model.as_ref().map(|model| model.kind)
    }

    /// Who decided all verdicts so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        *self.tally.lock().expect("no holder panics")
    }

    /// One verdict a question, in order.
    ///
    /// # Errors
    /// See [`VerifierError`]; then there is no verdict at all.
    pub async fn judge(&self, questions: &[Question<'_>]) -> Result<Vec<Judgement>, VerifierError> {
        let mut judgements = self.judge_by_rule(questions);
        if let Some(model) = &self.model {
            consult(model, questions, &mut judgements).await?;
        }
        let counted = Tally::of(judgements.iter().map(|judgement| judgement.decider));
        self.tally.lock().expect("no holder panics").add(counted);
        Ok(judgements)
    }

    /// The outcome of each problem's completion, with who decided it.
    ///
    /// # Errors
    /// See [`VerifierError`]; also if there are not as many completions as problems.
    pub async fn evaluate(
        &self,
        problems: &[Problem],
        completions: &[String],
    ) -> Result<Evaluated, VerifierError> {
        if problems.len() != completions.len() {
            return Err(VerifierError::Setup(format!(
                "the trainer returned {} completions for {} prompts",
                completions.len(),
                problems.len()
            )));
        }
        let questions: Vec<Question<'_>> = problems
            .iter()
            .zip(completions)
            .map(|(problem, completion)| Question {
                question: &problem.question,
                reference: &problem.answer,
                given: Given::Completion(completion),
            })
            .collect();
        Evaluated::of(&self.judge(&questions).await?)
    }

    fn judge_by_rule(&self, questions: &[Question<'_>]) -> Vec<Judgement> {
        questions.iter().map(|q| self.rule_on(q)).collect()
    }

    fn rule_on(&self, question: &Question<'_>) -> Judgement {
        let rule = match question.given {
            Given::Completion(text) => self.rule.verify(text, question.reference),
            Given::Answer(text) => self.rule.verify_answer(text, question.reference),
        };
        Judgement {
            outcome: rule.outcome,
            decider: Decider::Rule,
            rule,
        }
    }

    /// The verdict that is handed to the rewards while training: `question_of` finds the question in a rendered prompt.
    ///
    /// Call it where there is a runtime; the function it returns blocks the trainer's thread while a model is asked.
    #[must_use]
    pub fn for_training(
        &self,
        question_of: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> trainer_bridge::Verifier {
        let (verifier, runtime) = (self.clone(), Handle::try_current().ok());
        Arc::new(move |rollouts| {
            let prepared: Vec<(String, Answer)> = rollouts
                .iter()
                .map(|rollout| {
                    let example = rollout.example;
                    (question_of(&example.prompt), Answer::new(&example.answer))
                })
                .collect();
            let questions: Vec<Question<'_>> = rollouts
                .iter()
                .zip(&prepared)
                .map(|(rollout, (question, reference))| Question {
                    question,
                    reference,
                    given: Given::Completion(rollout.completion),
                })
                .collect();
            let judgements = match &verifier.model {
                None => verifier.judge_by_rule(&questions),
                Some(_) => wait(runtime.as_ref(), verifier.judge(&questions))??,
            };
            Ok(judgements.into_iter().map(Judgement::into_judged).collect())
        })
    }
}

impl Judgement {
    fn into_judged(self) -> trainer_bridge::Judged {
        trainer_bridge::Judged {
            correct: self.outcome == Outcome::Correct,
            extracted: self.rule.extracted,
        }
    }

    /// Puts the model's decision in place of the rule's, if it made one.
    fn take(&mut self, decision: Decision) {
        self.decider = decision.decider;
        self.outcome = match decision.opinion {
            Opinion::Right => Outcome::Correct,
            Opinion::Wrong if self.rule.extracted.is_some() => Outcome::Wrong,
            Opinion::Wrong => Outcome::NoAnswer,
            Opinion::Unclear => self.rule.outcome,
        };
    }
}

/// Asks the model where its mode and the guards let it be asked.
async fn consult(
    model: &Model,
    questions: &[Question<'_>],
    judgements: &mut [Judgement],
) -> Result<(), VerifierError> {
    let mut open = Vec::new();
    for (index, judgement) in judgements.iter_mut().enumerate() {
        let is_settled = model.mode() == Mode::AddOn && judgement.outcome == Outcome::Correct;
        if is_settled {
            continue;
        }
        match guard::holds(&model.config, &judgement.rule, questions[index].reference) {
            Some(guard) => judgement.decider = guard,
            None => open.push(index),
        }
    }
    let decisions = {
        let cases: Vec<Case<'_>> = open
            .iter()
            .map(|&index| case(&questions[index], &judgements[index]))
            .collect();
        model.decide(&cases).await?
    };
    for (index, decision) in open.into_iter().zip(decisions) {
        judgements[index].take(decision);
    }
    Ok(())
}

fn case<'a>(question: &Question<'a>, judgement: &'a Judgement) -> Case<'a> {
    Case {
        question: question.question,
        reference: question.reference.as_str(),
        answer: judgement.rule.extracted.as_deref().unwrap_or_default(),
        completion: question.given.text(),
    }
}

/// Waits for a future on a thread that is not the runtime's, or is lent by it.
fn wait<T>(runtime: Option<&Handle>, future: impl Future<Output = T>) -> Result<T, TrainError> {
    let runtime = runtime.ok_or_else(|| {
        TrainError::Setup("a verifier for training was made outside a runtime".to_owned())
    })?;
    Ok(match Handle::try_current() {
        Ok(_) => tokio::task::block_in_place(|| runtime.block_on(future)),
        Err(_) => runtime.block_on(future),
    })
}
