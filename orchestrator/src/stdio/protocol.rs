//! The lines of `score --stdio`, version 1: what a request may look like, and the replies. Pure; `docs/stdio.md` is its manual.

use std::{borrow::Cow, fmt, num::NonZeroUsize};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::row;
use super::text::{AnswerText, Text};

/// The protocol's version; raised when a line changes its meaning.
pub const PROTOCOL: u32 = 1;

/// Names a request; comes back with its reply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "`id` must be a whole number or a string")]
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
    Score {
        /// Names the request.
        id: Id,
        /// What is to be scored.
        samples: Vec<Sample<'a>>,
        /// The samples come group after group, so many at a time, and the mix's sums are asked for as well.
        group: Option<NonZeroUsize>,
    },
}

/// One completion to be scored.
#[derive(Debug, PartialEq)]
pub struct Sample<'a> {
    /// The prompt; empty if it is not given.
    pub prompt: Text<'a>,
    /// The question in the prompt, where it is given.
    pub question: Option<Text<'a>>,
    /// What the policy wrote.
    pub completion: Text<'a>,
    /// The reference answer; empty where the row has none.
    pub answer: AnswerText<'a>,
    /// The row's other columns, and its answer where that is no text, as the text of a JSON object; empty where there are none.
    pub row: String,
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
        /// The mix in one number a sample, under its own aggregation, where it was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        sums: Option<Vec<f64>>,
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
#[derive(Default)]
struct Raw<'a> {
    id: Id,
    ping: bool,
    group: Option<NonZeroUsize>,
    samples: Option<Vec<Sample<'a>>>,
    prompts: Option<Vec<Text<'a>>>,
    completions: Option<Vec<Text<'a>>>,
    /// The column of reference answers, by whichever name; what they hold is looked at only where they are needed.
    answers: Option<Value>,
    questions: Option<Value>,
    /// Every other column by its name, and the answers by theirs.
    others: Vec<(String, Value)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Request;
        impl<'de> Visitor<'de> for Request {
            type Value = Raw<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
                let mut raw = Raw::default();
                // The place of the name that counts, among those that an answer goes by.
                let mut best = usize::MAX;
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    match &*key {
                        "id" => raw.id = map.next_value()?,
                        "ping" => raw.ping = map.next_value()?,
                        "group" => raw.group = map.next_value()?,
                        "samples" => raw.samples = map.next_value()?,
                        "prompts" => raw.prompts = map.next_value()?,
                        "completions" => raw.completions = map.next_value()?,
                        "question" | "questions" => {
                            let column: Value = map.next_value()?;
                            raw.others.push((key.into_owned(), column.clone()));
                            raw.questions = Some(column);
                        }
                        other => {
                            let column: Value = map.next_value()?;
                            let names = ["answer", "answers"].into_iter().chain(row::ANSWERS);
                            let place = names.enumerate().find(|(_, name)| *name == other);
                            if let Some((place, _)) = place
                                && place < best
                            {
                                best = place;
                                raw.answers = Some(column.clone());
                            }
                            let name = if other == "answers" { "answer" } else { other };
                            raw.others.push((name.to_owned(), column));
                        }
                    }
                }
                Ok(raw)
            }
        }
        deserializer.deserialize_map(Request)
    }
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
    if text.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        let message = "a request is an object: `{\"id\": …, \"samples\": […]}`";
        return Err((Id::Absent, Trouble::new("invalid_request", message)));
    }
    let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    match raw {
        Raw { id, ping: true, .. } => Ok(Request::Ping(id)),
        Raw {
            id,
            samples: Some(samples),
            completions: None,
            group,
            ..
        } => score(id, samples, group),
        Raw {
            id,
            samples: None,
            prompts,
            questions,
            completions: Some(completions),
            answers,
            others,
            group,
            ..
        } if answers.is_some() || !others.is_empty() => {
            let answers = match answers.map(Vec::deserialize).transpose() {
                Ok(answers) => answers,
                Err(error) => return Err((id, Trouble::new("invalid_request", error.to_string()))),
            };
            let columns = Columns {
                prompts,
                questions: questions.and_then(|column| Vec::deserialize(column).ok()),
                completions,
                answers,
                others,
            };
            match columns.into_rows() {
                Ok(samples) => score(id, samples, group),
                Err(trouble) => Err((id, trouble)),
            }
        }
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
        serde_json::error::Category::Data if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            "invalid_request"
        }
        _ => "invalid_json",
    };
    let id = serde_json::from_str(text).map_or(Id::Absent, |OnlyId { id }| id);
    (id, Trouble::new(kind, error.to_string()))
}

fn score(
    id: Id,
    samples: Vec<Sample<'_>>,
    group: Option<NonZeroUsize>,
) -> Result<Request<'_>, (Id, Trouble)> {
    let n = samples.len();
    match group {
        Some(group) if !n.is_multiple_of(group.get()) => {
            let message = format!("{n} samples are no whole groups of {group}");
            Err((id, Trouble::new("invalid_request", message)))
        }
        _ => Ok(Request::Score { id, samples, group }),
    }
}

/// Samples column by column.
struct Columns<'a> {
    prompts: Option<Vec<Text<'a>>>,
    questions: Option<Vec<Text<'a>>>,
    completions: Vec<Text<'a>>,
    answers: Option<Vec<AnswerText<'a>>>,
    others: Vec<(String, Value)>,
}

impl<'a> Columns<'a> {
    fn into_rows(self) -> Result<Vec<Sample<'a>>, Trouble> {
        let n = self.completions.len();
        let given = self.prompts.as_ref().map(Vec::len);
        let answers = self.answers.as_ref().map_or(n, Vec::len);
        if given.is_some_and(|given| given != n) || answers != n {
            let prompts = given.map_or_else(String::new, |given| format!("{given} prompts, "));
            let message = format!(
                "{prompts}{n} completions and {answers} answers: there must be as many of each"
            );
            return Err(Trouble::new("invalid_request", message));
        }
        let prompts = self.prompts.unwrap_or_else(|| vec![row::nothing(); n]);
        let questions = self.questions.filter(|questions| questions.len() == n);
        let mut questions = questions.into_iter().flatten();
        let mut answers = self.answers.into_iter().flatten();
        // What is no list of as many things is no column.
        let mut others: Vec<(String, std::vec::IntoIter<Value>)> = Vec::new();
        for (name, column) in self.others {
            if let Value::Array(column) = column
                && column.len() == n
            {
                others.push((name, column.into_iter()));
            }
        }
        let row = |(prompt, completion)| {
            let named = others
                .iter_mut()
                .filter_map(|(name, column)| Some((name.clone(), column.next()?)));
            Sample {
                prompt,
                question: questions.next(),
                completion,
                answer: answers.next().unwrap_or_else(AnswerText::none),
                row: row::text(named.collect()),
            }
        };
        Ok(prompts.into_iter().zip(self.completions).map(row).collect())
    }
}
