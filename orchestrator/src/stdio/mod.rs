//! `score --stdio`: a long-lived process that scores batches for a trainer in another one, over JSON lines.
//!
//! The manual of the protocol is `docs/stdio.md`. A bad line gets an error reply and the next one is read; the end of the input, or a
//! reader that went away, ends the process quietly. Requests are answered in order, one at a time.

mod hello;
mod line;
mod protocol;
mod row;
mod text;

use std::io::{self, BufRead, Write};

pub use self::line::{Line, Lines};
pub use self::protocol::{Id, PROTOCOL, Reply, Request, Sample, Trouble, parse};

use std::collections::HashMap;

use sandbox::{Language, Limits, Module};
use serde::Serialize;
use trainer_bridge::{Aggregation, JudgeError, LoadedReward, Rollout, Score, ScoreError, Scored};

use self::hello::Hello;
use self::protocol::ByName;

/// Longest line a request may have.
pub const LINE_BYTES: usize = 64 << 20;

/// Values a request may hold: numbers, texts, lists and objects. A batch of 4096 samples has some ten thousand.
pub const LINE_VALUES: usize = 1_000_000;

/// What a server answers with.
pub struct Service {
    /// Scores the samples.
    pub scorer: Box<dyn Score>,
    /// The rewards, in the order of `components`.
    pub rewards: Vec<ServedReward>,
    /// How several rewards become one advantage, where that is known.
    pub aggregation: Option<Aggregation>,
    /// The questions in the prompts of a job.
    pub questions: HashMap<String, String>,
}

/// One reward of a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServedReward {
    /// Its name.
    pub name: String,
    /// Its weight in the score.
    pub weight: f64,
    /// What one call may use up.
    pub limits: Limits,
    /// What it is written in: one in Rust is told nothing of the data set's own columns.
    pub language: Language,
    /// Whether it scores the completions of a prompt together.
    pub of_groups: bool,
    /// Whether it may read the column of the completions' tokens, which a trainer need not send else.
    pub completion_ids: bool,
}

impl ServedReward {
    /// What is said of a reward with this weight that may use up so much.
    #[must_use]
    pub fn of(reward: &LoadedReward, module: &Module, limits: Limits) -> Self {
        let language = module.language();
        let text = || str::from_utf8(module.bytes()).unwrap_or_default();
        Self {
            name: reward.name.clone(),
            weight: reward.weight,
            limits,
            of_groups: reward.reward.is_of_groups(),
            completion_ids: language == Language::Python && text().contains("completion_ids"),
            language,
        }
    }
}

/// Answers requests until the input ends or the reader is gone.
///
/// # Errors
/// If the input cannot be read, or the output cannot be written for another reason than that its reader is gone.
pub fn serve(input: impl BufRead, mut output: impl Write, service: &Service) -> io::Result<()> {
    match converse(&mut Lines::new(input, LINE_BYTES), &mut output, service) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        end => end,
    }
}

fn converse(
    lines: &mut Lines<impl BufRead>,
    output: &mut impl Write,
    service: &Service,
) -> io::Result<()> {
    say(output, &Hello::of(service))?;
    while let Some(line) = lines.next_line()? {
        match line {
            Line::TooLong => {
                let message = format!("a line may have {LINE_BYTES} bytes; send smaller batches");
                let error = Trouble::new("line_too_long", message);
                say(
                    output,
                    &Reply::Error {
                        id: Id::Absent,
                        error,
                    },
                )?;
            }
            Line::Whole(text) if text.trim_ascii().is_empty() => {}
            Line::Whole(text) if line::values(text) > LINE_VALUES => {
                let message = format!("a line may hold {LINE_VALUES} values; send smaller batches");
                let error = Trouble::new("too_many_values", message);
                let id = Id::Absent;
                say(output, &Reply::Error { id, error })?;
            }
            Line::Whole(text) => answer(text, output, service)?,
        }
    }
    Ok(())
}

fn answer(line: &[u8], output: &mut impl Write, service: &Service) -> io::Result<()> {
    match parse(line) {
        Ok(Request::Ping(id)) => say(output, &Reply::Pong { id, pong: true }),
        Err((id, error)) => say(output, &Reply::Error { id, error }),
        Ok(Request::Score { id, samples, group }) => {
            let rollouts: Vec<Rollout<'_>> = samples.iter().map(|s| service.rollout(s)).collect();
            match service.scorer.score(&rollouts) {
                Ok(scored) => {
                    let sums = group.map(|group| scored.sums(group.get()));
                    let (components, printed) = (components(&scored), printed(&scored));
                    let reply = Reply::Scores {
                        id,
                        scores: &scored.totals,
                        sums,
                        components: ByName(&components),
                        printed: ByName(&printed),
                        correct: scored.verdicts.iter().map(|v| v.correct).collect(),
                        extracted: scored
                            .verdicts
                            .iter()
                            .map(|v| v.extracted.as_deref())
                            .collect(),
                    };
                    say(output, &reply)
                }
                Err(error) => {
                    let error = error.into();
                    say(output, &Reply::Error { id, error })
                }
            }
        }
    }
}

impl Service {
    /// A sample as the scorer takes it: its question is the one given, or that of the job's example with this prompt.
    #[must_use]
    pub fn rollout<'a>(&'a self, sample: &'a Sample<'_>) -> Rollout<'a> {
        let prompt = &*sample.prompt.0;
        let known = || self.questions.get(prompt).map_or(prompt, String::as_str);
        let question = sample.question.as_ref();
        Rollout {
            prompt,
            question: question.map_or_else(known, |question| &question.0),
            answer: &sample.answer.0,
            completion: &sample.completion.0,
            row: &sample.row,
        }
    }
}

fn say(output: &mut impl Write, reply: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// What the scores are made of, by name: each reward's own where there are several, and the parts that a reward names itself, as
/// `reward.part`.
#[must_use]
pub fn components(scored: &Scored) -> Vec<(String, Vec<f64>)> {
    let mut named = Vec::new();
    for member in &scored.members {
        let parts = &member.scores.components;
        if parts.len() > 1 {
            let part = |part: &sandbox::Component| {
                let name = format!("{}.{}", member.name, part.name);
                (name, part.values.clone())
            };
            named.extend(parts.iter().map(part));
        }
        if scored.members.len() > 1 {
            named.push((member.name.clone(), member.scores.total.clone()));
        }
    }
    named
}

/// What rewards printed, by name; those that printed nothing are left out.
#[must_use]
pub fn printed(scored: &Scored) -> Vec<(String, String)> {
    let members = scored.members.iter();
    let chatty = members.filter(|member| !member.scores.printed.is_empty());
    chatty
        .map(|member| (member.name.clone(), member.scores.printed.clone()))
        .collect()
}

impl From<ScoreError> for Trouble {
    fn from(error: ScoreError) -> Self {
        let message = error.to_string();
        match error {
            ScoreError::Fault { member, fault } => Self {
                kind: fault.kind(),
                message: fault.to_string(),
                index: fault.index(),
                reward: Some(member),
            },
            ScoreError::Rejected { member, .. } => Self {
                reward: Some(member),
                ..Self::new("rejected", message)
            },
            ScoreError::Host(_) | ScoreError::Judge(JudgeError::Unavailable(_)) => {
                Self::new("host", message)
            }
            ScoreError::Judge(JudgeError::Setup(_)) => Self::new("judge", message),
        }
    }
}

#[cfg(test)]
mod tests;
