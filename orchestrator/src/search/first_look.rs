//! What the untouched model answers, looked at before anything is trained: where nothing can be learnt from its answers, a person hears it in
//! the first minute.

use evaluator::Split;
use trainer_bridge::{JudgeError, Rollout, TrainError, Trainer};

use super::{
    SearchError,
    job::Jobs,
    training::{Training, Unwatched},
};
use crate::{
    domain::seed::derive_seed,
    text::{one_line, printable},
};

/// Questions that are looked at.
const QUESTIONS: usize = 16;
/// Answers that are shown, and characters of each.
const SHOWN: usize = 3;
const CHARACTERS: usize = 400;

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstLook {
    completions: Vec<String>,
    /// In how many of them an answer was found.
    answered: usize,
}

/// Lets the untouched model answer a few questions of Dev.
///
/// # Errors
/// As a trial.
pub async fn look(jobs: Jobs<'_>, trainer: &dyn Trainer) -> Result<FirstLook, SearchError> {
    let seed = derive_seed(jobs.config.search.seed, "first look");
    let problems = jobs.task.problems(Split::Dev, QUESTIONS, seed);
    let training = Training {
        trainer,
        job: jobs.unjudged(Vec::new(), &problems, seed, 0),
        folder: None,
        earlier: None,
    };
    let completions = training.to_completion(&mut Unwatched).await?.completions;
    let examples = jobs.task.examples(&problems);
    let judge = jobs.config.judge().unasked().open();
    let judge = judge
        .map_err(JudgeError::from)
        .map_err(TrainError::from)?
        .of_rollouts();
    let verdicts = {
        let rollouts: Vec<Rollout<'_>> = examples
            .iter()
            .zip(&completions)
            .map(|(example, completion)| Rollout::of(example, completion))
            .collect();
        judge.judge(&rollouts).map_err(TrainError::from)?
    };
    Ok(FirstLook {
        answered: verdicts
            .iter()
            .filter(|v| v.correct || v.extracted.is_some())
            .count(),
        completions,
    })
}

impl FirstLook {
    /// What a person should hear before anything is trained; `None` where all is well. `cut` is the share of training completions that met
    /// the limit of their length.
    #[must_use]
    pub fn warning(&self, cut: f64, limit: usize) -> Option<String> {
        let asked = self.completions.len();
        let mut told = match (self.answered, cut >= 1.0) {
            (0, false) => format!(
                "The untouched model: no answer was found in any of {asked} completions, so there is nothing to tell right from wrong by. Look at \
                 task.extraction (where answers are looked for), task.prompt, trainer.system_prompt and trainer.chat_template."
            ),
            (answered, true) => format!(
                "The untouched model: every completion of its first training step met the limit of grpo.max_completion_length = {limit}, and an answer \
                 was found in {answered} of {asked} others. Raise grpo.max_completion_length and evaluation.max_completion_length, or look at \
                 trainer.stop_strings and trainer.chat_template."
            ),
            _ => return None,
        };
        for (number, completion) in (1..).zip(self.completions.iter().take(SHOWN)) {
            let shown = one_line(&printable(completion), CHARACTERS);
            told += &format!("\n  {number}: {shown}");
        }
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_answers_nothing_or_never_ends_is_told_of_with_samples() {
        let look = |answered| FirstLook {
            completions: vec!["so\nit is".to_owned(); 16],
            answered,
        };
        assert_eq!(look(3).warning(0.5, 64), None);
        let told = look(0).warning(0.2, 64).unwrap_or_default();
        assert!(
            told.contains("task.extraction") && told.contains("16 completions"),
            "{told}"
        );
        assert_eq!(told.lines().count(), 1 + SHOWN, "{told}");
        let told = look(1).warning(1.0, 64).unwrap_or_default();
        assert!(told.contains("grpo.max_completion_length = 64"), "{told}");
    }
}
