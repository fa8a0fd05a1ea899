//! The lines of `score --stdio`, version 1: what a request may look like, and the replies. Pure; `docs/stdio.md` is its manual.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::text::{AnswerText, Text};

/// The protocol's version; raised when a line changes its meaning.
pub const PROTOCOL: u32 = 1;

/// Names a request; comes back with its reply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// None was given.
    #[default]
    Absent,
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
}

/// What a line asks for.
#[derive(Debug, PartialEq)]
pub enum Request<'a> {
    /// An answer without any scoring.
    Ping(Id),
    /// Scores for samples.
    Score(Id, Vec<Sample<'a>>),
}

/// One completion to be scored.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Sample<'a> {
    /// The prompt; empty if it is not given.
    #[serde(borrow, default = "nothing")]
    pub prompt: Text<'a>,
    /// What the policy wrote.
    #[serde(borrow)]
    pub completion: Text<'a>,
    /// The reference answer.
    #[serde(borrow)]
    pub answer: AnswerText<'a>,
}

/// A line nobody can answer, or a request that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trouble {
    /// What kind, for programs.
    pub kind: &'static str,
    /// What was wrong, for people.
    pub message: String,
    /// The sample at fault, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The reward at fault, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<String>,
}

impl Trouble {
    /// Trouble with a line as such.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            index: None,
            reward: None,
        }
    }
}

/// Every line a server writes after the first.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply<'a> {
    /// To a ping.
    Pong {
        /// The request's.
        id: Id,
        /// Always true.
        pong: bool,
    },
    /// To samples.
    Scores {
        /// The request's.
        id: Id,
        /// The weighted sum over the rewards, one a sample.
        scores: &'a [f64],
        /// Each reward's own scores where there are several, and the parts a reward names.
        #[serde(skip_serializing_if = "ByName::is_empty")]
        components: ByName<'a, Vec<f64>>,
        /// What the rewards printed, as far as they did.
        #[serde(skip_serializing_if = "ByName::is_empty")]
        printed: ByName<'a, String>,
        /// Whether the verifier calls a sample right.
        correct: Vec<bool>,
        /// The final answer it found.
        extracted: Vec<Option<&'a str>>,
    },
    /// To anything that went wrong.
    Error {
        /// The request's, as far as it could be read.
        id: Id,
        /// What went wrong.
        error: Trouble,
    },
}

/// Things by name, in the order of the rewards.
#[derive(Debug)]
pub struct ByName<'a, T>(pub &'a [(String, T)]);

impl<T> ByName<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for ByName<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, thing)| (name, thing)))
    }
}

/// A request as it is written.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(default)]
    id: Id,
    #[serde(default)]
    ping: bool,
    #[serde(borrow)]
    samples: Option<Vec<Sample<'a>>>,
    #[serde(borrow)]
    prompts: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    completions: Option<Vec<Text<'a>>>,
    #[serde(borrow, alias = "answers")]
    answer: Option<Vec<AnswerText<'a>>>,
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it, and its id as far as that can be read.
pub fn parse(line: &[u8]) -> Result<Request<'_>, (Id, Trouble)> {
    let text = str::from_utf8(line).map_err(|error| {
        let place = error.valid_up_to();
        let message = format!("the line is not UTF-8 from byte {place} on");
        (Id::Absent, Trouble::new("not_utf8", message))
    })?;
    let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    match raw {
        Raw { id, ping: true, .. } => Ok(Request::Ping(id)),
        Raw {
            id,
            samples: Some(samples),
            completions: None,
            ..
        } => Ok(Request::Score(id, samples)),
        Raw {
            id,
            samples: None,
            prompts,
            completions: Some(completions),
            answer: Some(answers),
            ..
        } => match rows(prompts, completions, answers) {
            Ok(samples) => Ok(Request::Score(id, samples)),
            Err(trouble) => Err((id, trouble)),
        },
        Raw { id, .. } => Err((
            id,
            Trouble::new(
                "invalid_request",
                "expected `samples`, or `completions` and `answer` (and `prompts`), or `ping`",
            ),
        )),
    }
}

/// Lines that are no JSON are told from JSON that is no request; of the latter the id is saved.
fn unreadable(text: &str, error: &serde_json::Error) -> (Id, Trouble) {
    #[derive(Deserialize)]
    struct OnlyId {
        #[serde(default)]
        id: Id,
    }
    let kind = match error.classify() {
        serde_json::error::Category::Data => "invalid_request",
        _ => "invalid_json",
    };
    let id = serde_json::from_str(text).map_or(Id::Absent, |OnlyId { id }| id);
    (id, Trouble::new(kind, error.to_string()))
}

/// Columns become rows.
fn rows<'a>(
    prompts: Option<Vec<Text<'a>>>,
    completions: Vec<Text<'a>>,
    answers: Vec<AnswerText<'a>>,
) -> Result<Vec<Sample<'a>>, Trouble> {
    let n = completions.len();
    let prompts = prompts.unwrap_or_else(|| vec![nothing(); n]);
    if prompts.len() != n || answers.len() != n {
        let message = format!(
            "{n} completions, {} prompts and {} answers: there must be as many of each",
            prompts.len(),
            answers.len()
        );
        return Err(Trouble::new("invalid_request", message));
    }
    let row = |((prompt, completion), answer)| Sample {
        prompt,
        completion,
        answer,
    };
    Ok(prompts
        .into_iter()
        .zip(completions)
        .zip(answers)
        .map(row)
        .collect())
}

fn nothing<'a>() -> Text<'a> {
    Text(Cow::Borrowed(""))
}
