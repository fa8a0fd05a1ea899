//! What the policy is trained and judged on: the one place that maps a data set's problems to prompts, rewards' samples and outcomes.

use std::{path::Path, sync::Arc};

use evaluator::{
    Answer, Dataset, DatasetError, ExtractionConfig, Outcome, Problem, RuleVerifier as Judge,
    Split, toy,
};
use trainer_bridge::TrainExample;

use crate::{
    config::TaskConfig,
    data::{DataError, gsm8k_folder},
    trial::derive_seed,
};

/// A loaded task.
#[derive(Debug, Clone)]
pub struct Task {
    problems: Problems,
    prompt: String,
    judge: Judge,
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
}

fn gsm8k(path: Option<&Path>, dev_size: usize, seed: u64) -> Result<Dataset, TaskError> {
    match path {
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
        Ok(match config {
            TaskConfig::Toy { .. } => Self {
                problems: Problems::Toy,
                prompt: "{question}".to_owned(),
                judge: Judge::new(config.extraction()),
            },
            TaskConfig::Gsm8k {
                path,
                dev_size,
                prompt,
                ..
            } => Self {
                problems: Problems::Stored(Arc::new(gsm8k(path.as_deref(), *dev_size, seed)?)),
                prompt: prompt.clone(),
                judge: Judge::new(config.extraction()),
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
    pub fn train_examples(&self, n: usize, seed: u64) -> Arc<[TrainExample]> {
        self.problems(Split::Train, n, seed)
            .iter()
            .map(|problem| TrainExample {
                prompt: self.render(problem),
                answer: problem.answer.as_str().to_owned(),
            })
            .collect()
    }

    /// The prompt of a problem, as the model sees it.
    #[must_use]
    pub fn render(&self, problem: &Problem) -> String {
        self.prompt.replace("{question}", &problem.question)
    }

    /// Verification by rule of one completion against its reference answer.
    #[must_use]
    pub fn rule(&self) -> RuleVerifier {
        as_function(self.judge.clone())
    }

    /// The rules by which answers are judged.
    #[must_use]
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// Finds the question in a rendered prompt; a prompt of another make is its own question.
    pub fn question_finder(&self) -> impl Fn(&str) -> String + Send + Sync + 'static {
        let template = self.prompt.clone();
        move |prompt| {
            let (before, after) = template.split_once("{question}").unwrap_or_default();
            let question = prompt
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            question.unwrap_or(prompt).to_owned()
        }
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

impl TaskConfig {
    /// Where the task's answers are looked for: the toy model learns tags, real models write answers in many ways.
    #[must_use]
    pub fn extraction(&self) -> ExtractionConfig {
        let (configured, usual) = match self {
            Self::Toy { extraction } => (extraction, ExtractionConfig::tags_only()),
            Self::Gsm8k { extraction, .. } => (extraction, ExtractionConfig::flexible()),
        };
        configured.clone().unwrap_or(usual)
    }
}

/// Verification by rule as a plain function of completion and reference answer: whether it is right, and the answer it gives.
pub type RuleVerifier = Arc<dyn Fn(&str, &str) -> (bool, Option<String>) + Send + Sync>;

/// Verification by rule with answers looked for as `extraction` says.
#[must_use]
pub fn verifier(extraction: ExtractionConfig) -> RuleVerifier {
    as_function(Judge::new(extraction))
}

fn as_function(judge: Judge) -> RuleVerifier {
    Arc::new(move |completion, answer| {
        let verdict = judge.verify(completion, &Answer::new(answer));
        (verdict.outcome == Outcome::Correct, verdict.extracted)
    })
}
