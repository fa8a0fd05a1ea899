//! Tries a reward function out before it trains anything: does it survive odd input, is it stable, what does it cost?

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::reward_fn::RewardFn;
use crate::error::{CompileError, HostError};
use crate::fault::Fault;
use crate::made_up::{self, MadeUp};
use crate::rejection::Rejection;
use crate::sample::Sample;

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
    /// What it fails on that its task does not hold, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What is known of the samples that a reward will meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// All reference answers are numbers: what fails on another is told, and not refused for it.
    pub numbers: bool,
}

impl Expected {
    /// Of samples that the others are like.
    #[must_use]
    pub fn of(samples: &[Sample<'_>]) -> Self {
        Self {
            numbers: !samples.is_empty() && samples.iter().all(|sample| is_number(sample.answer)),
        }
    }
}

fn is_number(answer: &str) -> bool {
    answer.replace(',', "").trim().parse::<f64>().is_ok()
}

/// Scores the samples and a set of odd ones: each in an instance of its own, then all as one batch, forwards and backwards
/// (a Python function in a used interpreter and with another seed as well). For a reward of groups, read "each group".
///
/// # Errors
/// [`Rejection::Probe`] where a score fails, [`Rejection::Unstable`], [`Rejection::OrderDependent`] and [`Rejection::Forbidden`] where a score
/// depends on what was scored before it, or on chance,
/// [`CompileError::Host`] where the engine failed and not the candidate.
pub fn probe(reward: &RewardFn, samples: &[Sample<'_>]) -> Result<ProbeReport, CompileError> {
    probe_for(reward, samples, Expected::of(samples))
}

/// The same where more is known of the task than its samples say.
///
/// # Errors
/// As [`probe`].
pub fn probe_for(
    reward: &RewardFn,
    samples: &[Sample<'_>],
    expected: Expected,
) -> Result<ProbeReport, CompileError> {
    let mut odd = made_up::odd();
    if let Some(first) = samples.iter().find(|sample| !sample.row.is_empty()) {
        odd = odd
            .into_iter()
            .map(|odd| odd.with_columns_of(first.row))
            .collect();
    }
    let mut notes = Vec::new();
    if expected.numbers {
        odd.retain(|odd| is_number(odd.answer) || survives(reward, odd, &mut notes));
    }
    let all: Vec<Sample<'_>> = samples
        .iter()
        .copied()
        .chain(odd.iter().map(MadeUp::sample))
        .collect();
    let name = |index: usize| match index.checked_sub(samples.len()) {
        None => format!("sample {}", index + 1),
        Some(place) => odd.get(place).map_or("a sample", |odd| odd.name).to_owned(),
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
        reward.check_steady(&all)?;
        // A Python function may weigh the completions of a batch against each other, but not by their order.
        compare_orders(reward, &all, [&forwards, &backwards], &name)?;
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
        notes,
    })
}

/// Whether a reward survives a sample that its task will not hold; what it fails on is noted. Trouble of the host shows again.
fn survives(reward: &RewardFn, odd: &MadeUp, notes: &mut Vec<String>) -> bool {
    match reward.measure_batch(&[odd.sample()]).0 {
        Err(fault) if !fault.is_host_trouble() => {
            notes.push(format!(
                "fails on {}, which is not among the task's: {}",
                odd.name,
                fault.reason()
            ));
            false
        }
        _ => true,
    }
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

/// Scores all samples as one batch in two orders; that may change no score by more than rounding.
fn compare_orders(
    reward: &RewardFn,
    all: &[Sample<'_>],
    orders: [&[usize]; 2],
    name: &impl Fn(usize) -> String,
) -> Result<(), CompileError> {
    const ROUNDING: f64 = 1e-9;
    let in_order = |order: &[usize]| -> Result<Vec<f64>, CompileError> {
        let batch: Vec<Sample<'_>> = order.iter().map(|index| all[*index]).collect();
        let scores = reward.score(&batch).map_err(|fault| {
            let index = order.get(fault.index().unwrap_or(0)).copied();
            failure(name, index.unwrap_or(0), fault.at(0))
        })?;
        let mut placed = vec![0.0; all.len()];
        for (index, score) in order.iter().zip(scores) {
            placed[*index] = score;
        }
        Ok(placed)
    };
    let (first, second) = (in_order(orders[0])?, in_order(orders[1])?);
    for (index, (first, second)) in first.into_iter().zip(second).enumerate() {
        if (first - second).abs() > ROUNDING * first.abs().max(second.abs()).max(1.0) {
            return Err(Rejection::OrderDependent {
                sample: name(index),
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
