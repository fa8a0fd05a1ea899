//! What the policy is trained and judged on: the one place that maps a data set's problems to prompts, rewards' samples and outcomes.

use std::sync::Arc;

use evaluator::{Dataset, DatasetError, Problem, Split, toy};
use trainer_bridge::TrainExample;

use super::{
    config::{Gsm8kConfig, TaskConfig},
    rows::RowsError,
    table::Table,
};
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
    format_hint: String,
    notes: Vec<String>,
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
    /// The data set's other columns, as the text of a JSON object; empty where there are none.
    pub row: String,
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
    /// A row of the data set cannot be used.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The rows cannot be divided as asked.
    #[error("[task] {0}")]
    Splits(String),
}

/// What a good completion looks like where the trained model was taught it.
const TAGS: &str =
    "<thinking> the working, step by step </thinking> <solution> the final number </solution>";
/// What it looks like in a data set of one's own, unless that is said.
const ANY_FORM: &str = "the working, step by step, and the final answer at its end, in tags, as \\boxed{answer} or behind `The answer is`";

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
        let of = |problems, prompt| Self {
            problems,
            prompt,
            format_hint: TAGS.to_owned(),
            notes: Vec::new(),
        };
        Ok(match config {
            TaskConfig::Toy(_) => of(Problems::Toy, template("{question}")?),
            TaskConfig::Gsm8k(gsm8k) => {
                let problems = Problems::Stored(Arc::new(load_gsm8k(gsm8k, seed)?));
                of(problems, template(&gsm8k.prompt)?)
            }
            TaskConfig::Jsonl(config) => {
                let Table {
                    dataset,
                    prompt,
                    notes,
                } = Table::load(config, seed)?;
                let hint = config.format_hint.as_deref().unwrap_or(ANY_FORM);
                Self {
                    format_hint: hint.to_owned(),
                    notes,
                    ..of(Problems::Stored(Arc::new(dataset)), prompt)
                }
            }
        })
    }

    /// Holds that a split has so many problems, which one `setting` asks for, where it is a data set of one's own.
    ///
    /// # Errors
    /// What to set.
    pub fn insist(&self, split: Split, n: usize, setting: &str) -> Result<(), TaskError> {
        let Problems::Stored(dataset) = &self.problems else {
            return Ok(());
        };
        let there = dataset.problems(split).len();
        if there >= n {
            return Ok(());
        }
        Err(TaskError::Splits(format!(
            "{there} questions in the {split} split, and {setting} = {n}: set {setting} = {there}, or give it more rows (task.{split}_size, task.{split}_file)"
        )))
    }

    /// What a person should know of the data before anything is trained on it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many problems a split has; `None` where there is no end of them.
    #[must_use]
    pub fn size(&self, split: Split) -> Option<usize> {
        match &self.problems {
            Problems::Toy => None,
            Problems::Stored(dataset) => Some(dataset.problems(split).len()),
        }
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
                row: problem.row.clone(),
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
    pub fn format_hint(&self) -> &str {
        &self.format_hint
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
                        row: problem.row.clone(),
                    })
            })
            .collect()
    }
}
