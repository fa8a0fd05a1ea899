//! Tries a reward function out before it trains anything: does it survive odd input, is it stable, what does it cost?

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::reward_fn::RewardFn;
use crate::error::{CompileError, HostError};
use crate::fault::Fault;
use crate::rejection::Rejection;
use crate::sample::{Sample, Verdict};

/// What a probe found. Everything in it is deterministic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// Samples scored, the built-in odd ones included.
    pub samples: usize,
    /// Lowest score.
    pub lowest: f64,
    /// Highest score.
    pub highest: f64,
    /// Whether all given samples (the odd ones aside) scored the same; false for fewer than two.
    pub constant: bool,
    /// Mean fuel of one of the given samples (of the odd ones where none is given).
    pub mean_fuel: u64,
    /// Most fuel any sample took.
    pub most_fuel: u64,
}

/// Scores the samples and a set of odd ones: each in an instance of its own, then all as one batch, forwards and backwards
/// (a Python function again each alone). For a reward of groups, read "each group".
///
/// # Errors
/// [`Rejection::Probe`] where a score fails, [`Rejection::Unstable`] where a score depends on what was scored before it,
/// [`CompileError::Host`] where the engine failed and not the candidate.
pub fn probe(reward: &RewardFn, samples: &[Sample<'_>]) -> Result<ProbeReport, CompileError> {
    let odd_texts = OddTexts::new();
    let odd = odd_texts.samples();
    let all: Vec<Sample<'_>> = samples
        .iter()
        .chain(odd.iter().map(|(_, sample)| sample))
        .copied()
        .collect();
    let name = |index: usize| match index.checked_sub(samples.len()) {
        None => format!("sample {}", index + 1),
        Some(place) => odd
            .get(place)
            .map_or("a sample", |(name, _)| name)
            .to_owned(),
    };
    let runs = runs(reward, &all);
    let mut scores = Vec::with_capacity(all.len());
    let mut fuels = Vec::with_capacity(all.len());
    for run in &runs {
        let (result, fuel) = reward.measure_batch(&all[run.clone()]);
        scores.extend(result.map_err(|fault| failure(&name, run.start, fault))?);
        fuels.resize(run.end, fuel / run.len() as u64);
    }
    let forwards: Vec<usize> = (0..all.len()).collect();
    let backwards: Vec<usize> = runs.iter().rev().cloned().flatten().collect();
    if reward.is_wasm() {
        compare(reward, &all, &forwards, &scores, &name)?;
        compare(reward, &all, &backwards, &scores, &name)?;
    } else {
        // A Python function may weigh the completions of a batch against each other.
        for index in backwards {
            compare(reward, &all, &[index], &scores, &name)?;
        }
    }
    let given = &scores[..samples.len()];
    let typical = if samples.is_empty() {
        &fuels[..]
    } else {
        &fuels[..samples.len()]
    };
    Ok(ProbeReport {
        samples: scores.len(),
        lowest: scores.iter().copied().fold(f64::INFINITY, f64::min),
        highest: scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        constant: given.len() > 1 && given.iter().all(|score| *score == given[0]),
        mean_fuel: typical.iter().sum::<u64>() / typical.len().max(1) as u64,
        most_fuel: fuels.iter().copied().max().unwrap_or(0),
    })
}

/// What the reward is given at once: a sample, or a run of samples with the same prompt.
fn runs(reward: &RewardFn, all: &[Sample<'_>]) -> Vec<Range<usize>> {
    if !reward.is_of_groups() {
        return (0..all.len()).map(|index| index..index + 1).collect();
    }
    let mut start = 0;
    all.chunk_by(|a, b| a.prompt == b.prompt)
        .map(|run| {
            start += run.len();
            start - run.len()..start
        })
        .collect()
}

/// Scores the samples in the given order as one batch; that must not change a score.
fn compare(
    reward: &RewardFn,
    all: &[Sample<'_>],
    order: &[usize],
    scores: &[f64],
    name: &impl Fn(usize) -> String,
) -> Result<(), CompileError> {
    let batch: Vec<Sample<'_>> = order.iter().map(|index| all[*index]).collect();
    let again = reward.score(&batch).map_err(|fault| {
        let place = fault.index().unwrap_or(0);
        let index = order.get(place).copied().unwrap_or(0);
        failure(name, index, fault.at(0))
    })?;
    for (index, second) in order.iter().zip(again) {
        let first = scores[*index];
        if first.to_bits() != second.to_bits() {
            return Err(Rejection::Unstable {
                sample: name(*index),
                first,
                second,
            }
            .into());
        }
    }
    Ok(())
}

/// The fault of a call whose first sample has the place `start`.
fn failure(name: &impl Fn(usize) -> String, start: usize, fault: Fault) -> CompileError {
    if fault.is_host_trouble() {
        return HostError::Engine {
            message: fault.to_string(),
        }
        .into();
    }
    let place = start + fault.index().unwrap_or(0);
    Rejection::Probe {
        sample: name(place),
        fault: fault.at(place),
    }
    .into()
}

/// Texts that training meets sooner or later and that break careless code.
struct OddTexts {
    long: String,
    looping: String,
    digits: String,
    tags: String,
}

const QUESTION: &str = "tom has 12 apples . tom gets 30 more . how many apples ?";
const GOOD: &str = "<thinking> 12 + 30 = 42 . </thinking> <solution> 42 </solution>";

impl OddTexts {
    fn new() -> Self {
        Self {
            long: "tom has 12 apples and gets 30 more , so 12 + 30 = 42 . ".repeat(150),
            looping: "<thinking> 12 + 30 = 42 . ".to_owned() + &"42 ".repeat(2000),
            digits: format!("<solution> {} </solution>", "9".repeat(1000)),
            tags: "<thinking><solution></thinking></solution>".repeat(100),
        }
    }

    fn samples(&self) -> Vec<(&'static str, Sample<'_>)> {
        let sample = |prompt, completion, answer, correct, extracted| {
            let verdict = Verdict { correct, extracted };
            Sample {
                prompt,
                completion,
                answer,
                verdict,
            }
        };
        let wrong = |completion| sample(QUESTION, completion, "42", false, None);
        vec![
            ("nothing but empty texts", sample("", "", "", false, None)),
            ("an empty completion", wrong("")),
            ("a completion of white space", wrong(" \n\t\r\n ")),
            ("a completion of one character", wrong("<")),
            (
                "a right answer",
                sample(QUESTION, GOOD, "42", true, Some("42")),
            ),
            (
                "a right answer to an answer that is no number",
                sample(QUESTION, "x + 1", "x+1", true, Some("x + 1")),
            ),
            (
                "a reference answer of 0",
                sample(QUESTION, GOOD, "0", false, Some("42")),
            ),
            (
                "an extracted answer of 0",
                sample(QUESTION, "<solution> 0 </solution>", "42", false, Some("0")),
            ),
            (
                "negative and decimal numbers",
                sample(
                    "-1.5 + 0.25 ?",
                    "-1.5 + .25 = -1.25",
                    "-1.25",
                    true,
                    Some("-1.25"),
                ),
            ),
            (
                "division by zero",
                wrong("<thinking> 5 / 0 = 0 . 0 / 0 = 1 </thinking> <solution> 5 / 0 </solution>"),
            ),
            (
                "an unclosed tag",
                wrong("<thinking> 12 + 30 = 42 . <solution> 42"),
            ),
            (
                "tags out of order",
                wrong("</solution> 42 <solution> </thinking> <thinking>"),
            ),
            ("tags a hundred times over", wrong(&self.tags)),
            (
                "letters and signs beyond ASCII",
                wrong("½ ≈ ٣ × ７ — naïve 日本語 👩‍👩‍👧 \u{202e}\u{0}\u{feff} − é̂"),
            ),
            (
                "a number of 1000 digits",
                sample(QUESTION, &self.digits, "42", false, Some("1e999")),
            ),
            ("a completion of 8,000 characters", wrong(&self.long)),
            ("a completion stuck in a loop", wrong(&self.looping)),
        ]
    }
}
