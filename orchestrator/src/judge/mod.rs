//! Who decides whether an answer is right: the rules of the evaluator, with or without a model that is asked where they say no.
//!
//! One judge serves the evaluation of a search, the commands, and training, where its verdict travels to the rewards. Every verdict
//! comes with who decided it. A model's verdicts are remembered in the database, so that a repeated question gets the same one.

pub mod audit;
mod config;
pub mod endpoint;
mod guard;
mod metric;
mod model;
mod prompt;
mod reply;
mod rollouts;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use evaluator::{Answer, Evaluation, Outcome, Problem, Verdict};

pub use config::{Mode, ModelConfig, OnFailure, VerifierConfig};
pub use metric::{Metric, MetricJudge};
pub use rollouts::{Judges, by_rule};
pub use spec::JudgeConfig;

use crate::{
    domain::{
        decider::{Decider, Tally},
        verdict::{Evaluated, ModelKind, Opinion},
    },
    store::{Store, StoreError},
};
use model::{Decision, Model};
use prompt::Case;

/// Decides whether answers are right. Clones share the model and its counts.
#[derive(Debug, Clone)]
pub enum Judge {
    /// The rules alone: exact, free, the same everywhere.
    Rule(evaluator::RuleVerifier),
    /// A model that is asked where the rules leave it to one.
    Model(Arc<ModelJudge>),
    /// A reward of the user's own, which decides alone.
    Metric(MetricJudge),
}

/// The rules, and a model beside them.
#[derive(Debug)]
pub struct ModelJudge {
    rule: evaluator::RuleVerifier,
    model: Model,
    tally: Mutex<Tally>,
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
    /// The data set's other columns, as the text of a JSON object; empty where there are none. Only a metric reads them.
    pub row: &'a str,
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

impl Judge {
    /// A judge as configured, beside the rules.
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
        let Some((kind, settings)) = config.model() else {
            return Ok(Self::Rule(rule));
        };
        Ok(Self::Model(Arc::new(ModelJudge {
            rule,
            model: Model::new(kind, settings).map_err(VerifierError::Setup)?,
            tally: Mutex::default(),
        })))
    }

    /// The same judge with its model's verdicts kept in a database: what is known there is not asked again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remembering(self, store: Store) -> Result<Self, VerifierError> {
        if let Self::Model(asked) = &self {
            asked.model.remember_in(store).await?;
        }
        Ok(self)
    }

    /// Sees whether its model answers, before anything is built on it.
    ///
    /// # Errors
    /// [`VerifierError::Setup`] if it never will; [`VerifierError::Unavailable`] if it does not, where `on_failure` is to stop.
    pub async fn check(&self) -> Result<(), VerifierError> {
        match self {
            Self::Rule(_) | Self::Metric(_) => Ok(()),
            Self::Model(asked) => asked.model.check().await,
        }
    }

    /// The kind of model that is asked, if one is.
    #[must_use]
    pub fn model_kind(&self) -> Option<ModelKind> {
        match self {
            Self::Rule(_) | Self::Metric(_) => None,
            Self::Model(asked) => Some(asked.model.kind),
        }
    }

    /// Who decided all verdicts so far, where a model has a part in them.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        match self {
            Self::Rule(_) | Self::Metric(_) => None,
            Self::Model(asked) => Some(*asked.tally.lock().expect("no holder panics")),
        }
    }

    /// The rules that it judges by first.
    #[must_use]
    pub fn rule(&self) -> &evaluator::RuleVerifier {
        match self {
            Self::Rule(rule) => rule,
            Self::Model(asked) => &asked.rule,
            Self::Metric(metric) => &metric.rule,
        }
    }

    /// One verdict a question, in order.
    ///
    /// # Errors
    /// See [`VerifierError`]; then there is no verdict at all.
    pub async fn judge(&self, questions: &[Question<'_>]) -> Result<Vec<Judgement>, VerifierError> {
        let mut judgements = self.judge_here(questions)?;
        if let Self::Model(asked) = self {
            consult(&asked.model, questions, &mut judgements).await?;
            let counted = Tally::of(judgements.iter().map(|judgement| judgement.decider));
            asked.tally.lock().expect("no holder panics").add(counted);
        }
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
                row: &problem.row,
            })
            .collect();
        Evaluated::of(&self.judge(&questions).await?)
    }

    /// As far as nobody elsewhere is asked.
    fn judge_here(&self, questions: &[Question<'_>]) -> Result<Vec<Judgement>, VerifierError> {
        match self {
            Self::Metric(metric) => metric.judge(questions),
            Self::Rule(_) | Self::Model(_) => {
                Ok(questions.iter().map(|q| self.rule_on(q)).collect())
            }
        }
    }

    fn rule_on(&self, question: &Question<'_>) -> Judgement {
        let rule = match question.given {
            Given::Completion(text) => self.rule().verify(text, question.reference),
            Given::Answer(text) => self.rule().verify_answer(text, question.reference),
        };
        Judgement {
            outcome: rule.outcome,
            decider: Decider::Rule,
            rule,
        }
    }
}

impl Judgement {
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
