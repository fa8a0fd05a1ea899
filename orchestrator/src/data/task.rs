//! What the policy is trained and judged on: the one place that maps a data set's problems to prompts, rewards' samples and outcomes.

use std::sync::Arc;

use evaluator::{Dataset, DatasetError, Problem, Split, toy};
use trainer_bridge::TrainExample;

use super::config::{Gsm8kConfig, TaskConfig};
use crate::{
    data::gsm8k::{DataError, gsm8k_folder},
    domain::seed::derive_seed,
    text::template::TaskPrompt,
};

/// A loaded task.
#[derive(Debug, Clone)]
pub struct Task {
    problems: Problems,
    prompt: TaskPrompt,
}

#[derive(Debug, Clone)]
enum Problems {
    Toy,
    Stored(Arc<Dataset>),
}

/// A completion made up to probe a reward with, before any policy has written one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCompletion {
    /// The rendered prompt.
    pub prompt: String,
    /// The made-up completion.
    pub completion: String,
    /// The reference answer.
    pub answer: String,
}

/// Why a task's data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A file is missing or malformed.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// No folder is named, and nothing was fetched.
    #[error(
        "{0}: run `reward-search data fetch gsm8k` first, or name the folder with `path` in [task]"
    )]
    NotFetched(DatasetError),
    /// No folder is named, and there is no place to look.
    #[error("{0}, or `path` in [task]")]
    NoCache(#[from] DataError),
    /// The prompt is no template with the question in it.
    #[error("task.prompt: {0}")]
    Prompt(String),
}

fn load_gsm8k(config: &Gsm8kConfig, seed: u64) -> Result<Dataset, TaskError> {
    let dev_size = config.dev_size;
    match &config.path {
        Some(folder) => Ok(Dataset::gsm8k(folder, dev_size, seed)?),
        None => {
            let fetched = Dataset::gsm8k(&gsm8k_folder()?, dev_size, seed);
            fetched.map_err(|error| match error {
                DatasetError::Read { .. } => TaskError::NotFetched(error),
                other => TaskError::Data(other),
            })
        }
    }
}

impl Task {
    /// Loads the task's data; `seed` decides which training questions become Dev.
    ///
    /// # Errors
    /// If a data file is missing or malformed.
    pub fn load(config: &TaskConfig, seed: u64) -> Result<Self, TaskError> {
        let template = |text| TaskPrompt::new(text).map_err(TaskError::Prompt);
        Ok(match config {
            TaskConfig::Toy(_) => Self {
                problems: Problems::Toy,
                prompt: template("{question}")?,
            },
            TaskConfig::Gsm8k(gsm8k) => Self {
                problems: Problems::Stored(Arc::new(load_gsm8k(gsm8k, seed)?)),
                prompt: template(&gsm8k.prompt)?,
            },
        })
    }

    /// `n` problems of a split, the same for the same seed; fewer if the split has fewer.
    #[must_use]
    pub fn problems(&self, split: Split, n: usize, seed: u64) -> Vec<Problem> {
        match &self.problems {
            Problems::Toy => toy::problems(split, n, seed),
            Problems::Stored(dataset) => dataset.subset(split, n, seed),
        }
    }

    /// The held-out problems that a search, or a training by itself, with this seed is judged on.
    #[must_use]
    pub fn held_out(&self, split: Split, n: usize, search_seed: u64) -> Vec<Problem> {
        self.problems(split, n, derive_seed(search_seed, &split.to_string()))
    }

    /// Training prompts with their answers.
    #[must_use]
    pub fn train_examples(&self, n: usize, seed: u64) -> Vec<TrainExample> {
        self.examples(&self.problems(Split::Train, n, seed))
    }

    /// Problems as prompts with their answers.
    #[must_use]
    pub fn examples(&self, problems: &[Problem]) -> Vec<TrainExample> {
        problems
            .iter()
            .map(|problem| TrainExample {
                prompt: self.render(problem),
                question: problem.question.clone(),
                answer: problem.answer.as_str().to_owned(),
                row: String::new(),
            })
            .collect()
    }

    /// The prompt of a problem, as the model sees it.
    #[must_use]
    pub fn render(&self, problem: &Problem) -> String {
        self.prompt.render(&problem.question)
    }

    /// What a good completion looks like, for the prompts of language models.
    #[must_use]
    pub fn format_hint(&self) -> &'static str {
        "<thinking> the working, step by step </thinking> <solution> the final number </solution>"
    }

    /// Completions right and wrong, well-formed and not, to probe a reward with.
    #[must_use]
    pub fn probe_completions(&self, seed: u64) -> Vec<ProbeCompletion> {
        self.problems(Split::Train, 8, seed)
            .iter()
            .flat_map(|problem| {
                let answer = problem.answer.as_str();
                let near = answer.parse::<f64>().map_or_else(|_| "7".to_owned(), |a| format!("{}", (a / 10.0).round() * 10.0 + 10.0));
                let far = "1";
                let right = format!("<thinking> {answer} + 0 = {answer} . </thinking> <solution> {answer} </solution>");
                let close = format!("<thinking> {answer} + 0 ~ {near} . </thinking> <solution> {near} </solution>");
                let wrong = format!("<thinking> 1 + 1 = 3 . </thinking> <solution> {far} </solution>");
                let bare = format!("the answer is {answer} .");
                let unclosed = format!("<thinking> {answer} + 0 = {answer} .");
                [right, close, wrong, bare, unclosed, String::new()]
                    .map(|completion| (completion, answer.to_owned()))
                    .map(|(completion, answer)| ProbeCompletion {
                        prompt: self.render(problem),
                        completion,
                        answer,
                    })
            })
            .collect()
    }
}
